// Braid, Apache-2.0.
//
// Shared subscriptions over sessions and loops, and what else depends on subscriptions: No Local, aliases, overlapping
// filters, retained messages under the client's credit.
#include <map>
#include <numeric>

#include "mqtt_world.hpp"
#include "support/seed.hpp"

using namespace braid;
using namespace braid::test;
using mqtt::PacketType;

namespace {

SimConnect lasting_member(const std::string& client_id) {
  return {.client_id = client_id, .clean = false, .expiry_s = 1000};
}

/// How often each payload arrived, over all clients.
std::map<std::string, int> tally(const std::vector<MqttSim*>& clients) {
  std::map<std::string, int> counts;
  for (const auto* client : clients)
    for (const auto& got : client->received) ++counts[got.payload];
  return counts;
}

}  // namespace

TEST_CASE("members of a shared subscription take turns, whatever loops they are on") {
  for (const auto seed : {test_seed(), test_seed() + 1, test_seed() + 2}) {
    INFO("seed " << seed);
    MqttWorld world(seed);
    std::vector<MqttSim*> members;
    for (int i = 0; i < 6; ++i) {
      members.push_back(&world.client({.client_id = "m" + std::to_string(i)}));
      REQUIRE(members.back()->subscribe("$share/g/jobs/+", 1) == 1);
    }
    auto& all = world.client({.client_id = "all"});
    all.subscribe("jobs/#", 1);
    auto& others = world.client({.client_id = "others"});
    others.subscribe("$share/h/jobs/#", 1);
    auto& publisher = world.client({.client_id = "p"});
    for (int i = 0; i < 120; ++i) publisher.publish_and_wait("jobs/x", std::to_string(i));
    REQUIRE(all.wait_received(120));
    REQUIRE(others.wait_received(120));
    REQUIRE(all.wait([&] { return tally(members).size() == 120; }));
    for (const auto& [payload, count] : tally(members)) CHECK(count == 1);
    for (const auto* member : members) CHECK(member->received.size() == 20);
  }
}

TEST_CASE("what a member did not acknowledge goes to another member when it goes away, QoS 2 stays") {
  for (const bool lasts : {true, false}) {
    MqttWorld world(test_seed());
    auto& lazy = world.client();
    lazy.acknowledges = false;
    lazy.connect(lasts ? lasting_member("lazy") : SimConnect{.client_id = "lazy"});
    lazy.subscribe("$share/g/jobs", 2);
    auto& keen = world.client({.client_id = "keen"});
    keen.subscribe("$share/g/jobs", 2);
    auto& publisher = world.client({.client_id = "p"});
    for (int i = 0; i < 40; ++i) publisher.publish_and_wait("jobs", std::to_string(i), i < 20 ? 1 : 2);
    REQUIRE(lazy.wait_received(20));
    REQUIRE(keen.wait_received(20));
    // Refused ones are not for anybody else [MQTT-4.8.2-6].
    lazy.acknowledge(PacketType::puback, lazy.received[0].id, mqtt::ReasonCode::unspecified_error);
    world.run_for(100);
    lazy.drop();
    REQUIRE(keen.wait_received(29));
    world.run_for(2000);
    CHECK(keen.received.size() == 29);
    for (const auto& got : keen.received) CHECK_FALSE(got.duplicate);
    if (!lasts) continue;
    const auto before = lazy.received;
    lazy.received.clear();
    lazy.connect(lasting_member("lazy"));
    REQUIRE(lazy.wait_received(10));
    world.run_for(1000);
    CHECK(lazy.received.size() == 10);
    for (const auto& got : lazy.received) CHECK(got.qos == 2);
  }
}

