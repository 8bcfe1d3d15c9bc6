# Braid, Apache-2.0.
#
# Exchanges of every type through pika: which queues a message reaches, how often, and what may not be declared.
import collections

from broker import order, unique
from pika_client import AmqpTest, Consumer
import pika.exceptions
from pika import BasicProperties


class Routing(AmqpTest):
    def setUp(self):
        self.publishing = self.publisher()
        self.using = self.channel(self.publishing.connection)

    def bound(self, exchange, key="", arguments=None):
        queue = self.queue(self.using, exclusive=True)
        self.using.queue_bind(queue, exchange, key, arguments)
        return queue

    def routes(self, exchange, cases, publish):
        """`cases`: what is published, and the names of the queues it is to reach."""
        for what, expected in cases:
            publish(exchange, what)
            for name, queue in self.queues.items():
                with self.subTest(published=what, queue=name):
                    got = self.drain(self.using, queue)
                    self.assertEqual(len(got), 1 if name in expected else 0)

    def by_key(self, exchange, key):
        self.publishing.basic_publish(exchange, key, b"x")

    def test_a_direct_exchange_wants_the_very_key(self):
        exchange = self.exchange(self.using, "direct")
        self.queues = {key: self.bound(exchange, key) for key in ["a", "b", "", "a.b", "#"]}
        self.routes(exchange, [("a", ["a"]), ("b", ["b"]), ("", [""]), ("a.b", ["a.b"]), ("c", []), ("#", ["#"])],
                    self.by_key)

    def test_a_fanout_exchange_wants_no_key(self):
        exchange = self.exchange(self.using, "fanout")
        self.queues = {key: self.bound(exchange, key) for key in ["", "a", "a.*"]}
        self.routes(exchange, [("", ["", "a", "a.*"]), ("anything", ["", "a", "a.*"])], self.by_key)

    def test_a_topic_exchange_knows_words_and_any_number_of_them(self):
        exchange = self.exchange(self.using, "topic")
        patterns = ["a.b.c", "a.*.c", "a.#", "#", "*", "#.c", "*.*", "a.#.c", "", "#.#", "*.#", "a.b.#.c"]
        self.queues = {pattern: self.bound(exchange, pattern) for pattern in patterns}
        self.routes(exchange, [
            ("a.b.c", ["a.b.c", "a.*.c", "a.#", "#", "#.c", "a.#.c", "#.#", "*.#", "a.b.#.c"]),
            ("a", ["a.#", "#", "*", "#.#", "*.#"]),
            ("", ["", "#", "#.#"]),
            ("a.c", ["a.#", "#", "#.c", "*.*", "a.#.c", "#.#", "*.#"]),
            ("a..c", ["a.*.c", "a.#", "#", "#.c", "a.#.c", "#.#", "*.#"]),
            ("b.x.y.z", ["#", "#.#", "*.#"]),
            ("a.b.x.y.c", ["a.#", "#", "#.c", "a.#.c", "#.#", "*.#", "a.b.#.c"]),
            ("A.b.c", ["#", "#.c", "#.#", "*.#"]),
            ("a.*.c", ["a.*.c", "a.#", "#", "#.c", "a.#.c", "#.#", "*.#"]),
        ], self.by_key)

    def test_a_headers_exchange_compares_all_or_any_with_their_types(self):
        exchange = self.exchange(self.using, "headers")
        self.queues = {
            "all": self.bound(exchange, arguments={"x-match": "all", "a": 1, "b": "two"}),
            "any": self.bound(exchange, arguments={"x-match": "any", "a": 1, "b": "two"}),
            "default": self.bound(exchange, arguments={"a": 1, "b": "two"}),
            "exists": self.bound(exchange, arguments={"x-match": "all", "a": None}),
            "nothing, all": self.bound(exchange, arguments={"x-match": "all"}),
            "nothing, any": self.bound(exchange, arguments={"x-match": "any"}),
            "x- is passed over": self.bound(exchange, arguments={"x-match": "all", "a": 1, "x-more": "unsaid"}),
        }

        def publish(to, headers):
            self.publishing.basic_publish(to, "", b"x", BasicProperties(headers=headers))
        self.routes(exchange, [
            ({"a": 1, "b": "two"}, ["all", "any", "default", "exists", "nothing, all", "x- is passed over"]),
            ({"a": 1, "b": "two", "c": 3}, ["all", "any", "default", "exists", "nothing, all", "x- is passed over"]),
            ({"a": 1}, ["any", "exists", "nothing, all", "x- is passed over"]),
            ({"a": "1", "b": "two"}, ["any", "exists", "nothing, all"]),
            ({"b": "two"}, ["any", "nothing, all"]),
            ({"c": 1}, ["nothing, all"]),
            ({}, ["nothing, all"]),
            (None, ["nothing, all"]),
        ], publish)

    def test_a_headers_exchange_may_compare_names_that_begin_with_x(self):
        exchange = self.exchange(self.using, "headers")
        self.queues = {
            "all": self.bound(exchange, arguments={"x-match": "all-with-x", "a": 1, "x-b": "two"}),
            "any": self.bound(exchange, arguments={"x-match": "any-with-x", "a": 1, "x-b": "two"}),
        }

        def publish(to, headers):
            self.publishing.basic_publish(to, "", b"x", BasicProperties(headers=headers))
        self.routes(exchange, [({"a": 1, "x-b": "two"}, ["all", "any"]), ({"a": 1}, ["any"]), ({"x-b": "two"}, ["any"]),
                               ({"x-b": "three"}, [])], publish)

    def test_x_match_of_no_known_value_is_refused(self):
        exchange = self.exchange(self.using, "headers")
        queue = self.queue(self.using, exclusive=True)
        for value in ["some", 1]:
            self.channel_refuses(406, "x-match", lambda channel: channel.queue_bind(queue, exchange, "", {"x-match": value}),
                                 self.channel(self.using.connection))

    def test_the_default_exchange_reaches_every_queue_by_its_name(self):
        queue = self.queue(self.using, exclusive=True)
        self.publishing.basic_publish("", queue, b"x")
        self.assertEqual(self.drain(self.using, queue), [b"x"])

    def test_the_exchanges_of_the_standard_are_there(self):
        for name, kind in [("amq.direct", "direct"), ("amq.fanout", "fanout"), ("amq.topic", "topic"),
                           ("amq.headers", "headers"), ("amq.match", "headers")]:
            self.using.exchange_declare(name, passive=True)
            self.using.exchange_declare(name, kind, durable=True)
        key = unique("key")
        queue = self.bound("amq.topic", f"{key}.#")
        self.publishing.basic_publish("amq.topic", f"{key}.x", b"x")
        self.assertEqual(self.drain(self.using, queue), [b"x"])

    def test_a_queue_gets_one_copy_however_often_it_is_bound(self):
        exchange = self.exchange(self.using, "topic")
        queue = self.bound(exchange, "#")
        for key in ["a.#", "*.b", "a.b", "#"]:
            self.using.queue_bind(queue, exchange, key)
        self.publishing.basic_publish(exchange, "a.b", b"x")
        self.assertEqual(self.drain(self.using, queue), [b"x"])

    def test_unbinding_takes_back_that_binding_only(self):
        exchange = self.exchange(self.using, "direct")
        queue = self.bound(exchange, "a")
        self.using.queue_bind(queue, exchange, "b")
        self.using.queue_bind(queue, exchange, "b", {"told": "apart"})
        self.using.queue_unbind(queue, exchange, "a")
        self.using.queue_unbind(queue, exchange, "b")
        self.publishing.basic_publish(exchange, "a", b"a")
        self.publishing.basic_publish(exchange, "b", b"b")
        self.assertEqual(self.drain(self.using, queue), [b"b"])
        self.using.queue_unbind(queue, exchange, "b", {"told": "apart"})
        self.publishing.basic_publish(exchange, "b", b"b")
        self.assertEqual(self.drain(self.using, queue), [])

    def test_exchanges_can_be_bound_to_exchanges(self):
        source, middle, last = (self.exchange(self.using, kind) for kind in ["topic", "fanout", "direct"])
        self.using.exchange_bind(middle, source, "a.#")
        self.using.exchange_bind(last, middle)
        queue = self.bound(last, "a.b")
        self.using.queue_bind(queue, middle)  # a second way to it
        for key, expected in [("a.b", [b"x"]), ("a.c", [b"x"]), ("b.b", [])]:
            self.publishing.basic_publish(source, key, b"x")
            self.assertEqual(self.drain(self.using, queue), expected, key)
        self.using.exchange_unbind(middle, source, "a.#")
        self.publishing.basic_publish(source, "a.b", b"x")
        self.assertEqual(self.drain(self.using, queue), [])

    def test_exchanges_bound_in_a_circle_deliver_once(self):
        exchanges = [self.exchange(self.using, "fanout") for _ in range(3)]
        for i in range(3):
            self.using.exchange_bind(exchanges[i], exchanges[(i + 1) % 3])
        self.using.exchange_bind(exchanges[0], exchanges[0])
        queue = self.bound(exchanges[0])
        for exchange in exchanges:
            self.publishing.basic_publish(exchange, "", b"x")
        self.assertEqual(self.drain(self.using, queue), [b"x"] * 3)

    def test_what_finds_no_queue_goes_to_the_alternate_exchange(self):
        alternate = self.exchange(self.using, "fanout")
        exchange = self.exchange(self.using, "direct", arguments={"alternate-exchange": alternate})
        first = self.exchange(self.using, "direct", arguments={"alternate-exchange": exchange})
        routed, unrouted = self.bound(exchange, "known"), self.bound(alternate)
        for key in ["known", "unknown"]:
            self.publishing.basic_publish(exchange, key, key, mandatory=True)
            self.publishing.basic_publish(first, key, key, mandatory=True)
        self.assertEqual(self.drain(self.using, routed), [b"known"] * 2)
        self.assertEqual(self.drain(self.using, unrouted), [b"unknown"] * 2)

    def test_an_alternate_exchange_that_is_not_there_loses_the_message(self):
        exchange = self.exchange(self.using, "direct", arguments={"alternate-exchange": unique("missing")})
        self.publishing.basic_publish(exchange, "a", b"x")
        with self.assertRaises(pika.exceptions.UnroutableError):
            self.publishing.basic_publish(exchange, "a", b"x", mandatory=True)

    def test_an_internal_exchange_is_for_other_exchanges(self):
        internal = self.exchange(self.using, "fanout", internal=True)
        source = self.exchange(self.using, "fanout")
        self.using.exchange_bind(internal, source)
        queue = self.bound(internal)
        self.publishing.basic_publish(source, "", b"x")
        self.assertEqual(self.drain(self.using, queue), [b"x"])
        self.channel_refuses(403, f"cannot publish to internal exchange '{internal}' in vhost '/'",
                             lambda channel: channel.basic_publish(internal, "", b"x"))

    def test_an_auto_delete_exchange_goes_with_its_last_binding(self):
        exchange = self.exchange(self.using, "direct", auto_delete=True)
        first, second = self.bound(exchange, "a"), self.bound(exchange, "b")
        self.using.queue_unbind(first, exchange, "a")
        self.using.exchange_declare(exchange, passive=True)
        self.using.queue_delete(second)
        self.channel_refuses(404, f"no exchange '{exchange}' in vhost '/'",
                             lambda channel: channel.exchange_declare(exchange, passive=True))

    def test_a_consistent_hash_spreads_keys_and_keeps_each_at_its_queue(self):
        exchange = self.exchange(self.using, "x-consistent-hash")
        queues = [self.bound(exchange, "20") for _ in range(3)]
        keys = [f"key {i}" for i in range(200)]
        for key in keys + keys:
            self.publishing.basic_publish(exchange, key, key)
        got = [collections.Counter(self.drain(self.using, queue)) for queue in queues]
        self.assertEqual(sum(len(counter) for counter in got), len(keys))
        for counter in got:
            self.assertGreater(len(counter), 20)
            self.assertEqual(set(counter.values()), {2})

    def test_a_consistent_hash_may_be_of_a_header(self):
        exchange = self.exchange(self.using, "x-consistent-hash", arguments={"hash-header": "who"})
        queues = [self.bound(exchange, "10") for _ in range(2)]
        for i in range(60):
            self.publishing.basic_publish(exchange, str(i), b"x", BasicProperties(headers={"who": "the same"}))
        self.assertEqual(sorted(len(self.drain(self.using, queue)) for queue in queues), [0, 60])

    def test_a_consistent_hash_wants_a_number_as_key(self):
        exchange = self.exchange(self.using, "x-consistent-hash")
        queue = self.queue(self.using, exclusive=True)
        self.channel_refuses(406, "", lambda channel: channel.queue_bind(queue, exchange, "heavy"),
                             self.channel(self.using.connection))


