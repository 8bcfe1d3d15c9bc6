# Braid, Apache-2.0.
#
# Streams as a client of RabbitMQ uses them, through pika: declared, published to by their name or through a binding, and
# read from wherever a consumer says, as often as it likes. What is a stream here is a topic for the others.
import datetime
import time

from pika import BasicProperties
from confluent_kafka import Consumer as KafkaConsumer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from broker import BOOTSTRAP, eventually, order, unique
from pika_client import AmqpTest, Consumer

STREAM = {"x-queue-type": "stream"}


class StreamTest(AmqpTest):
    def setUp(self):
        self.connection = self.connect()
        self.using = self.channel(self.connection)
        self.using.basic_qos(prefetch_count=100)
        self.publishing = self.publisher(self.connection)

    def stream(self, name=None, **arguments):
        name = name or unique("stream")
        self.using.queue_declare(name, durable=True, arguments={
            **STREAM, **{argument.replace("_", "-"): value for argument, value in arguments.items()}})
        return name

    def publish(self, stream, *bodies, exchange="", key=None, **properties):
        for body in bodies:
            self.publishing.basic_publish(exchange, stream if key is None else key, body,
                                          BasicProperties(delivery_mode=2, **properties), mandatory=True)

    def consume(self, stream, offset=None, channel=None):
        """Acknowledges what it gets, as long as it is not cancelled."""
        channel = channel or self.using
        consumer = Consumer(channel, stream, arguments={} if offset is None else {"x-stream-offset": offset})
        keep = channel._consumer_infos[consumer.tag].on_message_callback

        def keep_and_acknowledge(on, method, properties, body):
            keep(on, method, properties, body)
            on.basic_ack(method.delivery_tag)
        channel._consumer_infos[consumer.tag].on_message_callback = keep_and_acknowledge
        return consumer

    def read(self, stream, count, offset="first"):
        consumer = self.consume(stream, offset)
        bodies = [message.body for message in consumer.wait(count)]
        self.using.basic_cancel(consumer.tag)
        return bodies

    def offsets(self, messages):
        return [message.properties.headers["x-stream-offset"] for message in messages]

    def arrived(self, stream, count):
        """Confirmed messages are on their way to the topic: until they are in it."""
        self.assertEqual(len(self.read(stream, count)), count)


