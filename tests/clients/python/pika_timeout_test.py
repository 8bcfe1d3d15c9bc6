# Braid, Apache-2.0.
#
# Consumers that sit on their deliveries, through pika: the channel is closed, and what it held goes to others. The broker
# of this suite has amqp.consumer_timeout=1s.
from broker import http, unique
from pika_client import AmqpTest, Consumer


class ConsumerTimeout(AmqpTest):
    def setUp(self):
        self.connection = self.connect()
        self.using = self.channel(self.connection)
        self.queue_name = self.queue(self.using, auto_delete=False)
        self.addCleanup(lambda: self.connect().channel().queue_delete(self.queue_name))
        self.publisher(self.connection).basic_publish("", self.queue_name, b"held")

    def holder(self, queue=None, **arguments):
        channel = self.channel(self.connection)
        Consumer(channel, queue or self.queue_name, **arguments).wait(1)
        return channel

    def holding(self, **arguments):
        """A queue with these arguments that has a message."""
        queue = self.queue(self.using, exclusive=True,
                           arguments={name.replace("_", "-"): value for name, value in arguments.items()})
        self.publisher(self.connection).basic_publish("", queue, b"held")
        return queue

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

    def test_a_queue_may_have_a_time_of_its_own(self):
        patient_channel, channel = self.holder(self.holding(x_consumer_timeout=3_600_000)), self.holder()
        self.until_ended(channel, 406, "timed out. Timeout value used: 1000 ms.")
        self.until_ended(self.holder(self.holding(x_consumer_timeout=500)), 406, "Timeout value used: 500 ms.")
        fetching = self.channel(self.connection)
        self.wait_get(fetching, self.holding(x_consumer_timeout=600), auto_ack=False)
        self.until_ended(fetching, 406, "Timeout value used: 600 ms.")
        self.assertTrue(patient_channel.is_open)
        for value in [0, -1, "1h"]:
            self.channel_refuses(406, "invalid arg 'x-consumer-timeout'", lambda other: other.queue_declare(
                "", exclusive=True, arguments={"x-consumer-timeout": value}))

    def test_so_may_a_consumer(self):
        quick, queue = {"x-consumer-timeout": 500}, self.holding(x_consumer_timeout=3_600_000)
        self.until_ended(self.holder(queue, arguments=quick), 406, "Timeout value used: 500 ms.")
        patient = self.holder(queue, arguments={"x-consumer-timeout": 3_600_000})
        self.until_ended(self.holder(), 406, "Timeout value used: 1000 ms.")
        self.assertTrue(patient.is_open)
        for value in [0, -1, "1h"]:
            self.channel_refuses(406, "invalid arg 'x-consumer-timeout'", lambda other: other.basic_consume(
                self.queue_name, lambda *_: None, arguments={"x-consumer-timeout": value}))

    def test_of_a_policy_and_an_argument_the_smaller_counts(self):
        pattern = unique("timed")
        path = "/api/policies/%2F/" + pattern
        self.assertEqual(http("PUT", path, {"pattern": pattern, "definition": {"consumer-timeout": 700}})[0], 201)
        self.addCleanup(http, "DELETE", path)
        for own, used in [({}, 700), ({"x-consumer-timeout": 3_600_000}, 700), ({"x-consumer-timeout": 500}, 500)]:
            queue = self.queue(self.using, unique(pattern), exclusive=True, arguments=own)
            self.publisher(self.connection).basic_publish("", queue, b"held")
            self.until_ended(self.holder(queue), 406, f"Timeout value used: {used} ms.")

    def test_a_consumer_that_settles_stays(self):
        channel = self.channel(self.connection)
        consumer = Consumer(channel, self.queue_name)
        channel.basic_ack(consumer.wait(1)[0].method.delivery_tag)
        other = self.queue(self.using, exclusive=True)
        self.publisher(self.connection).basic_publish("", other, b"held")
        self.until_ended(self.holder(other), 406, "timed out")  # as long as that takes
        self.assertTrue(channel.is_open)
