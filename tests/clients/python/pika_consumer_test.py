# Braid, Apache-2.0.
#
# Consumers through pika: credit, acknowledgements, what comes back and in which order, and how consuming ends.
from pika import frame, spec

from broker import eventually
from pika_client import AmqpTest, Consumer, Raw, pump


class ConsumerTest(AmqpTest):
    def setUp(self):
        self.connection = self.connect()
        self.using = self.channel(self.connection)
        self.publishing = self.publisher(self.connection)
        self.own = self.queue(self.using, exclusive=True)

    def publish(self, *bodies, queue=None):
        for body in bodies:
            self.publishing.basic_publish("", queue or self.own, body)

    def numbers(self, count):
        self.publish(*[str(i) for i in range(count)])
        return [str(i).encode() for i in range(count)]

    def settled(self, ready, consumers=1):
        """What the broker would send has been sent: that many are left."""
        self.until_counts(self.using, self.own, ready, consumers)
        pump(self.connection)


class Credit(ConsumerTest):
    def test_a_consumer_holds_no_more_than_its_prefetch(self):
        self.using.basic_qos(prefetch_count=3)
        consumer = Consumer(self.using, self.own)
        expected = self.numbers(10)
        self.settled(7)
        self.assertEqual([message.body for message in consumer.wait(3)], expected[:3])
        self.using.basic_ack(consumer.tags()[0])
        self.settled(6)
        self.assertEqual([message.body for message in consumer.wait(4)], expected[:4])
        self.using.basic_ack(consumer.tags()[-1], multiple=True)
        self.settled(3)
        self.assertEqual([message.body for message in consumer.wait(7)], expected[:7])
        self.using.basic_nack(0, multiple=True, requeue=False)
        self.settled(0)
        self.assertEqual([message.body for message in consumer.wait(10)], expected)

    def test_prefetch_is_of_each_consumer_and_of_those_to_come(self):
        first = Consumer(self.using, self.own)
        self.using.basic_qos(prefetch_count=1)
        second = Consumer(self.using, self.own)
        self.using.basic_qos(prefetch_count=2)
        third = Consumer(self.using, self.own)
        self.publish(*[str(i) for i in range(20)])
        self.settled(0, 3)
        eventually(lambda: pump(self.connection) or sum(len(one.messages) for one in [first, second, third]) == 20, "all")
        self.assertEqual((len(second.messages), len(third.messages)), (1, 2))

    def test_prefetch_may_be_of_the_whole_channel(self):
        self.using.basic_qos(prefetch_count=4, global_qos=True)
        consumers = [Consumer(self.using, self.own) for _ in range(3)]
        self.numbers(10)

        def delivered(count):
            eventually(lambda: pump(self.connection) or sum(len(one.messages) for one in consumers) >= count, f"{count}")
            for _ in range(10):
                self.counts(self.using, self.own)
                pump(self.connection)
            self.assertEqual(sum(len(one.messages) for one in consumers), count)
        delivered(4)
        tags = sorted(tag for one in consumers for tag in one.tags())
        self.using.basic_ack(tags[1], multiple=True)
        delivered(6)
        self.using.basic_ack(0, multiple=True)
        delivered(10)

    def together(self, *consumers):
        pump(self.connection)
        return sum(len(consumer.messages) for consumer in consumers)

    def test_what_a_channel_may_not_have_is_there_for_others(self):
        self.numbers(10)
        channel = self.channel(self.connection)
        channel.basic_qos(prefetch_count=4, global_qos=True)
        consumers = [Consumer(channel, self.own) for _ in range(3)]
        eventually(lambda: self.together(*consumers) == 4, "four for all of them")
        self.settled(6, 3)
        others = [self.get(self.using, self.own) for _ in range(6)]
        self.assertEqual([message.method.redelivered for message in others], [False] * 6)
        self.assertIsNone(self.get(self.using, self.own))
        self.assertEqual(self.together(*consumers), 4)

    def test_the_prefetch_of_a_channel_is_all_for_the_one_queue_that_has_messages(self):
        self.using.basic_qos(prefetch_count=6, global_qos=True)
        other = self.queue(self.using, exclusive=True)
        idle, busy = Consumer(self.using, other), Consumer(self.using, self.own)
        expected = self.numbers(10)
        self.assertEqual([message.body for message in busy.wait(6)], expected[:6])
        self.settled(4, 1)
        self.using.basic_ack(busy.tags()[0])
        busy.wait(7)
        self.publish(b"at last", queue=other)
        # All is taken, so it has to wait, but not behind everything that the other queue has.
        for _ in range(3):
            self.until_counts(self.using, other, 1, 1)
        self.using.basic_ack(busy.tags()[2], multiple=True)
        idle.wait(1)
        eventually(lambda: self.together(idle, busy) == 9, "six again")
        self.settled(2, 1)

    def test_a_full_queue_does_not_keep_the_prefetch_of_a_channel_to_itself(self):
        self.using.basic_qos(prefetch_count=1, global_qos=True)
        queues = [self.own] + [self.queue(self.using, exclusive=True) for _ in range(2)]
        for queue in queues:
            self.publish(*[str(i) for i in range(20)], queue=queue)
        consumers = [Consumer(self.using, queue) for queue in queues]
        for count in range(1, 31):
            eventually(lambda: self.together(*consumers) == count, f"message {count}")
            self.using.basic_ack(count)
        counts = [len(consumer.messages) for consumer in consumers]
        self.assertGreaterEqual(min(counts), 9, counts)

    def test_a_consumer_has_its_own_prefetch_beside_that_of_its_channel(self):
        self.using.basic_qos(prefetch_count=5, global_qos=True)
        self.using.basic_qos(prefetch_count=2)
        first, second = Consumer(self.using, self.own), Consumer(self.using, self.own)
        self.numbers(10)
        eventually(lambda: self.together(first, second) == 4, "two each")
        self.settled(6, 2)
        third = Consumer(self.using, self.own)
        third.wait(1)
        self.settled(5, 3)
        self.assertEqual((len(first.messages), len(second.messages), len(third.messages)), (2, 2, 1))

    def test_a_larger_prefetch_of_a_channel_counts_at_once(self):
        self.using.basic_qos(prefetch_count=1, global_qos=True)
        consumer = Consumer(self.using, self.own)
        self.numbers(10)
        consumer.wait(1)
        self.settled(9, 1)
        self.using.basic_qos(prefetch_count=3, global_qos=True)
        consumer.wait(3)
        self.settled(7, 1)
        self.using.basic_qos(prefetch_count=0, global_qos=True)
        consumer.wait(10)

    def test_prefetch_is_nothing_to_consumers_without_acknowledgements(self):
        self.using.basic_qos(prefetch_count=1)
        consumer = Consumer(self.using, self.own, auto_ack=True)
        expected = self.numbers(50)
        self.assertEqual([message.body for message in consumer.wait(50)], expected)

    def test_prefetch_counts_messages_only(self):
        self.connection_refuses(540, "prefetch_size!=0 (100)", lambda channel: channel.basic_qos(prefetch_size=100), self.using)

    def test_messages_are_dealt_out_in_turn(self):
        self.using.basic_qos(prefetch_count=100)
        consumers = [Consumer(self.using, self.own) for _ in range(3)]
        self.numbers(30)
        self.settled(0, 3)
        eventually(lambda: pump(self.connection) or sum(len(one.messages) for one in consumers) == 30, "all")
        self.assertEqual([len(one.messages) for one in consumers], [10, 10, 10])

    def test_higher_priorities_are_served_first_while_they_have_credit(self):
        self.using.basic_qos(prefetch_count=3)
        low = Consumer(self.using, self.own, arguments={"x-priority": -1})
        usual = Consumer(self.using, self.own)
        high = Consumer(self.using, self.own, arguments={"x-priority": 10})
        self.numbers(5)
        self.settled(0, 3)
        eventually(lambda: pump(self.connection) or len(high.messages) + len(usual.messages) + len(low.messages) == 5, "all")
        self.assertEqual((len(high.messages), len(usual.messages), len(low.messages)), (3, 2, 0))

    def test_a_priority_is_a_number(self):
        self.channel_refuses(406, "x-priority", lambda channel: channel.basic_consume(
            self.own, print, arguments={"x-priority": "high"}), self.channel(self.connection))


