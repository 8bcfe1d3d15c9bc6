// Braid, Apache-2.0.
//
// docs/protocol-mapping.md over real clients: written over one protocol, read over the other.
#include <catch2/catch.hpp>
#include <map>

#include "e2e/support/broker.hpp"
#include "e2e/support/command.hpp"
#include "e2e/support/kafka.hpp"
#include "e2e/support/mqtt.hpp"

using namespace braid::e2e;

TEST_CASE("what MQTT publishes under a topic's name, a Kafka consumer reads: key, value, headers, properties, time") {
  Broker broker;
  broker.create_topic("sensors", 3);
  MqttClient publisher(broker.mqtt());
  MqttProperties properties;
  properties.user = {{"unit", "C"}, {"unit", "K"}, {"braid.x", "escaped"}};
  properties.content_type = "text/plain";
  properties.response_topic = "answers/1";
  properties.correlation_data = std::string("\x00\x80\xff", 3);
  properties.expiry_interval_s = 60;
  properties.payload_format = 1;
  const auto before = std::time(nullptr);
  REQUIRE(publisher.publish_and_wait("sensors/room1/temp", "21.5", 1, false, properties));
  REQUIRE(publisher.publish_and_wait("sensors/room1/empty", "", 1));
  const std::string binary("\0\x01\x02\xff\xfe", 5), large(1 << 19, 'x');
  REQUIRE(publisher.publish_and_wait("sensors/room1/binary", binary, 2));
  REQUIRE(publisher.publish_and_wait("sensors/room1/large", large, 1));
  REQUIRE(publisher.publish_and_wait("elsewhere/room1", "live", 1));

  std::map<std::string, KafkaMessage> read;
  for (auto& message : read_all(broker.bootstrap(), "sensors")) read[message.key.value()] = message;
  REQUIRE(read.size() == 4);
  const auto& first = read.at("sensors/room1/temp");
  CHECK(first.value == "21.5");
  CHECK(first.timestamp_ms / 1000 >= before);
  CHECK(first.timestamp_ms / 1000 <= std::time(nullptr));
  const KafkaHeaders expected = {{"unit", "C"},
                                 {"unit", "K"},
                                 {"braid.user.braid.x", "escaped"},
                                 {"braid.content-type", "text/plain"},
                                 {"braid.reply-to", "answers/1"},
                                 {"braid.correlation-id", std::string("\x00\x80\xff", 3)},
                                 {"braid.expiration", "60000"},
                                 {"braid.payload-format", "1"}};
  CHECK(first.headers == expected);
  CHECK(read.at("sensors/room1/empty").value.value_or("") == "");
  CHECK(read.at("sensors/room1/binary").value == binary);
  CHECK(read.at("sensors/room1/large").value == large);
}

TEST_CASE(
    "a Kafka record reaches MQTT subscribers: under its key when that is a name of the topic, else under the topic") {
  Broker broker;
  broker.create_topic("orders", 2);
  MqttClient subscriber(broker.mqtt()), keyed(broker.mqtt());
  subscriber.subscribe("orders/#", 1);
  keyed.subscribe("orders/eu/+", 0);
  KafkaProducer producer(broker.bootstrap());
  const KafkaHeaders headers = {{"a", "1"},
                                {"a", "2"},
                                {"binary", std::string("\xff\xfe")},
                                {"none", std::nullopt},
                                {"braid.content-type", "text/csv"},
                                {"braid.reply-to", "back/here"},
                                {"braid.correlation-id", std::string("\x01\xff")},
                                {"braid.expiration", "90000"}};
  producer.send("orders", "orders/eu/7", "hello", {}, 0, headers);
  producer.send("orders", "not a name/#", "by topic", {}, 0);
  producer.send("orders", std::nullopt, "no key", {}, 0);
  producer.send("orders", "orders/eu/8", std::nullopt, {}, 0);
  producer.send("orders", "elsewhere/1", "foreign name", {}, 0);
  REQUIRE(producer.flush());
  REQUIRE(producer.acknowledged() == 5);
  REQUIRE(subscriber.wait_received(5));
  const auto got = subscriber.received();
  CHECK(got[0].topic == "orders/eu/7");
  CHECK(got[0].payload == "hello");
  CHECK(got[0].qos == 1);
  CHECK(got[0].properties.user ==
        std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {"a", "2"}, {"none", ""}});
  CHECK(got[0].properties.content_type == "text/csv");
  CHECK(got[0].properties.response_topic == "back/here");
  CHECK(got[0].properties.correlation_data == std::string("\x01\xff"));
  CHECK(got[0].properties.expiry_interval_s.value_or(0) <= 90);
  CHECK(got[0].properties.expiry_interval_s.value_or(0) >= 80);
  CHECK(got[1].topic == "orders");
  CHECK(got[1].payload == "by topic");
  CHECK(got[2].topic == "orders");
  CHECK(got[3].topic == "orders/eu/8");
  CHECK(got[3].payload.empty());
  CHECK(got[4].topic == "orders");
  REQUIRE(keyed.wait_received(2));
  CHECK(keyed.received().size() == 2);
  CHECK(keyed.received()[0].qos == 0);
}

