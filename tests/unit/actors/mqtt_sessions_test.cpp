// Braid, Apache-2.0.
//
// MQTT sessions that outlive their connection: take-over, what waits for a client that is away, sending again, wills
// with a delay, expiry. In the simulated world, where connections land on any of several loops and time is virtual.
#include "mqtt_world.hpp"
#include "support/seed.hpp"

using namespace braid;
using namespace braid::test;
using mqtt::PacketType;

namespace {

SimConnect lasting(const std::string& client_id, bool clean = false, std::uint32_t expiry_s = 1000) {
  return {.client_id = client_id, .clean = clean, .expiry_s = expiry_s};
}

std::vector<std::string> numbers(int from, int to) {
  std::vector<std::string> all;
  for (int i = from; i < to; ++i) all.push_back(std::to_string(i));
  return all;
}

}  // namespace

TEST_CASE("a session with an expiry keeps subscriptions and messages while its client is away") {
  for (const auto seed : {test_seed(), test_seed() + 1, test_seed() + 2}) {
    INFO("seed " << seed);
    MqttWorld world(seed);
    auto& subscriber = world.client(lasting("s"));
    CHECK_FALSE(subscriber.session_present);
    REQUIRE(subscriber.subscribe("a/#", 1) == 1);
    REQUIRE(subscriber.subscribe("b", 0) == 0);
    subscriber.drop();
    auto& publisher = world.client({.client_id = "p"});
    for (int i = 0; i < 500; ++i) publisher.publish_and_wait("a/x", std::to_string(i), i % 2 + 1);
    publisher.publish_and_wait("b", "QoS 0 is not kept", 1);
    subscriber.connect(lasting("s"));
    CHECK(subscriber.session_present);
    publisher.publish_and_wait("a/x", "live", 1);
    REQUIRE(subscriber.wait_received(501));
    auto expected = numbers(0, 500);
    expected.push_back("live");
    CHECK(subscriber.payloads() == expected);
    CHECK_FALSE(subscriber.received.front().duplicate);
  }
}

TEST_CASE("a clean start discards the session, and one without expiry ends with its connection") {
  MqttWorld world(test_seed());
  auto& publisher = world.client({.client_id = "p"});
  auto& one = world.client(lasting("one"));
  one.subscribe("t");
  one.drop();
  one.connect(lasting("one", true));
  CHECK_FALSE(one.session_present);
  publisher.publish_and_wait("t", "for nobody");
  auto& two = world.client({.client_id = "two", .clean = false});
  two.subscribe("t");
  two.drop();
  two.connect({.client_id = "two", .clean = false});
  CHECK_FALSE(two.session_present);
  publisher.publish_and_wait("t", "for nobody");
  world.run_for(1000);
  CHECK(one.received.empty());
  CHECK(two.received.empty());
}

TEST_CASE("MQTT 3.1.1 keeps a session without clean session, and tells that it is there") {
  MqttWorld world(test_seed());
  SimConnect options{.client_id = "old", .version = 4, .clean = false};
  auto& client = world.client(options);
  CHECK_FALSE(client.session_present);
  client.subscribe("t", 1);
  client.drop();
  auto& publisher = world.client({.client_id = "p"});
  publisher.publish_and_wait("t", "kept");
  world.run_for(100'000'000);
  client.connect(options);
  CHECK(client.session_present);
  REQUIRE(client.wait_received(1));
  options.clean = true;
  client.drop();
  client.connect(options);
  CHECK_FALSE(client.session_present);
}

