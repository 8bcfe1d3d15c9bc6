# Braid, Apache-2.0.
#
# What the AMQP suites share: pika's blocking client with what it hides (why a channel or a connection was closed), and a
# plain socket that speaks with pika's codec, for what no well-behaved client sends.
import collections
import signal
import socket
import unittest

import pika
import pika.exceptions
from pika import frame, spec

from broker import AMQP, HOST, eventually, unique

PROTOCOL = b"AMQP\x00\x00\x09\x01"
Message = collections.namedtuple("Message", "method properties body")


def parameters(**settings):
    return pika.ConnectionParameters(HOST, AMQP, **settings)


def remember_end(it):
    it.ended = None
    it._impl.add_on_close_callback(lambda _, reason: setattr(it, "ended", reason))
    return it


# What pika throws when the broker ends something; it may go on using a timer that it closed itself.
REFUSED = (pika.exceptions.AMQPError, ValueError)


def pump(connection):
    """Takes what has arrived; a connection that ended is told by its `ended`."""
    try:
        connection.process_data_events(time_limit=0.01)
    except REFUSED:
        pass


class Consumer:
    """A consumer that keeps what it was sent."""

    def __init__(self, channel, queue, auto_ack=False, **options):
        self.channel = channel
        self.messages = []
        self.tag = channel.basic_consume(queue, self.on_message, auto_ack=auto_ack, **options)

    def on_message(self, _, method, properties, body):
        self.messages.append(Message(method, properties, body))

    def wait(self, count):
        """At least so many messages; all that have come."""
        def come():
            pump(self.channel.connection)
            return len(self.messages) >= count
        eventually(come, lambda: f"{count} messages; there are {self.bodies()[:50]}")
        return self.messages

    def bodies(self):
        return [message.body for message in self.messages]

    def tags(self):
        return [message.method.delivery_tag for message in self.messages]


class AmqpTest(unittest.TestCase):
    """Connections are closed when the test ends, whatever happened to them."""
    test_timeout_s = 60

    def run(self, result=None):
        """pika waits for answers without end: a test that takes so long has failed."""
        def over(*_):
            raise AssertionError(f"not within {self.test_timeout_s} s")
        before = signal.signal(signal.SIGALRM, over)
        signal.alarm(self.test_timeout_s)
        try:
            return super().run(result)
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)

    def connect(self, **settings):
        connection = remember_end(pika.BlockingConnection(parameters(**settings)))
        self.addCleanup(self.attempt, lambda: connection.is_open and connection.close())
        return connection

    def beyond_debians_rabbitmq(self, why):
        """These suites are tried on Debian's RabbitMQ as well, which is 3.10: what came later, or is a plugin that
        Debian does not have, it cannot pass."""
        told = self.connect()._impl.server_properties
        if told["product"] == "RabbitMQ" and told["version"].startswith("3."):
            self.skipTest(why)

    def channel(self, connection=None):
        return remember_end((connection or self.connect()).channel())

    def publisher(self, connection=None):
        """A channel whose basic_publish returns when the message is confirmed."""
        channel = self.channel(connection)
        channel.confirm_delivery()
        return channel

    def queue(self, channel, name="", **options):
        return channel.queue_declare(name or unique("queue"), **options).method.queue

    def exchange(self, channel, kind, **options):
        name = unique(kind)
        channel.exchange_declare(name, kind, **options)
        return name

    def counts(self, channel, queue):
        """(ready messages, consumers)"""
        method = channel.queue_declare(queue, passive=True).method
        return method.message_count, method.consumer_count

    def until_counts(self, channel, queue, messages, consumers=0):
        eventually(lambda: self.counts(channel, queue) == (messages, consumers),
                   lambda: f"{messages} ready messages and {consumers} consumers, not {self.counts(channel, queue)}")

    def get(self, channel, queue, auto_ack=True):
        """One message, or None."""
        message = Message(*channel.basic_get(queue, auto_ack=auto_ack))
        return message if message.method else None

    def wait_get(self, channel, queue, auto_ack=True):
        return eventually(lambda: self.get(channel, queue, auto_ack), "a message")

    def drain(self, channel, queue):
        return [message.body for message in iter(lambda: self.get(channel, queue), None)]

    def attempt(self, call):
        """What a call that the broker refuses throws is not the same for all; why it was refused is in `ended`."""
        try:
            call()
        except REFUSED:
            pass

    def until_ended(self, it, code, text):
        """A channel or a connection is closed by the broker with this code and a text that contains this one."""
        connection = getattr(it, "connection", it)

        def ended():
            pump(connection)
            return it.ended
        reason = eventually(ended, f"closed with {code}")
        self.assertEqual(getattr(reason, "reply_code", None), code, reason)
        self.assertIn(text, reason.reply_text)

    def channel_refuses(self, code, text, call, channel=None):
        """`call(channel)` closes its channel, and nothing else."""
        channel = channel or self.channel()
        self.attempt(lambda: call(channel))
        self.until_ended(channel, code, text)
        self.assertTrue(channel.connection.is_open)
        self.assertTrue(channel.connection.channel().is_open)

    def connection_refuses(self, code, text, call, channel=None):
        """`call(channel)` closes the whole connection."""
        channel = channel or self.channel()
        self.attempt(lambda: call(channel))
        self.until_ended(channel.connection, code, text)


