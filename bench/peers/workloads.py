# Braid, Apache-2.0.
#
# What is measured, as a table: who plays against whom, what the load is, how durable it is. A row with `target` is one of
# the figures that Braid is to reach (throughput at least so many times the peer's; p99 and CPU per message at most such
# a share of the peer's; None where it is not a matter of that).
import dataclasses


@dataclasses.dataclass(frozen=True)
class Target:
    throughput: float | None
    p99: float | None
    cpu: float | None


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    title: str
    peer: str
    protocol: str                  # of Braid's side, and of the peer's unless peer_protocol says otherwise
    arguments: dict
    durability: str = "memory"
    target: Target | None = None
    peer_protocol: str = ""
    peer_arguments: dict | None = None
    latency: bool = True           # whether there is a second phase at a fixed rate
    rate: int = 0                  # only at this rate, the same on both sides
    kind: str = "load"             # load, or idle: nothing but being there
    warmup_s: float = 1
    each: str = ""                 # idle: what the memory is divided by
    count: int = 0


def mqtt(name, title, qos, publishers, subscribers, topics, fan=1, target=None, payload=64, **more):
    arguments = dict(qos=qos, publishers=publishers, subscribers=subscribers, topics=topics, fan=fan, payload=payload)
    arguments.update(more)
    return Workload(name, title, "mosquitto", "mqtt", arguments, target=target)


def kafka(name, title, durability, target=None, latency=True, **arguments):
    return Workload(name, title, "kafka", "kafka", arguments, durability, target, latency=latency, warmup_s=5)


def amqp(name, title, durability, target=None, latency=True, rate=0, **arguments):
    arguments["persistent"] = int(durability != "memory")
    return Workload(name, title, "rabbitmq", "amqp", arguments, durability, target, latency=latency, rate=rate, warmup_s=2)


def across(name, title, **arguments):
    arguments.update(publishers=50, topics=50, partitions=6, window=100)
    return Workload(name, title, "mosquitto+kafka", "across", arguments, "os", warmup_s=5)


RABBIT_16, RABBIT_1K = Target(5, 1 / 4, 1 / 5), Target(8, 1 / 4, 1 / 5)

FIGURES = [
    mqtt("mqtt-pairs-qos1", "MQTT QoS 1, 50 pairs", 1, 50, 50, 50, window=20, target=Target(6, 1 / 2, 1 / 4)),
    mqtt("mqtt-fanout200-qos0", "MQTT QoS 0, one to 200", 0, 1, 200, 1, fan=200, window=20,
         target=Target(10, 1 / 2, 1 / 6)),
    mqtt("mqtt-shared10-qos1", "MQTT QoS 1, a shared group of 10", 1, 10, 10, 10, window=100, filter="shared",
         target=Target(13, 1 / 4, 1 / 6)),
    kafka("kafka-acks-all-os", "Kafka, acks=all, synced in background, 6 partitions, 100 B", "os",
          Target(1.5, 1 / 4, 1 / 4), partitions=6, payload=100, acks=-1, window=50000),
    kafka("kafka-acks-all-sync", "Kafka, acks=all, synced before the acknowledgement, 6 partitions, 100 B", "sync",
          Target(5, 1 / 4, 1 / 4), partitions=6, payload=100, acks=-1, window=50000),
    amqp("amqp-transient-16", "AMQP transient, auto-ack, 16 B", "memory", RABBIT_16, payload=16, window=1000),
    amqp("amqp-transient-1k", "AMQP transient, auto-ack, 1 KiB", "memory", RABBIT_1K, payload=1024, window=1000),
    amqp("amqp-persistent-16", "AMQP persistent, confirms, acks, 16 B", "sync", RABBIT_16, payload=16, window=1000),
    amqp("amqp-persistent-1k", "AMQP persistent, confirms, acks, 1 KiB", "sync", RABBIT_1K, payload=1024, window=1000),
    Workload("nats-pairs-file", "stored in files, synced in background, 50 pairs: JetStream; MQTT QoS 1 into a topic",
             "nats", "mqtt", dict(qos=1, publishers=50, subscribers=50, topics=50, payload=64, window=20), "os",
             Target(1.5, 1, 1), peer_protocol="nats",
             peer_arguments=dict(publishers=50, subscribers=50, topics=50, payload=64, window=20)),
]