class Delayed(AmqpTest):
    def setUp(self):
        self.beyond_debians_rabbitmq("it does not have the plugin")
        self.publishing = self.publisher()
        self.using = self.channel(self.publishing.connection)
        self.queue_name = self.queue(self.using, durable=True)
        self.addCleanup(lambda: self.connect().channel().queue_delete(self.queue_name))

    def delaying(self, kind, key, queue=None, **arguments):
        exchange = unique("delayed")
        self.using.exchange_declare(exchange, "x-delayed-message", durable=True,
                                    arguments={"x-delayed-type": kind, **arguments})
        self.addCleanup(lambda: self.connect().channel().exchange_delete(exchange))
        self.using.queue_bind(queue or self.queue_name, exchange, key)
        return exchange

    def publish(self, exchange, key, body, delay_ms, **properties):
        self.publishing.basic_publish(exchange, key, body, BasicProperties(
            delivery_mode=2, headers={"x-delay": delay_ms, "kept": "yes"}, **properties), mandatory=True)

    def test_messages_come_in_the_order_of_their_delays_and_say_how_long_they_waited(self):
        exchange = self.delaying("direct", "k")
        consumer = Consumer(self.using, self.queue_name, auto_ack=True)
        for body, delay_ms in [(b"slow", 900), (b"quick", 300), (b"now", 0), (b"before", -5)]:
            self.publish(exchange, "k", body, delay_ms, correlation_id="c")
        messages = consumer.wait(4)
        # pika reads 64 bits as unsigned ones.
        waited = [(message.properties.headers["x-delay"] + 2**63) % 2**64 - 2**63 for message in messages]
        self.assertEqual(list(zip([message.body for message in messages], waited)),
                         [(b"now", 0), (b"before", -5), (b"quick", -300), (b"slow", -900)])
        last = messages[-1]
        self.assertEqual((last.method.exchange, last.method.routing_key, last.method.redelivered), (exchange, "k", False))
        self.assertEqual((last.properties.headers["kept"], last.properties.correlation_id), ("yes", "c"))
        self.assertNotIn("x-death", last.properties.headers)

    def test_where_a_message_goes_is_asked_when_it_has_waited(self):
        exchange = self.delaying("topic", "a.*")
        late = self.queue(self.using, exclusive=True)
        self.publish(exchange, "a.b", b"both", 400)
        self.publish(exchange, "c.d", b"one", 400)
        self.using.queue_bind(late, exchange, "#")
        self.assertEqual(self.wait_get(self.using, self.queue_name).body, b"both")
        self.until_counts(self.using, late, 2)
        self.assertEqual(self.drain(self.using, late), [b"both", b"one"])
        self.assertEqual(self.drain(self.using, self.queue_name), [])

    def test_what_waits_survives_a_crash(self):
        exchange = self.delaying("fanout", "")
        for i in range(20):
            self.publish(exchange, "", str(i).encode(), 1500)
        order("crash")
        channel = self.channel()
        messages = Consumer(channel, self.queue_name, auto_ack=True).wait(20)
        self.assertEqual([message.body for message in messages], [str(i).encode() for i in range(20)])

    def test_a_message_that_goes_to_a_queue_as_well_is_confirmed_when_both_are_safe(self):
        delayed, at_once = self.delaying("fanout", ""), self.queue(self.using, durable=True)
        self.addCleanup(lambda: self.connect().channel().queue_delete(at_once))
        both = unique("both")
        self.using.exchange_declare(both, "fanout", durable=True)
        self.addCleanup(lambda: self.connect().channel().exchange_delete(both))
        self.using.exchange_bind(delayed, both)
        self.using.queue_bind(at_once, both)
        for i in range(20):
            self.publish(both, "", str(i).encode(), 1500)
        order("crash")
        channel = self.channel()
        expected = [str(i).encode() for i in range(20)]
        self.assertEqual([message.body for message in Consumer(channel, at_once, auto_ack=True).wait(20)], expected)
        messages = Consumer(channel, self.queue_name, auto_ack=True).wait(20)
        self.assertEqual([message.body for message in messages], expected)

    def test_a_message_lives_from_when_it_has_waited(self):
        exchange = self.delaying("direct", "k")
        self.publish(exchange, "k", b"short", 300, expiration="1500")
        self.until_counts(self.using, self.queue_name, 1)
        self.until_counts(self.using, self.queue_name, 0)

    def test_a_delayed_exchange_has_the_type_of_another(self):
        for arguments in [None, {"x-delayed-type": "x-none"}, {"x-delayed-type": "x-delayed-message"}]:
            self.channel_refuses(406, "x-delayed-type", lambda channel: channel.exchange_declare(
                unique("delayed"), "x-delayed-message", arguments=arguments))


