# Braid, Apache-2.0.
#
# Publishing through pika: confirms, returns, transactions, replies, copies, and that a message arrives as it was sent.
import datetime
import decimal
import os
import struct

import pika.exceptions
from pika import BasicProperties, frame, spec

from broker import eventually, unique
from pika_client import AmqpTest, Consumer, Raw, pump

EVERY_PROPERTY = {
    "content_type": "application/json", "content_encoding": "gzip", "delivery_mode": 2, "priority": 7,
    "correlation_id": "correlation é", "reply_to": "some.queue", "expiration": "600000", "message_id": "message",
    "timestamp": 1700000000, "type": "a type", "user_id": "guest", "app_id": "braid's tests", "cluster_id": "cluster",
}
# One field of every type that RabbitMQ knows, as bytes: pika writes only some of them.
EVERY_FIELD = b"".join(bytes([len(name)]) + name + value for name, value in [
    (b"bool", b"t\x01"), (b"int8", b"b\xfe"), (b"uint8", b"B\xfe"), (b"int16", b"s\xff\xfe"), (b"uint16", b"u\xff\xfe"),
    (b"int32", b"I\xff\xff\xff\xfe"), (b"uint32", b"i\xff\xff\xff\xfe"), (b"int64", b"l" + struct.pack(">q", -2**62)),
    (b"float", b"f" + struct.pack(">f", 1.5)), (b"double", b"d" + struct.pack(">d", -2.25)),
    (b"decimal", b"D\x02" + struct.pack(">I", 31415)), (b"string", b"S\x00\x00\x00\x03\xff\x00a"),
    (b"bytes", b"x\x00\x00\x00\x02\x00\xff"), (b"time", b"T" + struct.pack(">Q", 1700000000)), (b"void", b"V"),
    (b"array", b"A\x00\x00\x00\x05t\x01Vb\x01"), (b"table", b"F\x00\x00\x00\x04\x01at\x00"),
    (b"", b"t\x00"), (b"n" * 255, b"V"), (b"twice", b"t\x00"), (b"twice", b"t\x01"),
])


class PublishTest(AmqpTest):
    def setUp(self):
        self.connection = self.connect()
        self.using = self.channel(self.connection)
        self.own = self.queue(self.using, exclusive=True)


class Content(PublishTest):
    def test_every_property_arrives_as_it_was_sent(self):
        publishing = self.publisher()
        publishing.basic_publish("", self.own, b"x", BasicProperties(**EVERY_PROPERTY))
        properties = self.get(self.using, self.own).properties
        for name, value in EVERY_PROPERTY.items():
            self.assertEqual(getattr(properties, name), value, name)
        self.assertIsNone(properties.headers)

    def test_what_was_not_set_is_not_set(self):
        self.publisher().basic_publish("", self.own, b"x")
        properties = self.get(self.using, self.own).properties
        for name in list(EVERY_PROPERTY) + ["headers"]:
            self.assertIsNone(getattr(properties, name), name)

    def test_headers_keep_their_types(self):
        headers = {"text": "é", "bytes": b"\x00\xff", "int": -5, "long": 2**40, "true": True, "none": None,
                   "decimal": decimal.Decimal("3.14"), "time": datetime.datetime(2024, 2, 29, 12, 30, 1),
                   "list": [1, "two", [True, None], {"a": 1}], "table": {"deep": {"deeper": {"deepest": [1]}}}, "empty": {}}
        self.publisher().basic_publish("", self.own, b"x", BasicProperties(headers=headers))
        self.assertEqual(self.get(self.using, self.own).properties.headers, headers)

    def test_a_field_of_every_type_arrives_byte_for_byte(self):
        raw = Raw(self).open()
        queue = raw.call(spec.Queue.Declare(exclusive=True), spec.Queue.DeclareOk).queue
        raw.call(spec.Basic.Consume(queue=queue, no_ack=True), spec.Basic.ConsumeOk)
        content = struct.pack(">HHQH", 60, 0, 1, 1 << 13) + struct.pack(">I", len(EVERY_FIELD)) + EVERY_FIELD
        raw.send(frame.Method(1, spec.Basic.Publish(routing_key=queue)),
                 b"\x02\x00\x01" + struct.pack(">I", len(content)) + content + b"\xce", frame.Body(1, b"x"))
        raw.method(spec.Basic.Deliver)
        self.assertEqual(raw.content()[1][7:-1], content)

    def test_bodies_of_every_size_arrive_whole(self):
        frame_max = self.connection._impl.params.frame_max
        publishing = self.publisher()
        consumer = Consumer(self.using, self.own, auto_ack=True)
        sizes = [0, 1, frame_max - 9, frame_max - 8, frame_max - 7, 2 * (frame_max - 8), 1 << 20, 5 << 20]
        bodies = [os.urandom(size) for size in sizes]
        for body in bodies:
            publishing.basic_publish("", self.own, body)
        self.assertEqual([message.body == body for message, body in zip(consumer.wait(len(bodies)), bodies)], [True] * len(bodies))

    def test_a_body_above_the_brokers_limit_is_refused(self):
        self.beyond_debians_rabbitmq("it waits for the body")
        raw = Raw(self).open()
        raw.send(raw.publish("nowhere", b"", size=1 << 40))
        close = raw.receive().method
        self.assertIn((type(close), close.reply_code), [(spec.Channel.Close, 406), (spec.Connection.Close, 501)])
        self.assertIn("larger than", close.reply_text)

    def test_order_is_kept_per_queue(self):
        for i in range(2000):
            self.using.basic_publish("", self.own, str(i))
        consumer = Consumer(self.using, self.own, auto_ack=True)
        self.assertEqual([int(message.body) for message in consumer.wait(2000)], list(range(2000)))

    def test_the_user_is_the_one_who_logged_in(self):
        self.publisher().basic_publish("", self.own, b"x", BasicProperties(user_id="guest"))
        self.channel_refuses(406, "user_id property set to 'somebody' but authenticated user was 'guest'",
                             lambda channel: channel.basic_publish("", self.own, b"x", BasicProperties(user_id="somebody")))

    def test_tables_nested_too_deep_do_no_harm(self):
        table = b"\x01at\x01"
        for _ in range(5000):
            table = b"\x01aF" + struct.pack(">I", len(table)) + table
        content = struct.pack(">HHQH", 60, 0, 1, 1 << 13) + struct.pack(">I", len(table)) + table
        raw = Raw(self).open()
        raw.send(frame.Method(1, spec.Basic.Publish(exchange="amq.headers")),
                 b"\x02\x00\x01" + struct.pack(">I", len(content)) + content + b"\xce", frame.Body(1, b"x"))
        raw.send(frame.Method(0, spec.Connection.Close(200, "", 0, 0)))
        raw.wait_end()
        self.assertEqual(self.counts(self.using, self.own), (0, 0))


