# Braid, Apache-2.0.
#
# Memory or disk are short, as pika sees it: who publishes is told and waits, and nobody else is concerned. The broker's
# settings make either easy to reach.
import os
import socket
import struct
import unittest

from pika import frame, spec

from broker import HOST, KAFKA, eventually, unique
from pika_client import AmqpTest, Consumer, Raw, pump

CAPABLE = {"capabilities": {"connection.blocked": True}}


class Alarms(AmqpTest):
    def listen(self, connection):
        """The list of what the connection is told of alarms."""
        told = []
        connection.add_on_connection_blocked_callback(lambda _, method: told.append(method.method.reason))
        connection.add_on_connection_unblocked_callback(lambda _, __: told.append("unblocked"))
        return told

    def until_told(self, connection, told, what):
        eventually(lambda: pump(connection) or told == what, lambda: f"told {what}, not {told}")


@unittest.skipUnless(os.environ["BRAID_ALARM"] == "memory", "of another suite")
class Memory(Alarms):
    """The budget is 16 MiB, and a request that waits for others holds more."""

    def request(self, connection, key, version, *parts):
        """A request of Kafka's, without waiting for its answer; a text or a part that is bytes already."""
        def encoded(part):
            return part if isinstance(part, bytes) else struct.pack(">h", len(part)) + part.encode()
        body = struct.pack(">hhi", key, version, 1) + b"".join(encoded(part) for part in ("hog", *parts))
        connection.sendall(struct.pack(">i", len(body)) + body)

    def join(self, group, metadata):
        """A consumer that joins a group; its socket."""
        connection = socket.create_connection((HOST, KAFKA), timeout=30)
        self.addCleanup(connection.close)
        session_ms = rebalance_ms = 60000
        self.request(connection, 11, 2, group, struct.pack(">ii", session_ms, rebalance_ms), "", "consumer",
                     struct.pack(">i", 1), "range", struct.pack(">i", len(metadata)) + metadata)
        return connection

    def fill(self):
        """Returns what gives the memory back."""
        group = unique("group")
        first = self.join(group, b"")
        answer = first.recv(struct.unpack(">i", first.recv(4, socket.MSG_WAITALL))[0], socket.MSG_WAITALL)
        self.assertEqual(struct.unpack(">h", answer[8:10])[0], 0, "JoinGroup's error")
        texts, at = [], 14  # behind the generation: protocol, leader, member
        for _ in range(3):
            size = struct.unpack(">h", answer[at:at + 2])[0]
            texts.append(answer[at + 2:at + 2 + size].decode())
            at += 2 + size
        # It has to wait until the first one joins again, or leaves.
        second = self.join(group, bytes(20 << 20))

        def free():
            self.request(first, 13, 0, group, texts[2])
            first.recv(1)
            second.close()
        return free

    def test_publishers_wait_and_others_are_not_told(self):
        connection, consuming = self.connect(), self.connect()
        told, told_consumer = self.listen(connection), self.listen(consuming)
        watcher = self.channel()
        channel = self.channel(connection)
        work, late = self.queue(watcher, durable=True), self.queue(watcher, durable=True)
        publisher = self.publisher()
        for body in (b"one", b"two"):
            publisher.basic_publish("", work, body)
        channel.basic_qos(prefetch_count=1)
        worker = Consumer(channel, work)
        first = worker.wait(1)[0]
        reader = Consumer(self.channel(consuming), late, auto_ack=True)
        channel.basic_publish("", late, b"before")
        reader.wait(1)

        free = self.fill()

        def published():
            if not told:
                channel.basic_publish("", late, b"shows that it publishes")
            pump(connection)
            return told
        eventually(published, "connection.blocked")
        self.assertEqual(told, ["low on memory"])
        eventually(lambda: pump(consuming) or reader.bodies()[-1] != b"before", "what came before the alarm")
        channel.basic_publish("", late, b"waits")
        pump(connection)
        # The acknowledgement behind it is read, so the next message comes.
        channel.basic_ack(first.method.delivery_tag)
        self.assertEqual(worker.wait(2)[1].body, b"two")
        # So are those of a connection that only consumes, and it may do everything else.
        self.assertEqual(self.counts(watcher, work)[0], 0)
        self.until_counts(self.channel(consuming), late, 0, 1)
        self.assertNotIn(b"waits", reader.bodies())
        self.assertEqual((told, told_consumer), (["low on memory"], []))

        free()
        self.until_told(connection, told, ["low on memory", "unblocked"])
        eventually(lambda: pump(consuming) or reader.bodies()[-1] == b"waits", "the message that waited")
        self.assertEqual(told_consumer, [])
        channel.basic_ack(worker.messages[1].method.delivery_tag)
        self.until_counts(watcher, work, 0, 1)

    def test_a_client_that_cannot_be_told_waits_all_the_same(self):
        raw, watcher = Raw(self).open(channels=2), self.channel()
        queue = self.queue(watcher)
        raw.call(spec.Confirm.Select(), spec.Confirm.SelectOk)
        free = self.fill()
        # Until the broker has seen the alarm publishes are confirmed; the first that is not is waiting.
        for number in range(1, 100000):
            raw.send(raw.publish(queue, b"x"))
            raw.socket.settimeout(1)
            try:
                raw.method(spec.Basic.Ack)
            except TimeoutError:
                break
        raw.socket.settimeout(30)
        raw.call(spec.Queue.Declare(queue=queue, passive=True), spec.Queue.DeclareOk, channel=2)
        # What waits is not lost by closing.
        raw.send(frame.Method(0, spec.Connection.Close(200, "bye", 0, 0)))
        free()
        while not isinstance(raw.receive().method, spec.Connection.CloseOk):
            pass  # its confirm may come, or not any more
        self.until_counts(watcher, queue, number)


@unittest.skipUnless(os.environ["BRAID_ALARM"] == "disk", "of another suite")
class Disk(Alarms):
    """More space is to be free than any disk has."""

    def test_publishers_wait_and_others_are_not_told(self):
        consuming = self.connect()
        told = self.listen(consuming)
        channel = self.channel(consuming)
        queue = self.queue(channel, durable=True)
        reader = Consumer(channel, queue, auto_ack=True)
        raw = Raw(self).open(properties=CAPABLE)
        raw.socket.settimeout(1)

        def blocked():
            raw.send(raw.publish(queue, b"shows that it publishes"))
            try:
                return raw.method(spec.Connection.Blocked)
            except TimeoutError:
                return None
        self.assertEqual(eventually(blocked, "connection.blocked").reason, "low on disk")
        reader.wait(1)
        raw.send(raw.publish(queue, b"waits"), frame.Method(1, spec.Channel.Flow(True)))
        with self.assertRaises(TimeoutError):
            raw.receive()
        pump(consuming)
        self.assertNotIn(b"waits", reader.bodies())
        self.assertEqual(told, [])
