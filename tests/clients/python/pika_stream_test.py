# Braid, Apache-2.0.
#
# Topics as streams, through pika: a consumer reads from wherever it says, as often as it likes, and what it is given is the
# credit that it has. The messages are published to amq.topic.
import datetime
import time

from pika import BasicProperties
from confluent_kafka.admin import AdminClient, NewTopic

from broker import BOOTSTRAP, unique
from pika_client import AmqpTest, Consumer


class Reading(AmqpTest):
    def setUp(self):
        self.connection = self.connect()
        self.using = self.channel(self.connection)
        self.using.basic_qos(prefetch_count=100)
        self.publishing = self.publisher(self.connection)
        self.name = unique("stream")
        admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
        admin.create_topics([NewTopic(self.name, 1, 1)])[self.name].result()
        self.publish(self.name, *(str(i).encode() for i in range(5)))
        self.arrived(self.name, 5)

    def publish(self, stream, *bodies):
        for body in bodies:
            self.publishing.basic_publish("amq.topic", stream, body, BasicProperties(delivery_mode=2), mandatory=True)

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
