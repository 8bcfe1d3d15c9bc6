# Braid, Apache-2.0.
#
# Policies, set over HTTP as RabbitMQ's management API has it and by the command line, and what pika sees of them.
import os
import subprocess
import urllib.parse

from pika import BasicProperties

from broker import HOST, HTTP, eventually, http, order, unique
from pika_client import AmqpTest, Consumer


def path_of(name, of_operator=False):
    return f"/api/{'operator-policies' if of_operator else 'policies'}/%2F/" + urllib.parse.quote(name, safe="")


class Policies(AmqpTest):
    def policy(self, pattern, priority=0, apply_to="all", name=None, of_operator=False, **definition):
        """Sets one; returns its name."""
        name = name or unique("policy")
        body = {"pattern": pattern, "priority": priority, "apply-to": apply_to,
                "definition": {key.replace("_", "-"): value for key, value in definition.items()}}
        status, answer = http("PUT", path_of(name, of_operator), body)
        self.assertIn(status, (201, 204), answer)
        self.addCleanup(http, "DELETE", path_of(name, of_operator))
        return name

    def prefix(self):
        return unique("of") + "."

    def fill(self, queue, count):
        publisher = self.publisher()
        for number in range(count):
            publisher.basic_publish("", queue, str(number), BasicProperties(delivery_mode=2))

    def test_a_policy_is_set_read_listed_and_deleted(self):
        name = unique("a/b c")
        body = {"pattern": "^x$", "definition": {"max-length": 10, "overflow": "reject-publish"}, "priority": 3,
                "apply-to": "queues"}
        self.assertEqual(http("PUT", path_of(name), body), (201, None))
        whole = {"vhost": "/", "name": name, **body}
        self.assertEqual(http("GET", path_of(name)), (200, whole))
        self.assertIn(whole, http("GET", "/api/policies")[1])
        self.assertIn(whole, http("GET", "/api/policies/%2F")[1])
        self.assertEqual(http("PUT", path_of(name), {"pattern": "y", "definition": {"expires": 5}}), (204, None))
        self.assertEqual(http("GET", path_of(name))[1]["priority"], 0)
        self.assertEqual(http("DELETE", path_of(name)), (204, None))
        self.assertEqual(http("DELETE", path_of(name))[0], 404)
        self.assertEqual(http("GET", path_of(name))[0], 404)
        self.assertEqual(http("GET", "/api/policies/nowhere")[0], 404)

    def test_what_makes_no_sense_is_refused_with_the_reason(self):
        for body, reason in [({"pattern": "(", "definition": {"expires": 5}}, "regular expression"),
                             ({"pattern": "", "definition": {"ha-mode": "all"}}, "'ha-mode' is not a recognised"),
                             ({"pattern": "", "definition": {"max-length": "many"}}, "is not a valid maximum length"),
                             ({"pattern": "", "definition": {}}, "empty"),
                             ({"pattern": "", "definition": {"expires": 5}, "apply-to": "streams"}, "stream"),
                             ({"definition": {"expires": 5}}, "'pattern' is missing")]:
            status, answer = http("PUT", path_of("refused"), body)
            self.assertEqual((status, answer["error"]), (400, "bad_request"))
            self.assertIn(reason, answer["reason"])
        self.assertEqual(http("GET", path_of("refused"))[0], 404)

    def test_a_length_holds_for_queues_that_are_there_and_that_come(self):
        prefix, channel = self.prefix(), self.channel()
        there = self.queue(channel, prefix + "there", durable=True)
        self.fill(there, 10)
        self.policy("^" + prefix, max_length=3)
        self.until_counts(channel, there, 3)
        comes = self.queue(channel, prefix + "comes", exclusive=True)
        self.fill(comes, 10)
        self.until_counts(channel, comes, 3)
        self.assertEqual(self.drain(channel, comes), [b"7", b"8", b"9"])
        # A smaller argument holds.
        own = self.queue(channel, prefix + "own", exclusive=True, arguments={"x-max-length": 1})
        self.fill(own, 5)
        self.until_counts(channel, own, 1)
        # The policy is no argument: declaring the queue again is the same.
        self.queue(channel, there, durable=True)
        channel.queue_delete(there)

    def test_of_several_the_highest_priority_counts_alone(self):
        prefix, channel = self.prefix(), self.channel()
        queue = self.queue(channel, prefix + "q", exclusive=True)
        self.policy(prefix, priority=1, max_length=2)
        higher = self.policy(prefix + "q$", priority=2, max_length=4)
        self.fill(queue, 10)
        self.until_counts(channel, queue, 4)
        http("DELETE", path_of(higher))
        self.until_counts(channel, queue, 2)
        self.policy(prefix, priority=3, expires=1000000)
        self.fill(queue, 10)
        self.until_counts(channel, queue, 12)

    def test_an_operator_policy_is_a_limit_to_policies_and_arguments(self):
        prefix, channel = self.prefix(), self.channel()
        queue = self.queue(channel, prefix + "q", durable=True)
        own = self.queue(channel, prefix + "own", exclusive=True, arguments={"x-max-length": 100})
        for name in (queue, own):
            self.fill(name, 10)
        self.policy("^" + prefix, max_length=6)
        limit = self.policy("^" + prefix, of_operator=True, max_length=4)
        for name in (queue, own):
            self.until_counts(channel, name, 4)
        self.policy("^" + prefix, priority=1, max_length=2)
        self.until_counts(channel, queue, 2)
        order("crash")
        channel = self.channel()
        self.assertEqual(http("GET", path_of(limit, True))[1]["definition"], {"max-length": 4})
        self.fill(queue, 10)
        self.until_counts(channel, queue, 2)
        status, answer = http("PUT", path_of("refused", True), {"pattern": "", "definition": {
            "dead-letter-exchange": "x"}})
        self.assertEqual(status, 400)
        self.assertIn("not a recognised operator policy setting", answer["reason"])
        channel.queue_delete(queue)

    def test_rejected_publishes_expiry_and_time_to_live(self):
        prefix, channel, publisher = self.prefix(), self.channel(), self.publisher()
        self.policy(f"^{prefix}reject$", max_length=1, overflow="reject-publish")
        queue = self.queue(channel, prefix + "reject", exclusive=True)
        publisher.basic_publish("", queue, b"x")
        with self.assertRaises(Exception) as refused:
            publisher.basic_publish("", queue, b"y")
        self.assertEqual(type(refused.exception).__name__, "NackError")
        self.policy(f"^{prefix}ttl$", message_ttl=1)
        queue = self.queue(channel, prefix + "ttl", exclusive=True)
        publisher.basic_publish("", queue, b"x")
        self.until_counts(channel, queue, 0)
        gone = self.queue(channel, prefix + "gone")
        self.policy(f"^{prefix}gone$", expires=1)

        def missing():
            other = self.channel()
            self.attempt(lambda: self.counts(other, gone))
            return other.ended is not None and other.ended.reply_code == 404
        eventually(missing, "the queue has expired")

    def test_dead_letters_go_where_the_policy_says(self):
        prefix, channel = self.prefix(), self.channel()
        work, dead = self.queue(channel, prefix + "work", exclusive=True), self.queue(channel, exclusive=True)
        self.policy(f"^{prefix}", dead_letter_exchange="", dead_letter_routing_key=dead)
        self.publisher().basic_publish("", work, b"bad")
        message = self.wait_get(channel, work, auto_ack=False)
        channel.basic_reject(message.method.delivery_tag, requeue=False)
        message = self.wait_get(channel, dead)
        self.assertEqual(message.body, b"bad")
        death = message.properties.headers["x-death"][0]
        self.assertEqual((death["queue"], death["reason"], death["count"]), (work, "rejected", 1))

    def test_a_delivery_limit(self):
        prefix, channel = self.prefix(), self.channel()
        queue = self.queue(channel, prefix + "q", exclusive=True)
        self.policy(f"^{prefix}", apply_to="classic_queues", delivery_limit=2)
        self.publisher().basic_publish("", queue, b"x")
        for _ in range(3):
            message = self.wait_get(channel, queue, auto_ack=False)
            channel.basic_nack(message.method.delivery_tag, requeue=True)
        self.until_counts(channel, queue, 0)
        self.assertIsNone(self.get(channel, queue))

    def test_an_alternate_exchange(self):
        prefix, channel = self.prefix(), self.channel()
        rest, queue = self.exchange(channel, "fanout", auto_delete=True), self.queue(channel, exclusive=True)
        channel.queue_bind(queue, rest)
        channel.exchange_declare(prefix + "x", "direct", auto_delete=False)
        self.addCleanup(lambda: self.channel().exchange_delete(prefix + "x"))
        self.policy(f"^{prefix}", apply_to="exchanges", alternate_exchange=rest)
        publisher = self.publisher()
        # It is routed, so it does not come back.
        publisher.basic_publish(prefix + "x", "nobody", b"x", mandatory=True)
        self.assertEqual(self.wait_get(channel, queue).body, b"x")

    def test_policies_survive_a_restart(self):
        prefix, channel = self.prefix(), self.channel()
        queue = self.queue(channel, prefix + "q", durable=True)
        name = self.policy(f"^{prefix}(?!x)", max_length=2)
        order("crash")
        channel = self.channel()
        self.assertEqual(http("GET", path_of(name))[1]["pattern"], f"^{prefix}(?!x)")
        self.fill(queue, 5)
        self.until_counts(channel, queue, 2)
        later = self.queue(channel, prefix + "later", exclusive=True)
        self.fill(later, 5)
        self.until_counts(channel, later, 2)
        excepted = self.queue(channel, prefix + "x", exclusive=True)
        self.fill(excepted, 5)
        self.until_counts(channel, excepted, 5)
        channel.queue_delete(queue)

    def test_the_command_line_does_the_same(self):
        def braid(*words):
            done = subprocess.run([os.environ["BRAID_BINARY"], "policy", *words, "--broker", f"{HOST}:{HTTP}"],
                                  capture_output=True, text=True, timeout=30)
            return done.returncode, done.stdout + done.stderr
        prefix, channel, name = self.prefix(), self.channel(), unique("policy")
        self.addCleanup(http, "DELETE", path_of(name))
        queue = self.queue(channel, prefix + "q", exclusive=True)
        self.fill(queue, 3)
        self.assertEqual(braid("set", name, "--pattern", "^" + prefix, "--define", "max-length=1", "--define",
                               "overflow=drop-head"), (0, f"set policy {name}\n"))
        self.until_counts(channel, queue, 1)
        self.assertIn("max-length=1 overflow=drop-head", braid("list")[1])
        code, text = braid("set", name, "--pattern", "(", "--define", "max-length=1")
        self.assertEqual(code, 1)
        self.assertIn("not a valid regular expression", text)
        self.assertEqual(braid("delete", name), (0, f"deleted policy {name}\n"))
        self.assertEqual(braid("delete", name)[0], 4)
        self.assertNotIn(name, braid("list")[1])

    def test_consumers_go_on_when_a_policy_comes(self):
        prefix, channel = self.prefix(), self.channel()
        queue = self.queue(channel, prefix + "q", durable=True)
        channel.basic_qos(prefetch_count=2)
        consumer = Consumer(channel, queue)
        self.fill(queue, 6)
        consumer.wait(2)
        self.policy(f"^{prefix}", max_length=2)
        # What it holds is its own, and the newest two are left.
        self.until_counts(self.channel(), queue, 2, 1)
        channel.basic_ack(consumer.tags()[1], multiple=True)
        self.assertEqual([m.body for m in consumer.wait(4)], [b"0", b"1", b"4", b"5"])
        channel.queue_delete(queue)
