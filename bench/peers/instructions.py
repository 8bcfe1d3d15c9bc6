# Braid, Apache-2.0.
#
# Instructions per message on Braid's hot paths, counted by callgrind: a figure that neither other processes nor the
# clock's speed touch. A path is run twice with windows of different length, and the difference of the instructions is
# divided by the difference of the messages, so that starting and stopping do not count.
import pathlib
import re
import shutil
import tempfile

import brokers
import measure

# title, protocol, durability, arguments
PATHS = [
    ("MQTT QoS 0, publish to one subscriber", "mqtt", "memory",
     dict(qos=0, publishers=1, subscribers=1, topics=1, payload=64, window=20)),
    ("MQTT QoS 1, 50 pairs, publish to deliver", "mqtt", "memory",
     dict(qos=1, publishers=50, subscribers=50, topics=50, payload=64, window=20)),
    ("MQTT QoS 0, one to 200, each delivery", "mqtt", "memory",
     dict(qos=0, publishers=1, subscribers=200, topics=1, fan=200, payload=64, window=20)),
    ("MQTT QoS 1, a shared group of 10", "mqtt", "memory",
     dict(qos=1, publishers=10, subscribers=10, topics=10, payload=64, window=100, filter="shared")),
    ("Kafka produce, acks=all, durability os, 100 B", "kafka", "os",
     dict(partitions=1, payload=100, window=5000, consumers=0)),
    ("Kafka produce and fetch, durability os, 100 B", "kafka", "os",
     dict(partitions=1, payload=100, window=5000)),
    ("AMQP transient, publish to deliver, 16 B", "amqp", "memory", dict(payload=16, window=100)),
    ("AMQP persistent, publish to acknowledgement, 16 B", "amqp", "sync", dict(payload=16, window=100, persistent=1)),
]
SHORT_S, LONG_S = 2, 6


class Callgrind(brokers.Braid):
    def command(self, directory, port, protocol, durability):
        command, environment = super().command(directory, port, protocol, durability)
        self.output = directory / "callgrind.out"
        return ["valgrind", "--tool=callgrind", "-q", f"--callgrind-out-file={self.output}", *command], environment


def instructions(output):
    """Those of the whole run, threads together."""
    found = re.findall(r"^(?:summary|totals): (\d+)", output.read_text(errors="replace"), re.M)
    if not found:
        raise measure.Failed("callgrind left no totals")
    return max(map(int, found))


def once(path, seconds, ports):
    _, protocol, durability, arguments = path
    broker = Callgrind()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="braid-peers-callgrind-"))
    try:
        broker.start(directory, ports[protocol], protocol, durability, "0")
        arguments = dict(arguments, port=ports[protocol], warmup=0, seconds=seconds)
        if protocol == "kafka":
            arguments["topic-config"] = broker.topic_config(durability)
        events = measure.generate(brokers.BUILD / f"bench/peers/bench_{protocol}_load", arguments, "1",
                                  broker.roots())
        broker.stop()
        return instructions(broker.output), events["result"]["all_messages"]
    finally:
        broker.stop()
        shutil.rmtree(directory, ignore_errors=True)


def count(ports):
    """[(title, instructions per message)]; a path that Braid does not serve is left out, and said to be."""
    try:
        brokers.debian("valgrind", "valgrind")
    except brokers.Absent as why:
        print(f"peers: no instructions are counted: {why}", flush=True)
        return []
    counted = []
    for path in PATHS:
        try:
            few, many = once(path, SHORT_S, ports), once(path, LONG_S, ports)
        except (measure.Failed, RuntimeError) as why:
            print(f"  {path[0]}: not counted: {why}", flush=True)
            continue
        if many[1] > few[1]:
            counted.append((path[0], (many[0] - few[0]) / (many[1] - few[1])))
            print(f"  {path[0]}: {counted[-1][1]:.0f} instructions", flush=True)
    return counted
