# Braid, Apache-2.0.
#
# Consumers that sit on their deliveries, through pika: the channel is closed, and what it held goes to others. The broker
# of this suite has amqp.consumer_timeout=1s.
from broker import eventually
from pika_client import AmqpTest, Consumer


class ConsumerTimeout(AmqpTest):
    def setUp(self):
        self.connection = self.connect()
        self.using = self.channel(self.connection)
        self.queue_name = self.queue(self.using, auto_delete=False)
        self.addCleanup(lambda: self.connect().channel().queue_delete(self.queue_name))
        self.publisher(self.connection).basic_publish("", self.queue_name, b"held")

    def holder(self, queue=None):
        channel = self.channel(self.connection)
        Consumer(channel, queue or self.queue_name).wait(1)
        return channel

    def test_a_delivery_that_is_not_settled_in_time_closes_its_channel(self):
        channel = self.holder()
        self.until_ended(channel, 406, "PRECONDITION_FAILED - delivery acknowledgement on channel "
                         f"{channel.channel_number} timed out. Timeout value used: 1000 ms.")
        self.assertTrue(self.connection.is_open)
        message = self.wait_get(self.using, self.queue_name)
        self.assertEqual((message.body, message.method.redelivered), (b"held", True))

    def test_so_does_one_that_was_fetched(self):
        channel = self.channel(self.connection)
        self.wait_get(channel, self.queue_name, auto_ack=False)
        self.until_ended(channel, 406, "timed out. Timeout value used: 1000 ms.")

    def test_a_consumer_that_settles_stays(self):
        channel = self.channel(self.connection)
        consumer = Consumer(channel, self.queue_name)
        channel.basic_ack(consumer.wait(1)[0].method.delivery_tag)
        other = self.queue(self.using, exclusive=True)
        self.publisher(self.connection).basic_publish("", other, b"held")
        self.until_ended(self.holder(other), 406, "timed out")  # as long as that takes
        self.assertTrue(channel.is_open)
