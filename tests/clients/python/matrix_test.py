# Braid, Apache-2.0.
#
# What becomes of a message between the protocols: every row of matrix_rows.py is written over MQTT 5, Kafka and AMQP
# (amq.topic) and read over Kafka, MQTT 5, MQTT 3.1.1 and AMQP, where a topic is a stream, and its messages reach queues that
# are bound to amq.topic; by clients that know nothing of each other (Eclipse Paho, librdkafka and pika). The matrix is
# printed, a table for each writer, and must be the one that docs/protocol-mapping.md shows; with BRAID_WRITE_DOCS=1 it is
# written there.
import os
import pathlib
import time
import unittest

import paho.mqtt.client as mqtt
import pika
import pika.data
from confluent_kafka import Consumer, Producer, TIMESTAMP_NOT_AVAILABLE, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from broker import AMQP, BOOTSTRAP, HOST, MQTT, eventually, unique
from matrix_rows import Seen, Typed, plain, rows

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs/protocol-mapping.md"
BEGIN, END = "<!-- matrix: written by tests/clients/python/matrix_test.py -->\n", "<!-- matrix: end -->\n"
READERS = ["Kafka", "MQTT 5.0", "MQTT 3.1.1", "AMQP stream", "AMQP queue"]
WRITERS = {"MQTT": "MQTT 5.0", "Kafka": "Kafka", "AMQP": "AMQP"}
# As the properties of Paho are called, and how they are turned into what the rows compare.
PROPERTIES = {
    "content_type": ("ContentType", str, str.encode),
    "response_topic": ("ResponseTopic", str, str.encode),
    "correlation": ("CorrelationData", bytes, bytes),
    "payload_format": ("PayloadFormatIndicator", int, lambda value: str(value).encode()),
    "expiry": ("MessageExpiryInterval", int, int),
}


def publish_properties(written):
    result = Properties(PacketTypes.PUBLISH)
    for name, value in written.properties.items():
        paho, kind, _ = PROPERTIES[name]
        setattr(result, paho, value.decode() if kind is str else int(value) if kind is int else value)
    if written.headers:
        result.UserProperty = [(name, value.decode()) for name, value in written.headers]
    return result


class MqttReader:
    """A subscriber to everything, on a thread of its own."""

    def __init__(self, reader):
        self.reader = reader
        self.seen = []
        self.subscribed = False
        self.client = mqtt.Client(client_id=unique("reader"),
                                  protocol=mqtt.MQTTv5 if reader == "MQTT 5.0" else mqtt.MQTTv311)
        self.client.on_message = self.on_message
        self.client.on_subscribe = lambda *_: setattr(self, "subscribed", True)
        self.client.connect(HOST, MQTT)
        self.client.loop_start()
        eventually(self.client.is_connected, "CONNACK")
        self.client.subscribe("#", 1)
        eventually(lambda: self.subscribed, "SUBACK")

    def on_message(self, _, __, message):
        given = getattr(message, "properties", None)
        properties = {name: turn(getattr(given, paho)) for name, (paho, _, turn) in PROPERTIES.items()
                      if hasattr(given, paho)}
        headers = [(name, value.encode()) for name, value in getattr(given, "UserProperty", [])]
        self.seen.append(Seen(self.reader, message.topic.split("/")[0], message.topic.encode(), message.payload, headers,
                              properties, bool(message.retain)))

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()


def write_mqtt(client, topic, written):
    key = written.key.decode().format(topic=topic)
    info = client.publish(key, written.value, written.qos, written.retain, publish_properties(written))
    info.wait_for_publish(60)
    assert info.is_published(), key


def write_kafka(producer, topic, written):
    failures = []
    key = written.key.replace(b"{topic}", topic.encode()) if written.key is not None else None
    producer.produce(topic, written.value, key, headers=written.headers or None,
                     on_delivery=lambda error, _: error and failures.append(error), timestamp=written.time_ms or 0)
    assert producer.flush(60) == 0 and not failures, failures