TEST_CASE("without a connected member a session keeps the message, and another gets it when the session ends") {
  MqttWorld world(test_seed());
  auto& one = world.client({.client_id = "one", .clean = false, .expiry_s = 10});
  auto& two = world.client({.client_id = "two", .clean = false, .expiry_s = 100});
  one.subscribe("$share/g/jobs", 1);
  two.subscribe("$share/g/jobs", 1);
  one.drop();
  two.drop();
  auto& publisher = world.client({.client_id = "p"});
  for (int i = 0; i < 40; ++i) publisher.publish_and_wait("jobs", std::to_string(i));
  publisher.publish_and_wait("jobs", "QoS 0", 0);
  world.run_for(20'000);
  two.connect(lasting_member("two"));
  CHECK(two.session_present);
  REQUIRE(two.wait_received(40));
  world.run_for(1000);
  CHECK(tally({&two}).size() == 40);
  CHECK(two.received.size() == 40);
}

TEST_CASE("a connected member goes before one that is away") {
  MqttWorld world(test_seed());
  auto& away = world.client(lasting_member("away"));
  away.subscribe("$share/g/jobs", 1);
  away.drop();
  auto& here = world.client({.client_id = "here"});
  here.subscribe("$share/g/jobs", 1);
  auto& publisher = world.client({.client_id = "p"});
  for (int i = 0; i < 10; ++i) publisher.publish_and_wait("jobs", std::to_string(i));
  REQUIRE(here.wait_received(10));
  away.connect(lasting_member("away"));
  world.run_for(1000);
  CHECK(away.received.empty());
}

TEST_CASE("a member that does not keep up gets less than those that do") {
  MqttWorld world(test_seed(), [](Settings& settings) { settings.mqtt_protocol.queue_memory_bytes = 4096; });
  auto& slow = world.client();
  slow.acknowledges = false;
  slow.connect({.client_id = "slow", .receive_maximum = 1});
  slow.subscribe("$share/g/jobs", 1);
  auto& fast = world.client({.client_id = "fast"});
  fast.subscribe("$share/g/jobs", 1);
  auto& publisher = world.client({.client_id = "p"});
  for (int i = 0; i < 400; ++i) publisher.publish_and_wait("jobs", std::to_string(i));
  world.run_for(1000);
  CHECK(fast.received.size() > 300);
  slow.drop();
  REQUIRE(fast.wait([&] { return tally({&fast}).size() == 400; }));
}

TEST_CASE("share names and No Local on shared subscriptions are refused as the specification says") {
  MqttWorld world(test_seed());
  auto& client = world.client({.client_id = "c"});
  for (const auto* filter : {"$share//f", "$share/g", "$share/g/", "$share/g+/f", "$share/#/f"})
    CHECK(client.subscribe(filter) == 0x8F);
  CHECK(client.subscribe("$share/g/+/#", 1) == 1);
  client.subscribe("$share/g/f", 1, 4);
  REQUIRE(client.wait([&] { return client.closed(); }));
  CHECK(client.disconnect_reason == 0x82);
}

TEST_CASE("retained messages are not for shared subscriptions") {
  MqttWorld world(test_seed());
  auto& publisher = world.client({.client_id = "p"});
  publisher.publish_and_wait("r", "kept", 1, true);
  auto& member = world.client({.client_id = "m"});
  member.subscribe("$share/g/r", 1);
  world.run_for(1000);
  CHECK(member.received.empty());
  member.unsubscribe("$share/g/r");
  publisher.publish_and_wait("r", "new", 1);
  world.run_for(1000);
  CHECK(member.received.empty());
}

TEST_CASE("No Local goes by client identifier, over reconnects too") {
  MqttWorld world(test_seed());
  auto& client = world.client(lasting_member("c"));
  client.subscribe("t", 1, 4);
  client.publish_and_wait("t", "own");
  client.drop();
  client.connect(lasting_member("c"));
  client.publish_and_wait("t", "own");
  auto& other = world.client({.client_id = "o"});
  other.publish_and_wait("t", "other's");
  REQUIRE(client.wait_received(1));
  world.run_for(1000);
  CHECK(client.payloads() == std::vector<std::string>{"other's"});
}

TEST_CASE("topic aliases are used within the client's maximum, and end with the connection") {
  MqttWorld world(test_seed());
  auto options = lasting_member("s");
  options.topic_alias_maximum = 2;
  auto& subscriber = world.client(options);
  subscriber.subscribe("a/#", 1);
  auto& publisher = world.client({.client_id = "p"});
  const auto round = [&] {
    for (const auto* topic : {"a/1", "a/2", "a/3", "a/1", "a/2", "a/3"}) publisher.publish_and_wait(topic, topic);
    REQUIRE(subscriber.wait_received(6));
    for (std::size_t i = 0; i < 6; ++i) {
      const auto& got = subscriber.received[i];
      CHECK(got.topic == got.payload);
      CHECK(got.alias == (got.topic == "a/3" ? 0 : got.topic == "a/1" ? 1 : 2));
      CHECK(got.name_sent == (i < 3 || got.topic == "a/3"));
    }
  };
  round();
  subscriber.drop();
  subscriber.received.clear();
  subscriber.connect(options);
  round();
}

TEST_CASE("a message too large for the client is left out and holds up nothing, with an alias or without") {
  MqttWorld world(test_seed());
  auto options = lasting_member("s");
  options.maximum_packet_size = 100;
  options.topic_alias_maximum = 1;
  auto& subscriber = world.client(options);
  subscriber.subscribe("t", 1);
  auto& publisher = world.client({.client_id = "p"});
  const auto round = [&](bool away) {
    subscriber.received.clear();
    if (away) subscriber.drop();
    publisher.publish_and_wait("t", std::string(100, 'x'));
    // 100 bytes with the name and no alias: 2 + 3 + 2 + 1 of header.
    publisher.publish_and_wait("t", std::string(92, 'y'));
    publisher.publish_and_wait("t", "small");
    if (away) subscriber.connect(options);
    REQUIRE(subscriber.wait_received(2));
    world.run_for(500);
    CHECK(subscriber.payloads() == std::vector<std::string>{std::string(92, 'y'), "small"});
  };
  round(false);
  // The alias is known now, and longer than the name.
  round(false);
  round(true);
}

TEST_CASE("overlapping subscriptions make one delivery with the highest quality and all identifiers, while away too") {
  MqttWorld world(test_seed());
  auto& subscriber = world.client(lasting_member("s"));
  subscriber.subscribe("a/+", 0, 0, 11);
  subscriber.subscribe("a/b", 1, 0, 12);
  subscriber.subscribe("#", 0, 0, 13);
  auto& publisher = world.client({.client_id = "p"});
  const auto check = [&] {
    REQUIRE(subscriber.wait_received(1));
    world.run_for(500);
    REQUIRE(subscriber.received.size() == 1);
    CHECK(subscriber.received[0].qos == 1);
    auto identifiers = subscriber.received[0].identifiers;
    std::sort(identifiers.begin(), identifiers.end());
    CHECK(identifiers == std::vector<std::uint32_t>{11, 12, 13});
  };
  publisher.publish_and_wait("a/b", "x", 2);
  check();
  subscriber.drop();
  subscriber.received.clear();
  publisher.publish_and_wait("a/b", "x", 2);
  subscriber.connect(lasting_member("s"));
  check();
}

TEST_CASE("retained messages come as the client's window takes them, and go on after a reconnect") {
  MqttWorld world(test_seed());
  auto& publisher = world.client({.client_id = "p"});
  for (int i = 0; i < 500; ++i) publisher.publish("r/" + std::to_string(i), std::to_string(i), 1, true);
  REQUIRE(publisher.wait([&] { return publisher.count(PacketType::puback) == 500; }));
  auto options = lasting_member("s");
  options.receive_maximum = 10;
  auto& subscriber = world.client();
  subscriber.acknowledges = false;
  subscriber.connect(options);
  subscriber.subscribe("r/+", 1);
  REQUIRE(subscriber.wait_received(10));
  world.run_for(1000);
  CHECK(subscriber.received.size() == 10);
  subscriber.drop();
  auto first = subscriber.received;
  subscriber.received.clear();
  subscriber.acknowledges = true;
  subscriber.connect(options);
  REQUIRE(subscriber.wait([&] { return tally({&subscriber}).size() == 500; }));
  world.run_for(1000);
  CHECK(subscriber.received.size() == 500);
  for (const auto& got : subscriber.received) CHECK(got.retain);
}

TEST_CASE("retained messages say what is left of their expiry, and retain handling decides when they come") {
  MqttWorld world(test_seed());
  auto& publisher = world.client({.client_id = "p"});
  publisher.publish_and_wait("r", "kept", 1, true, 100);
  world.run_for(30'000);
  auto& subscriber = world.client({.client_id = "s"});
  subscriber.subscribe("r", 1, 0x10);
  REQUIRE(subscriber.wait_received(1));
  CHECK(*subscriber.received[0].expiry_s <= 70);
  CHECK(*subscriber.received[0].expiry_s >= 69);
  subscriber.subscribe("r", 1, 0x10);  // only if new
  subscriber.subscribe("r", 1, 0x20);  // never
  world.run_for(500);
  CHECK(subscriber.received.size() == 1);
  subscriber.subscribe("r", 1, 0);
  REQUIRE(subscriber.wait_received(2));
  subscriber.unsubscribe("r");
  subscriber.subscribe("r", 1, 0x10);
  REQUIRE(subscriber.wait_received(3));
  world.run_for(100'000);
  subscriber.subscribe("r", 1, 0);
  world.run_for(500);
  CHECK(subscriber.received.size() == 3);
}

TEST_CASE("a subscription is replaced without losing a message") {
  MqttWorld world(test_seed());
  auto& subscriber = world.client({.client_id = "s"});
  subscriber.subscribe("t", 1, 0, 1);
  auto& publisher = world.client({.client_id = "p"});
  for (int i = 0; i < 200; ++i) {
    publisher.publish("t", std::to_string(i));
    if (i % 20 == 0) subscriber.subscribe("t", 1, 0x20, static_cast<std::uint32_t>(i + 1));
  }
  REQUIRE(subscriber.wait_received(200));
  for (std::size_t i = 0; i < 200; ++i) CHECK(subscriber.received[i].payload == std::to_string(i));
}
