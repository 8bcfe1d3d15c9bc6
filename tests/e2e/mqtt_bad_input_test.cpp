// Braid, Apache-2.0.
//
// Clients that break off, lie, and flood: limits hold, memory comes back, and a client that behaves notices nothing.
#include <catch2/catch.hpp>
#include <fstream>
#include <random>

#include "e2e/support/broker.hpp"
#include "e2e/support/command.hpp"
#include "e2e/support/mqtt_wire.hpp"
#include "support/seed.hpp"

using namespace braid::e2e;
using namespace braid::e2e::wire;

namespace {

std::size_t resident_kib(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  return 0;
}
std::size_t open_files(int pid) {
  return std::stoul(run("ls /proc/" + std::to_string(pid) + "/fd | wc -l").out);
}

/// A client that behaves: it publishes to itself, and gets what it published.
class Bystander {
 public:
  explicit Bystander(std::uint16_t port) : client_(port, Connect{.client_id = "bystander"}) {
    client_.subscribe("bystander", 0);
  }
  void check() {
    const auto payload = std::to_string(++count_);
    client_.send(encode(Publish{.topic = "bystander", .payload = payload}));
    CHECK(client_.expect_publish().payload == payload);
  }

 private:
  Client client_;
  int count_ = 0;
};

/// A conversation of a client, packet by packet: what mutations start from. It leads through the states of a session:
/// nothing said, accepted, subscribed, a QoS 2 publish half done, aliases and a will set.
std::vector<std::string> conversation(int level, std::mt19937_64& random) {
  const std::string id = "bad" + std::to_string(random() % 8);
  std::vector<std::string> packets = {
      encode(Connect{.level = level,
                     .client_id = id,
                     .clean = random() % 2 == 0,
                     .keep_alive_s = 60,
                     .properties = level == 5 ? property(receive_maximum, 3u) + property(session_expiry, 1u) : "",
                     .will = random() % 2 ? std::optional(Will{.topic = "bad/will", .qos = 1}) : std::nullopt}),
      subscribe(level, 1, {{"bad/#", 2}, {"bad/+", 1}}),
      encode(Publish{.level = level, .topic = "bad/a", .payload = "0"}),
      encode(Publish{.level = level, .topic = "bad/b", .payload = "1", .qos = 1, .id = 2, .retain = true}),
      encode(Publish{.level = level,
                     .topic = "bad/c",
                     .payload = "2",
                     .qos = 2,
                     .id = 3,
                     .properties = level == 5 ? property(topic_alias, 1u) + property(user_property, "a", "b") : ""}),
      acknowledge(PUBACK, 1),
      acknowledge(PUBREC, 2),
      acknowledge(PUBCOMP, 2),
      acknowledge(PUBREL, 3),
      unsubscribe(level, 4, {"bad/+"}),
      pingreq(),
      encode(Publish{.level = level, .topic = "bad/d", .payload = std::string(3000, 'x'), .qos = 1, .id = 5}),
      disconnect(),
  };
  return packets;
}

std::string mutated(std::string bytes, std::mt19937_64& random) {
  switch (random() % 6) {
    case 0:  // a bit turned over
      bytes[random() % bytes.size()] ^= static_cast<char>(1u << random() % 8);
      return bytes;
    case 1:  // cut short, the length left as it was
      return bytes.substr(0, random() % bytes.size());
    case 2:  // bytes in the middle
      return bytes.insert(random() % bytes.size(), std::string(1 + random() % 9, static_cast<char>(random())));
    case 3:  // the type of another packet
      bytes[0] = static_cast<char>(random());
      return bytes;
    case 4:  // a length of its own
      bytes[1] = static_cast<char>(random());
      return bytes;
    default: {  // noise
      for (auto& byte : bytes) byte = static_cast<char>(random());
      return bytes;
    }
  }
}

}  // namespace

TEST_CASE("packets that are wrong in any way, in any state of a session, end that session and harm no other") {
  Broker broker({"mqtt.max_packet_bytes=8KiB"});
  Bystander bystander(broker.mqtt());
  const auto seed = braid::test_seed();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const auto round = [&] {
    for (int i = 0; i < 300; ++i) {
      Client client(broker.mqtt());
      const auto packets = conversation(3 + static_cast<int>(random() % 3), random);
      const auto wrong = random() % packets.size();
      for (std::size_t at = 0; at < wrong; ++at)
        if (at == 0 || random() % 4 != 0) client.send(packets[at]);
      client.send(mutated(packets[wrong], random));
      if (random() % 2) client.send(packets[random() % packets.size()]);
      if (random() % 4 == 0) client.read(static_cast<int>(random() % 3));
    }
    bystander.check();
  };
  round();
  const auto before = resident_kib(broker.pid());
  for (int i = 0; i < 4; ++i) round();
  CHECK(broker.running());
  CHECK(resident_kib(broker.pid()) < before + 32 * 1024);
  CHECK(broker.stop() == 0);
}