# pika writes few of AMQP's types of numbers, and reads some with another sign than they were written with.
NUMBERS = {b"b": 1, b"B": 1, b"s": 2, b"u": 2, b"I": 4, b"i": 4, b"l": 8, b"f": 4, b"d": 8}
encode_value, decode_value = pika.data.encode_value, pika.data.decode_value


def encode_typed(pieces, value):
    if not isinstance(value, Typed):
        return encode_value(pieces, value)
    pieces.append(value.kind + value.raw)
    return 1 + len(value.raw)


def decode_typed(encoded, offset):
    kind, end = encoded[offset:offset + 1], offset + 1 + NUMBERS.get(encoded[offset:offset + 1], 0)
    return decode_value(encoded, offset) if kind not in NUMBERS else (Typed(kind, encoded[offset + 1:end]), end)


TEXTS = {"content_type": "content_type", "response_topic": "reply_to", "correlation": "correlation_id",
         "message_id": "message_id", "type": "type", "app_id": "app_id"}


def write_amqp(channel, topic, written):
    given = {TEXTS[name]: value.decode() for name, value in written.properties.items() if name in TEXTS}
    if "expiry" in written.properties:
        given["expiration"] = str(written.properties["expiry"] * 1000)
    properties = pika.BasicProperties(headers=dict(written.headers) or None, delivery_mode=2, **given,
                                      timestamp=written.time_ms // 1000 if written.time_ms else None)
    channel.basic_publish("amq.topic", written.key.decode().format(topic=topic), written.value, properties, mandatory=True)


def as_seen(reader, topic, method, properties, body):
    given = {name: getattr(properties, text).encode() for name, text in TEXTS.items() if getattr(properties, text) is not None}
    if properties.expiration is not None:
        given["expiry"] = int(properties.expiration) / 1000
    headers = [(name, plain(value)) for name, value in (properties.headers or {}).items() if name != "x-stream-offset"]
    key = method.routing_key
    return Seen(reader, topic, key.encode() if isinstance(key, str) else key, body, headers, given,
                time_ms=properties.timestamp * 1000 if properties.timestamp else None)


def read_streams(channel, counts):
    """So many messages of each topic, which is a stream queue of its name."""
    channel.basic_qos(prefetch_count=1000)
    seen = []

    def keep(topic, method, properties, body):
        seen.append(as_seen("AMQP stream", topic, method, properties, body))
        channel.basic_ack(method.delivery_tag)

    for topic in counts:
        channel.basic_consume(topic, lambda _, *message, topic=topic: keep(topic, *message),
                              arguments={"x-stream-offset": "first"})
    eventually(lambda: channel.connection.process_data_events(0.05) or len(seen) >= sum(counts.values()),
               lambda: f"all is read as streams: {len(seen)} of {sum(counts.values())}", 60)
    return seen


def read_queue(channel, queue, counts):
    """So many messages of each topic, by the first word of their routing keys."""
    seen = []
    channel.basic_consume(queue, lambda _, method, properties, body: seen.append(
        as_seen("AMQP queue", method.routing_key.split(".")[0], method, properties, body)), auto_ack=True)
    eventually(lambda: channel.connection.process_data_events(0.05) or all(
        sum(one.topic == topic for one in seen) >= count for topic, count in counts.items()),
               lambda: f"the queue has {len(seen)} messages, not {sum(counts.values())}", 60)
    return seen


def read_kafka(topics):
    """Everything that the topics hold now, and how many records that is of each."""
    consumer = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": unique("matrix"), "fetch.message.max.bytes": 8 << 20})
    left = {}
    for topic in topics:
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=30)
        left[topic] = end
    counts = dict(left)
    consumer.assign([TopicPartition(topic, 0, 0) for topic in topics])
    seen = []

    def all_read():
        message = consumer.poll(1.0)
        if message is not None and not message.error():
            kind, time_ms = message.timestamp()
            seen.append(Seen("Kafka", message.topic(), message.key(), message.value(), message.headers() or [], {},
                             time_ms=time_ms if kind != TIMESTAMP_NOT_AVAILABLE else None))
            left[message.topic()] -= 1
        return not any(left.values())

    eventually(all_read, "all records are read", 120)
    consumer.close()
    return seen, counts


