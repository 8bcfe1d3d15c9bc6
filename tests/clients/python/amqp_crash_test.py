# Braid, Apache-2.0.
#
# kill -9, again and again, while messages are published with confirms and consumed with manual acknowledgements.
#
# AMQP tells a publisher what is safe (basic.ack), but not a consumer: nothing answers an acknowledgement. What a consumer
# may rely on is a transaction: tx.commit-ok says that the acknowledgements before it are kept. So one queue is consumed in
# transactions, and what was committed must never come again; another with plain acknowledgements, of which the last ones
# before a crash may be forgotten. From neither may a confirmed message be lost. Both queues are bound to one exchange: a
# publish to several queues is confirmed when it is safe in all of them.
import os
import random
import threading
import time

import pika
import pika.exceptions
from pika import BasicProperties

from broker import eventually, order
from pika_client import REFUSED, AmqpTest, parameters

CRASHES = int(os.environ.get("BRAID_CRASHES", "20"))
WINDOW = 50  # messages on their way to be confirmed
PERSISTENT = BasicProperties(delivery_mode=2)


class Worker(threading.Thread):
    """Does `work(connection)` until it is told to stop, with a new connection whenever the broker took the old one."""

    def __init__(self):
        super().__init__(daemon=True)
        self.stopping = False
        self.failure = None
        self.start()

    def run(self):
        while not self.stopping:
            try:
                connection = pika.BlockingConnection(parameters(socket_timeout=5))
                self.work(connection)
                connection.close()
            except (*REFUSED, OSError):
                time.sleep(0.01)  # the broker is away
            except Exception as error:  # a finding, or a mistake of this test
                self.failure = error
                return

    def finish(self):
        self.stopping = True
        self.join(60)
        assert not self.is_alive()
        if self.failure:
            raise self.failure


class Publisher(Worker):
    """Numbers its messages; never sends one twice. Keeps what was confirmed."""

    def __init__(self, exchange):
        self.exchange = exchange
        self.next = 0
        self.confirmed = set()
        super().__init__()

    def work(self, connection):
        channel = connection.channel()
        first = self.next
        outstanding = set()

        def on_confirm(frame):
            assert isinstance(frame.method, pika.spec.Basic.Ack), frame
            tag = frame.method.delivery_tag
            done = {one for one in outstanding if one <= tag} if frame.method.multiple else {tag}
            outstanding.difference_update(done)
            self.confirmed.update(first + one - 1 for one in done)

        # The blocking client waits for each confirm: its inner channel has many under way.
        ready = []
        channel._impl.confirm_delivery(on_confirm, callback=ready.append)
        while not ready:
            connection.process_data_events(0.05)
        tag = 0
        while not self.stopping:
            while len(outstanding) < WINDOW:
                tag += 1
                outstanding.add(tag)
                self.next = first + tag
                channel.basic_publish(self.exchange, "", str(first + tag - 1), PERSISTENT)
            connection.process_data_events(0.05)
        while outstanding:
            connection.process_data_events(0.05)


class Consumer(Worker):
    """Checks every delivery as it comes: order within a connection, and that nothing settled for good comes again."""

    def __init__(self, queue, transactions):
        self.queue = queue
        self.transactions = transactions
        self.seen = set()
        self.settled = set()
        self.idle = False
        super().__init__()

    def work(self, connection):
        channel = connection.channel()
        channel.basic_qos(prefetch_count=100)
        if self.transactions:
            channel.tx_select()
        last, uncommitted = -1, []
        for method, _, body in channel.consume(self.queue, inactivity_timeout=0.2):
            if method is not None:
                number = int(body)
                assert number not in self.settled, f"{number} was settled for good, and came again"
                assert number > last, f"{number} came after {last}"
                last = number
                self.seen.add(number)
                channel.basic_ack(method.delivery_tag)
                uncommitted.append(number)
            self.idle = method is None
            if self.transactions and uncommitted and (method is None or len(uncommitted) >= 20):
                channel.tx_commit()
                self.settled.update(uncommitted)
                uncommitted = []
            if self.stopping and method is None:
                return


class Crash(AmqpTest):
    test_timeout_s = 280

    def test_confirmed_messages_outlive_kill_9_and_settled_ones_do_not_come_back(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        chance = random.Random(seed)
        channel = self.channel()
        exchange = self.exchange(channel, "fanout", durable=True)
        queues = [self.queue(channel, durable=True) for _ in range(2)]
        for queue in queues:
            channel.queue_bind(queue, exchange)
        publisher = Publisher(exchange)
        consumers = [Consumer(queues[0], True), Consumer(queues[1], False)]
        workers = [publisher, *consumers]
        for _ in range(CRASHES):
            before = len(publisher.confirmed), len(consumers[0].settled), len(consumers[1].seen)
            enough = chance.randrange(1, 300)
            eventually(lambda: any(one.failure for one in workers) or all(
                now >= then + enough for now, then in
                zip((len(publisher.confirmed), len(consumers[0].settled), len(consumers[1].seen)), before)), "traffic")
            order("crash")
        publisher.finish()
        for consumer in consumers:
            eventually(lambda: consumer.failure or publisher.confirmed <= consumer.seen,
                       lambda: f"these confirmed messages: {sorted(publisher.confirmed - consumer.seen)[:50]}")
            eventually(lambda: consumer.failure or consumer.idle, "the end of the queue")
            consumer.finish()
        print(f"{publisher.next} published, {len(publisher.confirmed)} confirmed, {len(consumers[0].settled)} settled for good")
        self.assertGreater(len(publisher.confirmed), 20 * CRASHES)
        channel = self.channel()
        self.until_counts(channel, queues[0], 0)
        for queue in queues:
            channel.queue_delete(queue)
        channel.exchange_delete(exchange)
