# Braid, Apache-2.0.
#
# Connections that come and go by the thousand, in every way in which they can go, and channels that are dropped under
# load: afterwards the broker has as many sockets as before, as little memory, and none of what belonged to them.
import os
import socket
import struct
import threading

from pika import frame, spec

from broker import AMQP, HOST, broker_pid, eventually, unique
from pika_client import PROTOCOL, AmqpTest, Consumer, Raw

CONNECTIONS = 10000
THREADS = 4
MIB = 1 << 20


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def sockets(pid):
    def is_socket(name):
        try:
            return os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:")
        except OSError:
            return False
    return sum(map(is_socket, os.listdir(f"/proc/{pid}/fd")))


def frames(*methods):
    return b"".join(frame.Method(channel, method).marshal() for channel, method in methods)


EXCHANGE = unique("churn")
# What a client says until its connection is open, all at once: the broker need not be waited for.
OPENING = PROTOCOL + frames((0, spec.Connection.StartOk({}, "PLAIN", "\0guest\0guest", "en_US")),
                            (0, spec.Connection.TuneOk(100, 131072, 0)), (0, spec.Connection.Open("/")))
# And what it leaves behind: an exclusive queue with a binding, a consumer and messages of which one is half sent.
WORK = frames((1, spec.Channel.Open()), (2, spec.Channel.Open()), (1, spec.Queue.Declare(queue="", exclusive=True)),
              (1, spec.Queue.Bind(exchange=EXCHANGE, routing_key="churn.#")), (1, spec.Basic.Qos(prefetch_count=1)),
              (1, spec.Basic.Consume()), (2, spec.Confirm.Select()))
CLOSING = frames((0, spec.Connection.Close(200, "bye", 0, 0)))
CLOSED = frames((0, spec.Connection.CloseOk()))
CLOSED_BY_BROKER = struct.pack(">HH", *divmod(spec.Connection.Close.INDEX, 1 << 16))


class Churn(AmqpTest):
    test_timeout_s = 280

    def come_and_go(self, way):
        """One connection; how it ends is chosen by its number."""
        said, until = [
            (CLOSING, CLOSED),                                # in order
            (WORK + self.publish + CLOSING, CLOSED),          # in order, leaving work behind
            (WORK + self.publish + self.publish[:-50], b""),  # cut, in the middle of a message
            (WORK + b"\x09" * 20, CLOSED_BY_BROKER),          # ended by the broker for a mistake
            (b"", b""),                                       # cut before it was open
        ][way]
        with socket.create_connection((HOST, AMQP), timeout=30) as connection:
            connection.sendall(OPENING + said)
            received = b""
            while until not in received:
                data = connection.recv(1 << 16)
                assert data, f"way {way}: the connection was closed without a word"
                received += data

    def many(self, count):
        failures = []

        def some(first):
            try:
                for number in range(first, count, THREADS):
                    self.come_and_go(number % 5)
            except Exception as error:
                failures.append(error)
        threads = [threading.Thread(target=some, args=(first,)) for first in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_ten_thousand_connections_leave_nothing_behind(self):
        self.publish = Raw(self).publish("churn.x", b"x" * 100, 2, EXCHANGE)
        pid = broker_pid()
        watcher = self.channel()
        watcher.exchange_declare(EXCHANGE, "topic")
        self.many(1000)  # what the broker allocates once
        before, memory = self.settled_sockets(pid), resident_bytes(pid)
        self.many(CONNECTIONS)
        eventually(lambda: sockets(pid) <= before, lambda: f"{before} sockets, not {sockets(pid)}")
        grown = resident_bytes(pid) - memory
        print(f"resident memory: {memory / MIB:.1f} MiB before, {grown / MIB:+.1f} MiB after {CONNECTIONS} connections")
        self.assertLess(grown, 16 * MIB)
        # Nothing is bound where they all had bound a queue.
        raw = Raw(self).open()
        raw.send(raw.publish("churn.x", b"x", exchange=EXCHANGE, mandatory=True))
        self.assertEqual(raw.method(spec.Basic.Return).reply_code, 312)
        self.assertEqual(self.counts(watcher, self.queue(watcher, exclusive=True)), (0, 0))

    def settled_sockets(self, pid):
        """How many there are when those that were closed are gone: the same number several times."""
        last = []

        def same():
            last.append(sockets(pid))
            return len(last) > 10 and len(set(last[-10:])) == 1
        eventually(same, "sockets are closed")
        return last[-1]

    def test_channels_dropped_under_load_leave_nothing_behind(self):
        watcher = self.channel()
        queue = self.queue(watcher, auto_delete=False)
        publisher = self.publisher()
        for i in range(200):
            publisher.basic_publish("", queue, str(i))
        connection = self.connect()
        for number in range(300):
            channel = self.channel(connection)
            channel.basic_qos(prefetch_count=50)
            consumer = Consumer(channel, queue)
            consumer.wait(1)
            if number % 3 == 0:  # closed by the broker
                self.channel_refuses(406, "unknown delivery tag", lambda channel: channel.basic_ack(99999), channel)
                continue
            if number % 3 == 1:  # its consumer goes first, then what it held; the blocking one would give back more
                # All that it may have: what comes behind the cancel is rejected by pika, by then in vain.
                consumer.wait(50)
                channel._impl.basic_cancel(consumer.tag)
                channel.basic_recover(requeue=True)
            channel._impl.close()  # with deliveries on their way
            eventually(lambda: connection.process_data_events(0.01) or channel.is_closed, "closed")
        connection.close()
        self.until_counts(watcher, queue, 200)
        self.assertEqual(sorted(map(int, self.drain(watcher, queue))), list(range(200)))
        watcher.queue_delete(queue)

    def test_many_channels_at_once_are_closed_with_their_connection(self):
        watcher = self.channel()
        queue = self.queue(watcher)
        raw = Raw(self).open(channels=0)
        channels = range(1, 1001)
        raw.send(b"".join(frames((channel, spec.Channel.Open()), (channel, spec.Basic.Consume(queue=queue, nowait=True,
                                                                                             consumer_tag="c"))) for channel in channels))
        eventually(lambda: self.counts(watcher, queue)[1] == 1000, "a thousand consumers")
        raw.socket.close()
        eventually(lambda: self.counts(watcher, queue)[1] == 0, "no consumer is left")
        watcher.queue_delete(queue)
