# Braid, Apache-2.0.
#
# What the arguments of a queue do, through pika: how long messages and queues live, how many there may be, where those go
# that leave otherwise than to a consumer, and in which order the others come.
import datetime

import pika.exceptions
from pika import BasicProperties

from broker import eventually, unique
from pika_client import AmqpTest, Consumer


def died(message):
    return message.properties.headers["x-death"]


class ArgumentTest(AmqpTest):
    def setUp(self):
        self.connection = self.connect()
        self.using = self.channel(self.connection)
        self.publishing = self.publisher(self.connection)

    def own(self, **arguments):
        """A queue with these arguments: x_max_length=1 is `x-max-length`."""
        return self.queue(self.using, exclusive=True,
                          arguments={name.replace("_", "-"): value for name, value in arguments.items()})

    def quorum(self, **arguments):
        queue = self.queue(self.using, durable=True, arguments={
            "x-queue-type": "quorum", **{name.replace("_", "-"): value for name, value in arguments.items()}})
        self.addCleanup(lambda: self.connect().channel().queue_delete(queue))
        return queue

    def publish(self, queue, *bodies, exchange="", **properties):
        for body in bodies:
            self.publishing.basic_publish(exchange, queue, body, BasicProperties(**properties))

    def dead_letters(self, **arguments):
        """A queue, and the arguments that make another one's dead letters go there."""
        queue = self.queue(self.using, exclusive=True)
        return queue, {"x_dead_letter_exchange": "", "x_dead_letter_routing_key": queue, **arguments}


class Expiry(ArgumentTest):
    def test_messages_of_a_queue_with_a_time_to_live_go(self):
        queue = self.own(x_message_ttl=200)
        self.publish(queue, b"1", b"2")
        self.assertEqual(self.counts(self.using, queue)[0], 2)
        self.until_counts(self.using, queue, 0)
        self.assertIsNone(self.get(self.using, queue))

    def test_a_message_may_have_a_time_of_its_own(self):
        queue = self.own()
        self.publish(queue, b"short", expiration="200")
        self.publish(queue, b"long", expiration="60000")
        self.until_counts(self.using, queue, 1)
        message = self.get(self.using, queue)
        self.assertEqual((message.body, message.properties.expiration), (b"long", "60000"))

    def test_the_shorter_of_the_two_times_counts(self):
        queue = self.own(x_message_ttl=60000)
        self.publish(queue, b"short", expiration="200")
        self.until_counts(self.using, queue, 0)
        queue = self.own(x_message_ttl=200)
        self.publish(queue, b"long", expiration="60000")
        self.until_counts(self.using, queue, 0)

    def test_a_message_that_lives_no_time_reaches_a_waiting_consumer_only(self):
        queue = self.own(x_message_ttl=0)
        self.publish(queue, b"nobody")
        self.assertIsNone(self.get(self.using, queue))
        consumer = Consumer(self.using, queue, auto_ack=True)
        self.publish(queue, b"somebody")
        self.assertEqual(consumer.wait(1)[0].body, b"somebody")
        self.assertEqual(consumer.bodies(), [b"somebody"])

    def test_what_a_consumer_holds_does_not_expire(self):
        queue = self.own(x_message_ttl=200)
        self.publish(queue, b"held")
        held = self.get(self.using, queue, auto_ack=False)
        self.publish(queue, b"left")
        self.until_counts(self.using, queue, 0)
        self.using.basic_ack(held.method.delivery_tag)
        self.publish(queue, b"end")
        self.assertEqual(self.drain(self.using, queue), [b"end"])
        self.assertIsNone(self.using.ended)

    def test_what_comes_back_too_late_expires(self):
        queue = self.own(x_message_ttl=200)
        self.publish(queue, b"held")
        held = self.get(self.using, queue, auto_ack=False)
        self.publish(queue, b"left")
        self.until_counts(self.using, queue, 0)
        self.using.basic_nack(held.method.delivery_tag, requeue=True)
        self.until_counts(self.using, queue, 0)
        self.assertIsNone(self.get(self.using, queue))

    def test_a_time_that_is_none_is_refused(self):
        queue = self.own()
        for text in ["soon", "-1", "1.5", ""]:
            self.channel_refuses(406, "invalid expiration", lambda channel: channel.basic_publish(
                "", queue, b"x", BasicProperties(expiration=text)))
        self.assertEqual(self.counts(self.using, queue)[0], 0)

    def test_a_queue_that_nobody_uses_expires(self):
        queue = self.queue(self.using, arguments={"x-expires": 300})
        consumer = Consumer(self.using, queue)
        started = datetime.datetime.now()
        eventually(lambda: self.connection.process_data_events(0.02) or
                   datetime.datetime.now() - started > datetime.timedelta(seconds=1), "a second")
        self.assertEqual(self.counts(self.using, queue), (0, 1))
        self.using.basic_cancel(consumer.tag)

        def gone():
            # Asking is a use: it is asked less often than it expires.
            self.connection.sleep(0.9)
            channel = self.channel(self.connection)
            self.attempt(lambda: self.counts(channel, queue))
            return channel.ended and channel.ended.reply_code == 404
        eventually(gone, "the queue is gone")


