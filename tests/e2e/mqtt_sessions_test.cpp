// Braid, Apache-2.0.
//
// MQTT sessions, wills with a delay and shared subscriptions through libmosquitto, against the real binary.
#include <catch2/catch.hpp>
#include <chrono>
#include <map>

#include "e2e/support/broker.hpp"
#include "e2e/support/mqtt.hpp"

using namespace braid::e2e;
using Clock = std::chrono::steady_clock;

namespace {
std::int64_t ms_since(Clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count();
}
}  // namespace

TEST_CASE("a client gets what was published while it was away, at each version and quality of service") {
  Broker broker;
  MqttClient publisher(broker.mqtt());
  for (const int version : {4, 5}) {
    for (const int qos : {1, 2}) {
      const std::string id = "away-" + std::to_string(version) + "-" + std::to_string(qos);
      const MqttOptions options{.client_id = id, .version = version, .clean = false, .session_expiry_s = 1000};
      {
        MqttClient client(broker.mqtt(), options);
        CHECK_FALSE(client.session_present());
        client.subscribe(id + "/#", qos);
        qos == 1 ? client.drop() : client.disconnect();
      }
      // The broker may learn only now that the client has gone; nothing is lost either way.
      for (int i = 0; i < 1000; ++i) publisher.publish(id + "/x", std::to_string(i), qos);
      REQUIRE(publisher.publish_and_wait(id + "/x", "end", qos));
      MqttClient client(broker.mqtt(), options);
      CHECK(client.session_present());
      REQUIRE(client.wait_received(1001));
      for (std::size_t i = 0; i < 1000; ++i) CHECK(client.received()[i].payload == std::to_string(i));
      CHECK(client.received()[1000].payload == "end");
      CHECK(client.received()[0].qos == qos);
    }
  }
}

TEST_CASE("MQTT 5 clients that did not ask for it and 3.1.1 clients with a clean session keep nothing") {
  Broker broker;
  MqttClient publisher(broker.mqtt());
  for (const int version : {4, 5}) {
    const MqttOptions options{.client_id = "gone", .version = version, .clean = true};
    {
      MqttClient client(broker.mqtt(), options);
      client.subscribe("t", 1);
      client.drop();
    }
    REQUIRE(publisher.publish_and_wait("t", "lost"));
    MqttClient client(broker.mqtt(), options);
    CHECK_FALSE(client.session_present());
    client.subscribe("t", 1);
    REQUIRE(publisher.publish_and_wait("t", "next"));
    REQUIRE(client.wait_received(1));
    CHECK(client.received()[0].payload == "next");
  }
}

TEST_CASE("a will with a delay comes when it is due") {
  Broker broker;
  MqttClient watcher(broker.mqtt());
  watcher.subscribe("will/#", 1);
  MqttOptions options{.client_id = "delayed", .clean = false, .session_expiry_s = 1000, .will_delay_s = 1};
  options.will = MqttMessage{"will/one", "gone", 1, false, {}};
  MqttClient(broker.mqtt(), options).drop();
  const auto begin = Clock::now();
  REQUIRE(watcher.wait_received(1));
  CHECK(ms_since(begin) >= 900);
}

TEST_CASE("members of a shared subscription share the messages, and take over from one that goes away") {
  Broker broker;
  MqttClient one(broker.mqtt()), two(broker.mqtt()), all(broker.mqtt()), publisher(broker.mqtt());
  CHECK(one.subscribe("$share/g/jobs/#", 1) == 1);
  CHECK(two.subscribe("$share/g/jobs/#", 1) == 1);
  all.subscribe("jobs/#", 1);
  for (int i = 0; i < 100; ++i) publisher.publish("jobs/" + std::to_string(i % 7), std::to_string(i));
  REQUIRE(publisher.wait_acknowledged(100));
  REQUIRE(all.wait_received(100));
  REQUIRE(one.wait_received(50));
  REQUIRE(two.wait_received(50));
  std::map<std::string, int> counts;
  for (const auto* client : {&one, &two})
    for (const auto& message : client->received()) ++counts[message.payload];
  CHECK(counts.size() == 100);
  one.disconnect();
  for (int i = 0; i < 10; ++i) REQUIRE(publisher.publish_and_wait("jobs/x", "more"));
  REQUIRE(two.wait_received(60));
}

TEST_CASE("sessions end with the broker, and their queues with them") {
  Broker broker;
  const MqttOptions options{.client_id = "away", .clean = false, .session_expiry_s = 1000};
  {
    MqttClient client(broker.mqtt(), options);
    client.subscribe("t", 1);
    client.drop();
  }
  {
    MqttClient publisher(broker.mqtt());
    for (int i = 0; i < 100; ++i) publisher.publish("t", "old");
    REQUIRE(publisher.publish_and_wait("t", "old"));
  }
  REQUIRE(broker.stop() == 0);
  broker.start();
  {
    MqttClient client(broker.mqtt(), options);
    CHECK_FALSE(client.session_present());
    client.subscribe("t", 1);
    client.drop();
  }
  MqttClient publisher(broker.mqtt());
  REQUIRE(publisher.publish_and_wait("t", "new"));
  MqttClient client(broker.mqtt(), options);
  REQUIRE(client.wait_received(1));
  CHECK(client.received()[0].payload == "new");
}