TEST_CASE("a session ends when its expiry has passed, not before, and DISCONNECT may change when") {
  MqttWorld world(test_seed());
  auto& client = world.client(lasting("c", false, 10));
  client.drop();
  world.run_for(9'900);
  client.connect(lasting("c", false, 10));
  CHECK(client.session_present);
  client.drop();
  world.run_for(10'100);
  client.connect(lasting("c", false, 10));
  CHECK_FALSE(client.session_present);
  client.disconnect(mqtt::ReasonCode::normal_disconnection, 100);
  world.run_for(50'000);
  client.connect(lasting("c", false, 10));
  CHECK(client.session_present);
  client.disconnect(mqtt::ReasonCode::normal_disconnection, 0);
  client.connect(lasting("c", false, 10));
  CHECK_FALSE(client.session_present);
  // From 0 it cannot grow (3.14.2.2.2).
  client.drop();
  client.connect({.client_id = "d"});
  client.disconnect(mqtt::ReasonCode::normal_disconnection, 100);
  CHECK(client.disconnect_reason == 0x82);
}

TEST_CASE("an expiry above the maximum is lowered, and the client is told") {
  MqttWorld world(test_seed(), [](Settings& settings) { settings.mqtt_protocol.max_session_expiry_s = 20; });
  auto& client = world.client(lasting("c", false, UINT32_MAX));
  CHECK(client.granted_expiry_s == 20u);
  client.drop();
  world.run_for(20'100);
  client.connect(lasting("c", false, 5));
  CHECK_FALSE(client.session_present);
}

TEST_CASE("what was not acknowledged is sent again in its order, as a duplicate, and releases too") {
  MqttWorld world(test_seed());
  auto& subscriber = world.client();
  subscriber.acknowledges = false;
  subscriber.connect(lasting("s"));
  subscriber.subscribe("t/#", 2);
  auto& publisher = world.client({.client_id = "p"});
  for (int i = 0; i < 6; ++i) publisher.publish_and_wait("t/" + std::to_string(i), std::to_string(i), i % 2 + 1);
  REQUIRE(subscriber.wait_received(6));
  const auto first = subscriber.received;
  // 0, 2 and 4 are of QoS 1, 1, 3 and 5 of QoS 2. One of each is acknowledged.
  subscriber.acknowledge(PacketType::puback, first[2].id);
  subscriber.acknowledge(PacketType::pubrec, first[3].id);
  REQUIRE(subscriber.wait([&] { return subscriber.count(PacketType::pubrel) == 1; }));
  subscriber.drop();
  subscriber.received.clear();
  subscriber.acks.clear();
  subscriber.connect(lasting("s"));
  REQUIRE(subscriber.wait_received(4));
  CHECK(subscriber.payloads() == std::vector<std::string>{"0", "1", "4", "5"});
  for (const auto& again : subscriber.received) {
    CHECK(again.duplicate);
    CHECK(again.id == first[static_cast<std::size_t>(std::stoi(again.payload))].id);
  }
  REQUIRE(subscriber.acks.size() == 1);
  CHECK(subscriber.acks[0].type == PacketType::pubrel);
  CHECK(subscriber.acks[0].id == first[3].id);
}

TEST_CASE("a smaller receive maximum on the next connection bounds what is sent again") {
  MqttWorld world(test_seed());
  auto& subscriber = world.client();
  subscriber.acknowledges = false;
  subscriber.connect(lasting("s"));
  subscriber.subscribe("t", 1);
  auto& publisher = world.client({.client_id = "p"});
  for (int i = 0; i < 10; ++i) publisher.publish_and_wait("t", std::to_string(i));
  REQUIRE(subscriber.wait_received(10));
  subscriber.drop();
  subscriber.received.clear();
  auto options = lasting("s");
  options.receive_maximum = 3;
  subscriber.connect(options);
  publisher.publish_and_wait("t", "10");
  world.run_for(1000);
  REQUIRE(subscriber.received.size() == 3);
  subscriber.acknowledges = true;
  for (std::size_t i = 0; i < 3; ++i) subscriber.acknowledge(PacketType::puback, subscriber.received[i].id);
  REQUIRE(subscriber.wait_received(11));
  CHECK(subscriber.payloads() == numbers(0, 11));
}

TEST_CASE("a QoS 2 publish is stored once however often it comes before its release, across connections too") {
  MqttWorld world(test_seed());
  auto& subscriber = world.client({.client_id = "s"});
  subscriber.subscribe("t", 2);
  auto& publisher = world.client();
  publisher.acknowledges = false;
  publisher.connect(lasting("p"));
  publisher.publish("t", "once", 2, false, {}, 7);
  publisher.publish("t", "once", 2, false, {}, 7, true);
  REQUIRE(publisher.wait([&] { return publisher.count(PacketType::pubrec) == 2; }));
  publisher.drop();
  publisher.connect(lasting("p"));
  CHECK(publisher.session_present);
  publisher.publish("t", "once", 2, false, {}, 7, true);
  REQUIRE(publisher.wait([&] { return publisher.count(PacketType::pubrec) == 3; }));
  for (const auto& ack : publisher.acks) CHECK(ack.reason == 0);
  publisher.acknowledge(PacketType::pubrel, 7);
  REQUIRE(publisher.wait([&] { return publisher.acknowledged(PacketType::pubcomp, 7); }));
  CHECK(publisher.acks.back().reason == 0);
  publisher.acknowledge(PacketType::pubrel, 7);
  REQUIRE(publisher.wait([&] { return publisher.count(PacketType::pubcomp) == 2; }));
  CHECK(publisher.acks.back().reason == 0x92);
  publisher.publish("t", "next", 2, false, {}, 7);
  REQUIRE(subscriber.wait_received(2));
  world.run_for(1000);
  CHECK(subscriber.payloads() == std::vector<std::string>{"once", "next"});
}

TEST_CASE("a message does not outlive its expiry in the queue, and says what is left of it") {
  MqttWorld world(test_seed());
  auto& subscriber = world.client(lasting("s"));
  subscriber.subscribe("t", 1);
  subscriber.drop();
  auto& publisher = world.client({.client_id = "p"});
  publisher.publish_and_wait("t", "short", 1, false, 5);
  publisher.publish_and_wait("t", "long", 1, false, 100);
  world.run_for(20'000);
  subscriber.connect(lasting("s"));
  REQUIRE(subscriber.wait_received(1));
  world.run_for(1000);
  REQUIRE(subscriber.payloads() == std::vector<std::string>{"long"});
  REQUIRE(subscriber.received[0].expiry_s);
  CHECK(*subscriber.received[0].expiry_s <= 80);
  CHECK(*subscriber.received[0].expiry_s >= 79);
}

TEST_CASE("the queue of a client that is away is bounded, and what does not fit is dropped at its end") {
  MqttWorld world(test_seed(), [](Settings& settings) { settings.mqtt_protocol.max_queued_messages = 100; });
  auto& subscriber = world.client(lasting("s"));
  subscriber.subscribe("t", 1);
  subscriber.drop();
  auto& publisher = world.client({.client_id = "p"});
  for (int i = 0; i < 150; ++i) publisher.publish_and_wait("t", std::to_string(i));
  subscriber.connect(lasting("s"));
  REQUIRE(subscriber.wait_received(100));
  world.run_for(1000);
  CHECK(subscriber.payloads() == numbers(0, 100));
}

TEST_CASE("QoS 0 messages wait for a client that is away when the setting says so") {
  MqttWorld world(test_seed(), [](Settings& settings) { settings.mqtt_protocol.queue_qos0 = true; });
  auto& subscriber = world.client(lasting("s"));
  subscriber.subscribe("t", 0);
  subscriber.drop();
  auto& publisher = world.client({.client_id = "p"});
  for (int i = 0; i < 10; ++i) publisher.publish_and_wait("t", std::to_string(i));
  subscriber.connect(lasting("s"));
  REQUIRE(subscriber.wait_received(10));
  CHECK(subscriber.payloads() == numbers(0, 10));
  CHECK(subscriber.received[0].qos == 0);
}

TEST_CASE("a subscriber that does not keep up gets everything, in order, from memory and log") {
  for (const auto seed : {test_seed(), test_seed() + 1}) {
    INFO("seed " << seed);
    MqttWorld world(seed, [](Settings& settings) { settings.mqtt_protocol.queue_memory_bytes = 4096; });
    auto& subscriber = world.client();
    subscriber.acknowledges = false;
    auto options = lasting("s", true, seed % 2 == 0 ? 0 : 1000);
    options.receive_maximum = 5;
    subscriber.connect(options);
    subscriber.subscribe("t", 1);
    auto& publisher = world.client({.client_id = "p"});
    const std::string padding(100, '.');
    int sent = 0;
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < 60; ++i) publisher.publish("t", std::to_string(sent++) + padding);
      // Some of it is taken, so that memory and log are read and written in turns.
      const std::size_t taken = subscriber.received.size() + 20 + world.world().random() % 60;
      std::size_t answered = subscriber.received.size() - std::min<std::size_t>(subscriber.received.size(), 5);
      world.world().run_until(
          [&] {
            for (; answered < subscriber.received.size() && answered < taken; ++answered)
              subscriber.acknowledge(PacketType::puback, subscriber.received[answered].id);
            return answered >= taken;
          },
          2000);
    }
    subscriber.acknowledges = true;
    for (const auto& one : subscriber.received) subscriber.acknowledge(PacketType::puback, one.id);
    REQUIRE(subscriber.wait_received(static_cast<std::size_t>(sent), 120'000));
    for (int i = 0; i < sent; ++i)
      REQUIRE(subscriber.received[static_cast<std::size_t>(i)].payload == std::to_string(i) + padding);
  }
}

TEST_CASE("a connection takes over another's session, wherever they are, without losing or repeating") {
  const auto first = test_seed();
  for (std::uint64_t seed = first; seed < first + 6; ++seed) {
    INFO("seed " << seed);
    MqttWorld world(seed);
    auto& publisher = world.client({.client_id = "p"});
    auto* holder = &world.client(lasting("s"));
    holder->subscribe("t", 1);
    std::vector<MqttSim*> all{holder};
    int sent = 0;
    for (int round = 0; round < 8; ++round) {
      for (int i = 0; i < 20; ++i) publisher.publish("t", std::to_string(sent++));
      world.run_for(static_cast<std::int64_t>(world.world().random() % 5));
      auto& next = world.client();
      next.connect(lasting("s"));
      CHECK(next.session_present);
      REQUIRE(holder->wait([&] { return holder->closed(); }));
      CHECK(holder->disconnect_reason == 0x8E);
      holder = &next;
      all.push_back(holder);
    }
    // QoS 1 may repeat what was in flight; first copies come in order and none is missing.
    std::vector<std::string> order;
    const auto gather = [&] {
      order.clear();
      for (const auto* one : all)
        for (const auto& got : one->received)
          if (std::find(order.begin(), order.end(), got.payload) == order.end()) order.push_back(got.payload);
      return order.size();
    };
    REQUIRE(world.world().run_until([&] { return gather() == static_cast<std::size_t>(sent); }, 30000));
    CHECK(order == numbers(0, sent));
    for (const auto* one : all) {
      std::set<std::string> seen;
      for (const auto& got : one->received) CHECK((seen.insert(got.payload).second || got.duplicate));
    }
  }
}

TEST_CASE("of several connections that want one client identifier at once, one is left with the whole session") {
  const auto first = test_seed();
  for (std::uint64_t seed = first; seed < first + 10; ++seed) {
    INFO("seed " << seed);
    MqttWorld world(seed);
    auto& publisher = world.client({.client_id = "p"});
    auto& begin = world.client(lasting("s"));
    begin.subscribe("t", 1);
    begin.drop();
    std::vector<MqttSim*> rivals;
    for (int i = 0; i < 6; ++i) {
      rivals.push_back(&world.client());
      rivals.back()->dial(lasting("s"));
      if (world.world().random() % 3 == 0) world.run_for(static_cast<std::int64_t>(world.world().random() % 4));
      if (world.world().random() % 4 == 0) rivals.back()->drop();
      publisher.publish("t", std::to_string(i));
    }
    world.run_for(5000);
    std::size_t open = 0;
    for (auto* rival : rivals) open += rival->connack == 0 && !rival->closed() ? 1 : 0;
    CHECK(open <= 1);
    auto& last = world.client(lasting("s"));
    CHECK(last.session_present);
    world.run_for(1000);
    std::set<std::string> seen;
    rivals.push_back(&last);
    for (auto* rival : rivals)
      for (const auto& got : rival->received) seen.insert(got.payload);
    CHECK(seen.size() == 6);
  }
}

// -- wills ------------------------------------------------------------------------------------------------------------

namespace {
struct WillWatch {
  explicit WillWatch(MqttWorld& in) : world(in), watcher(in.client({.client_id = "watcher"})) {
    watcher.subscribe("will/#", 1);
    watcher.on_publish = [this](const SimPublish&) { at_ms = world.now_ms(); };
  }
  /// Milliseconds from `since_ms` until a will came; nothing when none came within the time.
  std::optional<std::int64_t> comes(std::int64_t since_ms, std::int64_t within_ms) {
    const auto before = watcher.received.size();
    if (!watcher.wait_received(before + 1, within_ms)) return std::nullopt;
    return at_ms - since_ms;
  }
  MqttWorld& world;
  MqttSim& watcher;
  std::int64_t at_ms = 0;
};
}  // namespace

TEST_CASE("a delayed will comes on time, at the end of its delay or of its session, never early") {
  MqttWorld world(test_seed());
  WillWatch watch(world);
  auto options = lasting("c", true, 100);
  options.will = SimWill{"will/c", "gone", 1, false, 7};
  auto& client = world.client(options);
  // The network takes up to 4 ms each way here.
  client.drop();
  auto waited = watch.comes(world.now_ms(), 60'000);
  REQUIRE(waited);
  CHECK(*waited >= 7000);
  CHECK(*waited <= 7020);

  options.expiry_s = 3;
  client.connect(options);
  client.drop();
  waited = watch.comes(world.now_ms(), 60'000);
  REQUIRE(waited);
  CHECK(*waited >= 3000);
  CHECK(*waited <= 3020);

  // Without a session of its own it does not wait at all.
  options.expiry_s = 0;
  client.connect(options);
  client.drop();
  waited = watch.comes(world.now_ms(), 60'000);
  REQUIRE(waited);
  CHECK(*waited <= 30);
}

TEST_CASE("a delayed will is cancelled when the session is resumed in time, and dropped by a normal DISCONNECT") {
  MqttWorld world(test_seed());
  WillWatch watch(world);
  auto options = lasting("c", false, 100);
  options.will = SimWill{"will/c", "gone", 1, false, 7};
  auto& client = world.client(options);
  client.drop();
  world.run_for(6000);
  client.connect(lasting("c", false, 100));
  CHECK_FALSE(watch.comes(world.now_ms(), 200'000));
  client.drop();
  client.connect(options);
  client.disconnect();
  CHECK_FALSE(watch.comes(world.now_ms(), 200'000));
  client.connect(options);
  const auto since = world.now_ms();
  client.disconnect(mqtt::ReasonCode::disconnect_with_will);
  const auto waited = watch.comes(since, 60'000);
  REQUIRE(waited);
  CHECK(*waited >= 7000);
}

TEST_CASE("a take-over publishes the will unless the session goes on and the will has a delay") {
  struct Case {
    std::uint32_t delay_s, expiry_s;
    bool clean, comes;
  };
  for (const auto& one :
       {Case{0, 100, false, true}, Case{7, 0, false, true}, Case{7, 100, true, true}, Case{7, 100, false, false}}) {
    MqttWorld world(test_seed());
    WillWatch watch(world);
    auto options = lasting("c", false, one.expiry_s);
    options.will = SimWill{"will/c", "gone", 1, false, one.delay_s};
    world.client(options);
    const auto since = world.now_ms();
    world.client(lasting("c", one.clean, 100));
    // It may have come before the second connection had its CONNACK.
    std::optional<std::int64_t> waited;
    if (watch.watcher.wait_received(1, 50'000)) waited = watch.at_ms - since;
    INFO("delay " << one.delay_s << " expiry " << one.expiry_s << " clean " << one.clean);
    CHECK(waited.has_value() == one.comes);
    if (waited) CHECK(*waited <= 60);
  }
}

TEST_CASE("an MQTT 3.1.1 will comes at once, and not after any DISCONNECT") {
  MqttWorld world(test_seed());
  WillWatch watch(world);
  SimConnect options{.client_id = "old", .version = 4, .clean = false};
  options.will = SimWill{"will/old", "gone", 1, false, 0};
  auto& client = world.client(options);
  client.drop();
  const auto waited = watch.comes(world.now_ms(), 60'000);
  REQUIRE(waited);
  CHECK(*waited <= 30);
  client.connect(options);
  client.disconnect();
  CHECK_FALSE(watch.comes(world.now_ms(), 60'000));
}

TEST_CASE("a session that comes back after its client was away is on the log only while it has to be") {
  MqttWorld world(test_seed());
  auto& publisher = world.client({.client_id = "p"});
  auto& subscriber = world.client(lasting("s"));
  subscriber.subscribe("t", 1);
  // Many times, so that partitions are given back and lent again.
  int sent = 0;
  for (int round = 0; round < 20; ++round) {
    subscriber.drop();
    subscriber.received.clear();
    for (int i = 0; i < 5; ++i) publisher.publish_and_wait("t", std::to_string(sent++));
    subscriber.connect(lasting("s"));
    REQUIRE(subscriber.session_present);
    REQUIRE(subscriber.wait_received(5));
    CHECK(subscriber.payloads() == numbers(sent - 5, sent));
    world.run_for(50);
  }
}