class Raw:
    """A connection whose frames are the test's own business."""

    def __init__(self, test, header=PROTOCOL):
        self.socket = socket.create_connection((HOST, AMQP), timeout=30)
        if test is not None:
            test.addCleanup(self.socket.close)
        self.received = b""
        self.last = b""  # the frame that was received last, as it came
        self.socket.sendall(header)

    def send(self, *frames):
        self.socket.sendall(b"".join(one if isinstance(one, bytes) else one.marshal() for one in frames))

    def receive(self):
        """The next frame; None when the broker has closed the connection."""
        while True:
            length, found = frame.decode_frame(self.received)
            if found is not None:
                self.last, self.received = self.received[:length], self.received[length:]
                return found
            try:
                data = self.socket.recv(1 << 16)
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self.received += data

    def method(self, kind):
        """The next frame that is not a heartbeat is this method."""
        found = self.receive()
        while isinstance(found, frame.Heartbeat):
            found = self.receive()
        if not isinstance(found, frame.Method) or not isinstance(found.method, kind):
            raise AssertionError(f"{found} is not {kind.NAME}")
        return found.method

    def call(self, method, answer, channel=1):
        self.send(frame.Method(channel, method))
        return self.method(answer)

    def log_in(self, mechanism="PLAIN", response="\0guest\0guest", properties=None):
        start = self.method(spec.Connection.Start)
        self.send(frame.Method(0, spec.Connection.StartOk(properties or {}, mechanism, response, "en_US")))
        return start

    def open(self, channels=1, channel_max=0, frame_max=0, heartbeat=0, **login):
        """Up to an open connection with some channels; 0 means what the broker proposed."""
        self.log_in(**login)
        tune = self.method(spec.Connection.Tune)
        self.send(frame.Method(0, spec.Connection.TuneOk(channel_max or tune.channel_max, frame_max or tune.frame_max,
                                                         heartbeat)))
        self.call(spec.Connection.Open("/"), spec.Connection.OpenOk, 0)
        for channel in range(1, channels + 1):
            self.call(spec.Channel.Open(), spec.Channel.OpenOk, channel)
        return self

    def publish(self, routing_key, body, channel=1, exchange="", properties=None, size=None, **options):
        """The frames of a message; `size` is what the header tells."""
        return b"".join(one.marshal() for one in [
            frame.Method(channel, spec.Basic.Publish(exchange=exchange, routing_key=routing_key, **options)),
            frame.Header(channel, len(body) if size is None else size, properties or spec.BasicProperties()),
            *([frame.Body(channel, body)] if body else [])])

    def content(self):
        """The header and body frames that follow a delivery: (properties, header frame as it came, body)."""
        header = self.receive()
        assert isinstance(header, frame.Header), header
        came, body = self.last, b""
        while len(body) < header.body_size:
            part = self.receive()
            assert isinstance(part, frame.Body), part
            body += part.fragment
        return header.properties, came, body

    def wait_end(self):
        """The broker closes the connection; frames that come before are passed over."""
        while self.receive() is not None:
            pass