class Confirms(PublishTest):
    def test_each_message_is_confirmed_in_its_turn(self):
        raw = Raw(self).open()
        queue = raw.call(spec.Queue.Declare(exclusive=True), spec.Queue.DeclareOk).queue
        raw.call(spec.Confirm.Select(), spec.Confirm.SelectOk)
        raw.send(*[raw.publish(queue if i % 2 else unique("nowhere"), b"x") for i in range(500)])
        confirmed = set()
        while len(confirmed) < 500:
            ack = raw.method(spec.Basic.Ack)
            tags = range(1, ack.delivery_tag + 1) if ack.multiple else [ack.delivery_tag]
            fresh = set(tags) - confirmed
            self.assertTrue(fresh, f"{ack} confirms nothing new")
            self.assertTrue(ack.multiple or ack.delivery_tag not in confirmed)
            confirmed |= fresh
        self.assertEqual(confirmed, set(range(1, 501)))

    def test_a_confirmed_message_is_there(self):
        publishing = self.publisher()
        for i in range(100):
            publishing.basic_publish("", self.own, str(i), BasicProperties(delivery_mode=2 if i % 2 else 1))
            self.assertEqual(self.get(self.using, self.own).body, str(i).encode())

    def test_what_finds_no_queue_comes_back_before_it_is_confirmed(self):
        raw = Raw(self).open()
        raw.call(spec.Confirm.Select(), spec.Confirm.SelectOk)
        properties = BasicProperties(headers={"a": 1}, message_id="m")
        raw.send(raw.publish("no.such.queue", b"back", exchange="amq.direct", properties=properties, mandatory=True))
        returned = raw.method(spec.Basic.Return)
        self.assertEqual((returned.reply_code, returned.reply_text, returned.exchange, returned.routing_key),
                         (312, "NO_ROUTE", "amq.direct", "no.such.queue"))
        got, _, body = raw.content()
        self.assertEqual((got.headers, got.message_id, body), ({"a": 1}, "m", b"back"))
        self.assertEqual(raw.method(spec.Basic.Ack).delivery_tag, 1)

    def test_pika_tells_what_could_not_be_routed(self):
        with self.assertRaises(pika.exceptions.UnroutableError) as unroutable:
            self.publisher().basic_publish("", unique("nowhere"), b"x", mandatory=True)
        self.assertEqual(unroutable.exception.messages[0].body, b"x")
        self.publisher().basic_publish("", unique("nowhere"), b"x")
        self.publisher().basic_publish("", self.own, b"x", mandatory=True)

    def test_returns_come_without_confirms_too(self):
        returned = []
        self.using.add_on_return_callback(lambda *message: returned.append(message[3]))
        self.using.basic_publish("", unique("nowhere"), b"back", mandatory=True)
        self.using.basic_publish("", unique("nowhere"), b"lost")
        self.using.basic_publish("", unique("nowhere"), b"end", mandatory=True)
        eventually(lambda: pump(self.connection) or len(returned) == 2, "the returned messages")
        self.assertEqual(returned, [b"back", b"end"])

    def test_an_exchange_that_is_not_there_closes_the_channel(self):
        name = unique("missing")
        self.channel_refuses(404, f"NOT_FOUND - no exchange '{name}' in vhost '/'",
                             lambda channel: channel.basic_publish(name, "a", b"x"))

    def test_immediate_delivery_is_not_offered(self):
        raw = Raw(self).open()
        raw.send(raw.publish("nowhere", b"x", immediate=True))
        close = raw.method(spec.Connection.Close)
        self.assertEqual(close.reply_code, 540)
        self.assertIn("immediate=true", close.reply_text)

    def test_confirms_go_on_while_the_channel_consumes(self):
        publishing = self.publisher(self.connection)
        consumer = Consumer(publishing, self.own)
        for i in range(100):
            publishing.basic_publish("", self.own, str(i))
        for message in consumer.wait(100):
            publishing.basic_ack(message.method.delivery_tag)
        self.assertEqual([int(body) for body in consumer.bodies()], list(range(100)))