class Declaring(AmqpTest):
    def test_the_same_declaration_twice_is_no_mistake(self):
        channel = self.channel()
        name = self.exchange(channel, "topic", auto_delete=True)
        channel.exchange_declare(name, "topic", auto_delete=True, arguments={"unknown": 1})
        channel.exchange_declare(name, passive=True)

    def test_another_declaration_of_the_same_name_is_refused(self):
        name = self.exchange(self.channel(), "direct", auto_delete=False)
        self.channel().exchange_declare(name, "direct")
        for text, options in [("inequivalent arg 'type' for exchange '{}' in vhost '/': received 'fanout' but current is 'direct'",
                               {"exchange_type": "fanout"}),
                              ("inequivalent arg 'durable' for exchange '{}' in vhost '/': received 'true' but current is 'false'",
                               {"durable": True}),
                              ("inequivalent arg 'auto_delete'", {"auto_delete": True}),
                              ("inequivalent arg 'internal'", {"internal": True}),
                              ("inequivalent arg 'alternate-exchange'", {"arguments": {"alternate-exchange": "a"}})]:
            self.channel_refuses(406, "PRECONDITION_FAILED - " + text.format(name),
                                 lambda channel: channel.exchange_declare(name, **options))
        self.channel().exchange_delete(name)

    def test_a_passive_declaration_finds_only(self):
        name = unique("missing")
        self.channel_refuses(404, f"NOT_FOUND - no exchange '{name}' in vhost '/'",
                             lambda channel: channel.exchange_declare(name, passive=True))

    def test_names_of_the_broker_are_reserved(self):
        self.channel_refuses(403, "ACCESS_REFUSED - exchange name 'amq.mine' contains reserved prefix 'amq.*'",
                             lambda channel: channel.exchange_declare("amq.mine", "direct"))

    def test_the_default_exchange_cannot_be_touched(self):
        queue = self.queue(self.channel(), auto_delete=True)
        text = "operation not permitted on the default exchange"
        self.channel_refuses(403, text, lambda channel: channel.queue_bind(queue, "", "a"))
        self.channel_refuses(403, text, lambda channel: channel.exchange_delete(""))
        self.channel_refuses(403, text, lambda channel: channel.exchange_bind("", "amq.direct"))
        self.channel_refuses(403, text, lambda channel: channel.queue_unbind(queue, "", "a"))
        self.channel().queue_delete(queue)

    def test_the_exchanges_of_the_standard_cannot_be_deleted(self):
        self.channel_refuses(403, "ACCESS_REFUSED", lambda channel: channel.exchange_delete("amq.direct"))

    def test_deleting_what_is_not_there_is_no_mistake(self):
        self.channel().exchange_delete(unique("missing"))

    def test_an_exchange_in_use_can_be_kept(self):
        channel = self.channel()
        name = self.exchange(channel, "direct")
        queue = self.queue(channel, exclusive=True)
        channel.queue_bind(queue, name, "a")
        self.channel_refuses(406, f"PRECONDITION_FAILED - exchange '{name}' in vhost '/' in use",
                             lambda channel: channel.exchange_delete(name, if_unused=True))
        channel.queue_unbind(queue, name, "a")
        channel.exchange_delete(name, if_unused=True)
        self.channel_refuses(404, "NOT_FOUND", lambda channel: channel.exchange_declare(name, passive=True))

    def test_deleting_an_exchange_takes_its_bindings_along(self):
        channel, publisher = self.channel(), self.publisher()
        name = self.exchange(channel, "direct")
        queue = self.queue(channel, exclusive=True)
        channel.queue_bind(queue, name, "a")
        channel.exchange_delete(name)
        channel.exchange_declare(name, "direct", auto_delete=True)
        publisher.basic_publish(name, "a", b"x")
        self.assertEqual(self.drain(channel, queue), [])
        channel.exchange_delete(name)

    def test_binding_wants_both_ends(self):
        channel = self.channel()
        queue, missing = self.queue(channel, exclusive=True), unique("missing")
        for text, bind in [(f"no exchange '{missing}'", lambda channel: channel.queue_bind(queue, missing, "a")),
                           (f"no queue '{missing}'", lambda channel: channel.queue_bind(missing, "amq.direct", "a")),
                           (f"no exchange '{missing}'", lambda channel: channel.exchange_bind(missing, "amq.direct")),
                           (f"no exchange '{missing}'", lambda channel: channel.exchange_bind("amq.direct", missing))]:
            self.channel_refuses(404, f"NOT_FOUND - {text} in vhost '/'", bind, self.channel(channel.connection))

    def test_unbinding_what_is_not_bound_is_no_mistake(self):
        channel = self.channel()
        channel.queue_unbind(self.queue(channel, exclusive=True), "amq.direct", "never")

    def test_a_type_that_does_not_exist_is_refused(self):
        self.beyond_debians_rabbitmq("it ends the connection with 503")
        self.channel_refuses(406, "unknown exchange type 'x-none'",
                             lambda channel: channel.exchange_declare(unique("none"), "x-none"))

    def test_an_alternate_exchange_is_a_name(self):
        self.channel_refuses(406, "alternate-exchange",
                             lambda channel: channel.exchange_declare(unique("x"), "direct", arguments={"alternate-exchange": 1}))

    def test_the_longest_name_works_from_end_to_end(self):
        channel, publisher = self.channel(), self.publisher()
        name = (unique("long") + "é" * 200)[:250]
        while len(name.encode()) > 255:
            name = name[:-1]
        channel.exchange_declare(name, "direct", auto_delete=True)
        queue = self.queue(channel, name, exclusive=True)
        channel.queue_bind(queue, name, name)
        publisher.basic_publish(name, name, b"x")
        message = self.get(channel, queue)
        self.assertEqual((message.method.exchange, message.method.routing_key), (name, name))