class Limits(ArgumentTest):
    def test_a_full_queue_drops_its_oldest_messages(self):
        queue = self.own(x_max_length=3)
        self.publish(queue, *[str(i) for i in range(10)])
        self.assertEqual(self.drain(self.using, queue), [b"7", b"8", b"9"])

    def test_only_what_is_ready_counts(self):
        queue = self.own(x_max_length=2)
        self.publish(queue, b"1", b"2")
        held = [self.get(self.using, queue, auto_ack=False) for _ in range(2)]
        self.publish(queue, b"3", b"4")
        self.assertEqual(self.drain(self.using, queue), [b"3", b"4"])
        self.using.basic_ack(held[1].method.delivery_tag, multiple=True)

    def test_the_bytes_of_bodies_may_be_what_is_limited(self):
        queue = self.own(x_max_length_bytes=1000)
        self.publish(queue, *[bytes([65 + i]) * 400 for i in range(5)])
        self.assertEqual([body[:1] for body in self.drain(self.using, queue)], [b"D", b"E"])
        self.publish(queue, b"x" * 1001)
        self.assertEqual(self.counts(self.using, queue)[0], 0)

    def test_a_full_queue_may_refuse_instead(self):
        queue = self.own(x_max_length=2, x_overflow="reject-publish")
        self.publish(queue, b"1", b"2")
        with self.assertRaises(pika.exceptions.NackError):
            self.publish(queue, b"3")
        self.assertEqual(self.get(self.using, queue).body, b"1")
        self.publish(queue, b"4")
        self.assertEqual(self.drain(self.using, queue), [b"2", b"4"])

    def test_what_is_refused_may_be_dead_lettered(self):
        dead, arguments = self.dead_letters()
        queue = self.own(x_max_length=1, x_overflow="reject-publish-dlx", **arguments)
        self.publish(queue, b"1")
        with self.assertRaises(pika.exceptions.NackError):
            self.publish(queue, b"2")
        self.assertEqual(self.drain(self.using, queue), [b"1"])
        message = self.wait_get(self.using, dead)
        self.assertEqual((message.body, died(message)[0]["reason"]), (b"2", "maxlen"))

    def test_a_length_of_nothing_keeps_nothing_but_for_waiting_consumers(self):
        queue = self.own(x_max_length=0)
        self.publish(queue, b"nobody")
        self.assertEqual(self.counts(self.using, queue)[0], 0)

    def test_a_queue_that_refuses_does_not_keep_others_from_their_copy(self):
        exchange = self.exchange(self.using, "fanout", auto_delete=True)
        full, free = self.own(x_max_length=1, x_overflow="reject-publish"), self.own()
        for queue in [full, free]:
            self.using.queue_bind(queue, exchange)
        self.publish("", b"1", exchange=exchange)
        with self.assertRaises(pika.exceptions.NackError):
            self.publish("", b"2", exchange=exchange)
        self.assertEqual((self.drain(self.using, full), self.drain(self.using, free)), ([b"1"], [b"1", b"2"]))