TEST_CASE("records of every codec reach MQTT subscribers in order") {
  Broker broker;
  broker.create_topic("packed", 1);
  MqttClient subscriber(broker.mqtt());
  subscriber.subscribe("packed/#", 1);
  std::size_t sent = 0;
  for (const std::string codec : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    KafkaProducer producer(broker.bootstrap(), {{"compression.codec", codec}});
    for (int i = 0; i < 100; ++i, ++sent)
      producer.send("packed", "packed/key", std::to_string(sent) + std::string(100, 'z'));
    REQUIRE(producer.flush());
  }
  REQUIRE(subscriber.wait_received(sent));
  const auto got = subscriber.received();
  for (std::size_t i = 0; i < sent; ++i) REQUIRE(std::stoul(got[i].payload) == i);
}

TEST_CASE("a message from MQTT reaches MQTT subscribers of a stored topic once it is stored, with its own flags") {
  Broker broker;
  broker.create_topic("both", 4);
  MqttClient subscriber(broker.mqtt()), publisher(broker.mqtt());
  subscriber.subscribe("both/+", 2, 0x08 /* retain as published */);
  REQUIRE(publisher.publish_and_wait("both/a", "qos0 follows", 2));
  publisher.publish("both/b", "qos0", 0);
  REQUIRE(publisher.publish_and_wait("both/c", "kept", 1, true));
  REQUIRE(subscriber.wait_received(3));
  std::map<std::string, MqttMessage> got;
  for (const auto& message : subscriber.received()) got[message.topic] = message;
  CHECK(got["both/a"].qos == 2);
  CHECK(got["both/b"].qos == 0);
  CHECK(got["both/c"].retain);
  CHECK_FALSE(got["both/a"].retain);
}

TEST_CASE("a route stores names of another first level in a topic, and brings its records back under them") {
  Broker broker({"routes=[{filter: 'factory/+/temperature', topic: temperatures}]"});
  broker.create_topic("temperatures", 2);
  MqttClient subscriber(broker.mqtt()), publisher(broker.mqtt());
  subscriber.subscribe("factory/#", 1);
  REQUIRE(publisher.publish_and_wait("factory/7/temperature", "70", 1));
  REQUIRE(subscriber.wait_received(1));
  KafkaProducer producer(broker.bootstrap());
  producer.send("temperatures", "factory/8/temperature", "80");
  REQUIRE(producer.flush());
  REQUIRE(subscriber.wait_received(2));
  CHECK(subscriber.received()[1].topic == "factory/8/temperature");
  const auto records = read_all(broker.bootstrap(), "temperatures");
  CHECK(records.size() == 2);
}

TEST_CASE("messages of one name stay in order from MQTT to Kafka, whatever else is published") {
  Broker broker;
  broker.create_topic("ordered", 8);
  MqttClient publisher(broker.mqtt());
  constexpr int names = 20, each = 200;
  for (int i = 0; i < each; ++i)
    for (int name = 0; name < names; ++name) publisher.publish("ordered/" + std::to_string(name), std::to_string(i), 1);
  REQUIRE(publisher.wait_acknowledged(names * each));
  std::map<std::string, int> next;
  const auto records = read_all(broker.bootstrap(), "ordered");
  REQUIRE(records.size() == names * each);
  for (const auto& record : records) REQUIRE(std::stoi(*record.value) == next[*record.key]++);
}
