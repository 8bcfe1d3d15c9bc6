# Braid, Apache-2.0.
#
# Connections as pika makes them, and frames that no client should send: what is negotiated is kept, each mistake has the
# code of its own, and one connection's end is nobody else's business.
import struct
import time

import pika
import pika.exceptions
from pika import frame, spec

from broker import eventually, http, order, unique
from pika_client import PROTOCOL, AmqpTest, Consumer, Raw, parameters, pump

CAPABILITIES = ["publisher_confirms", "exchange_exchange_bindings", "basic.nack", "consumer_cancel_notify",
                "connection.blocked", "consumer_priorities", "authentication_failure_close", "per_consumer_qos",
                "direct_reply_to"]


class Connections(AmqpTest):
    def test_the_broker_tells_what_it_is_and_what_it_can(self):
        told = self.connect()._impl.server_properties
        self.assertTrue(told["product"] and told["version"])
        for capability in CAPABILITIES:
            self.assertIs(told["capabilities"].get(capability), True, capability)

    def test_both_common_mechanisms_are_offered_and_one_language(self):
        start = Raw(self).log_in()
        self.assertLessEqual({"PLAIN", "AMQPLAIN"}, set(start.mechanisms.decode().split()))
        self.assertIn("en_US", start.locales.decode().split())
        self.assertEqual((start.version_major, start.version_minor), (0, 9))

    def test_amqplain_is_a_table_of_login_and_password(self):
        def field(name, value):
            return bytes([len(name)]) + name + b"S" + struct.pack(">I", len(value)) + value
        response = field(b"LOGIN", b"guest") + field(b"PASSWORD", b"guest")
        Raw(self).open(mechanism="AMQPLAIN", response=response.decode())

    def test_a_wrong_password_is_told_as_such(self):
        with self.assertRaises(pika.exceptions.ProbableAuthenticationError) as refused:
            pika.BlockingConnection(parameters(credentials=pika.PlainCredentials("guest", "wrong")))
        self.assertIn("ACCESS_REFUSED", str(refused.exception))
        self.assertIn("403", str(refused.exception))

    def test_a_virtual_host_that_is_not_there_is_refused(self):
        with self.assertRaises(pika.exceptions.ProbableAccessDeniedError) as refused:
            pika.BlockingConnection(parameters(virtual_host="nowhere"))
        self.assertIn("530", str(refused.exception))
        self.assertIn("vhost nowhere not found", str(refused.exception))

    def test_a_virtual_host_is_made_and_has_things_of_its_own_until_it_is_deleted(self):
        vhost, queue = unique("vhost"), unique("queue")
        self.assertEqual(http("PUT", "/api/vhosts/" + vhost), (201, None))
        self.addCleanup(http, "DELETE", "/api/vhosts/" + vhost)
        here, there = self.channel(), self.channel(self.connect(virtual_host=vhost))
        self.queue(there, queue, durable=True)
        there.basic_publish("", queue, b"there", pika.BasicProperties(delivery_mode=2))
        self.until_counts(there, queue, 1)
        self.channel_refuses(404, f"no queue '{queue}' in vhost '/'", lambda channel: self.counts(channel, queue), here)
        order("restart")
        there = self.channel(self.connect(virtual_host=vhost, heartbeat=1))
        self.assertEqual(self.wait_get(there, queue).body, b"there")
        self.assertIn({"name": vhost}, http("GET", "/api/vhosts")[1])
        self.assertEqual(http("DELETE", "/api/vhosts/" + vhost), (204, None))
        self.until_ended(there.connection, 320, f"vhost '{vhost}' is deleted")
        with self.assertRaises(pika.exceptions.ProbableAccessDeniedError):
            pika.BlockingConnection(parameters(virtual_host=vhost))

    def test_lower_limits_of_the_client_are_kept(self):
        connection = self.connect(channel_max=5, frame_max=8192, heartbeat=30)
        self.assertEqual((connection._impl.params.channel_max, connection._impl.params.frame_max), (5, 8192))
        channels = [self.channel(connection) for _ in range(5)]
        queue = self.queue(channels[4], exclusive=True)
        body = bytes(range(256)) * 200
        channels[0].basic_publish("", queue, body)
        self.assertEqual(self.wait_get(channels[4], queue).body, body)

    def test_frames_to_the_client_are_no_larger_than_negotiated(self):
        raw = Raw(self).open(frame_max=8192)
        queue = raw.call(spec.Queue.Declare(exclusive=True), spec.Queue.DeclareOk).queue
        body = bytes(range(251)) * 300
        publisher = self.publisher()
        # The queue is the other connection's own, but anybody may publish to it.
        publisher.basic_publish("", queue, body)
        raw.call(spec.Basic.Consume(queue=queue, no_ack=True), spec.Basic.ConsumeOk)
        raw.method(spec.Basic.Deliver)
        header, got = raw.receive(), b""
        self.assertEqual(header.body_size, len(body))
        while len(got) < len(body):
            got += raw.receive().fragment
            self.assertLessEqual(len(raw.last), 8192)
        self.assertEqual(got, body)

    def test_more_channels_than_negotiated_end_the_connection(self):
        raw = Raw(self).open(channels=3, channel_max=3)
        raw.send(frame.Method(4, spec.Channel.Open()))
        self.assertEqual(raw.method(spec.Connection.Close).reply_code, 530)

    def test_limits_above_those_of_the_broker_are_refused(self):
        raw = Raw(self)
        raw.log_in()
        tune = raw.method(spec.Connection.Tune)
        raw.send(frame.Method(0, spec.Connection.TuneOk(tune.channel_max, tune.frame_max + 1, 0)))
        found = raw.receive()  # RabbitMQ may tell, or not
        self.assertTrue(found is None or found.method.reply_code == 530, found)

    def test_channel_numbers_can_be_used_again(self):
        connection = self.connect()
        for _ in range(20):
            channel = connection.channel(7)
            self.queue(channel, exclusive=True)
            channel.close()

    def test_many_channels_are_independent(self):
        connection = self.connect()
        channels = [self.channel(connection) for _ in range(100)]
        queue = self.queue(channels[0], exclusive=True)
        self.channel_refuses(404, "no queue", lambda channel: self.counts(channel, unique("missing")), channels[50])
        for number, channel in enumerate(channels):
            if number != 50:
                channel.basic_publish("", queue, str(number))
        self.until_counts(channels[99], queue, 99)

    def test_an_idle_connection_lives_by_its_heartbeats(self):
        connection = self.connect(heartbeat=1)
        started = time.monotonic()
        eventually(lambda: pump(connection) or time.monotonic() - started > 4, "four idle seconds")
        self.assertTrue(connection.is_open)
        self.queue(self.channel(connection), exclusive=True)

    def test_a_silent_client_is_sent_heartbeats_and_then_dropped(self):
        raw = Raw(self).open(heartbeat=1)
        self.assertIsInstance(raw.receive(), frame.Heartbeat)
        raw.wait_end()

    def test_a_connection_without_heartbeats_may_be_silent(self):
        raw = Raw(self).open(heartbeat=0)
        other = Raw(self).open(heartbeat=1)
        other.wait_end()
        raw.call(spec.Queue.Declare(exclusive=True), spec.Queue.DeclareOk)

    def test_closing_is_answered_and_ends_what_the_connection_owned(self):
        watcher = self.channel()
        connection = self.connect()
        queue = self.queue(self.channel(connection), exclusive=True)
        connection.close()
        self.assertEqual(connection.ended.reply_code, 200)
        self.channel_refuses(404, f"no queue '{queue}' in vhost '/'", lambda channel: self.counts(channel, queue), watcher)

    def test_what_comes_after_a_close_is_passed_over(self):
        raw = Raw(self).open()
        raw.send(frame.Method(0, spec.Connection.Close(200, "bye", 0, 0)),
                 frame.Method(1, spec.Queue.Declare(queue=unique("late"))), raw.publish("nowhere", b"x"))
        raw.method(spec.Connection.CloseOk)
        raw.wait_end()

    def test_after_the_brokers_own_channel_close_only_close_ok_counts(self):
        raw = Raw(self).open(channels=2)
        missing = frame.Method(1, spec.Queue.Declare(queue=unique("missing"), passive=True))
        raw.send(missing, missing, raw.publish("nowhere", b"x"), missing)
        self.assertEqual(raw.method(spec.Channel.Close).reply_code, 404)
        raw.send(frame.Method(1, spec.Channel.CloseOk()), frame.Method(1, spec.Channel.Open()))
        raw.method(spec.Channel.OpenOk)
        raw.call(spec.Queue.Declare(exclusive=True), spec.Queue.DeclareOk, 2)

    def test_both_sides_may_close_a_channel_at_once(self):
        raw = Raw(self).open()
        raw.send(frame.Method(1, spec.Queue.Declare(queue=unique("missing"), passive=True)),
                 frame.Method(1, spec.Channel.Close(200, "bye", 0, 0)))
        raw.method(spec.Channel.Close)
        raw.method(spec.Channel.CloseOk)
        raw.send(frame.Method(1, spec.Channel.CloseOk()), frame.Method(1, spec.Channel.Open()))
        raw.method(spec.Channel.OpenOk)

    def test_an_orderly_end_of_the_broker_is_told(self):
        connection = self.connect()
        self.channel(connection)
        order("restart")
        eventually(lambda: pump(connection) or connection.ended, "the end of the connection")
        self.assertEqual(connection.ended.reply_code, 320)
        self.assertIn("CONNECTION_FORCED", connection.ended.reply_text)
        self.connect()

    def test_one_connections_mistake_is_not_anothers(self):
        good = self.channel()
        consumer = Consumer(good, self.queue(good, exclusive=True), auto_ack=True)
        bad = Raw(self).open()
        bad.send(b"\x09" * 100)
        bad.wait_end()
        good.basic_publish("", good.queue_declare("", exclusive=True).method.queue, b"x")
        queue = self.queue(good, exclusive=True)
        consumer = Consumer(good, queue, auto_ack=True)
        good.basic_publish("", queue, b"still here")
        self.assertEqual(consumer.wait(1)[0].body, b"still here")

    def test_any_blocked_capability_and_client_properties_are_taken(self):
        connection = self.connect(client_properties={"connection_name": "braid's test", "nested": {"list": [1, True, None]}})
        self.assertTrue(connection.is_open)

    def test_flow_may_be_asked_to_go_on(self):
        self.assertTrue(self.channel().flow(True))

    def test_flow_cannot_be_stopped(self):
        self.connection_refuses(540, "active=false", lambda channel: channel.flow(False))


