# Braid, Apache-2.0.
#
# Queues through pika: whose they are, when they go, and what may not be declared. What their arguments do is in
# pika_arguments_test.py.
from pika import frame, spec

from broker import eventually, unique
from pika_client import AmqpTest, Consumer, Raw


class Queues(AmqpTest):
    def test_a_queue_without_a_name_is_given_one_that_can_be_left_out(self):
        channel = self.channel()
        name = channel.queue_declare("", exclusive=True).method.queue
        self.assertTrue(name.startswith("amq.gen-"), name)
        self.assertNotEqual(channel.queue_declare("", exclusive=True).method.queue, name)
        last = channel.queue_declare("", exclusive=True).method.queue
        exchange = self.exchange(channel, "fanout", auto_delete=True)
        channel.queue_bind("", exchange, "")
        self.publisher().basic_publish(exchange, "", b"x")
        self.assertEqual(self.get(channel, "").body, b"x")
        self.publisher().basic_publish("", last, b"y")
        self.assertEqual(channel.queue_purge("").method.message_count, 1)
        consumer = Consumer(channel, "", auto_ack=True)
        self.publisher().basic_publish("", last, b"z")
        self.assertEqual(consumer.wait(1)[0].body, b"z")

    def test_a_channel_without_a_queue_of_its_own_has_no_last_one(self):
        self.channel_refuses(404, "no previously declared queue", lambda channel: channel.basic_get(""))
        self.channel_refuses(404, "no previously declared queue", lambda channel: channel.queue_bind("", "amq.direct", "a"))

    def test_a_declaration_tells_ready_messages_and_consumers(self):
        channel, publisher = self.channel(), self.publisher()
        queue = self.queue(channel, exclusive=True)
        for _ in range(3):
            publisher.basic_publish("", queue, b"x")
        self.assertEqual(self.counts(channel, queue), (3, 0))
        held = self.get(channel, queue, auto_ack=False)
        self.assertEqual(self.counts(channel, queue), (2, 0))
        consumer = Consumer(channel, queue)
        consumer.wait(2)
        self.assertEqual(self.counts(channel, queue), (0, 1))
        method = channel.queue_declare(queue, exclusive=True).method
        self.assertEqual((method.queue, method.message_count, method.consumer_count), (queue, 0, 1))
        channel.basic_ack(held.method.delivery_tag)

    def test_an_exclusive_queue_is_locked_to_its_connection(self):
        connection = self.connect()
        owner = self.channel(connection)
        queue = self.queue(owner, exclusive=True)
        self.assertEqual(self.counts(self.channel(connection), queue), (0, 0))
        text = f"RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '{queue}' in vhost '/'"
        for use in [lambda channel: self.counts(channel, queue), lambda channel: channel.basic_get(queue),
                    lambda channel: channel.queue_declare(queue, exclusive=True), lambda channel: channel.queue_purge(queue),
                    lambda channel: channel.queue_declare(queue), lambda channel: channel.queue_delete(queue),
                    lambda channel: channel.queue_bind(queue, "amq.direct", "a"), lambda channel: Consumer(channel, queue)]:
            self.channel_refuses(405, text, use)
        self.publisher().basic_publish("", queue, b"x")
        self.assertEqual(self.drain(owner, queue), [b"x"])

    def test_an_exclusive_queue_goes_when_its_connection_is_cut(self):
        channel = self.channel()
        raw = Raw(self).open()
        queue = raw.call(spec.Queue.Declare(exclusive=True), spec.Queue.DeclareOk).queue
        raw.socket.close()
        self.until_missing(queue)
        self.assertTrue(channel.is_open)

    def until_missing(self, queue):
        """It has gone, or will have soon."""
        def missing():
            channel = self.channel()
            self.attempt(lambda: self.counts(channel, queue))
            return channel.ended is not None and channel.ended.reply_code == 404
        eventually(missing, f"{queue} is gone")

    def test_an_auto_delete_queue_goes_with_its_last_consumer(self):
        channel = self.channel()
        queue = self.queue(channel, auto_delete=True)
        first, second = Consumer(channel, queue), Consumer(channel, queue)
        channel.basic_cancel(first.tag)
        self.assertEqual(self.counts(channel, queue), (0, 1))
        channel.basic_cancel(second.tag)
        self.until_missing(queue)

    def test_an_auto_delete_queue_goes_when_the_channel_of_its_consumer_does(self):
        connection = self.connect()
        queue = self.queue(self.channel(connection), auto_delete=True)
        channel = self.channel(connection)
        Consumer(channel, queue)
        channel.close()
        self.until_missing(queue)

    def test_an_auto_delete_queue_that_nobody_consumed_from_stays(self):
        queue = self.queue(self.channel(), auto_delete=True)
        channel = self.channel()
        self.assertEqual(self.counts(channel, queue), (0, 0))
        channel.queue_delete(queue)

    def test_a_queue_outlives_the_connection_that_declared_it(self):
        connection = self.connect()
        queue = self.queue(self.channel(connection), durable=True)
        connection.close()
        channel = self.channel()
        self.assertEqual(self.counts(channel, queue), (0, 0))
        channel.queue_delete(queue)

    def test_purging_takes_what_is_ready_only(self):
        channel, publisher = self.channel(), self.publisher()
        queue = self.queue(channel, exclusive=True)
        for i in range(10):
            publisher.basic_publish("", queue, str(i))
        held = self.get(channel, queue, auto_ack=False)
        self.assertEqual(channel.queue_purge(queue).method.message_count, 9)
        self.assertEqual(channel.queue_purge(queue).method.message_count, 0)
        channel.basic_nack(held.method.delivery_tag, requeue=True)
        self.until_counts(channel, queue, 1)
        self.assertEqual(self.drain(channel, queue), [b"0"])

    def test_deleting_tells_how_many_messages_went(self):
        channel, publisher = self.channel(), self.publisher()
        queue = self.queue(channel)
        for _ in range(3):
            publisher.basic_publish("", queue, b"x")
        self.assertEqual(channel.queue_delete(queue).method.message_count, 3)
        self.assertEqual(channel.queue_delete(queue).method.message_count, 0)

    def test_a_queue_with_messages_or_consumers_can_be_kept(self):
        channel, publisher = self.channel(), self.publisher()
        queue = self.queue(channel)
        publisher.basic_publish("", queue, b"x")
        self.channel_refuses(406, f"PRECONDITION_FAILED - queue '{queue}' in vhost '/' not empty",
                             lambda channel: channel.queue_delete(queue, if_empty=True))
        channel.queue_purge(queue)
        consumer = Consumer(channel, queue)
        self.channel_refuses(406, f"PRECONDITION_FAILED - queue '{queue}' in vhost '/' in use",
                             lambda channel: channel.queue_delete(queue, if_unused=True))
        channel.basic_cancel(consumer.tag)
        channel.queue_delete(queue, if_unused=True, if_empty=True)
        self.until_missing(queue)

    def test_a_passive_declaration_finds_only(self):
        name = unique("missing")
        self.channel_refuses(404, f"NOT_FOUND - no queue '{name}' in vhost '/'", lambda channel: self.counts(channel, name))
        self.until_missing(name)

    def test_what_is_not_there_cannot_be_used(self):
        name = unique("missing")
        for use in [lambda channel: channel.basic_get(name), lambda channel: channel.queue_purge(name),
                    lambda channel: channel.basic_consume(name, print)]:
            self.channel_refuses(404, f"NOT_FOUND - no queue '{name}' in vhost '/'", use)

    def test_names_of_the_broker_are_reserved(self):
        self.channel_refuses(403, "ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*'",
                             lambda channel: channel.queue_declare("amq.mine"))

    def test_line_ends_are_taken_out_of_names(self):
        raw = Raw(self).open()  # pika waits for an answer with the name as it was sent
        name = unique("line")
        declared = raw.call(spec.Queue.Declare(queue=f"{name}\r\n", exclusive=True), spec.Queue.DeclareOk)
        self.assertEqual(declared.queue, name)
        raw.call(spec.Queue.Declare(queue=name, passive=True), spec.Queue.DeclareOk)

    def test_the_same_declaration_twice_is_no_mistake(self):
        channel = self.channel()
        arguments = {"x-message-ttl": 60000, "x-max-length": 10, "x-unknown": [1, {"a": True}]}
        queue = self.queue(channel, durable=True, arguments=arguments)
        self.queue(channel, queue, durable=True, arguments=arguments)
        self.assertEqual(self.counts(channel, queue), (0, 0))
        channel.queue_delete(queue)

    def test_another_declaration_of_the_same_name_is_refused(self):
        channel = self.channel()
        given = {"x-message-ttl": 60000}
        queue = self.queue(channel, durable=True, arguments=given)
        for text, options in [
                ("inequivalent arg 'durable' for queue '{}' in vhost '/': received 'false' but current is 'true'",
                 {"durable": False, "arguments": given}),
                ("inequivalent arg 'auto_delete' for queue '{}' in vhost '/': received 'true' but current is 'false'",
                 {"durable": True, "auto_delete": True, "arguments": given}),
                ("inequivalent arg 'x-message-ttl' for queue '{}' in vhost '/': received '1' but current is '60000'",
                 {"durable": True, "arguments": {"x-message-ttl": 1}}),
                ("inequivalent arg 'x-message-ttl' for queue '{}' in vhost '/': received none but current is the value '60000'",
                 {"durable": True}),
                ("inequivalent arg 'x-max-length' for queue '{}' in vhost '/': received the value '5'",
                 {"durable": True, "arguments": {**given, "x-max-length": 5}}),
        ]:
            self.channel_refuses(406, "PRECONDITION_FAILED - " + text.format(queue),
                                 lambda channel: channel.queue_declare(queue, **options))
        self.channel_refuses(405, "RESOURCE_LOCKED",
                             lambda channel: channel.queue_declare(queue, durable=True, exclusive=True, arguments=given))
        channel.queue_delete(queue)

    def test_declarations_that_want_no_answer_get_none(self):
        raw = Raw(self).open()
        queue, exchange = unique("quiet"), unique("quiet")
        raw.send(*[frame.Method(1, method) for method in [
            spec.Queue.Declare(queue=queue, exclusive=True, nowait=True),
            spec.Exchange.Declare(exchange=exchange, type="direct", auto_delete=True, nowait=True),
            spec.Queue.Bind(queue=queue, exchange=exchange, routing_key="a", nowait=True),
            spec.Exchange.Bind(destination=exchange, source="amq.fanout", nowait=True),
            spec.Exchange.Unbind(destination=exchange, source="amq.fanout", nowait=True),
            spec.Confirm.Select(nowait=True)]])
        raw.send(raw.publish("a", b"x", exchange=exchange))
        self.assertEqual(raw.method(spec.Basic.Ack).delivery_tag, 1)
        raw.send(frame.Method(1, spec.Queue.Purge(queue=queue, nowait=True)),
                 frame.Method(1, spec.Basic.Consume(queue=queue, consumer_tag="c", no_ack=True, nowait=True)))
        raw.send(raw.publish("a", b"y", exchange=exchange))
        came = {type(raw.receive().method): None for _ in range(1)}
        while spec.Basic.Deliver not in came:
            came[type(raw.receive().method)] = None
        self.assertEqual(raw.content()[2], b"y")
        raw.send(frame.Method(1, spec.Basic.Cancel(consumer_tag="c", nowait=True)),
                 frame.Method(1, spec.Queue.Delete(queue=queue, nowait=True)),
                 frame.Method(1, spec.Exchange.Delete(exchange=exchange, nowait=True)))
        raw.send(frame.Method(1, spec.Queue.Declare(queue=queue, passive=True)))
        found = raw.receive().method
        while isinstance(found, spec.Basic.Ack):
            found = raw.receive().method
        self.assertIsInstance(found, spec.Channel.Close)
        self.assertEqual(found.reply_code, 404)

    def test_a_thousand_queues_and_bindings(self):
        channel, publisher = self.channel(), self.publisher()
        exchange = self.exchange(channel, "direct", auto_delete=True)
        queues = [self.queue(channel, exclusive=True) for _ in range(1000)]
        for number, queue in enumerate(queues):
            channel.queue_bind(queue, exchange, str(number % 10))
        publisher.basic_publish(exchange, "3", b"x")
        got = [number for number, queue in enumerate(queues) if self.counts(channel, queue)[0]]
        self.assertEqual(got, [number for number in range(1000) if number % 10 == 3])
