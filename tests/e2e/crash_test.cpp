// Braid, Apache-2.0.
//
// kill -9 under load, again and again: nothing that was acknowledged, over either protocol, may be missing, and the
// broker comes back by itself in seconds. BRAID_CRASHES sets another number of rounds.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "e2e/support/broker.hpp"
#include "e2e/support/command.hpp"
#include "e2e/support/kafka.hpp"
#include "e2e/support/mqtt.hpp"

using namespace braid::e2e;

namespace {

/// What clients were told is safe.
class Promises {
 public:
  void keep(const std::string& value) {
    const std::lock_guard lock(mutex_);
    values_.insert(value);
  }
  std::set<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return values_;
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return values_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::string> values_;
};

}  // namespace

TEST_CASE("no acknowledged message is missing after the broker was killed under load, twenty times over") {
  const char* rounds_text = std::getenv("BRAID_CRASHES");
  const int rounds = rounds_text ? std::atoi(rounds_text) : 20;
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  Broker broker({"storage.file_bytes=4MiB"});
  broker.create_topic("kept", 6);
  Promises promises;
  int slowest_ms = 0;

  for (int round = 0; round < rounds; ++round) {
    std::atomic<bool> stop{false};
    std::vector<std::thread> load;
    for (int device = 0; device < 3; ++device) {
      load.emplace_back([&, device] {
        try {
          MqttClient client(broker.mqtt());
          std::map<int, std::string> sent;
          const std::string topic = "kept/" + std::to_string(device);
          for (int i = 0; !stop && client.connected(); ++i) {
            const std::string value =
                "m-" + std::to_string(round) + "-" + std::to_string(device) + "-" + std::to_string(i);
            sent[client.publish(topic, value, 1 + i % 2)] = value;
            if (i % 50 == 49) {
              for (auto at = sent.begin(); at != sent.end();) {
                if (!client.is_acknowledged(at->first)) {
                  ++at;
                  continue;
                }
                promises.keep(at->second);
                at = sent.erase(at);
              }
              if (sent.size() > 2000) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
          }
          for (const auto& [id, value] : sent)
            if (client.is_acknowledged(id)) promises.keep(value);
        } catch (const std::exception&) {
          // The broker went while the client connected or published: nothing was promised for that.
        }
      });
    }
    load.emplace_back([&] {
      KafkaProducer producer(broker.bootstrap(), {{"enable.idempotence", "true"}, {"message.timeout.ms", "60000"}});
      for (int i = 0; !stop; ++i) {
        const std::string value = "k-" + std::to_string(round) + "-" + std::to_string(i);
        producer.send("kept", "kept/k" + std::to_string(i % 7), value,
                      [&promises, value](const std::string& error, auto, auto) {
                        if (error.empty()) promises.keep(value);
                      });
        producer.poll(0);
        if (i % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
    const std::size_t before = promises.count();
    eventually([&] { return promises.count() > before + 200; }, 20000);
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 200));
    broker.kill();
    stop = true;
    for (auto& one : load) one.join();
    const auto begin = std::chrono::steady_clock::now();
    broker.start();
    slowest_ms = std::max(
        slowest_ms,
        static_cast<int>(
            std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin).count()));
  }

  std::set<std::string> found;
  std::map<std::pair<std::int32_t, std::int64_t>, std::string> offsets;
  for (const auto& message : read_all(broker.bootstrap(), "kept")) {
    found.insert(*message.value);
    CHECK(offsets.emplace(std::pair(message.partition, message.offset), *message.value).second);
  }
  std::size_t missing = 0;
  for (const auto& value : promises.all())
    if (!found.contains(value) && ++missing <= 5) UNSCOPED_INFO("missing: " << value);
  CHECK(missing == 0);
  CHECK(promises.count() > static_cast<std::size_t>(rounds) * 200);
  CHECK(slowest_ms < 5000);
}