MQTT = [mqtt(f"mqtt-{shape}-qos{qos}-{size}", f"MQTT QoS {qos}, {title}, {text}", qos, publishers, subscribers, topics,
             fan=fan, payload=payload, **more)
        for shape, title, publishers, subscribers, topics, fan, more in (
            ("one-to-one", "one to one", 1, 1, 1, 1, dict(window=100)),
            ("100-to-1", "100 publishers to one", 100, 1, 100, 1, dict(window=20, filter="all")),
            ("1-to-100", "one to 100 subscribers", 1, 100, 1, 100, dict(window=20)),
            ("1000-to-1000", "1,000 to 1,000 over 1,000 topics", 1000, 1000, 1000, 1, dict(window=10)))
        for qos in (0, 1, 2)
        for size, text, payload in (("64", "64 B", 64), ("1k", "1 KiB", 1024))]

KAFKA = [kafka(f"kafka-w1-{size}-acks{acks}", f"W1: one partition, {text}, acks {'all' if acks < 0 else acks}", "os",
               partitions=1, payload=payload, acks=acks, window=50000)
         for size, text, payload in (("100", "100 B", 100), ("1k", "1 KiB", 1024)) for acks in (1, -1)] + [
    kafka("kafka-w2", "W2: 16 partitions, 1 KiB, a tailing consumer", "os", partitions=16, payload=1024, window=20000),
    kafka("kafka-w3", "W3: 100 partitions, linger 0, idempotent", "os", partitions=100, payload=100, window=5000,
          **{"linger-ms": 0, "idempotent": 1}),
    kafka("kafka-w4", "W4: 25 producers with keys, 16 partitions", "os", partitions=16, payload=100, producers=25,
          keyed=1, window=20000),
    kafka("kafka-w5", "W5: a backlog of a million drained while producing, 1 KiB", "os", latency=False, partitions=4,
          payload=1024, backlog=1000000, window=20000),
    kafka("kafka-w6", "W6: one producer, 10 groups", "os", partitions=6, payload=100, groups=10, fan=10, window=5000),
    kafka("kafka-w8", "W8: one synchronous producer, synced before the acknowledgement", "sync", latency=False,
          partitions=1, payload=100, consumers=0, synchronous=1, **{"linger-ms": 0}),
]

# Beside the four rows of FIGURES: what a window, a prefetch, a fan-out and a low rate make of it.
AMQP = [
    amqp("amqp-persistent-window1", "AMQP persistent, confirm window 1, 16 B", "sync", latency=False, payload=16, window=1),
    *[amqp(f"amqp-prefetch-{prefetch or 'unlimited'}", f"AMQP persistent, prefetch {prefetch or 'unlimited'}, 64 B", "sync",
           payload=64, window=1000, prefetch=prefetch) for prefetch in (1, 100, 1000, 0)],
    *[amqp(f"amqp-fanout10-{kind}", f"AMQP {kind}, fan-out to 10 queues, 64 B", durability, payload=64, subscribers=10, fan=10,
           window=200) for kind, durability in (("transient", "memory"), ("persistent", "sync"))],
    *[amqp(f"amqp-rate5000-{kind}", f"AMQP {kind}, 5,000 messages a second, 64 B", durability, Target(None, 1 / 4, None),
           rate=5000, payload=64, window=1000) for kind, durability in (("transient", "memory"), ("persistent", "sync"))],
]

ACROSS = [across(f"across-{size}", f"MQTT QoS 1 in, Kafka group out, {title}", payload=size)
          for size, title in ((64, "64 B"), (1024, "1 KiB"))]


def idle(name, title, peer, protocol, arguments, each, count, durability="memory"):
    return Workload(name, title, peer, protocol, arguments, durability, latency=False, kind="idle", each=each, count=count)


IDLE = [
    idle("idle-connections", "idle MQTT connections", "mosquitto", "mqtt", dict(idle=20000), "connection", 20000),
    Workload("mqtt-wildcards", "1,000,000 MQTT subscriptions with a wildcard; each message matches one", "mosquitto",
             "mqtt", dict(qos=0, publishers=1, subscribers=100, filter="wildcards", filters=1000000, window=100),
             latency=False, each="subscription", count=1000000),
    idle("idle-partitions", "W7: 10,000 Kafka partitions, 1,000 consumers with a parked fetch", "kafka", "kafka",
         dict(topics=5, partitions=2000, parked=1000), "partition", 10000, "os"),
    idle("idle-queues", "10,000 durable AMQP queues", "rabbitmq", "amqp", dict(queues=10000, persistent=1), "queue",
         10000, "sync"),
]

WORKLOADS = FIGURES + ACROSS + MQTT + KAFKA + AMQP + IDLE
# What a run without a choice measures.
DEFAULT = [workload.name for workload in FIGURES + ACROSS + AMQP + IDLE]
