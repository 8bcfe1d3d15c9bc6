# Braid, Apache-2.0.
#
# The commands of Debian's amqp-tools (librabbitmq, in C): publish, get, consume, declare and delete from a shell. They use
# AMQP as a script does, one connection for each step, and let the broker's reason be read.
import os
import subprocess
import unittest

from broker import AMQP, HOST, eventually, unique


def amqp(command, *arguments, given=b"", expected=0):
    """What the command wrote; its exit code must be the expected one."""
    done = subprocess.run([f"amqp-{command}", f"--server={HOST}", f"--port={AMQP}", *arguments], input=given,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == expected, f"amqp-{command} {arguments}: {done.returncode}, {done.stderr}"
    return done.stdout if expected == 0 else done.stderr


class Tools(unittest.TestCase):
    def setUp(self):
        self.queue = unique("tools")
        self.assertEqual(amqp("declare-queue", "-q", self.queue, "-d").strip().decode(), self.queue)
        self.addCleanup(lambda: amqp("delete-queue", "-q", self.queue))

    def publish(self, *bodies):
        for body in bodies:
            amqp("publish", "-r", self.queue, "-p", "-b", body)

    def test_what_is_published_can_be_got_in_its_order(self):
        self.publish("one", "two")
        self.assertEqual(eventually(lambda: amqp("get", "-q", self.queue), "the first message"), b"one")
        self.assertEqual(amqp("get", "-q", self.queue), b"two")
        amqp("get", "-q", self.queue, expected=2)

    def test_each_line_of_a_file_may_be_a_message(self):
        amqp("publish", "-r", self.queue, "-l", given=b"1\n2\n3\n")
        self.assertEqual(amqp("consume", "-q", self.queue, "-c", "3", "cat"), b"1\n2\n3\n")

    def test_a_body_of_a_megabyte_from_standard_input(self):
        body = os.urandom(1 << 20)
        amqp("publish", "-r", self.queue, "-C", "application/octet-stream", "-H", "a: b", given=body)
        self.assertEqual(amqp("consume", "-q", self.queue, "-c", "1", "cat"), body)

    def test_a_consumer_acknowledges_when_its_command_succeeds(self):
        self.publish("kept", "done")
        amqp("consume", "-q", self.queue, "-p", "1", "-c", "1", "grep", "no such word")
        self.assertEqual(amqp("consume", "-q", self.queue, "-p", "1", "-c", "2", "cat"), b"keptdone")
        amqp("get", "-q", self.queue, expected=2)

    def test_a_consumer_may_bind_a_queue_of_its_own(self):
        key = unique("key")
        consumer = subprocess.Popen(["amqp-consume", f"--server={HOST}", f"--port={AMQP}", "-e", "amq.topic", "-r", f"{key}.#",
                                     "-c", "1", "-A", "cat"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(consumer.kill)
        # It does not tell when it is bound: one of these messages comes after that.
        eventually(lambda: amqp("publish", "-e", "amq.topic", "-r", f"{key}.x", "-b", "here") or consumer.poll() is not None,
                   "the consumer has its message")
        self.assertEqual((consumer.communicate()[0], consumer.returncode), (b"here", 0))

    def test_deleting_tells_how_many_messages_went(self):
        self.publish("one", "two")
        self.assertEqual(amqp("delete-queue", "-q", self.queue).strip(), b"2")

    def test_conditions_and_missing_queues_are_told(self):
        self.publish("one")
        self.assertIn(b"not empty", amqp("delete-queue", "-q", self.queue, "-e", expected=1))
        missing = unique("missing")
        self.assertIn(f"no queue '{missing}' in vhost '/'".encode(), amqp("get", "-q", missing, expected=1))
        self.assertIn(b"inequivalent arg 'durable'", amqp("declare-queue", "-q", self.queue, expected=1))

    def test_an_exchange_that_is_not_there_is_told(self):
        missing = unique("missing")
        self.assertIn(b"404", amqp("publish", "-e", missing, "-r", "a", "-b", "x", expected=1))
