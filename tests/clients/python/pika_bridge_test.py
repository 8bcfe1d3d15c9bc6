# Braid, Apache-2.0.
#
# amq.topic, where AMQP meets MQTT and topics: who publishes with `mandatory` is told when nobody at all gets it. pika and
# Paho together.
import json
import urllib.request

import paho.mqtt.client as mqtt
import pika.exceptions

from broker import HOST, HTTP, MQTT, eventually, unique
from pika_client import AmqpTest, Raw
from pika import spec


class Mandatory(AmqpTest):
    def subscriber(self, filter, client_id="", clean=True):
        client = mqtt.Client(client_id, clean_session=clean)
        client.got, subscribed = [], []
        client.on_message = lambda _, __, message: client.got.append((message.topic, message.payload))
        client.on_subscribe = lambda *_: subscribed.append(True)
        client.connect(HOST, MQTT)
        client.loop_start()
        self.addCleanup(client.loop_stop)
        self.addCleanup(client.disconnect)
        client.subscribe(filter, 1)
        eventually(lambda: subscribed, "SUBACK")
        return client

    def publish(self, key, body=b"x"):
        self.publisher().basic_publish("amq.topic", key, body, mandatory=True)

    def assert_returned(self, key):
        with self.assertRaises(pika.exceptions.UnroutableError) as returned:
            self.publish(key, b"back")
        message = returned.exception.messages[0]
        self.assertEqual((message.method.reply_code, message.method.exchange, message.method.routing_key, message.body),
                         (312, "amq.topic", key, b"back"))

    def test_what_nobody_gets_comes_back(self):
        self.assert_returned(unique("nobody") + ".a.b")
        # These stand for no name of a topic, so that nobody could get them.
        self.assert_returned("a/b")
        self.assert_returned("")

    def test_a_subscriber_is_somebody_and_one_of_another_name_is_not(self):
        level = unique("level")
        client = self.subscriber(f"{level}/+/temp")
        self.publish(f"{level}.room.temp", b"21")
        eventually(lambda: client.got == [(f"{level}/room/temp", b"21")], lambda: client.got)
        self.assert_returned(f"{level}.room.light")
        self.assert_returned(f"{level}.temp")
        client.unsubscribe(f"{level}/+/temp")

        def returned():
            try:
                self.publish(f"{level}.room.temp")
            except pika.exceptions.UnroutableError:
                return True
        eventually(returned, "nobody is there any more")

    def test_a_shared_subscription_and_a_session_that_is_away_are_somebody(self):
        level = unique("level")
        self.subscriber(f"$share/group/{level}/a")
        away = self.subscriber(f"{level}/b", unique("away"), clean=False)
        away.disconnect()
        self.publish(f"{level}.a")
        self.publish(f"{level}.b")
        self.assert_returned(f"{level}.c")
        self.subscriber(f"{level}/b", away._client_id.decode())  # ends the session

    def test_a_topic_is_somebody(self):
        name = unique("topic")
        request = urllib.request.Request(f"http://{HOST}:{HTTP}/api/v1/topics", json.dumps({"name": name}).encode(),
                                         {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=30).close()
        self.publish(f"{name}.a")

    def test_a_queue_is_somebody_and_its_binding_alone_makes_no_subscriber(self):
        channel, level = self.channel(), unique("level")
        queue = self.queue(channel, exclusive=True)
        channel.queue_bind(queue, "amq.topic", f"{level}.*.temp.#")
        self.publish(f"{level}.room.temp.max", b"22")
        self.assertEqual(self.wait_get(channel, queue).body, b"22")
        # The bindings are an MQTT filter inside of the broker, which is wider than the binding.
        self.assert_returned(f"{level}.room")

    def test_messages_and_confirms_stay_in_order(self):
        level, channel = unique("level"), self.channel()
        client = self.subscriber(f"{level}/a")
        queue = self.queue(channel, exclusive=True)
        raw = Raw(self).open()
        raw.call(spec.Confirm.Select(), spec.Confirm.SelectOk)
        publishes = []
        for number in range(20):
            body = str(number).encode()
            publishes.append(raw.publish(f"{level}.{'a' if number % 2 else 'b'}", body, exchange="amq.topic", mandatory=True))
            publishes.append(raw.publish(queue, body))
        raw.send(*publishes)
        returned, confirmed = [], 0
        while confirmed < 40:
            found = raw.receive().method
            if isinstance(found, spec.Basic.Return):
                returned.append(int(raw.content()[2]))
                # Before its confirm: two publishes for each number.
                self.assertLessEqual(confirmed, 2 * returned[-1])
            else:
                confirmed = found.delivery_tag
        self.assertEqual(returned, list(range(0, 20, 2)))
        self.assertEqual(self.drain(channel, queue), [str(number).encode() for number in range(20)])
        eventually(lambda: [int(body) for _, body in client.got] == list(range(1, 20, 2)), lambda: client.got)

    def test_a_transaction_returns_it_at_its_commit(self):
        level, channel = unique("level"), self.channel()
        client = self.subscriber(f"{level}/a")
        returned = []
        channel.add_on_return_callback(lambda _, method, __, body: returned.append(body))
        channel.tx_select()
        channel.basic_publish("amq.topic", f"{level}.a", b"got", mandatory=True)
        channel.basic_publish("amq.topic", f"{level}.b", b"back", mandatory=True)
        channel.tx_commit()
        eventually(lambda: channel.connection.process_data_events(0.01) or returned == [b"back"], lambda: returned)
        eventually(lambda: client.got, "the message")