class Acknowledging(ConsumerTest):
    def test_what_a_consumer_held_comes_back_in_its_place(self):
        expected = self.numbers(10)
        channel = self.channel(self.connection)
        channel.basic_qos(prefetch_count=6)
        consumer = Consumer(channel, self.own)
        consumer.wait(6)
        for i in [1, 4]:
            channel.basic_ack(consumer.tags()[i])
        self.settled(2)
        channel._impl.close()  # the blocking one would cancel first
        self.until_counts(self.using, self.own, 8)
        self.assertEqual(self.drain(self.using, self.own), [body for body in expected if body not in [b"1", b"4"]])

    def test_redelivered_messages_are_marked_and_in_order(self):
        expected = self.numbers(6)
        channel = self.channel(self.connection)
        held = [self.get(channel, self.own, auto_ack=False) for _ in range(4)]
        channel.basic_ack(held[1].method.delivery_tag)
        channel.close()
        self.until_counts(self.using, self.own, 5)
        messages = [self.get(self.using, self.own) for _ in range(5)]
        self.assertEqual([message.body for message in messages], [body for body in expected if body != b"1"])
        self.assertEqual([message.method.redelivered for message in messages], [True, True, True, False, False])

    def test_get_tells_what_is_left(self):
        self.numbers(3)
        for left in [2, 1, 0]:
            self.assertEqual(self.get(self.using, self.own).method.message_count, left)
        self.assertIsNone(self.get(self.using, self.own))

    def test_a_nack_may_send_back_several(self):
        expected = self.numbers(5)
        held = [self.get(self.using, self.own, auto_ack=False) for _ in range(5)]
        self.using.basic_nack(held[2].method.delivery_tag, multiple=True, requeue=True)
        self.until_counts(self.using, self.own, 3)
        self.assertEqual(self.drain(self.using, self.own), expected[:3])
        self.using.basic_nack(held[4].method.delivery_tag, multiple=True, requeue=True)
        self.until_counts(self.using, self.own, 2)
        self.assertEqual(self.drain(self.using, self.own), expected[3:])

    def test_what_is_rejected_is_gone_or_back(self):
        self.numbers(2)
        held = [self.get(self.using, self.own, auto_ack=False) for _ in range(2)]
        self.using.basic_reject(held[0].method.delivery_tag, requeue=False)
        self.using.basic_reject(held[1].method.delivery_tag, requeue=True)
        self.until_counts(self.using, self.own, 1)
        message = self.get(self.using, self.own)
        self.assertEqual((message.body, message.method.redelivered), (b"1", True))

    def test_all_can_be_acknowledged_at_once(self):
        self.numbers(4)
        consumer = Consumer(self.using, self.own)
        consumer.wait(4)
        self.using.basic_ack(0, multiple=True)
        self.using.basic_cancel(consumer.tag)
        self.using.basic_recover(requeue=True)
        self.assertEqual(self.counts(self.using, self.own), (0, 0))

    def test_recovering_sends_back_all_that_is_held(self):
        expected = self.numbers(4)
        held = [self.get(self.using, self.own, auto_ack=False) for _ in range(3)]
        self.using.basic_ack(held[0].method.delivery_tag)
        self.using.basic_recover(requeue=True)
        self.until_counts(self.using, self.own, 3)
        messages = [self.get(self.using, self.own) for _ in range(3)]
        self.assertEqual([message.body for message in messages], expected[1:])
        self.assertEqual([message.method.redelivered for message in messages], [True, True, False])

    def test_recovering_to_the_same_consumer_is_not_offered(self):
        self.connection_refuses(540, "requeue=false", lambda channel: channel.basic_recover(requeue=False), self.using)

    def test_a_tag_that_is_not_known_closes_the_channel(self):
        for settle in [lambda channel: channel.basic_ack(7), lambda channel: channel.basic_nack(7),
                       lambda channel: channel.basic_reject(7), lambda channel: channel.basic_ack(7, multiple=True)]:
            self.channel_refuses(406, "PRECONDITION_FAILED - unknown delivery tag 7", settle, self.channel(self.connection))

    def test_a_message_is_acknowledged_once(self):
        self.numbers(2)

        def twice(channel):
            tag = self.get(channel, self.own, auto_ack=False).method.delivery_tag
            channel.basic_ack(tag)
            channel.basic_ack(tag)
        self.channel_refuses(406, "unknown delivery tag 1", twice, self.channel(self.connection))
        self.until_counts(self.using, self.own, 1)

    def test_tags_are_of_their_channel(self):
        self.numbers(1)
        self.get(self.using, self.own, auto_ack=False)
        self.channel_refuses(406, "unknown delivery tag 1", lambda channel: channel.basic_ack(1), self.channel(self.connection))
        self.using.basic_ack(1)
        self.assertEqual(self.counts(self.using, self.own), (0, 0))

    def test_tags_count_from_one_without_gaps(self):
        self.numbers(20)
        consumer = Consumer(self.using, self.own)
        consumer.wait(20)
        self.assertEqual(consumer.tags(), list(range(1, 21)))
        self.publish(b"got")
        consumer.wait(21)
        self.assertEqual(consumer.tags()[-1], 21)

    def test_acknowledgements_in_any_order(self):
        expected = self.numbers(300)
        consumer = Consumer(self.using, self.own)
        consumer.wait(300)
        for tag in [tag for tag in reversed(consumer.tags()) if tag % 3]:
            self.using.basic_ack(tag)
        self.using.basic_cancel(consumer.tag)
        self.using.basic_recover(requeue=True)
        self.until_counts(self.using, self.own, 100)
        self.assertEqual(self.drain(self.using, self.own), expected[2::3])


