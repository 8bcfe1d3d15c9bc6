// Braid, Apache-2.0.
//
// What reaches a subscription: every message once, be it published just before, just behind or while the SUBSCRIBE is
// worked on, however long the look-up of retained messages takes. In the simulated world, over many orders of the same
// messages.
#include <algorithm>
#include <map>
#include <set>

#include "mqtt_world.hpp"
#include "support/seed.hpp"

using namespace braid;
using namespace braid::test;

namespace {

void append_subscribe(ByteWriter& out, std::uint16_t id, const std::string& filter, std::uint8_t options) {
  ByteWriter list;
  mqtt::append_request(list, filter, mqtt::SubscriptionOptions::from(options));
  mqtt::Subscribe subscribe;
  subscribe.packet_id = PacketId{id};
  subscribe.requests = mqtt::RequestList<mqtt::SubscriptionRequest>(list.view(), 1, 128);
  mqtt::encode(out, mqtt::ProtocolLevel::v5, subscribe);
}
void append_publish(ByteWriter& out, std::uint16_t id, const std::string& topic, const std::string& payload) {
  mqtt::Publish publish;
  publish.topic = topic;
  publish.payload = payload;
  publish.qos = id == 0 ? mqtt::QoS::at_most_once : mqtt::QoS::at_least_once;
  publish.packet_id = PacketId{id};
  mqtt::encode(out, mqtt::ProtocolLevel::v5, publish);
}

}  // namespace

TEST_CASE("a publish right behind a subscribe reaches that subscription") {
  const auto first = test_seed();
  for (auto seed = first; seed < first + 10; ++seed) {
    CAPTURE(seed);
    MqttWorld world(seed);
    world.create_topic("stored", 3);
    auto& client = world.client({.client_id = "c"});
    ByteWriter out;
    std::vector<std::string> expected;
    std::uint16_t id = 0;
    // A group's router may be on another loop than the session's.
    for (const std::string filter : {"live/a", "stored/#", "$share/g/live/b", "$share/h/live/c", "+/d"}) {
      append_subscribe(out, ++id, filter, 1);
      auto topic = filter.substr(filter.starts_with("$share") ? 9 : 0);
      if (topic == "stored/#") topic = "stored/x";
      if (topic == "+/d") topic = "other/d";
      for (const std::uint16_t qos : {0, 1}) {
        append_publish(out, qos == 0 ? std::uint16_t{0} : ++id, topic, topic + std::to_string(qos));
        expected.push_back(topic + std::to_string(qos));
      }
    }
    client.write(out.finish());
    REQUIRE(client.wait_received(expected.size()));
    CHECK(client.subacks.size() == 5);
    auto got = client.payloads();
    std::sort(got.begin(), got.end());
    std::sort(expected.begin(), expected.end());
    CHECK(got == expected);
    CHECK(client.count(mqtt::PacketType::puback) == 5);
  }
}

TEST_CASE("a message that is retained behind a subscription comes once, although the look-up comes to it later") {
  MqttWorld world(test_seed());
  auto& publisher = world.client({.client_id = "p"});
  constexpr int names = 250;
  for (int i = 0; i < names; ++i) publisher.publish_and_wait("a/" + std::to_string(i), "old", 1, true);
  auto& subscriber = world.client();
  subscriber.acknowledges = false;
  subscriber.connect({.client_id = "s", .receive_maximum = 1});
  // The first look-up waits for the client, and the second one for the first.
  REQUIRE(subscriber.subscribe("a/#", 1) == 1);
  REQUIRE(subscriber.subscribe("b", 0) == 0);
  publisher.publish_and_wait("b", "live", 1, true);
  for (int i = 0; i < names; i += 50) publisher.publish_and_wait("a/" + std::to_string(i), "new", 1, true);
  publisher.publish_and_wait("a/more", "new", 1, true);
  // What the first look-up had found already may come in its old form first.
  std::map<std::string, std::vector<std::string>> seen;
  const auto newest = [](const std::string& name) {
    for (int i = 0; i < names; ++i)
      if (i % 50 != 0 && name == "a/" + std::to_string(i)) return "old";
    return name == "b" ? "live" : "new";
  };
  REQUIRE(subscriber.wait([&] {
    for (const auto& one : std::exchange(subscriber.received, {})) {
      seen[one.topic].push_back(one.payload);
      if (one.qos == 1) subscriber.acknowledge(mqtt::PacketType::puback, one.id);
    }
    if (seen.size() < names + 2) return false;
    return std::all_of(seen.begin(), seen.end(),
                       [&](const auto& one) { return one.second.back() == newest(one.first); });
  }));
  world.run_for(1000);
  CHECK(subscriber.received.empty());
  int skipped = 0;
  for (auto& [name, payloads] : seen) {
    CAPTURE(name, payloads);
    skipped += payloads.size() == 1 && payloads[0] == "new" ? 1 : 0;
    if (payloads.size() == 2 && payloads[0] == "old") payloads.erase(payloads.begin());
    CHECK(payloads == std::vector<std::string>{newest(name)});
  }
  // Of the second and the third page, or the test shows nothing.
  CHECK(skipped > 1);
}