class BadInput(AmqpTest):
    def refused(self, raw, code, text=""):
        close = raw.method(spec.Connection.Close)
        self.assertEqual(close.reply_code, code, close.reply_text)
        self.assertIn(text, close.reply_text)
        raw.send(frame.Method(0, spec.Connection.CloseOk()))
        raw.wait_end()

    def ends(self, raw, *codes):
        """What no method can be made of ends the connection; brokers differ in what they call it, or say nothing."""
        found = raw.receive()
        self.assertTrue(found is None or isinstance(found.method, spec.Connection.Close) and found.method.reply_code in codes,
                        found)

    def test_another_protocol_is_answered_with_the_header_of_ours(self):
        for header in [b"AMQP\x02\x00\x00\x00", b"AMQP\x00\x00\x09\x02", b"GET / HTTP/1.1\r\n\r\n",
                       b"\x16\x03\x01\x02\x00\x01\x00\x01"]:
            raw = Raw(self, header)
            received = b""
            while True:
                try:
                    data = raw.socket.recv(100)
                except ConnectionResetError:
                    data = b""
                if not data:
                    break
                received += data
            self.assertEqual(received, PROTOCOL, header)

    def test_the_first_frame_must_be_start_ok(self):
        raw = Raw(self)
        raw.method(spec.Connection.Start)
        raw.send(frame.Method(0, spec.Connection.Open("/")))
        raw.wait_end()

    def test_an_unknown_mechanism_ends_the_connection(self):
        raw = Raw(self)
        raw.method(spec.Connection.Start)
        raw.send(frame.Method(0, spec.Connection.StartOk({}, "X-NONE", "", "en_US")))
        raw.wait_end()

    def test_a_method_of_a_channel_that_is_not_open(self):
        raw = Raw(self).open()
        raw.send(frame.Method(9, spec.Queue.Declare()))
        self.refused(raw, 504, "CHANNEL_ERROR - expected 'channel.open'")

    def test_a_channel_opened_twice(self):
        raw = Raw(self).open()
        raw.send(frame.Method(1, spec.Channel.Open()))
        self.refused(raw, 504, "second 'channel.open' seen")

    def test_a_method_of_the_connection_on_a_channel(self):
        raw = Raw(self).open()
        raw.send(frame.Method(1, spec.Connection.Open("/")))
        self.ends(raw, 503, 504, 540)

    def test_a_method_that_does_not_exist(self):
        raw = Raw(self).open()
        raw.send(b"\x01\x00\x01\x00\x00\x00\x04\x00\x3c\x03\xe7\xce")
        self.ends(raw, 503, 540)

    def test_arguments_that_end_too_early(self):
        raw = Raw(self).open()
        raw.send(b"\x01\x00\x01\x00\x00\x00\x05\x00\x32\x00\x0a\x00\xce")
        self.ends(raw, 501, 502, 541)

    def test_a_frame_without_its_end(self):
        raw = Raw(self).open()
        raw.send(frame.Method(1, spec.Queue.Declare()).marshal()[:-1] + b"\x00")
        self.refused(raw, 501, "FRAME_ERROR")

    def test_a_frame_of_no_known_type(self):
        raw = Raw(self).open()
        raw.send(b"\x05\x00\x01\x00\x00\x00\x00\xce")
        self.refused(raw, 501)

    def test_a_frame_larger_than_negotiated(self):
        raw = Raw(self).open(frame_max=8192)
        raw.send(raw.publish("nowhere", b"x" * 9000))
        self.refused(raw, 501)

    def test_a_frame_whose_length_is_absurd_is_refused_before_it_comes(self):
        raw = Raw(self).open()
        raw.send(b"\x03\x00\x01\xff\xff\xff\xff")
        self.refused(raw, 501)

    def test_a_body_longer_than_its_header_said(self):
        self.beyond_debians_rabbitmq("it waits for more")
        raw = Raw(self).open()
        raw.send(raw.publish("nowhere", b"12345", size=4))
        self.refused(raw, 501)

    def test_a_header_without_its_method(self):
        raw = Raw(self).open()
        raw.send(frame.Header(1, 1, spec.BasicProperties()))
        self.refused(raw, 505, "UNEXPECTED_FRAME")

    def test_a_body_without_its_header(self):
        raw = Raw(self).open()
        raw.send(frame.Method(1, spec.Basic.Publish(routing_key="x")), frame.Body(1, b"x"))
        self.refused(raw, 505, "UNEXPECTED_FRAME")

    def test_a_method_where_a_body_is_due(self):
        raw = Raw(self).open()
        raw.send(raw.publish("x", b"", size=5), frame.Method(1, spec.Queue.Declare()))
        self.refused(raw, 505, "UNEXPECTED_FRAME")

    def test_content_of_another_class(self):
        raw = Raw(self).open()
        header = bytearray(frame.Header(1, 1, spec.BasicProperties()).marshal())
        header[7:9] = b"\x00\x32"
        raw.send(frame.Method(1, spec.Basic.Publish(routing_key="x")), bytes(header))
        self.refused(raw, 505, "UNEXPECTED_FRAME")

    def test_content_of_two_channels_may_be_mixed(self):
        raw = Raw(self).open(channels=2)
        queue = raw.call(spec.Queue.Declare(exclusive=True), spec.Queue.DeclareOk).queue
        raw.call(spec.Basic.Consume(queue=queue, no_ack=True), spec.Basic.ConsumeOk)
        first, second = (frame.Method(channel, spec.Basic.Publish(routing_key=queue)) for channel in [1, 2])
        raw.send(first, second, frame.Header(2, 2, spec.BasicProperties()), frame.Header(1, 3, spec.BasicProperties()),
                 frame.Body(1, b"on"), frame.Body(2, b"tw"), frame.Body(1, b"e"))
        raw.send(frame.Method(2, spec.Channel.Close(200, "", 0, 0)))
        bodies = set()
        for _ in range(3):
            found = raw.receive()
            if isinstance(found.method, spec.Basic.Deliver):
                bodies.add(raw.content()[2])
            else:
                self.assertIsInstance(found.method, spec.Channel.CloseOk)
        self.assertEqual(bodies, {b"one", b"tw"})

    def test_bytes_that_arrive_one_by_one_are_the_same(self):
        raw = Raw(self, b"")
        for byte in PROTOCOL:
            raw.socket.sendall(bytes([byte]))
        raw.open()
        queue = raw.call(spec.Queue.Declare(exclusive=True), spec.Queue.DeclareOk).queue
        raw.call(spec.Basic.Consume(queue=queue, no_ack=True), spec.Basic.ConsumeOk)
        for byte in raw.publish(queue, b"in pieces", properties=spec.BasicProperties(headers={"a": [1, {"b": None}]})):
            raw.socket.sendall(bytes([byte]))
        raw.method(spec.Basic.Deliver)
        properties, _, body = raw.content()
        self.assertEqual((properties.headers, body), ({"a": [1, {"b": None}]}, b"in pieces"))
