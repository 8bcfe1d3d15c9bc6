# Braid, Apache-2.0.
#
# A virtual host that is full, as pika sees it. The broker's settings: 3 exchanges, 4 queues, 5 bindings.
from broker import order, unique
from pika_client import AmqpTest


class Limits(AmqpTest):
    def test_as_many_queues_as_allowed(self):
        channel = self.channel()
        names = [self.queue(channel, exclusive=True) for _ in range(4)]
        for name in ["more", ""]:
            self.channel_refuses(406, "queue limit in vhost '/' (4) is reached",
                                 lambda channel, name=name: channel.queue_declare(name, exclusive=True))
        self.channel_refuses(406, "PRECONDITION_FAILED - cannot declare queue 'more': queue limit in vhost '/' (4) is "
                             "reached", lambda channel: channel.queue_declare("more"))
        # What is there can be declared again, and makes room when it goes.
        channel.queue_declare(names[0], exclusive=True)
        channel.queue_delete(names[1])
        self.queue(channel, exclusive=True)

    def test_as_many_exchanges_as_allowed(self):
        channel = self.channel()
        names = [self.exchange(channel, "fanout") for _ in range(3)]
        self.channel_refuses(406, "PRECONDITION_FAILED - cannot declare exchange 'more': exchange limit in vhost '/' (3) "
                             "is reached", lambda channel: channel.exchange_declare("more", "direct"))
        channel.exchange_declare(names[2], "fanout")
        for name in names:
            channel.exchange_delete(name)
        channel.exchange_delete(self.exchange(channel, "direct"))

    def test_as_many_bindings_as_allowed(self):
        channel = self.channel()
        queue = self.queue(channel, exclusive=True)
        for number in range(5):
            channel.queue_bind(queue, "amq.direct", f"key {number}")

        def bind(channel):
            channel.queue_bind(queue, "amq.direct", "more")
        self.channel_refuses(404, "no queue", lambda channel: channel.queue_bind(unique("missing"), "amq.direct", "x"))
        channel.queue_bind(queue, "amq.direct", "key 0")
        channel.queue_unbind(queue, "amq.direct", "key 1")
        bind(channel)
        again = self.channel(channel.connection)
        self.channel_refuses(406, f"PRECONDITION_FAILED - cannot bind queue '{queue}': binding limit in vhost '/' (5) is "
                             "reached", lambda channel: channel.queue_bind(queue, "amq.fanout", ""), again)

    def test_what_is_stored_counts_after_a_restart(self):
        channel = self.channel()
        queues = [self.queue(channel, durable=True) for _ in range(4)]
        exchanges = [self.exchange(channel, "direct", durable=True) for _ in range(3)]
        order("restart")
        self.channel_refuses(406, "queue limit", lambda channel: channel.queue_declare("more"))
        self.channel_refuses(406, "exchange limit", lambda channel: channel.exchange_declare("more", "direct"))
        channel = self.channel()
        for queue in queues:
            channel.queue_delete(queue)
        for exchange in exchanges:
            channel.exchange_delete(exchange)
