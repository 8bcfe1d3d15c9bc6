# Braid, Apache-2.0.
#
# Eclipse Paho for Python, over MQTT 3.1, 3.1.1 and 5.0.
import threading
import time
import unittest

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from broker import HOST, HTTP, MQTT, eventually, order, unique

VERSIONS = {"3.1": mqtt.MQTTv31, "3.1.1": mqtt.MQTTv311, "5.0": mqtt.MQTTv5}


def properties(kind, **values):
    result = Properties(kind)
    for name, value in values.items():
        setattr(result, name, value)
    return result


class Client:
    """A connected client on a thread of its own, that keeps what it received."""

    def __init__(self, version=mqtt.MQTTv5, client_id=None, clean=True, connect=None, will=None, keepalive=60,
                 transport="tcp"):
        arguments = {} if version == mqtt.MQTTv5 else {"clean_session": clean}
        self.client = mqtt.Client(client_id=unique("paho") if client_id is None else client_id, protocol=version,
                                  transport=transport, **arguments)
        self.received, self.done, self.granted = [], set(), {}
        self.connected = self.ended = None
        self.lock = threading.Lock()
        self.client.on_message = lambda _, __, message: self.received.append(message)
        self.client.on_publish = lambda _, __, mid: self.done.add(mid)
        self.client.on_connect = self.on_connect
        self.client.on_disconnect = lambda *arguments: setattr(self, "ended", arguments)
        self.client.on_subscribe = lambda _, __, mid, granted, *rest: self.granted.__setitem__(mid, granted)
        if will:
            self.client.will_set(**will)
        arguments = {"clean_start": clean, "properties": connect} if version == mqtt.MQTTv5 else {}
        self.client.connect(HOST, MQTT if transport == "tcp" else HTTP, keepalive, **arguments)
        self.client.loop_start()
        eventually(lambda: self.connected is not None, "CONNACK")

    def on_connect(self, client, userdata, flags, reason, connack=None):
        self.flags, self.reason, self.connack = flags, reason, connack
        self.connected = True

    def subscribe(self, topic, qos=0, **arguments):
        _, mid = self.client.subscribe(topic, **({"qos": qos} | arguments if "options" not in arguments else arguments))
        return eventually(lambda: self.granted.get(mid), "SUBACK")

    def publish(self, topic, payload, qos=1, retain=False, properties=None):
        info = self.client.publish(topic, payload, qos, retain, **({"properties": properties} if properties else {}))
        info.wait_for_publish(30)
        assert info.is_published()

    def wait(self, count):
        eventually(lambda: len(self.received) >= count, f"{count} messages")
        return self.received

    def payloads(self):
        return [message.payload.decode() for message in self.received]

    def cut(self):
        """An end without DISCONNECT."""
        self.client._sock_close()
        self.client.loop_stop()

    def close(self, **arguments):
        self.client.disconnect(**arguments)
        self.client.loop_stop()