class Declaring(StreamTest):
    def test_a_stream_is_a_topic_that_kafka_consumers_read(self):
        stream = self.stream()
        self.publish(stream, b"1", b"2", headers={"colour": "blue"})
        consumer = KafkaConsumer({"bootstrap.servers": BOOTSTRAP, "group.id": unique("group"),
                                  "auto.offset.reset": "earliest"})
        self.addCleanup(consumer.close)
        consumer.assign([TopicPartition(stream, 0, 0)])
        records = []
        eventually(lambda: records.extend(consumer.consume(10, 0.2)) or len(records) >= 2, "two records")
        self.assertEqual([record.value() for record in records], [b"1", b"2"])
        self.assertEqual(records[0].key(), stream.encode())
        self.assertEqual(dict(records[0].headers())["colour"], b"blue")

    def test_its_arguments_are_the_retention_of_the_topic(self):
        stream = self.stream(x_max_age="2h", x_max_length_bytes=5_000_000, x_stream_max_segment_size_bytes=100_000)
        admin = AdminClient({"bootstrap.servers": BOOTSTRAP})

        def settings(name):
            resource = ConfigResource(ConfigResource.Type.TOPIC, name)
            return admin.describe_configs([resource])[resource].result()
        self.assertEqual(settings(stream)["retention.ms"].value, "7200000")
        self.assertEqual(settings(stream)["retention.bytes"].value, "5000000")
        self.assertEqual(settings(self.stream())["retention.ms"].value, "-1")

    def test_it_is_declared_again_only_as_it_was(self):
        stream = self.stream(x_max_age="2h")
        self.stream(stream, x_max_age="2h")
        self.channel_refuses(406, "inequivalent arg 'x-max-age'", lambda channel: channel.queue_declare(
            stream, durable=True, arguments={**STREAM, "x-max-age": "3h"}))
        self.channel_refuses(406, "inequivalent arg 'x-queue-type'",
                             lambda channel: channel.queue_declare(stream, durable=True))

    def test_what_a_stream_cannot_be_is_refused(self):
        for options, text in [({}, "invalid property 'non-durable'"),
                              ({"durable": True, "exclusive": True}, "invalid property 'exclusive-owner'"),
                              ({"durable": True, "auto_delete": True}, "invalid property 'auto-delete'")]:
            self.channel_refuses(406, text, lambda channel: channel.queue_declare(
                unique("stream"), arguments=STREAM, **options))
        for name, value in [("x-max-age", "soon"), ("x-max-age", 5), ("x-max-length-bytes", -1),
                            ("x-stream-max-segment-size-bytes", "much")]:
            self.channel_refuses(406, f"invalid arg '{name}'", lambda channel: channel.queue_declare(
                unique("stream"), durable=True, arguments={**STREAM, name: value}))
        self.channel_refuses(406, "no topic for stream queue 'a/b'", lambda channel: channel.queue_declare(
            "a/b", durable=True, arguments=STREAM))
        stream = self.stream()
        self.connection_refuses(540, "basic.get", lambda channel: channel.basic_get(stream))
        self.connection_refuses(540, "queue.purge not supported", lambda channel: channel.queue_purge(stream))
        self.connection_refuses(540, "if-empty", lambda channel: channel.queue_delete(stream, if_empty=True))

    def test_a_topic_that_is_there_becomes_a_stream_and_outlives_it(self):
        topic = unique("topic")
        admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
        admin.create_topics([NewTopic(topic, 1, 1)])[topic].result()
        self.using.queue_declare(topic, passive=True)
        self.stream(topic)
        self.publish(topic, b"kept")
        self.arrived(topic, 1)
        self.using.queue_delete(topic)
        self.assertEqual(self.read(topic, 1), [b"kept"])  # nobody has to declare a topic for reading

    def test_deleting_it_deletes_the_topic_that_it_has_made(self):
        stream = self.stream()
        self.publish(stream, b"gone")
        self.arrived(stream, 1)
        consumer = self.consume(stream, "next")
        cancelled = []
        self.using.add_on_cancel_callback(lambda frame: cancelled.append(frame.method.consumer_tag))
        self.publishing.queue_delete(stream)
        eventually(lambda: self.connection.process_data_events(0.02) or cancelled == [consumer.tag], "cancelled")
        self.channel_refuses(404, f"no queue '{stream}'", lambda channel: channel.queue_declare(stream, passive=True))
        self.stream(stream)
        self.publish(stream, b"new")
        self.assertEqual(self.read(stream, 1), [b"new"])

    def test_it_is_there_after_a_restart_with_what_it_was_sent(self):
        stream = self.stream()
        exchange = self.exchange(self.using, "topic", durable=True)
        self.using.queue_bind(stream, exchange, "#")
        self.publish(stream, b"before")
        order("restart")
        self.setUp()
        self.publish(stream, b"after")
        self.publish(stream, b"bound", exchange=exchange, key="a/b.c")
        messages = self.consume(stream, "first").wait(3)
        self.assertEqual([message.body for message in messages], [b"before", b"after", b"bound"])
        self.assertEqual(messages[2].method.routing_key, "a/b.c")
        self.stream(stream)


class Publishing(StreamTest):
    def test_messages_come_as_they_were_published_in_their_order(self):
        stream = self.stream()
        sent = BasicProperties(content_type="text/csv", headers={"a": 1, "b": [1, "x"]}, message_id="m", priority=3,
                               delivery_mode=2)
        self.publishing.basic_publish("", stream, b"first", sent)
        self.publish(stream, *(str(i).encode() for i in range(300)))
        messages = self.consume(stream, "first").wait(301)
        self.assertEqual([message.body for message in messages[1:]], [str(i).encode() for i in range(300)])
        self.assertEqual(self.offsets(messages), list(range(301)))
        got = messages[0]
        self.assertEqual((got.method.exchange, got.method.routing_key, got.method.redelivered), ("", stream, False))
        sent.headers["x-stream-offset"] = 0
        self.assertEqual(got.properties, sent)

    def test_a_binding_leads_to_it_and_to_other_queues_at_once(self):
        stream, queue = self.stream(), self.queue(self.using, exclusive=True)
        exchange = self.exchange(self.using, "topic")
        self.using.queue_bind(stream, exchange, "sensors.#")
        self.using.queue_bind(queue, exchange, "#")
        self.publish(stream, b"both", exchange=exchange, key="sensors.1")
        self.publish(stream, b"queue", exchange=exchange, key="other")
        self.assertEqual(self.read(stream, 1), [b"both"])
        self.assertEqual(self.drain(self.using, queue), [b"both", b"queue"])

    def test_dead_letters_and_transactions_reach_it(self):
        stream = self.stream()
        queue = self.queue(self.using, exclusive=True, arguments={
            "x-dead-letter-exchange": "", "x-dead-letter-routing-key": stream})
        self.publish(queue, b"dead")
        self.using.basic_reject(self.wait_get(self.using, queue, auto_ack=False).method.delivery_tag, requeue=False)
        self.arrived(stream, 1)
        transaction = self.channel(self.connection)
        transaction.tx_select()
        transaction.basic_publish("", stream, b"committed")
        transaction.tx_commit()
        self.assertEqual(self.read(stream, 2), [b"dead", b"committed"])


