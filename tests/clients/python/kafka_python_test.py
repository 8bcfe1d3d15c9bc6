# Braid, Apache-2.0.
#
# kafka-python: what its release of 2020, which Debian has, and its current one have in common. Both run this file.
import threading
import time
import unittest

import kafka
from kafka import ConsumerRebalanceListener, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.coordinator.assignors.range import RangePartitionAssignor as Range
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor as RoundRobin
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor as Sticky
from kafka.errors import MessageSizeTooLargeError, TopicAlreadyExistsError
from kafka.structs import OffsetAndMetadata

from broker import BOOTSTRAP, eventually, order, unique

CURRENT = int(kafka.__version__.split(".")[0]) >= 3


def create_topic(prefix, partitions=1):
    topic = unique(prefix)
    admin = KafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    admin.create_topics([NewTopic(topic, num_partitions=partitions, replication_factor=1)])
    admin.close()
    return topic


def produce(topic, records, **settings):
    """Sends (partition, key, value, headers, time) or plain values, and returns what the broker answered."""
    producer = KafkaProducer(bootstrap_servers=BOOTSTRAP, **settings)
    futures = []
    for record in records:
        partition, key, value, headers, timestamp = record if isinstance(record, tuple) else (None, None, record, [], None)
        futures.append(producer.send(topic, value, key=key, partition=partition, headers=headers, timestamp_ms=timestamp))
    producer.flush()
    answers = [future.get(30) for future in futures]
    producer.close()
    return answers


def read(topic, count, **settings):
    consumer = KafkaConsumer(topic, bootstrap_servers=BOOTSTRAP, auto_offset_reset="earliest",
                             consumer_timeout_ms=30000, **settings)
    records = []
    while len(records) < count:
        records.append(next(consumer))
    consumer.close()
    return records


class Member(ConsumerRebalanceListener):
    """A member of a group on a thread of its own, until stop()."""

    # kafka-python 3 forgets an assignment that comes in the moment in which a poll's time is over, and is then a member
    # without partitions until the next rebalance. So a poll is long beside what a rebalance takes.
    POLL_MS = 1000

    def __init__(self, topic, group, **settings):
        self.values = []
        self.assignment = set()
        self.running = True
        self.consumer = KafkaConsumer(
            bootstrap_servers=BOOTSTRAP, group_id=group, auto_offset_reset="earliest", session_timeout_ms=10000,
            heartbeat_interval_ms=300, auto_commit_interval_ms=100, **settings)
        self.consumer.subscribe([topic], listener=self)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while self.running:
            for records in self.consumer.poll(timeout_ms=self.POLL_MS).values():
                self.values += [int(record.value) for record in records]
        self.consumer.close()

    def on_partitions_assigned(self, assigned):
        self.assignment = {at.partition for at in assigned}

    def on_partitions_revoked(self, revoked):
        self.assignment = set()

    def stop(self):
        self.running = False
        self.thread.join()