class Paho(unittest.TestCase):
    def connect(self, *arguments, **named):
        client = Client(*arguments, **named)
        self.addCleanup(client.close)
        return client

    def test_each_quality_of_service_goes_both_ways(self):
        for name, version in VERSIONS.items():
            with self.subTest(version=name):
                topic = unique("qos")
                publisher = self.connect(version)
                for granted in range(3):
                    subscriber = self.connect(version)
                    answer = subscriber.subscribe(f"{topic}/+", granted)
                    self.assertEqual([int(getattr(one, "value", one)) for one in answer], [granted])
                    for qos in range(3):
                        publisher.publish(f"{topic}/{qos}", f"q{qos}", qos)
                    for message in subscriber.wait(3):
                        sent = int(message.topic[-1])
                        self.assertEqual(message.payload.decode(), f"q{sent}")
                        self.assertEqual(message.qos, min(sent, granted))
                    subscriber.close()

    def test_properties_arrive_unaltered(self):
        topic = unique("properties")
        subscriber = self.connect()
        subscriber.subscribe(topic, 1, properties=properties(PacketTypes.SUBSCRIBE, SubscriptionIdentifier=77))
        sent = properties(PacketTypes.PUBLISH, PayloadFormatIndicator=1, MessageExpiryInterval=60, ContentType="text/plain",
                          ResponseTopic="back/here", CorrelationData=b"\x00\xff\x80",
                          UserProperty=[("a", "1"), ("a", "2"), ("é", "")])
        self.connect().publish(topic, "text", 1, properties=sent)
        got = subscriber.wait(1)[0].properties
        self.assertEqual(got.PayloadFormatIndicator, 1)
        self.assertIn(got.MessageExpiryInterval, range(50, 61))
        self.assertEqual(got.ContentType, "text/plain")
        self.assertEqual(got.ResponseTopic, "back/here")
        self.assertEqual(got.CorrelationData, b"\x00\xff\x80")
        self.assertEqual(got.UserProperty, [("a", "1"), ("a", "2"), ("é", "")])
        self.assertEqual(got.SubscriptionIdentifier, [77])

    def test_retained_messages_follow_the_options_of_a_subscription(self):
        topic = unique("retained")
        publisher = self.connect()
        publisher.publish(topic, "kept", 1, retain=True)
        for handling, expected in [(0, ["kept"]), (1, ["kept"]), (2, [])]:
            with self.subTest(retain_handling=handling):
                subscriber = self.connect()
                options = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=handling)
                subscriber.subscribe(topic, options=options)
                publisher.publish(topic, "kept", 1, retain=True)
                subscriber.wait(len(expected) + 1)
                self.assertEqual(subscriber.payloads(), expected + ["kept"])
                self.assertTrue(subscriber.received[-1].retain)
        publisher.publish(topic, "", 1, retain=True)
        after = self.connect()
        after.subscribe(topic, 1)
        publisher.publish(topic, "end", 1)
        after.wait(1)
        self.assertEqual(after.payloads(), ["end"])

    def test_a_will_is_published_when_the_connection_is_cut(self):
        topic = unique("will")
        watcher = self.connect()
        watcher.subscribe(topic, 2)
        for version in VERSIONS.values():
            Client(version, will={"topic": topic, "payload": "polite", "qos": 1}).close()
            Client(version, will={"topic": topic, "payload": "cut", "qos": 2}).cut()
        watcher.wait(3)
        self.assertEqual(watcher.payloads(), ["cut"] * 3)

    def test_disconnect_with_will_publishes_it(self):
        topic = unique("will")
        watcher = self.connect()
        watcher.subscribe(topic, 1)
        client = Client(will={"topic": topic, "payload": "asked for", "qos": 1})
        client.close(reasoncode=mqtt.ReasonCodes(PacketTypes.DISCONNECT, "Disconnect with will message"))
        watcher.wait(1)
        self.assertEqual(watcher.payloads(), ["asked for"])

    def test_large_payloads_arrive_whole(self):
        topic = unique("large")
        subscriber = self.connect()
        subscriber.subscribe(topic, 2)
        publisher = self.connect()
        payload = bytes(range(256)) * 3900
        for qos in range(3):
            publisher.publish(topic, payload, qos)
        for message in subscriber.wait(3):
            self.assertEqual(message.payload, payload)

    def test_many_messages_in_flight_keep_their_order(self):
        topic = unique("order")
        subscriber = self.connect()
        subscriber.subscribe(topic, 2)
        publisher = self.connect()
        for qos in [1, 2]:
            infos = [publisher.client.publish(topic, f"{qos} {i}", qos) for i in range(500)]
            for info in infos:
                info.wait_for_publish(60)
        subscriber.wait(1000)
        self.assertEqual(subscriber.payloads(), [f"{qos} {i}" for qos in [1, 2] for i in range(500)])

    def test_a_topic_alias_stands_for_its_topic(self):
        topic = unique("alias")
        subscriber = self.connect()
        subscriber.subscribe(topic, 1)
        publisher = self.connect()
        alias = properties(PacketTypes.PUBLISH, TopicAlias=3)
        publisher.publish(topic, "named", 1, properties=alias)
        publisher.publish("", "by alias", 1, properties=alias)
        self.assertEqual({message.topic for message in subscriber.wait(2)}, {topic})

    def test_a_message_that_expired_is_not_delivered(self):
        topic = unique("expiry")
        publisher = self.connect()
        publisher.publish(topic, "short", 1, True, properties(PacketTypes.PUBLISH, MessageExpiryInterval=1))
        time.sleep(1.1)
        subscriber = self.connect()
        subscriber.subscribe(topic, 1)
        publisher.publish(topic, "live", 1)
        subscriber.wait(1)
        self.assertEqual(subscriber.payloads(), ["live"])

    def test_the_broker_tells_why_it_ends_a_connection(self):
        client_id = unique("taken")
        first = self.connect(client_id=client_id)
        self.connect(client_id=client_id)
        eventually(lambda: first.ended, "DISCONNECT")

    def test_a_client_comes_back_by_itself_after_a_crash_of_the_broker(self):
        client = self.connect()
        client.client.reconnect_delay_set(1, 1)
        client.connected = None
        order("crash")
        eventually(lambda: client.connected, "connected again")
        topic = unique("back")
        client.subscribe(topic, 1)
        client.publish(topic, "back", 1)
        client.wait(1)
        self.assertEqual(client.payloads(), ["back"])