def table(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() + " |" for line in lines]
    return "\n".join([text[0], "|" + "---|" * len(widths)] + text[1:]) + "\n"


class Matrix(unittest.TestCase):
    def setUp(self):
        for name, function in [("encode_value", encode_typed), ("decode_value", decode_typed)]:
            self.addCleanup(setattr, pika.data, name, getattr(pika.data, name))
            setattr(pika.data, name, function)

    def test_the_matrix_is_the_one_of_the_page(self):
        run = unique("m")
        plan = [(f"{run}{number}{writer[0]}", row, writer, getattr(row, writer.lower()))
                for number, row in enumerate(rows()) for writer in WRITERS if getattr(row, writer.lower())]
        topics = [topic for topic, *_ in plan]
        admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
        for future in admin.create_topics([NewTopic(topic, 1, 1) for topic in topics]).values():
            future.result()

        live = [MqttReader(reader) for reader in READERS if reader.startswith("MQTT")]
        writer = MqttReader("MQTT 5.0").client
        producer = Producer({"bootstrap.servers": BOOTSTRAP, "message.max.bytes": 8 << 20, "linger.ms": 0})
        connection = pika.BlockingConnection(pika.ConnectionParameters(HOST, AMQP))
        channel = connection.channel()
        channel.confirm_delivery()
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, "amq.topic", "#")
        write = {"MQTT": lambda topic, one: write_mqtt(writer, topic, one),
                 "Kafka": lambda topic, one: write_kafka(producer, topic, one),
                 "AMQP": lambda topic, one: write_amqp(channel, topic, one)}
        for topic, _, protocol, written in plan:
            for one in written:
                write[protocol](topic, one)
        expected = {topic: len(written) for topic, row, _, written in plan if not row.late}
        for reader in live:
            eventually(lambda: all(sum(seen.topic == topic for seen in reader.seen) >= count
                                   for topic, count in expected.items()), "everything is delivered", 120)
        time.sleep(1.1)  # the shortest expiry that MQTT knows is a second
        late = [MqttReader(reader) for reader in READERS if reader.startswith("MQTT")]
        # What is retained comes with the subscription, in no said order: the last one is known to be there.
        marker = unique("marker")
        writer.publish(marker, "x", 1, True)
        for reader in late:
            eventually(lambda: any(seen.topic == marker for seen in reader.seen), "the marker")
            eventually(lambda: any(seen.retain for seen in reader.seen), "what is retained")
        records, counts = read_kafka(topics)
        lasting = {topic: len(written) for topic, row, _, written in plan if row.label != "expiry: over"}
        seen = {"Kafka": records, "AMQP stream": read_streams(connection.channel(), counts),
                "AMQP queue": read_queue(connection.channel(), queue, lasting)}
        connection.close()
        for early, after in zip(live, late):
            seen[early.reader] = early.seen
            seen[after.reader + " late"] = after.seen
            early.stop()
            after.stop()
        self.check(self.matrix(plan, seen))

    def matrix(self, plan, seen):
        def cell(row, writer, reader):
            for topic, planned, protocol, written in plan:
                if planned is row and protocol == writer:
                    source = seen[reader + " late" if row.late and reader.startswith("MQTT") else reader]
                    return row.tell(written, [one for one in source if one.topic == topic])
            return "-"

        tables = []
        for writer, name in WRITERS.items():
            lines = [[f"written over {name}"] + [f"read over {reader}" for reader in READERS]]
            lines += [[row.label] + [cell(row, writer, reader) for reader in READERS]
                      for _, row, protocol, _ in plan if protocol == writer]
            tables.append(table(lines))
        return "\n".join(tables)

    def check(self, matrix):
        print("\n" + matrix)
        page = PAGE.read_text()
        before, found, rest = page.partition(BEGIN)
        old, _, after = rest.partition(END)
        if os.environ.get("BRAID_WRITE_DOCS") == "1":
            PAGE.write_text((before if found else page + "\n") + BEGIN + matrix + END + after)
        else:
            self.assertEqual(old, matrix, "the page says otherwise: run this suite with BRAID_WRITE_DOCS=1, read the diff")
