# Braid, Apache-2.0.
#
# What is left after the broker was ended in order, and after it was killed: what was declared durable, what was confirmed
# as persistent, and nothing of what belonged to a connection.
import datetime

from pika import BasicProperties

from broker import eventually, order, unique
from pika_client import AmqpTest

PERSISTENT = BasicProperties(delivery_mode=2, headers={"a": [1, None, {"b": True}]}, message_id="kept")


class Durability(AmqpTest):
    test_timeout_s = 200
    def missing(self, declare):
        channel = self.channel()
        self.attempt(lambda: declare(channel))
        return channel.ended is not None and channel.ended.reply_code == 404

    def test_what_is_durable_is_there_again(self):
        for how in ["restart", "crash"]:
            with self.subTest(how=how):
                self.survives(how)

    def survives(self, how):
        channel, publisher = self.channel(), self.publisher()
        names = {kind: unique(kind) for kind in ["direct", "topic", "headers", "fanout"]}
        for kind, name in names.items():
            channel.exchange_declare(name, kind, durable=True,
                                     arguments={"alternate-exchange": names["fanout"]} if kind == "direct" else None)
        transient = self.exchange(channel, "direct")
        arguments = {"x-message-ttl": 600000, "x-max-length": 100000, "x-dead-letter-exchange": names["fanout"]}
        queue, other, dead = self.queue(channel, durable=True, arguments=arguments), self.queue(channel, durable=True), self.queue(
            channel, durable=True)
        own = self.queue(channel, exclusive=True)
        channel.queue_bind(queue, names["topic"], "a.#")
        channel.queue_bind(queue, names["topic"], "taken.back")
        channel.queue_unbind(queue, names["topic"], "taken.back")
        channel.queue_bind(other, names["headers"], "", {"x-match": "any", "a": 1})
        channel.queue_bind(dead, names["fanout"])
        channel.exchange_bind(names["headers"], names["topic"], "#")
        large = bytes(range(256)) * 4096
        for i in range(100):
            publisher.basic_publish(names["topic"], "a.b", f"{i}", PERSISTENT)
        publisher.basic_publish(names["topic"], "a.b", large, PERSISTENT)

        held = [self.get(channel, queue, auto_ack=False) for _ in range(5)]
        channel.tx_select()  # commit-ok tells that the acknowledgement is kept
        channel.basic_ack(held[1].method.delivery_tag)
        channel.tx_commit()
        order(how)

        channel, publisher = self.channel(), self.publisher()
        for kind, name in names.items():
            channel.exchange_declare(name, passive=True)
        self.assertTrue(self.missing(lambda channel: channel.exchange_declare(transient, passive=True)))
        self.assertTrue(self.missing(lambda channel: self.counts(channel, own)))
        channel.queue_declare(queue, durable=True, arguments=arguments)
        eventually(lambda: self.counts(channel, queue)[0] == 100, lambda: f"100 messages, not {self.counts(channel, queue)}")
        first = self.get(channel, queue)
        self.assertEqual((first.body, first.properties.headers, first.properties.message_id),
                         (b"0", PERSISTENT.headers, "kept"))
        self.assertEqual((first.method.exchange, first.method.routing_key), (names["topic"], "a.b"))
        rest = self.drain(channel, queue)
        self.assertEqual(rest[:-1], [f"{i}".encode() for i in range(2, 100)])
        self.assertEqual(rest[-1], large)
        self.assertEqual(self.counts(channel, other)[0], 0)
        # Bindings and arguments work as before.
        publisher.basic_publish(names["topic"], "taken.back", b"x")
        self.assertEqual(self.drain(channel, queue), [])
        publisher.basic_publish(names["topic"], "a.c", b"y", BasicProperties(headers={"a": 1}))
        self.assertEqual(self.drain(channel, other), [b"y"])
        channel.basic_nack(self.get(channel, queue, auto_ack=False).method.delivery_tag, requeue=False)
        publisher.basic_publish(names["direct"], "nowhere", b"z", mandatory=True)
        eventually(lambda: self.counts(channel, dead)[0] == 2, "both messages of the fanout")
        self.assertEqual(sorted(self.drain(channel, dead)), [b"y", b"z"])
        for name in [queue, other, dead]:
            channel.queue_delete(name)
        for name in names.values():
            channel.exchange_delete(name)

    def test_what_was_deleted_stays_deleted(self):
        channel = self.channel()
        queue, exchange = self.queue(channel, durable=True), self.exchange(channel, "direct", durable=True)
        channel.queue_bind(queue, exchange, "a")
        channel.queue_delete(queue)
        channel.exchange_delete(exchange)
        purged = self.queue(channel, durable=True)
        self.publisher().basic_publish("", purged, b"x", PERSISTENT)
        channel.queue_purge(purged)
        order("crash")
        self.assertTrue(self.missing(lambda channel: self.counts(channel, queue)))
        self.assertTrue(self.missing(lambda channel: channel.exchange_declare(exchange, passive=True)))
        channel = self.channel()
        self.assertEqual(self.counts(channel, purged)[0], 0)
        channel.queue_delete(purged)

    def test_messages_expire_while_the_broker_is_away(self):
        channel = self.channel()
        queue = self.queue(channel, durable=True)
        publisher = self.publisher()
        publisher.basic_publish("", queue, b"short", BasicProperties(delivery_mode=2, expiration="1000"))
        publisher.basic_publish("", queue, b"long", BasicProperties(delivery_mode=2, expiration="600000"))
        published = datetime.datetime.now()
        order("restart")
        channel = self.channel()
        eventually(lambda: datetime.datetime.now() - published > datetime.timedelta(seconds=1), "the time is over")
        self.until_counts(channel, queue, 1)
        self.assertEqual(self.drain(channel, queue), [b"long"])
        channel.queue_delete(queue)

    def test_deliveries_are_counted_over_a_restart(self):
        self.beyond_debians_rabbitmq("counts of a quorum queue are not what this tests there")
        channel = self.channel()
        queue = self.queue(channel, durable=True, arguments={"x-queue-type": "quorum", "x-delivery-limit": 10})
        self.publisher().basic_publish("", queue, b"x", PERSISTENT)
        for _ in range(2):
            channel.basic_nack(self.wait_get(channel, queue, auto_ack=False).method.delivery_tag, requeue=True)
        channel.tx_select()
        channel.tx_commit()
        order("restart")
        channel = self.channel()
        message = self.wait_get(channel, queue)
        self.assertTrue(message.method.redelivered)
        self.assertGreaterEqual(message.properties.headers["x-delivery-count"], 2)
        channel.queue_delete(queue)

    def test_priorities_are_kept(self):
        channel = self.channel()
        queue = self.queue(channel, durable=True, arguments={"x-max-priority": 5})
        publisher = self.publisher()
        for priority in [1, 5, 3, 5]:
            publisher.basic_publish("", queue, str(priority), BasicProperties(delivery_mode=2, priority=priority))
        order("crash")
        channel = self.channel()
        self.assertEqual(self.drain(channel, queue), [b"5", b"5", b"3", b"1"])
        channel.queue_delete(queue)