TEST_CASE("ten thousand clients that connect and drop, at any point of it, leave nothing behind") {
  Broker broker;
  Bystander bystander(broker.mqtt());
  const auto seed = braid::test_seed();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const auto some = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const int level = 3 + static_cast<int>(random() % 3);
      const auto hello = encode(Connect{.level = level, .client_id = "c" + std::to_string(random() % 100)});
      Client client(broker.mqtt());
      switch (random() % 4) {
        case 0:  // not a word
          break;
        case 1:  // half a CONNECT
          client.send(std::string_view(hello).substr(0, 1 + random() % (hello.size() - 1)));
          break;
        case 2:  // gone before the answer
          client.send(hello);
          break;
        default:
          client.send(hello + subscribe(level, 1, {{"d/" + std::to_string(random() % 50), 1}}));
          client.read(1000);
      }
    }
  };
  some(1000);
  bystander.check();
  const auto memory = resident_kib(broker.pid()), files = open_files(broker.pid());
  for (int i = 0; i < 9; ++i) {
    some(1000);
    bystander.check();
  }
  CHECK(eventually([&] { return open_files(broker.pid()) <= files + 5; }));
  CHECK(resident_kib(broker.pid()) < memory + 16 * 1024);
  CHECK(broker.stop() == 0);
}

TEST_CASE("connections that never finish their CONNECT are closed in time, and others get in meanwhile") {
  Broker broker({"limits.handshake_timeout=500ms", "limits.max_connections=200"});
  Bystander bystander(broker.mqtt());
  const auto hello = encode(Connect{.client_id = "half"});
  std::vector<Client> half;
  for (int i = 0; i < 100; ++i) {
    half.emplace_back(broker.mqtt());
    half.back().send(std::string_view(hello).substr(0, static_cast<std::size_t>(i) % hello.size()));
  }
  bystander.check();
  for (auto& client : half) CHECK(client.ends(5000));
  bystander.check();
}

TEST_CASE("a flood of subscriptions stops at the limit, each beyond it refused, and places come back") {
  Broker broker({"mqtt.max_subscriptions=1000"});
  Bystander bystander(broker.mqtt());
  for (const int level : {4, 5}) {
    Client client(broker.mqtt(), Connect{.level = level, .client_id = "flood"});
    unsigned granted = 0, refused = 0;
    for (int packet = 0; packet < 20; ++packet) {
      std::vector<Filter> filters;
      for (int i = 0; i < 100; ++i) filters.push_back({"flood/" + std::to_string(packet * 100 + i), 0});
      client.send(subscribe(level, static_cast<unsigned>(packet) + 1, filters));
      for (const auto reason : client.expect_answers(SUBACK).reasons) {
        if (reason == 0) ++granted;
        if (reason == (level == 5 ? 0x97u : 0x80u)) ++refused;
      }
    }
    CHECK(granted == 1000);
    CHECK(refused == 1000);
    // One that is there already may be replaced; one that went makes room.
    CHECK(client.subscribe("flood/5", 1) == 1);
    CHECK(client.subscribe("flood/new") == (level == 5 ? 0x97u : 0x80u));
    client.unsubscribe("flood/5");
    CHECK(client.subscribe("flood/new") == 0);
    bystander.check();
  }
}

TEST_CASE("a flood of retained topics stops at the limit and memory stays bounded") {
  Broker broker({"mqtt.max_retained_bytes=1MiB"});
  Bystander bystander(broker.mqtt());
  Client client(broker.mqtt(), Connect{.client_id = "flood"});
  unsigned kept = 0, refused = 0;
  for (int i = 0; i < 4000; ++i) {
    const auto reason = client.publish(
        {.topic = "flood/" + std::to_string(i), .payload = std::string(1000, 'x'), .qos = 1, .retain = true});
    if (reason < 0x80) ++kept;
    if (reason == 0x97) ++refused;
  }
  CHECK(kept + refused == 4000);
  CHECK(kept > 500);
  CHECK(refused > 2000);
  bystander.check();
  // Clearing one makes room again.
  for (int i = 0; i < 10; ++i)
    client.publish({.topic = "flood/" + std::to_string(i), .payload = "", .qos = 1, .retain = true});
  CHECK(client.publish({.topic = "flood/again", .payload = "x", .qos = 1, .retain = true}) < 0x80);
}

TEST_CASE("a flood of topic names that nobody subscribes to leaves no memory behind") {
  Broker broker;
  Bystander bystander(broker.mqtt());
  Client client(broker.mqtt(), Connect{.client_id = "flood"});
  const auto burst = [&](int begin) {
    std::string all;
    for (int i = begin; i < begin + 50000; ++i)
      all += encode(Publish{.topic = "names/" + std::to_string(i) + "/" + std::to_string(i * 7), .payload = "x"});
    client.send(all);
    client.ping();
  };
  burst(0);
  const auto before = resident_kib(broker.pid());
  for (int i = 1; i < 6; ++i) burst(i * 50000);
  CHECK(resident_kib(broker.pid()) < before + 16 * 1024);
  bystander.check();
}
