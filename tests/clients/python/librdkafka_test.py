# Braid, Apache-2.0.
#
# A current librdkafka, behind confluent-kafka for Python: its admin client, which covers most of what tools ask, and the
# protocol versions that the librdkafka of Debian does not speak yet.
import time
import unittest

from confluent_kafka import (Consumer, ConsumerGroupTopicPartitions, ConsumerGroupState, ElectionType, IsolationLevel,
                             KafkaError, KafkaException, Producer, TopicCollection, TopicPartition)
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic,
                                   OffsetSpec, ResourceType)

from broker import BOOTSTRAP, KAFKA, eventually, unique


def result(future_or_map):
    """The one result of an admin call."""
    if isinstance(future_or_map, dict):
        (future_or_map,) = future_or_map.values()
    return future_or_map.result(30)


class Librdkafka(unittest.TestCase):
    def setUp(self):
        self.admin = AdminClient({"bootstrap.servers": BOOTSTRAP})

    def refused(self, code, call, *arguments, **named):
        with self.assertRaises(KafkaException) as caught:
            result(call(*arguments, **named))
        self.assertEqual(caught.exception.args[0].code(), code, caught.exception)

    def topic(self, prefix, partitions=1):
        name = unique(prefix)
        result(self.admin.create_topics([NewTopic(name, partitions, 1)]))
        return name

    def fill(self, topic, count, partitions=1, **settings):
        producer = Producer({"bootstrap.servers": BOOTSTRAP, **settings})
        for i in range(count):
            producer.produce(topic, str(i).encode(), partition=i % partitions)
        self.assertEqual(producer.flush(30), 0)

    def member(self, topic, group, **settings):
        consumer = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": group, "auto.offset.reset": "earliest",
                             "enable.auto.commit": False, **settings})
        consumer.subscribe([topic])
        self.addCleanup(consumer.close)
        return consumer

    def values(self, consumer, count):
        values = []

        def done():
            message = consumer.poll(0.2)
            if message is not None:
                self.assertIsNone(message.error())
                values.append(int(message.value()))
            return len(values) >= count

        eventually(done, f"{count} messages")
        return values

    def test_every_codec_is_read_in_order(self):
        for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
            with self.subTest(codec=codec):
                topic = self.topic("codec")
                self.fill(topic, 500, **{"compression.type": codec, "enable.idempotence": True})
                consumer = self.member(topic, unique("g"))
                self.assertEqual(self.values(consumer, 500), list(range(500)))

    def test_topics_are_described_widened_and_deleted(self):
        name = self.topic("described", 2)
        described = result(self.admin.describe_topics(TopicCollection([name])))
        self.assertEqual(len(described.partitions), 2)
        self.assertEqual(described.partitions[0].leader.port, KAFKA)
        result(self.admin.create_partitions([NewPartitions(name, 5)]))
        described = result(self.admin.describe_topics(TopicCollection([name])))
        self.assertEqual(len(described.partitions), 5)
        self.refused(KafkaError.INVALID_PARTITIONS, self.admin.create_partitions, [NewPartitions(name, 2)])
        self.refused(KafkaError.TOPIC_ALREADY_EXISTS, self.admin.create_topics, [NewTopic(name, 1, 1)])
        result(self.admin.delete_topics([name]))
        self.refused(KafkaError.UNKNOWN_TOPIC_OR_PART, self.admin.delete_topics, [name])

    def test_configuration_is_changed_piece_by_piece(self):
        name = self.topic("config")

        def alter(entry, value, operation):
            resource = ConfigResource(ResourceType.TOPIC, name)
            resource.add_incremental_config(ConfigEntry(entry, value, incremental_operation=operation))
            return self.admin.incremental_alter_configs([resource])

        def described():
            return result(self.admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)]))

        before = described()["retention.ms"].value
        result(alter("retention.ms", "90000", AlterConfigOpType.SET))
        self.assertEqual(described()["retention.ms"].value, "90000")
        result(alter("retention.ms", None, AlterConfigOpType.DELETE))
        self.assertEqual(described()["retention.ms"].value, before)
        with self.assertRaises(KafkaException):
            result(alter("no.such.setting", "1", AlterConfigOpType.SET))

    def test_offsets_are_listed_and_records_deleted(self):
        name = self.topic("offsets")
        self.fill(name, 10)
        partition = TopicPartition(name, 0)

        def offset(spec):
            listed = self.admin.list_offsets({partition: spec}, isolation_level=IsolationLevel.READ_UNCOMMITTED)
            return result(listed).offset

        self.assertEqual(offset(OffsetSpec.earliest()), 0)
        self.assertEqual(offset(OffsetSpec.latest()), 10)
        self.assertIn(offset(OffsetSpec.max_timestamp()), range(10))
        self.assertEqual(offset(OffsetSpec.for_timestamp(int(time.time() * 1000) - 60000)), 0)
        self.assertEqual(result(self.admin.delete_records([TopicPartition(name, 0, 4)])).low_watermark, 4)
        self.assertEqual(offset(OffsetSpec.earliest()), 4)
        self.refused(KafkaError.OFFSET_OUT_OF_RANGE, self.admin.delete_records, [TopicPartition(name, 0, 99)])

    def test_groups_are_listed_described_moved_and_deleted(self):
        name, group = self.topic("groups", 2), unique("g")
        self.fill(name, 10, 2)
        consumer = self.member(name, group, **{"client.id": "someone"})
        self.values(consumer, 10)
        consumer.commit(asynchronous=False)
        self.assertIn(group, [one.group_id for one in self.admin.list_consumer_groups().result(30).valid])
        described = result(self.admin.describe_consumer_groups([group]))
        self.assertEqual(described.state, ConsumerGroupState.STABLE)
        self.assertEqual([member.client_id for member in described.members], ["someone"])
        self.assertEqual(len(described.members[0].assignment.topic_partitions), 2)
        self.refused(KafkaError.NON_EMPTY_GROUP, self.admin.delete_consumer_groups, [group])
        consumer.unsubscribe()

        def empty():
            consumer.poll(0.05)  # in which it gives its partitions back, and leaves
            return result(self.admin.describe_consumer_groups([group])).state == ConsumerGroupState.EMPTY

        eventually(empty, "empty")
        moved = ConsumerGroupTopicPartitions(group, [TopicPartition(name, 0, 3)])
        result(self.admin.alter_consumer_group_offsets([moved]))
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(name, 0), TopicPartition(name, 1)])
        listed = result(self.admin.list_consumer_group_offsets([asked]))
        self.assertEqual([one.offset for one in listed.topic_partitions], [3, 5])
        result(self.admin.delete_consumer_groups([group]))
        self.refused(KafkaError.GROUP_ID_NOT_FOUND, self.admin.delete_consumer_groups, [group])

    def test_the_cluster_is_described_and_its_leaders_are_elected_already(self):
        cluster = self.admin.describe_cluster().result(30)
        self.assertEqual([node.port for node in cluster.nodes], [KAFKA])
        self.assertTrue(cluster.cluster_id)
        partition = TopicPartition(self.topic("leaders"), 0)
        elected = self.admin.elect_leaders(ElectionType.PREFERRED, [partition]).result(30)
        self.assertIn(elected[partition] and elected[partition].code(), [None, KafkaError.ELECTION_NOT_NEEDED])