class Ending(ConsumerTest):
    def test_a_cancelled_consumer_gets_nothing_more_and_keeps_what_it_holds(self):
        self.using.basic_qos(prefetch_count=2)
        consumer = Consumer(self.using, self.own)
        self.numbers(3)
        consumer.wait(2)
        self.using.basic_cancel(consumer.tag)
        self.using.basic_ack(consumer.tags()[1], multiple=True)
        self.until_counts(self.using, self.own, 1)
        self.assertEqual(len(consumer.messages), 2)

    def test_cancelling_what_is_not_there_is_no_mistake(self):
        self.using._impl.basic_cancel("never")
        self.assertEqual(self.counts(self.using, self.own), (0, 0))

    def test_a_consumer_is_told_when_its_queue_is_deleted(self):
        queue = self.queue(self.using)
        cancelled = []
        channel = self.channel(self.connection)
        channel.add_on_cancel_callback(lambda it: cancelled.append(it.method.consumer_tag))
        tags = {Consumer(channel, queue).tag, Consumer(channel, queue).tag}
        self.channel().queue_delete(queue)
        eventually(lambda: pump(self.connection) or set(cancelled) == tags, "cancelled")
        self.assertIsNone(channel.ended)

    def test_what_was_held_of_a_deleted_queue_may_be_acknowledged(self):
        queue = self.queue(self.using)
        self.publish(b"x", queue=queue)
        held = self.get(self.using, queue, auto_ack=False)
        self.using.queue_delete(queue)
        self.using.basic_ack(held.method.delivery_tag)
        self.assertEqual(self.counts(self.using, self.own), (0, 0))

    def test_an_exclusive_consumer_is_the_only_one(self):
        queue = self.queue(self.using)
        text = f"ACCESS_REFUSED - queue '{queue}' in vhost '/' in exclusive use"
        consumer = Consumer(self.using, queue, exclusive=True)
        self.channel_refuses(403, text, lambda channel: channel.basic_consume(queue, print))
        self.using.basic_cancel(consumer.tag)
        Consumer(self.using, queue)
        self.channel_refuses(403, text, lambda channel: channel.basic_consume(queue, print, exclusive=True))
        self.using.queue_delete(queue)

    def test_a_tag_is_used_once_on_a_channel(self):
        raw = Raw(self).open(channels=2)
        queue = raw.call(spec.Queue.Declare(exclusive=True), spec.Queue.DeclareOk).queue
        for channel in [1, 2]:
            consume = spec.Basic.Consume(queue=queue, consumer_tag="mine")
            self.assertEqual(raw.call(consume, spec.Basic.ConsumeOk, channel).consumer_tag, "mine")
        raw.send(frame.Method(1, spec.Basic.Consume(queue=queue, consumer_tag="mine")))
        close = raw.method(spec.Connection.Close)
        self.assertEqual(close.reply_code, 530)
        self.assertIn("attempt to reuse consumer tag 'mine'", close.reply_text)

    def test_a_consumer_without_a_tag_is_given_one(self):
        raw = Raw(self).open()
        queue = raw.call(spec.Queue.Declare(exclusive=True), spec.Queue.DeclareOk).queue
        tags = {raw.call(spec.Basic.Consume(queue=queue), spec.Basic.ConsumeOk).consumer_tag for _ in range(3)}
        self.assertEqual(len(tags), 3)
        self.assertTrue(all(tag.startswith("amq.ctag-") for tag in tags), tags)

    def test_many_consumers_share_many_messages(self):
        channels = [self.channel(self.connection) for _ in range(10)]
        for channel in channels:
            channel.basic_qos(prefetch_count=5)
        consumers = [Consumer(channel, self.own) for channel in channels]
        for i in range(1000):
            self.using.basic_publish("", self.own, str(i))
        done = [0] * len(consumers)

        def work():
            pump(self.connection)
            for number, consumer in enumerate(consumers):
                for message in consumer.messages[done[number]:]:
                    consumer.channel.basic_ack(message.method.delivery_tag)
                    done[number] += 1
            return sum(done) >= 1000
        eventually(work, "all are acknowledged")
        got = sorted(int(body) for consumer in consumers for body in consumer.bodies())
        self.assertEqual(got, list(range(1000)))
        self.assertTrue(all(done), done)

    def test_an_idle_unacknowledged_message_stays_its_consumers(self):
        self.publish(b"x")
        message = self.get(self.using, self.own, auto_ack=False)
        self.connection.sleep(1.5)
        self.using.basic_ack(message.method.delivery_tag)
        self.assertEqual(self.counts(self.using, self.own), (0, 0))
