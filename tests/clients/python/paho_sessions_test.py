# Braid, Apache-2.0.
#
# Eclipse Paho for Python: sessions that outlive their connection, shared subscriptions, WebSocket.
import unittest

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes

from broker import HOST, eventually, order, unique
from paho_test import Client, properties


class PahoSessions(unittest.TestCase):
    def connect(self, *arguments, **named):
        client = Client(*arguments, **named)
        self.addCleanup(client.close)
        return client

    def test_a_session_keeps_what_comes_while_its_client_is_away(self):
        kept = properties(PacketTypes.CONNECT, SessionExpiryInterval=100)
        for version, extra in [(mqtt.MQTTv31, {}), (mqtt.MQTTv311, {}), (mqtt.MQTTv5, {"connect": kept})]:
            with self.subTest(version=version):
                client_id, topic = unique("session"), unique("away")
                first = Client(version, client_id=client_id, clean=False, **extra)
                first.subscribe(topic, 2)
                first.cut()
                publisher = self.connect(version)
                for i in range(100):
                    publisher.publish(topic, str(i), 1 + i % 2)
                second = self.connect(version, client_id=client_id, clean=False, **extra)
                second.wait(100)
                # Paho shows a message of QoS 2 when it is released, so the order is one for each quality of service.
                for odd in [0, 1]:
                    self.assertEqual([text for text in second.payloads() if int(text) % 2 == odd],
                                     [str(i) for i in range(odd, 100, 2)])
                if version != mqtt.MQTTv31:
                    self.assertEqual(second.flags["session present"], 1)

    def test_a_clean_start_ends_the_old_session(self):
        client_id, topic = unique("session"), unique("clean")
        kept = properties(PacketTypes.CONNECT, SessionExpiryInterval=100)
        first = Client(client_id=client_id, connect=kept)
        first.subscribe(topic, 1)
        first.cut()
        second = self.connect(client_id=client_id, clean=True, connect=kept)
        self.assertEqual(second.flags["session present"], 0)
        self.connect().publish(topic, "to nobody", 1)
        second.publish(unique("round trip"), "x", 1)
        self.assertEqual(second.received, [])

    def test_each_message_of_a_shared_subscription_goes_to_one_member(self):
        topic = unique("shared")
        members = [self.connect() for _ in range(4)]
        for member in members:
            member.subscribe(f"$share/group/{topic}", 1)
        everybody = self.connect()
        everybody.subscribe(topic, 1)
        publisher = self.connect()
        for i in range(200):
            publisher.publish(topic, str(i), 1)
        everybody.wait(200)
        eventually(lambda: sum(len(member.received) for member in members) >= 200, "all 200")
        got = sorted(int(payload) for member in members for payload in member.payloads())
        self.assertEqual(got, list(range(200)))
        for member in members:
            self.assertGreater(len(member.received), 20)

    def test_websocket(self):
        topic = unique("websocket")
        client = self.connect(transport="websockets")
        client.subscribe(topic, 2)
        payload = bytes(range(256)) * 2000
        for qos in range(3):
            client.publish(topic, payload, qos)
        self.assertEqual([message.payload for message in client.wait(3)], [payload] * 3)
