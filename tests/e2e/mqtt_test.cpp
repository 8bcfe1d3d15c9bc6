// Braid, Apache-2.0.
//
// MQTT through libmosquitto and the mosquitto commands, for 3.1, 3.1.1 and 5.0.
#include <catch2/catch.hpp>

#include "e2e/support/broker.hpp"
#include "e2e/support/command.hpp"
#include "e2e/support/mqtt.hpp"

using namespace braid::e2e;

TEST_CASE("a message reaches subscribers by exact and wildcard filters at each version and quality of service") {
  Broker broker;
  for (const int version : {3, 4, 5}) {
    for (const int qos : {0, 1, 2}) {
      MqttClient exact(broker.mqtt(), {.version = version}), plus(broker.mqtt(), {.version = version}),
          hash(broker.mqtt(), {.version = version}), other(broker.mqtt(), {.version = version});
      REQUIRE(exact.subscribe("a/b/c", qos) == qos);
      plus.subscribe("a/+/c", qos);
      hash.subscribe("a/#", qos);
      other.subscribe("a/b", qos);
      MqttClient publisher(broker.mqtt(), {.version = version});
      REQUIRE(publisher.publish_and_wait("a/b/c", "payload", qos));
      for (auto* client : {&exact, &plus, &hash}) {
        REQUIRE(client->wait_received(1));
        CHECK(client->received()[0].payload == "payload");
        CHECK(client->received()[0].topic == "a/b/c");
        CHECK(client->received()[0].qos == qos);
        CHECK_FALSE(client->received()[0].retain);
      }
      CHECK(other.received().empty());
    }
  }
}

TEST_CASE("overlapping subscriptions of a client make one delivery at the highest quality of service") {
  Broker broker;
  MqttClient subscriber(broker.mqtt()), publisher(broker.mqtt());
  subscriber.subscribe("x/#", 0);
  subscriber.subscribe("x/y", 1);
  REQUIRE(publisher.publish_and_wait("x/y", "once", 1));
  REQUIRE(publisher.publish_and_wait("x/z", "end", 1));
  REQUIRE(subscriber.wait_received(2));
  CHECK(subscriber.received()[0].qos == 1);
  CHECK(subscriber.received()[0].payload == "once");
  CHECK(subscriber.received()[1].payload == "end");
}

TEST_CASE("a client that unsubscribed gets nothing more") {
  Broker broker;
  MqttClient subscriber(broker.mqtt()), publisher(broker.mqtt());
  subscriber.subscribe("u/1");
  subscriber.subscribe("u/2");
  subscriber.unsubscribe("u/1");
  REQUIRE(publisher.publish_and_wait("u/1", "no"));
  REQUIRE(publisher.publish_and_wait("u/2", "yes"));
  REQUIRE(subscriber.wait_received(1));
  CHECK(subscriber.received().size() == 1);
  CHECK(subscriber.received()[0].payload == "yes");
}

TEST_CASE("retained messages come to new subscribers, are replaced and cleared, and survive restart and kill") {
  Broker broker;
  {
    MqttClient publisher(broker.mqtt());
    for (int i = 0; i < 250; ++i)
      REQUIRE(publisher.publish_and_wait("r/" + std::to_string(i), "v" + std::to_string(i), 1, true));
    REQUIRE(publisher.publish_and_wait("r/1", "new", 1, true));
    REQUIRE(publisher.publish_and_wait("r/2", "", 1, true));
  }
  const auto check = [&] {
    MqttClient subscriber(broker.mqtt());
    subscriber.subscribe("r/+", 1);
    REQUIRE(subscriber.wait_received(249));
    CHECK(subscriber.received().size() == 249);
    for (const auto& message : subscriber.received()) {
      CHECK(message.retain);
      CHECK(message.topic != "r/2");
      if (message.topic == "r/1") CHECK(message.payload == "new");
    }
  };
  check();
  REQUIRE(broker.stop() == 0);
  broker.start();
  check();
  broker.kill();
  broker.start();
  check();
}

TEST_CASE("a will is published when a connection drops and not after a DISCONNECT") {
  Broker broker;
  MqttClient watcher(broker.mqtt());
  watcher.subscribe("will/#", 1);
  MqttOptions options;
  options.will = MqttMessage{"will/dropped", "gone", 1, false, {{{"why", "drop"}}, {}, {}, {}, {}, {}}};
  {
    MqttClient dropped(broker.mqtt(), options);
    dropped.drop();
    REQUIRE(watcher.wait_received(1));
  }
  CHECK(watcher.received()[0].payload == "gone");
  CHECK(watcher.received()[0].properties.user == std::vector<std::pair<std::string, std::string>>{{"why", "drop"}});
  options.will->topic = "will/orderly";
  {
    MqttClient orderly(broker.mqtt(), options);
    orderly.disconnect();
  }
  MqttClient last(broker.mqtt());
  REQUIRE(last.publish_and_wait("will/end", "end"));
  REQUIRE(watcher.wait_received(2));
  CHECK(watcher.received()[1].topic == "will/end");
}

TEST_CASE("a second connection with the same client identifier takes the first one's place") {
  Broker broker;
  MqttClient first(broker.mqtt(), {.client_id = "same"});
  MqttClient second(broker.mqtt(), {.client_id = "same"});
  REQUIRE(first.wait_disconnected());
  CHECK(first.disconnect_reason() == 0x8E);
  CHECK(second.connected());
}

TEST_CASE("all standard and user properties travel from publisher to subscriber unaltered") {
  Broker broker;
  MqttClient subscriber(broker.mqtt()), publisher(broker.mqtt());
  subscriber.subscribe("p", 1);
  MqttProperties properties;
  properties.user = {{"b", "2"}, {"a", "1"}, {"b", "3"}, {"braid.content-type", "mine"}};
  properties.content_type = "text/plain";
  properties.response_topic = "answers/here";
  properties.correlation_data = std::string("\0\x01\xff", 3);
  properties.expiry_interval_s = 100;
  properties.payload_format = 1;
  REQUIRE(publisher.publish_and_wait("p", "x", 1, false, properties));
  REQUIRE(subscriber.wait_received(1));
  const auto got = subscriber.received()[0].properties;
  CHECK(got.user == properties.user);
  CHECK(got.content_type == properties.content_type);
  CHECK(got.response_topic == properties.response_topic);
  CHECK(got.correlation_data == properties.correlation_data);
  REQUIRE(got.expiry_interval_s);
  CHECK(*got.expiry_interval_s <= 100);
  CHECK(*got.expiry_interval_s >= 90);
  CHECK(got.payload_format == 1);
}

TEST_CASE("the mosquitto commands work against the broker at 3.1.1 and 5.0") {
  Broker broker;
  const std::string port = " -p " + std::to_string(broker.mqtt()) + " ";
  for (const std::string version : {"mqttv311", "mqttv5"}) {
    Background subscriber("stdbuf -oL mosquitto_sub -h 127.0.0.1" + port + "-V " + version +
                          " -t 'cmd/#' -q 1 -v -F '%t %p' -d");
    REQUIRE(subscriber.prints("received SUBACK"));
    const auto published = run("mosquitto_pub -h 127.0.0.1" + port + "-V " + version + " -t cmd/" + version +
                               " -m hello-" + version + " -q 1");
    CHECK(published.exit_code == 0);
    CHECK(subscriber.prints("cmd/" + version + " hello-" + version));
  }
}