class Reading(StreamTest):
    def setUp(self):
        super().setUp()
        self.name = self.stream()
        self.publish(self.name, *(str(i).encode() for i in range(5)))
        self.arrived(self.name, 5)

    def first(self, offset):
        """Where a consumer with this offset begins."""
        consumer = self.consume(self.name, offset)
        message = consumer.wait(1)[0]
        self.using.basic_cancel(consumer.tag)
        return message.body

    def test_it_begins_where_the_consumer_says(self):
        self.assertEqual(self.first("first"), b"0")
        self.assertEqual(self.first(0), b"0")
        self.assertEqual(self.first(3), b"3")
        self.assertEqual(self.first("last"), b"4")
        hour = datetime.timedelta(hours=1)
        self.assertEqual(self.first(datetime.datetime.utcnow() - hour), b"0")
        for interval in ["1h", "5m", "3600s", "1D", "2M", "1Y"]:
            self.assertEqual(self.first(interval), b"0", interval)

    def test_it_begins_with_what_comes_next(self):
        late = datetime.datetime.utcnow() + datetime.timedelta(hours=1)
        consumers = [self.consume(self.name, offset) for offset in [None, "next", 5, late]]
        self.connection.process_data_events(0.3)
        self.assertEqual([consumer.messages for consumer in consumers], [[], [], [], []])
        self.publish(self.name, b"5")
        for consumer in consumers:
            self.assertEqual(consumer.wait(1)[0].body, b"5")

    def test_a_timestamp_is_the_first_message_since_then(self):
        time.sleep(1.1)  # AMQP knows whole seconds
        since = datetime.datetime.utcnow()
        self.publish(self.name, b"later")
        self.arrived(self.name, 6)
        self.assertEqual(self.first(since), b"later")

    def test_what_is_no_offset_is_refused(self):
        for offset in ["soon", "", "5", "-5m", "5x", -1, True]:
            def consume(channel, offset=offset):
                channel.basic_qos(prefetch_count=1)
                channel.basic_consume(self.name, print, arguments={"x-stream-offset": offset})
            self.channel_refuses(406, "x-stream-offset", consume)

    def test_the_prefetch_is_the_credit(self):
        channel = self.channel(self.connection)
        self.channel_refuses(406, "prefetch count is not set", lambda other: other.basic_consume(self.name, print))
        channel.basic_qos(prefetch_count=2)
        consumer = Consumer(channel, self.name, arguments={"x-stream-offset": "first"})
        consumer.wait(2)
        self.connection.process_data_events(0.2)
        self.assertEqual(consumer.bodies(), [b"0", b"1"])
        channel.basic_ack(consumer.tags()[0])
        self.assertEqual([message.body for message in consumer.wait(3)], [b"0", b"1", b"2"])
        channel.basic_nack(consumer.tags()[-1], multiple=True, requeue=True)  # nothing comes again from a stream
        consumer.wait(5)
        self.assertEqual(consumer.bodies(), [b"0", b"1", b"2", b"3", b"4"])
        self.connection_refuses(540, "automatic acknowledgement not supported", lambda other: (
            other.basic_qos(prefetch_count=1), other.basic_consume(self.name, print, auto_ack=True)))

    def test_a_consumer_that_is_cancelled_gets_nothing_and_another_goes_on_where_it_says(self):
        consumer = self.consume(self.name, "first")
        consumer.wait(5)
        self.using.basic_cancel(consumer.tag)
        self.publish(self.name, b"5")
        again = self.consume(self.name, self.offsets(consumer.messages)[-1] + 1)
        self.assertEqual(again.wait(1)[0].body, b"5")
        self.assertEqual(len(consumer.messages), 5)
        whole = self.consume(self.name, "first")  # beside the other
        self.assertEqual([message.body for message in whole.wait(6)], [b"0", b"1", b"2", b"3", b"4", b"5"])
        self.assertEqual(again.bodies(), [b"5"])