class DeadLetters(ArgumentTest):
    def test_a_rejected_message_tells_what_became_of_it(self):
        dead = self.queue(self.using, exclusive=True)
        exchange, source = self.exchange(self.using, "fanout", auto_delete=True), self.exchange(self.using, "topic", auto_delete=True)
        self.using.queue_bind(dead, exchange)
        queue = self.own(x_dead_letter_exchange=exchange)
        self.using.queue_bind(queue, source, "a.#")
        self.publish("a.b", b"x", exchange=source, headers={"mine": 1}, content_type="text/plain", message_id="7")
        held = self.get(self.using, queue, auto_ack=False)
        self.using.basic_reject(held.method.delivery_tag, requeue=False)
        message = self.wait_get(self.using, dead)
        self.assertEqual((message.body, message.method.exchange, message.method.routing_key), (b"x", exchange, "a.b"))
        self.assertFalse(message.method.redelivered)
        self.assertEqual((message.properties.content_type, message.properties.message_id), ("text/plain", "7"))
        headers = message.properties.headers
        time = headers["x-death"][0].pop("time")
        self.assertLess(abs(datetime.datetime.utcnow() - time), datetime.timedelta(minutes=1))
        self.assertEqual(headers["x-death"], [{"count": 1, "reason": "rejected", "queue": queue, "exchange": source,
                                               "routing-keys": ["a.b"]}])
        self.assertEqual((headers["x-first-death-reason"], headers["x-first-death-queue"], headers["x-first-death-exchange"]),
                         ("rejected", queue, source))
        self.assertEqual(headers["mine"], 1)

    def test_the_last_death_is_told_as_well(self):
        self.beyond_debians_rabbitmq("since 3.13")
        dead, arguments = self.dead_letters()
        queue = self.own(**arguments)
        self.publish(queue, b"x")
        self.using.basic_nack(self.get(self.using, queue, auto_ack=False).method.delivery_tag, requeue=False)
        headers = self.wait_get(self.using, dead).properties.headers
        self.assertEqual((headers["x-last-death-reason"], headers["x-last-death-queue"], headers["x-last-death-exchange"]),
                         ("rejected", queue, ""))

    def test_an_expired_message_keeps_its_time_as_a_word_about_it(self):
        dead, arguments = self.dead_letters()
        queue = self.own(**arguments)
        self.publish(queue, b"x", expiration="100")
        message = eventually(lambda: self.get(self.using, dead), "the dead letter")
        self.assertIsNone(message.properties.expiration)
        self.assertEqual(message.method.routing_key, dead)
        death = died(message)[0]
        self.assertEqual((death["reason"], death["original-expiration"], death["routing-keys"], death["exchange"]),
                         ("expired", "100", [queue], ""))

    def test_expired_messages_are_dead_lettered_in_their_order(self):
        dead, arguments = self.dead_letters(x_message_ttl=150)
        queue = self.own(**arguments)
        self.publish(queue, *[str(i) for i in range(50)])
        self.until_counts(self.using, dead, 50)
        self.assertEqual(self.drain(self.using, dead), [str(i).encode() for i in range(50)])

    def test_what_a_full_queue_drops_is_dead_lettered(self):
        dead, arguments = self.dead_letters(x_max_length=2)
        queue = self.own(**arguments)
        self.publish(queue, b"1", b"2", b"3", b"4")
        self.until_counts(self.using, dead, 2)
        messages = [self.get(self.using, dead) for _ in range(2)]
        self.assertEqual([(one.body, died(one)[0]["reason"]) for one in messages], [(b"1", "maxlen"), (b"2", "maxlen")])

    def test_a_message_that_dies_again_is_counted(self):
        # Rejected in one queue, waits in another until its time is over, and comes back: the usual way to try later.
        waiting, working, exchange = unique("waiting"), unique("working"), self.exchange(self.using, "direct", auto_delete=True)
        for name, arguments in [(waiting, {"x-message-ttl": 50, "x-dead-letter-exchange": exchange, "x-dead-letter-routing-key": "work"}),
                                (working, {"x-dead-letter-exchange": exchange, "x-dead-letter-routing-key": "wait"})]:
            self.using.queue_declare(name, exclusive=True, arguments=arguments)
        self.using.queue_bind(waiting, exchange, "wait")
        self.using.queue_bind(working, exchange, "work")
        self.publish("work", b"x", exchange=exchange)
        for attempt in range(4):
            message = eventually(lambda: self.get(self.using, working, auto_ack=False), f"attempt {attempt}")
            deaths = {(death["queue"], death["reason"]): death["count"] for death in (message.properties.headers or {}).get("x-death", [])}
            self.assertEqual(deaths, {(waiting, "expired"): attempt, (working, "rejected"): attempt} if attempt else {})
            if attempt:
                self.assertEqual([death["queue"] for death in died(message)], [waiting, working])
                self.assertEqual(message.properties.headers["x-first-death-queue"], working)
            self.using.basic_reject(message.method.delivery_tag, requeue=False)

    def test_a_circle_that_nobody_rejects_in_ends(self):
        queue, other = unique("circle"), unique("circle")
        for name, to in [(queue, other), (other, queue)]:
            self.using.queue_declare(name, exclusive=True, arguments={
                "x-message-ttl": 50, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": to})
        self.publish(queue, b"x")
        self.until_counts(self.using, queue, 0)
        eventually(lambda: self.counts(self.using, queue)[0] + self.counts(self.using, other)[0] == 0, "the message is gone")

    def test_dead_letters_without_a_place_to_go_are_dropped(self):
        queue = self.own(x_dead_letter_exchange=unique("missing"))
        self.publish(queue, b"x", b"y")
        self.using.basic_reject(self.get(self.using, queue, auto_ack=False).method.delivery_tag, requeue=False)
        self.assertEqual(self.wait_get(self.using, queue).body, b"y")
        self.assertIsNone(self.using.ended)

    def test_many_dead_letters_at_once(self):
        dead, arguments = self.dead_letters()
        queue = self.own(**arguments)
        for i in range(500):
            self.using.basic_publish("", queue, str(i))
        consumer = Consumer(self.using, queue)
        consumer.wait(500)
        self.using.basic_nack(consumer.tags()[-1], multiple=True, requeue=False)
        self.until_counts(self.using, dead, 500)
        self.assertEqual(self.drain(self.using, dead), [str(i).encode() for i in range(500)])


class DeliveryLimit(ArgumentTest):
    def test_a_message_that_always_comes_back_is_dead_lettered_in_the_end(self):
        dead, arguments = self.dead_letters()
        queue = self.quorum(x_delivery_limit=2, **arguments)
        self.publish(queue, b"poison", delivery_mode=2)
        for delivery in range(3):
            message = eventually(lambda: self.get(self.using, queue, auto_ack=False), f"delivery {delivery}")
            self.assertEqual((message.properties.headers or {}).get("x-delivery-count", 0), delivery)
            self.assertEqual(message.method.redelivered, delivery > 0)
            self.using.basic_nack(message.method.delivery_tag, requeue=True)
        message = eventually(lambda: self.get(self.using, dead), "the dead letter")
        self.assertEqual(died(message)[0]["reason"], "delivery_limit")

    def test_a_channel_that_ends_gives_back_what_it_held(self):
        queue = self.quorum(x_delivery_limit=5)
        self.publish(queue, b"x", delivery_mode=2)
        for delivery in range(3):
            channel = self.channel(self.connection)
            message = eventually(lambda: self.get(channel, queue, auto_ack=False), f"delivery {delivery}")
            self.assertEqual(message.method.redelivered, delivery > 0)
            channel.close()

    def test_a_quorum_queue_is_durable_and_nobodys_own(self):
        for options in [{"exclusive": True}, {"durable": False}, {"durable": True, "auto_delete": True}]:
            self.channel_refuses(406, "PRECONDITION_FAILED - invalid property", lambda channel: channel.queue_declare(
                unique("quorum"), arguments={"x-queue-type": "quorum"}, **options))


class Priorities(ArgumentTest):
    def test_higher_priorities_come_first_and_each_in_its_order(self):
        queue = self.own(x_max_priority=10)
        for number, priority in enumerate([1, 5, 10, 5, 0, None, 10, 200]):
            self.publish(queue, f"{priority} {number}", priority=priority)
        self.assertEqual(self.drain(self.using, queue),
                         [b"10 2", b"10 6", b"200 7", b"5 1", b"5 3", b"1 0", b"0 4", b"None 5"])

    def test_a_queue_without_priorities_takes_no_notice_of_them(self):
        queue = self.own()
        for priority in [1, 5, 3]:
            self.publish(queue, str(priority), priority=priority)
        message = self.get(self.using, queue)
        self.assertEqual((message.body, message.properties.priority), (b"1", 1))
        self.assertEqual(self.drain(self.using, queue), [b"5", b"3"])

    def test_what_comes_back_keeps_its_priority(self):
        queue = self.own(x_max_priority=5)
        self.publish(queue, b"low", priority=1)
        self.publish(queue, b"high", priority=5)
        held = self.get(self.using, queue, auto_ack=False)
        self.assertEqual(held.body, b"high")
        self.using.basic_nack(held.method.delivery_tag, requeue=True)
        self.until_counts(self.using, queue, 2)
        self.assertEqual(self.drain(self.using, queue), [b"high", b"low"])


class SingleActiveConsumer(ArgumentTest):
    def test_the_next_one_takes_over_when_the_first_goes(self):
        queue = self.own(x_single_active_consumer=True)
        first, second = Consumer(self.using, queue, auto_ack=True), Consumer(self.channel(self.connection), queue, auto_ack=True)
        self.publish(queue, *[str(i) for i in range(10)])
        self.assertEqual(len(first.wait(10)), 10)
        self.assertEqual(second.messages, [])
        self.using.basic_cancel(first.tag)
        self.publish(queue, b"next")
        self.assertEqual(second.wait(1)[0].body, b"next")

    def test_nobody_may_consume_exclusively(self):
        queue = self.own(x_single_active_consumer=True)
        self.channel_refuses(403, "", lambda channel: channel.basic_consume(queue, print, exclusive=True),
                             self.channel(self.connection))

    def test_nobody_may_get_single_messages(self):
        self.beyond_debians_rabbitmq("it lets them")
        queue = self.own(x_single_active_consumer=True)
        self.channel_refuses(405, "RESOURCE_LOCKED", lambda channel: channel.basic_get(queue), self.channel(self.connection))


class Mistakes(ArgumentTest):
    def test_arguments_of_the_wrong_kind_are_refused(self):
        for name, value in [("x-message-ttl", -1), ("x-message-ttl", "100"), ("x-expires", 0), ("x-expires", -5),
                            ("x-expires", "1"), ("x-max-length", -1), ("x-max-length", "9"), ("x-max-length-bytes", -1),
                            ("x-overflow", "explode"), ("x-overflow", 1), ("x-dead-letter-exchange", 1),
                            ("x-max-priority", -1), ("x-max-priority", 256), ("x-max-priority", "1"),
                            ("x-single-active-consumer", "yes")]:
            with self.subTest(name=name, value=value):
                self.channel_refuses(406, f"'{name}'",
                                     lambda channel: channel.queue_declare(unique("wrong"), exclusive=True, arguments={name: value}))

    def test_a_dead_letter_key_wants_a_dead_letter_exchange(self):
        self.channel_refuses(406, "x-dead-letter-routing-key", lambda channel: channel.queue_declare(
            unique("wrong"), exclusive=True, arguments={"x-dead-letter-routing-key": "a"}))

    def test_a_type_of_queue_that_does_not_exist_is_refused(self):
        self.channel_refuses(406, "x-queue-type", lambda channel: channel.queue_declare(
            unique("wrong"), durable=True, arguments={"x-queue-type": "none"}))

    def test_names_that_mean_nothing_here_are_taken(self):
        for arguments in [{"x-queue-mode": "lazy"}, {"x-queue-type": "classic"}, {"x-something": "else"}]:
            queue = self.queue(self.using, durable=True, arguments=arguments)
            self.publish(queue, b"x", delivery_mode=2)
            self.assertEqual(self.wait_get(self.using, queue).body, b"x")
            self.using.queue_delete(queue)