class Transactions(PublishTest):
    def test_what_is_published_is_there_after_the_commit(self):
        channel = self.channel(self.connection)
        channel.tx_select()
        channel.basic_publish("", self.own, b"1")
        channel.basic_publish("", self.own, b"2")
        self.assertEqual(self.counts(self.using, self.own)[0], 0)
        channel.tx_commit()
        self.assertEqual(self.drain(self.using, self.own), [b"1", b"2"])
        channel.basic_publish("", self.own, b"3")
        channel.tx_rollback()
        channel.tx_commit()
        self.assertEqual(self.drain(self.using, self.own), [])

    def test_acknowledgements_count_from_the_commit(self):
        self.publisher().basic_publish("", self.own, b"x")
        channel = self.channel(self.connection)
        channel.tx_select()
        message = self.get(channel, self.own, auto_ack=False)
        channel.basic_ack(message.method.delivery_tag)
        channel.tx_rollback()
        channel.basic_ack(message.method.delivery_tag)
        channel.close()
        self.until_counts(self.using, self.own, 1)
        channel = self.channel(self.connection)
        channel.tx_select()
        channel.basic_ack(self.get(channel, self.own, auto_ack=False).method.delivery_tag)
        channel.tx_commit()
        channel.close()
        self.assertEqual(self.counts(self.using, self.own)[0], 0)

    def test_a_message_sent_back_in_a_transaction(self):
        self.publisher().basic_publish("", self.own, b"x")
        channel = self.channel(self.connection)
        channel.tx_select()
        message = self.get(channel, self.own, auto_ack=False)
        channel.basic_nack(message.method.delivery_tag, requeue=True)
        self.assertEqual(self.counts(self.using, self.own)[0], 0)
        channel.tx_commit()
        self.until_counts(self.using, self.own, 1)
        self.assertTrue(self.get(self.using, self.own).method.redelivered)

    def test_unroutable_messages_come_back_at_the_commit(self):
        channel = self.channel(self.connection)
        returned = []
        channel.add_on_return_callback(lambda *message: returned.append(message[3]))
        channel.tx_select()
        channel.basic_publish("", unique("nowhere"), b"back", mandatory=True)
        self.counts(self.using, self.own)
        pump(self.connection)
        self.assertEqual(returned, [])
        channel.tx_commit()
        eventually(lambda: pump(self.connection) or returned, "the returned message")

    def test_a_channel_is_of_one_mode(self):
        self.channel_refuses(406, "channel is not transactional", lambda channel: channel.tx_commit())
        self.channel_refuses(406, "channel is not transactional", lambda channel: channel.tx_rollback())
        self.channel_refuses(406, "cannot switch from confirm to tx mode",
                             lambda channel: (channel.confirm_delivery(), channel.tx_select()))
        self.channel_refuses(406, "cannot switch from tx to confirm mode",
                             lambda channel: (channel.tx_select(), channel.confirm_delivery()))

    def test_selecting_a_mode_twice_is_no_mistake(self):
        channel = self.channel(self.connection)
        channel.tx_select()
        channel.tx_select()
        raw = Raw(self).open()
        raw.call(spec.Confirm.Select(), spec.Confirm.SelectOk)
        raw.call(spec.Confirm.Select(), spec.Confirm.SelectOk)


