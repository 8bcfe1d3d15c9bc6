// Braid, Apache-2.0.
//
// Eclipse Paho for C against the real binary, over MQTT 3.1, 3.1.1 and 5.0.
#include <algorithm>
#include <catch2/catch.hpp>

#include "client.hpp"
#include "e2e/support/broker.hpp"

using braid::clients::Client;
using braid::clients::Options;
using braid::clients::Properties;
using braid::e2e::Broker;

namespace {

constexpr int kVersions[] = {MQTTVERSION_3_1, MQTTVERSION_3_1_1, MQTTVERSION_5};

Options of_version(int version) {
  Options options;
  options.version = version;
  return options;
}

}  // namespace

TEST_CASE("Paho for C: each quality of service goes both ways in every version") {
  Broker broker;
  for (const int version : kVersions) {
    CAPTURE(version);
    Client publisher(broker.mqtt(), of_version(version));
    for (int granted = 0; granted <= 2; ++granted) {
      Client subscriber(broker.mqtt(), of_version(version));
      REQUIRE(subscriber.subscribe("qos/+", granted) == granted);
      for (int qos = 0; qos <= 2; ++qos) {
        REQUIRE(publisher.publish("qos/" + std::to_string(qos), "q" + std::to_string(qos), qos));
        const auto message = subscriber.receive();
        REQUIRE(message);
        CHECK(message->topic == "qos/" + std::to_string(qos));
        CHECK(message->payload == "q" + std::to_string(qos));
        CHECK(message->qos == std::min(qos, granted));
      }
    }
  }
}

TEST_CASE("Paho for C: properties arrive unaltered, in order, duplicates kept") {
  Broker broker;
  Client subscriber(broker.mqtt()), publisher(broker.mqtt());
  Properties identifier;
  identifier.number(MQTTPROPERTY_CODE_SUBSCRIPTION_IDENTIFIER, 4711);
  REQUIRE(subscriber.subscribe("p/#", 1, &identifier) == 1);
  Properties sent;
  sent.user("a", "1").user("a", "2").user("\xc3\xa9", "");
  sent.text(MQTTPROPERTY_CODE_CONTENT_TYPE, "text/plain").text(MQTTPROPERTY_CODE_RESPONSE_TOPIC, "back/here");
  sent.text(MQTTPROPERTY_CODE_CORRELATION_DATA, std::string("\x00\xff\x80", 3));
  sent.number(MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL, 60);
  REQUIRE(publisher.publish("p/x", "value", 1, false, &sent));
  const auto got = subscriber.receive();
  REQUIRE(got);
  CHECK(got->user == std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {"a", "2"}, {"\xc3\xa9", ""}});
  CHECK(got->content_type == "text/plain");
  CHECK(got->response_topic == "back/here");
  CHECK(got->correlation_data == std::string("\x00\xff\x80", 3));
  CHECK(got->expiry_s.value_or(0) <= 60);
  CHECK(got->expiry_s.value_or(0) >= 50);
  CHECK(got->subscriptions == std::vector<std::uint32_t>{4711});
}

TEST_CASE("Paho for C: a retained message is kept, replaced and cleared, also over a restart") {
  Broker broker;
  {
    Client publisher(broker.mqtt());
    REQUIRE(publisher.publish("kept/x", "old", 1, true));
    REQUIRE(publisher.publish("kept/x", "new", 2, true));
    REQUIRE(publisher.publish("kept/y", "gone", 1, true));
    REQUIRE(publisher.publish("kept/y", "", 1, true));
    publisher.disconnect();
  }
  broker.restart();
  for (const int version : kVersions) {
    Client subscriber(broker.mqtt(), of_version(version)), publisher(broker.mqtt(), of_version(version));
    REQUIRE(subscriber.subscribe("kept/#", 1) == 1);
    // What comes live may overtake what was retained of another name.
    const auto first = subscriber.receive();
    REQUIRE(publisher.publish("kept/end", "end", 1));
    const auto second = subscriber.receive();
    REQUIRE((first && second));
    CHECK(first->topic == "kept/x");
    CHECK(first->payload == "new");
    CHECK(first->retained);
    CHECK(second->topic == "kept/end");
    CHECK_FALSE(second->retained);
  }
}

TEST_CASE("Paho for C: a will is published when its client does not come back, not when it says goodbye") {
  Broker broker;
  Client watcher(broker.mqtt());
  REQUIRE(watcher.subscribe("will/#", 2) == 2);
  for (const int version : kVersions) {
    Options options = of_version(version);
    options.will_topic = "will/polite";
    options.will_payload = "polite";
    options.will_qos = 1;
    Client(broker.mqtt(), options).disconnect();
  }
  // Paho for C says goodbye whenever it can: a second client of the name ends the connection without it.
  Options options;
  options.client_id = "taken-over";
  options.will_topic = "will/gone";
  options.will_payload = "gone";
  options.will_qos = 2;
  const Client first(broker.mqtt(), options);
  options.will_topic.clear();
  const Client second(broker.mqtt(), options);
  const auto got = watcher.receive();
  REQUIRE(got);
  CHECK(got->topic == "will/gone");
  CHECK(got->qos == 2);
}

TEST_CASE("Paho for C: large, empty and binary payloads arrive whole") {
  Broker broker;
  Client subscriber(broker.mqtt()), publisher(broker.mqtt());
  REQUIRE(subscriber.subscribe("size", 2) == 2);
  std::string binary;
  for (int i = 0; i < 1000000; ++i) binary.push_back(static_cast<char>(i * 31));
  for (int qos = 0; qos <= 2; ++qos)
    for (const std::string& payload : {std::string(), std::string("\0\xff", 2), binary}) {
      REQUIRE(publisher.publish("size", payload, qos));
      const auto got = subscriber.receive();
      REQUIRE(got);
      CHECK(got->payload == payload);
    }
}

TEST_CASE("Paho for C: many messages of one name keep their order") {
  Broker broker;
  broker.create_topic("ordered", 4);
  Client subscriber(broker.mqtt()), publisher(broker.mqtt());
  REQUIRE(subscriber.subscribe("ordered/#", 2) == 2);
  for (int i = 0; i < 300; ++i) REQUIRE(publisher.publish("ordered/x", std::to_string(i), i % 3));
  int last[3] = {-1, -1, -1};
  for (int i = 0; i < 300; ++i) {
    const auto got = subscriber.receive();
    REQUIRE(got);
    const int value = std::stoi(got->payload);
    CHECK(value > last[value % 3]);
    last[value % 3] = value;
  }
}