TEST_CASE("a client that subscribes faster than its retained messages are looked up gets all of them") {
  MqttWorld world(test_seed());
  auto& publisher = world.client({.client_id = "p"});
  std::set<std::string> expected;
  constexpr std::uint16_t filters = 3000;
  for (int i = 0; i < filters; i += 30) {
    expected.insert("a/" + std::to_string(i));
    publisher.publish_and_wait("a/" + std::to_string(i), "old", 1, true);
  }
  // One message at a time: its acknowledgements must be read although no more subscriptions are taken meanwhile.
  auto& subscriber = world.client({.client_id = "s", .receive_maximum = 1});
  ByteWriter out;
  for (std::uint16_t id = 0; id < filters; ++id)
    append_subscribe(out, static_cast<std::uint16_t>(id + 1), "a/" + std::to_string(id), 1);
  subscriber.write(out.finish());
  REQUIRE(subscriber.wait([&] { return subscriber.subacks.size() == filters; }));
  REQUIRE(subscriber.wait_received(expected.size()));
  world.run_for(1000);
  std::set<std::string> got;
  for (const auto& one : subscriber.received) CHECK(got.insert(one.topic).second);
  CHECK(got == expected);
}

TEST_CASE("no retained message is missed by those who subscribe while it is published") {
  const auto first = test_seed();
  for (auto seed = first; seed < first + 30; ++seed) {
    CAPTURE(seed);
    MqttWorld world(seed);
    if (seed % 2 == 0) world.create_topic("r", 2);
    std::vector<MqttSim*> publishers, subscribers;
    for (int i = 0; i < 3; ++i) publishers.push_back(&world.client({.client_id = "p" + std::to_string(i)}));
    for (int i = 0; i < 3; ++i) subscribers.push_back(&world.client({.client_id = "s" + std::to_string(i)}));
    // Several reads of each publisher, so that some wait for the keeper behind others.
    std::set<std::string> names;
    for (int round = 0; round < 6; ++round) {
      for (std::size_t i = 0; i < publishers.size(); ++i) {
        const auto name = "r/" + std::to_string(i) + "/" + std::to_string(round);
        publishers[i]->publish(name, name, 1, true);
        names.insert(name);
      }
      if (round % 2 == 1) {
        ByteWriter out;
        append_subscribe(out, 1, "r/#", 1);
        subscribers[static_cast<std::size_t>(round / 2)]->write(out.finish());
      }
    }
    for (auto* subscriber : subscribers) {
      std::set<std::string> got;
      subscriber->wait(
          [&] {
            for (const auto& one : subscriber->received) got.insert(one.topic);
            return got.size() == names.size();
          },
          5000);
      CHECK(got == names);
    }
  }
}

TEST_CASE("a connection whose CONNACK the client has no room for changes nothing of its session") {
  MqttWorld world(test_seed());
  const SimConnect options{.client_id = "c",
                           .clean = false,
                           .expiry_s = 100,
                           .will = SimWill{.topic = "will", .payload = "gone", .delay_s = 50}};
  auto narrow = options;
  narrow.maximum_packet_size = 10;
  narrow.will.reset();
  const auto refused = [&] {
    auto& other = world.client();
    other.dial(narrow);
    REQUIRE(other.wait([&] { return other.closed(); }));
    CHECK(other.connack == 0x95);
  };
  auto& watcher = world.client({.client_id = "w"});
  watcher.subscribe("will");
  auto& client = world.client(options);
  client.subscribe("t", 1);
  refused();
  world.run_for(100);
  CHECK_FALSE(client.closed());
  client.drop();
  watcher.publish_and_wait("t", "kept");
  world.run_for(20'000);
  refused();
  narrow.clean = true;
  refused();
  world.run_for(25'000);
  CHECK(watcher.received.empty());
  REQUIRE(watcher.wait_received(1, 10'000));
  CHECK(watcher.received.front().payload == "gone");
  client.connect(options);
  CHECK(client.session_present);
  REQUIRE(client.wait_received(1));
  CHECK(client.received.front().payload == "kept");
  client.drop();
  // Its hundred seconds go on.
  world.run_for(99'000);
  refused();
  world.run_for(2'000);
  client.connect(options);
  CHECK_FALSE(client.session_present);
}
