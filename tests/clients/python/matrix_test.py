# Braid, Apache-2.0.
#
# What becomes of a message between the protocols: every row of matrix_rows.py is written over MQTT 5 and over Kafka and
# read over Kafka, MQTT 5 and MQTT 3.1.1, by clients that know nothing of each other (Eclipse Paho and librdkafka). The
# matrix is printed, and must be the one that docs/protocol-mapping.md shows; with BRAID_WRITE_DOCS=1 it is written there.
import os
import pathlib
import time
import unittest

import paho.mqtt.client as mqtt
from confluent_kafka import Consumer, Producer, TIMESTAMP_NOT_AVAILABLE, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from broker import BOOTSTRAP, HOST, MQTT, eventually, unique
from matrix_rows import Seen, rows

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs/protocol-mapping.md"
BEGIN, END = "<!-- matrix: written by tests/clients/python/matrix_test.py -->\n", "<!-- matrix: end -->\n"
READERS = ["Kafka", "MQTT 5.0", "MQTT 3.1.1"]
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


def read_kafka(topics):
    """Everything that the topics hold now."""
    consumer = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": unique("matrix"), "fetch.message.max.bytes": 8 << 20})
    left = {}
    for topic in topics:
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=30)
        left[topic] = end
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
    return seen


def table(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() + " |" for line in lines]
    return "\n".join([text[0], "|" + "---|" * len(widths)] + text[1:]) + "\n"


class Matrix(unittest.TestCase):
    def test_the_matrix_is_the_one_of_the_page(self):
        run = unique("m")
        plan = [(f"{run}{number}{writer[0]}", row, writer, getattr(row, writer.lower()))
                for number, row in enumerate(rows()) for writer in ["MQTT", "Kafka"] if getattr(row, writer.lower())]
        topics = [topic for topic, *_ in plan]
        admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
        for future in admin.create_topics([NewTopic(topic, 1, 1) for topic in topics]).values():
            future.result()

        live = [MqttReader(reader) for reader in READERS[1:]]
        writer = MqttReader("MQTT 5.0").client
        producer = Producer({"bootstrap.servers": BOOTSTRAP, "message.max.bytes": 8 << 20, "linger.ms": 0})
        for topic, _, protocol, written in plan:
            for one in written:
                write_mqtt(writer, topic, one) if protocol == "MQTT" else write_kafka(producer, topic, one)
        expected = {topic: len(written) for topic, row, _, written in plan if not row.late}
        for reader in live:
            eventually(lambda: all(sum(seen.topic == topic for seen in reader.seen) >= count
                                   for topic, count in expected.items()), "everything is delivered", 120)
        time.sleep(1.1)  # the shortest expiry that MQTT knows is a second
        late = [MqttReader(reader) for reader in READERS[1:]]
        # What is retained comes with the subscription, in no said order: the last one is known to be there.
        marker = unique("marker")
        writer.publish(marker, "x", 1, True)
        for reader in late:
            eventually(lambda: any(seen.topic == marker for seen in reader.seen), "the marker")
            eventually(lambda: any(seen.retain for seen in reader.seen), "what is retained")
        seen = {"Kafka": read_kafka(topics)}
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
                    source = seen[reader + " late" if row.late and reader != "Kafka" else reader]
                    return row.tell(written, [one for one in source if one.topic == topic])
            return "-"

        lines = [["written"] + [f"{writer} to {reader}" for writer in ["MQTT 5.0", "Kafka"] for reader in READERS]]
        done = {}
        for _, row, _, _ in plan:
            done[row.label] = row
        for row in done.values():
            lines.append([row.label] + [cell(row, writer, reader) for writer in ["MQTT", "Kafka"] for reader in READERS])
        return table(lines)

    def check(self, matrix):
        print("\n" + matrix)
        page = PAGE.read_text()
        before, found, rest = page.partition(BEGIN)
        old, _, after = rest.partition(END)
        if os.environ.get("BRAID_WRITE_DOCS") == "1":
            PAGE.write_text((before if found else page + "\n") + BEGIN + matrix + END + after)
        else:
            self.assertEqual(old, matrix, "the page says otherwise: run this suite with BRAID_WRITE_DOCS=1, read the diff")