class KafkaPython(unittest.TestCase):
    def test_every_codec_is_read_as_it_was_written(self):
        for codec in [None, "gzip", "snappy", "lz4", "zstd"]:
            with self.subTest(codec=codec):
                topic = create_topic("codec")
                sent = [str(i).encode() * 20 for i in range(300)]
                produce(topic, sent, compression_type=codec, linger_ms=20)
                self.assertEqual([record.value for record in read(topic, len(sent))], sent)

    def test_headers_keys_and_tombstones_come_back_byte_for_byte(self):
        topic = create_topic("bytes")
        binary = b"\x00\xff\xfe\x80\x00"
        now = int(time.time() * 1000) - 5000
        headers = [("a", b"1"), ("a", binary), ("é", b"")]
        produce(topic, [(0, binary, binary, headers, now), (0, b"gone", None, [], None), (0, None, b"", [], None)])
        first, tombstone, empty = read(topic, 3)
        self.assertEqual((first.key, first.value, first.timestamp), (binary, binary, now))
        self.assertEqual(list(first.headers), headers)
        self.assertEqual((tombstone.key, tombstone.value), (b"gone", None))
        self.assertEqual((empty.key, empty.value), (None, b""))

    def test_every_kind_of_acknowledgement_stores(self):
        topic = create_topic("acks")
        # 0 comes first: nobody answers for it, and its connection may end before the partition is open.
        for acks in [0, 1, "all"]:
            produce(topic, [str(acks).encode()], acks=acks)
        self.assertEqual({record.value for record in read(topic, 3)}, {b"0", b"1", b"all"})

    def test_large_records_pass_up_to_the_limit_and_are_refused_beyond(self):
        topic = create_topic("large")
        large = bytes(range(256)) * 3900
        self.assertEqual(produce(topic, [large], max_request_size=5000000)[0].offset, 0)
        with self.assertRaises(MessageSizeTooLargeError):
            produce(topic, [large * 2], max_request_size=5000000)
        self.assertEqual(read(topic, 1)[0].value, large)

    def test_members_that_join_and_leave_share_the_partitions(self):
        # The sticky assignor of 2020 fails by itself under current Pythons.
        for assignor in [Range, RoundRobin, Sticky] if CURRENT else [Range, RoundRobin]:
            with self.subTest(assignor=assignor.__name__):
                topic, group = create_topic("group", 4), unique("g")
                first = Member(topic, group, partition_assignment_strategy=[assignor])
                eventually(lambda: len(first.assignment) == 4, "the first has all")
                second = Member(topic, group, partition_assignment_strategy=[assignor])
                eventually(lambda: len(first.assignment) == len(second.assignment) == 2, "two and two")
                produce(topic, [(i % 4, None, str(i).encode(), [], None) for i in range(80)])
                eventually(lambda: len(first.values + second.values) >= 80, "all 80")
                first.stop()
                eventually(lambda: len(second.assignment) == 4, "the second has all")
                produce(topic, [(i % 4, None, str(i).encode(), [], None) for i in range(80, 120)])
                eventually(lambda: set(first.values + second.values) == set(range(120)), "all 120")
                second.stop()

    def test_a_group_goes_on_where_it_was_after_a_crash_of_the_broker(self):
        topic, group = create_topic("offsets"), unique("g")
        produce(topic, [str(i).encode() for i in range(10)])
        consumer = KafkaConsumer(bootstrap_servers=BOOTSTRAP, group_id=group, enable_auto_commit=False)
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        self.assertIsNone(consumer.committed(partition))
        consumer.commit({partition: OffsetAndMetadata(6, "six", -1) if CURRENT else OffsetAndMetadata(6, "six")})
        consumer.close()
        order("crash")
        records = read(topic, 4, group_id=group)
        self.assertEqual([record.offset for record in records], [6, 7, 8, 9])

    def test_offsets_are_found_by_end_and_by_time(self):
        topic = create_topic("times")
        base = int(time.time() * 1000) - 100000
        produce(topic, [(0, None, b"x", [], base + i * 1000) for i in range(10)], linger_ms=50)
        consumer = KafkaConsumer(bootstrap_servers=BOOTSTRAP)
        partition = TopicPartition(topic, 0)
        self.assertEqual(consumer.beginning_offsets([partition])[partition], 0)
        self.assertEqual(consumer.end_offsets([partition])[partition], 10)
        found = consumer.offsets_for_times({partition: base + 3500})[partition]
        self.assertEqual((found.offset, found.timestamp), (4, base + 4000))
        self.assertIsNone(consumer.offsets_for_times({partition: base + 60000})[partition])
        consumer.assign([partition])
        consumer.seek(partition, 8)
        got = []
        eventually(lambda: got.extend(sum(consumer.poll(100).values(), [])) or len(got) == 2, "two records")
        consumer.close()

    def test_a_topic_that_exists_is_not_created_again(self):
        topic = create_topic("exists")
        admin = KafkaAdminClient(bootstrap_servers=BOOTSTRAP)
        with self.assertRaises(TopicAlreadyExistsError):
            admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
        admin.delete_topics([topic])
        eventually(lambda: topic not in list(admin.list_topics()), "it is gone")
        admin.close()