class Replies(PublishTest):
    NAME = "amq.rabbitmq.reply-to"

    def test_a_request_is_answered_without_a_queue(self):
        asking = self.channel(self.connection)
        answers = Consumer(asking, self.NAME, auto_ack=True)
        asking.basic_publish("", self.own, b"question", BasicProperties(reply_to=self.NAME, correlation_id="1"))
        request = self.wait_get(self.using, self.own)
        self.assertTrue(request.properties.reply_to.startswith(self.NAME + "."), request.properties.reply_to)
        other = self.publisher()
        other.basic_publish("", request.properties.reply_to, b"answer", BasicProperties(correlation_id="1"))
        answer = answers.wait(1)[0]
        self.assertEqual((answer.body, answer.properties.correlation_id), (b"answer", "1"))
        self.assertEqual((answer.method.exchange, answer.method.routing_key), ("", request.properties.reply_to))

    def test_an_answer_counts_as_routed(self):
        self.beyond_debians_rabbitmq("since 4.2")
        asking = self.channel(self.connection)
        answers = Consumer(asking, self.NAME, auto_ack=True)
        asking.basic_publish("", self.own, b"question", BasicProperties(reply_to=self.NAME))
        address = self.wait_get(self.using, self.own).properties.reply_to
        self.publisher().basic_publish("", address, b"answer", mandatory=True)
        self.assertEqual(answers.wait(1)[0].body, b"answer")

    def test_whether_the_asker_is_still_there_can_be_asked(self):
        asking = self.channel(self.connection)
        Consumer(asking, self.NAME, auto_ack=True)
        asking.basic_publish("", self.own, b"question", BasicProperties(reply_to=self.NAME))
        address = self.wait_get(self.using, self.own).properties.reply_to
        self.assertEqual(self.channel().queue_declare(address, passive=True).method.queue, address)
        asking.close()

        def gone():
            channel = self.channel()
            self.attempt(lambda: channel.queue_declare(address, passive=True))
            return channel.ended and channel.ended.reply_code == 404
        eventually(gone, "the address is no more")
        with self.assertRaises(pika.exceptions.UnroutableError):
            self.publisher().basic_publish("", address, b"too late", mandatory=True)
        self.publisher().basic_publish("", address, b"too late")

    def test_a_request_wants_a_consumer_for_the_answer(self):
        self.channel_refuses(406, "fast reply consumer does not exist", lambda channel: channel.basic_publish(
            "", self.own, b"x", BasicProperties(reply_to=self.NAME)))

    def test_answers_are_not_acknowledged(self):
        self.channel_refuses(406, "reply consumer cannot acknowledge",
                             lambda channel: channel.basic_consume(self.NAME, print, auto_ack=False))

    def test_a_channel_has_one_consumer_of_answers(self):
        self.channel_refuses(406, "reply consumer already set", lambda channel: (
            channel.basic_consume(self.NAME, print, auto_ack=True), channel.basic_consume(self.NAME, print, auto_ack=True)))


class Copies(PublishTest):
    def test_cc_and_bcc_are_more_routing_keys_and_bcc_stays_secret(self):
        queues = [self.queue(self.using, exclusive=True) for _ in range(4)]
        headers = {"CC": [queues[1], queues[0]], "BCC": [queues[2]], "mine": 1}
        self.publisher().basic_publish("", queues[0], b"x", BasicProperties(headers=headers))
        for queue in queues[:3]:
            message = self.get(self.using, queue)
            self.assertEqual(message.properties.headers, {"CC": [queues[1], queues[0]], "mine": 1})
            self.assertEqual(message.method.routing_key, queues[0])
            self.assertIsNone(self.get(self.using, queue))
        self.assertIsNone(self.get(self.using, queues[3]))

    def test_copies_count_as_routed(self):
        self.publisher().basic_publish("", unique("nowhere"), b"x", BasicProperties(headers={"BCC": [self.own]}), mandatory=True)
        self.assertEqual(self.drain(self.using, self.own), [b"x"])

    def test_copies_go_through_other_exchanges_as_well(self):
        exchange = self.exchange(self.using, "topic", auto_delete=True)
        self.using.queue_bind(self.own, exchange, "b.*")
        self.publisher().basic_publish(exchange, "a.a", b"x", BasicProperties(headers={"CC": ["b.b", "b.c"]}))
        self.assertEqual(self.drain(self.using, self.own), [b"x"])

    def test_copies_are_lists(self):
        for name in ["CC", "BCC"]:
            self.channel_refuses(406, name, lambda channel: channel.basic_publish(
                "", self.own, b"x", BasicProperties(headers={name: "not a list"})))
