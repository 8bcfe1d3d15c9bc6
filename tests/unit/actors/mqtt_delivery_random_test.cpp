// Braid, Apache-2.0.
//
// Deliveries against what MQTT promises, at random: devices publish at QoS 1 and 2 and subscribe, their connections
// break at any moment, before or after they answered, on both sides; some of what they publish is stored in a topic,
// some is live. At the end nothing is missing, nothing came twice at QoS 2, and each subscriber has each publisher's
// messages of a topic and quality in their order.
#include <deque>
#include <map>
#include <set>

#include "mqtt_world.hpp"
#include "support/seed.hpp"

using namespace braid;
using namespace braid::test;
using mqtt::PacketType;

namespace {

/// A client that keeps its side of the session as section 4.3 says, whatever happens to its connection.
class Device {
 public:
  Device(MqttWorld& world, std::string client_id, std::uint16_t receive_maximum)
      : sim_(world.client()), client_id_(std::move(client_id)), receive_maximum_(receive_maximum) {
    sim_.acknowledges = false;
  }

  void connect() {
    received_seen_ = acks_seen_ = 0;
    sim_.received.clear();
    sim_.acks.clear();
    resent_ = false;
    sim_.dial({.client_id = client_id_, .clean = false, .expiry_s = 100'000, .receive_maximum = receive_maximum_});
  }
  bool connected() const { return sim_.connack == 0 && !sim_.closed(); }
  bool down() const { return sim_.closed(); }
  void drop() { sim_.drop(); }
  MqttSim& sim() { return sim_; }

  void publish(const std::string& topic, int qos) {
    Outgoing one{topic, client_id_ + ":" + std::to_string(next_value_++), qos, false};
    std::uint16_t id = 0;
    do id = next_id_ = static_cast<std::uint16_t>(next_id_ % 200 + 1);
    while (outgoing_.contains(id));
    order_.push_back(id);
    outgoing_[id] = one;
    published[{topic, qos}].push_back(one.payload);
    if (connected() && resent_) sim_.publish(one.topic, one.payload, one.qos, false, {}, id);
  }
  std::size_t unfinished() const { return outgoing_.size(); }

  /// Handles what has arrived; `most` packets at once, so that connections break in the middle of it.
  void step(std::size_t most) {
    if (!connected()) return;
    if (!resent_) {
      resent_ = true;
      if (ever_) CHECK(sim_.session_present);
      ever_ = true;
      for (const auto id : order_) {
        const auto& one = outgoing_.at(id);
        if (one.released)
          sim_.acknowledge(PacketType::pubrel, id);
        else
          sim_.publish(one.topic, one.payload, one.qos, false, {}, id, true);
      }
    }
    for (; most > 0 && received_seen_ < sim_.received.size(); --most) take(sim_.received[received_seen_++]);
    for (; most > 0 && acks_seen_ < sim_.acks.size(); --most) take(sim_.acks[acks_seen_++]);
  }
  bool idle() const { return received_seen_ == sim_.received.size() && acks_seen_ == sim_.acks.size(); }

  std::map<std::pair<std::string, int>, std::vector<std::string>> published, got;  ///< by topic and quality
  std::size_t repeated_at_qos2 = 0;

 private:
  struct Outgoing {
    std::string topic, payload;
    int qos = 1;
    bool released = false;
  };
  void take(const SimPublish& publish) {
    auto& list = got[{publish.topic, publish.qos}];
    if (publish.qos == 1) {
      if (seen_.insert(publish.payload).second) list.push_back(publish.payload);
      return sim_.acknowledge(PacketType::puback, publish.id);
    }
    if (held_.insert(publish.id).second) {
      if (!seen_.insert(publish.payload).second) ++repeated_at_qos2;
      list.push_back(publish.payload);
    }
    sim_.acknowledge(PacketType::pubrec, publish.id);
  }
  void take(const SimAck& ack) {
    switch (ack.type) {
      case PacketType::puback:
      case PacketType::pubcomp:
        if (outgoing_.erase(ack.id) != 0) std::erase(order_, ack.id);
        return;
      case PacketType::pubrec:
        if (const auto at = outgoing_.find(ack.id); at != outgoing_.end()) at->second.released = true;
        return sim_.acknowledge(PacketType::pubrel, ack.id);
      default:
        held_.erase(ack.id);
        return sim_.acknowledge(PacketType::pubcomp, ack.id);
    }
  }

  MqttSim& sim_;
  std::string client_id_;
  std::uint16_t receive_maximum_;
  std::map<std::uint16_t, Outgoing> outgoing_;
  std::deque<std::uint16_t> order_;
  std::set<std::uint16_t> held_;  ///< QoS 2 identifiers that are not released
  std::set<std::string> seen_;
  std::uint16_t next_id_ = 0;
  std::uint64_t next_value_ = 0;
  std::size_t received_seen_ = 0, acks_seen_ = 0;
  bool resent_ = false, ever_ = false;
};

void simulate(std::uint64_t seed) {
  MqttWorld world(seed, [&](Settings& settings) {
    // Small enough that queues go to the log and back all the time.
    settings.mqtt_protocol.queue_memory_bytes = seed % 3 == 0 ? 4096 : 20'000;
    settings.storage.idle_partition_timeout_ms = 1000;
  });
  world.create_topic("kept", 2);
  auto& chance = world.world();
  std::deque<Device> devices;
  for (int i = 0; i < 5; ++i)
    devices.emplace_back(world, "d" + std::to_string(i), static_cast<std::uint16_t>(i % 2 == 0 ? 3 : 50));
  for (auto& device : devices) {
    device.connect();
    REQUIRE(chance.run_until([&] { return device.connected(); }, 10'000));
    REQUIRE(device.sim().subscribe("+/#", 2) == 2);
    device.step(0);
  }
  const std::string topics[] = {"live/a", "live/b", "kept/a", "kept/b"};
  for (int round = 0; round < 300; ++round) {
    auto& device = devices[chance.random() % devices.size()];
    const auto what = chance.random() % 100;
    if (what < 6) {
      device.drop();
    } else if (what < 50) {
      for (std::uint64_t n = chance.random() % 5; n > 0 && device.unfinished() < 100; --n)
        device.publish(topics[chance.random() % 4], static_cast<int>(chance.random() % 2) + 1);
    }
    for (auto& one : devices) {
      if (one.down() && chance.random() % 10 == 0) one.connect();
      one.step(chance.random() % 8);
    }
    world.run_for(static_cast<std::int64_t>(chance.random() % 6));
  }
  const auto settled = [&] {
    for (auto& device : devices) {
      if (device.down()) device.connect();
      device.step(100);
      if (!device.connected() || !device.idle() || device.unfinished() != 0) return false;
    }
    std::map<std::pair<std::string, int>, std::size_t> wanted;
    for (const auto& device : devices)
      for (const auto& [key, list] : device.published) wanted[key] += list.size();
    for (const auto& device : devices)
      for (const auto& [key, count] : wanted) {
        const auto at = device.got.find(key);
        if (at == device.got.end() || at->second.size() < count) return false;
      }
    return true;
  };
  CHECK(chance.run_until(settled, 60'000));
  world.run_for(1000);
  for (auto& device : devices) device.step(1000);
  for (const auto& device : devices) {
    CHECK(device.repeated_at_qos2 == 0);
    for (const auto& from : devices)
      for (const auto& [key, list] : from.published) {
        std::vector<std::string> got;
        const std::set<std::string> his(list.begin(), list.end());
        if (const auto at = device.got.find(key); at != device.got.end())
          for (const auto& payload : at->second)
            if (his.contains(payload)) got.push_back(payload);
        INFO(key.first << " at QoS " << key.second);
        CHECK(got == list);
      }
  }
}

}  // namespace

TEST_CASE("over connections that break nothing is lost, nothing comes twice at QoS 2, and order is kept") {
  const auto first = test_seed();
  for (std::uint64_t seed = first; seed < first + 12; ++seed) {
    INFO("seed " << seed);
    simulate(seed);
  }
}
