// Braid, Apache-2.0.
//
// The main job at size: a million messages of 100 bytes, published by MQTT QoS 1 over 50 connections, are read by a
// Kafka consumer group of three; none is lost, none is out of order within its key.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <thread>

#include "e2e/support/broker.hpp"
#include "e2e/support/kafka.hpp"
#include "e2e/support/mqtt.hpp"

using namespace braid::e2e;

TEST_CASE("a million messages over 50 MQTT connections are read by a Kafka group, none lost, none out of order") {
  constexpr int connections = 50, each = 20000;
  Broker broker;
  broker.create_topic("fleet", 12);

  std::atomic<bool> stop{false};
  std::atomic<int> consumed{0};
  struct Seen {
    std::map<std::string, std::map<int, int>> values;  // key -> value -> times
    int disorder = 0;
  };
  std::vector<Seen> seen(3);
  std::vector<std::thread> group;
  for (auto& mine : seen) {
    group.emplace_back([&broker, &mine, &stop, &consumed] {
      KafkaConsumer consumer(broker.bootstrap(), "readers", {"fleet"});
      std::map<std::pair<std::int32_t, std::string>, int> last;
      while (!stop) {
        auto message = consumer.poll(100);
        if (!message) continue;
        const int value = std::stoi(*message->value);
        // Within what one member reads of a key the order is that of the log, even when a rebalance repeats some.
        auto& previous = last.try_emplace({message->partition, *message->key}, value - 1).first->second;
        if (value > previous + 1) ++mine.disorder;
        previous = value;
        if (mine.values[*message->key][value]++ == 0) ++consumed;
      }
    });
  }

  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> devices;
  std::atomic<int> failed{0};
  for (int device = 0; device < connections; ++device) {
    devices.emplace_back([&broker, &failed, device] {
      MqttClient client(broker.mqtt(),
                        {.client_id = "device-" + std::to_string(device), .version = device % 2 ? 5 : 4});
      const std::string topic = "fleet/device/" + std::to_string(device);
      for (int i = 0; i < each; ++i) {
        std::string payload = std::to_string(i);
        payload.resize(100, ' ');
        client.publish(topic, payload, 1);
        // A device does not run far ahead of its acknowledgements.
        if (i % 1000 == 999 && !client.wait_acknowledged(static_cast<std::size_t>(i - 999))) ++failed;
      }
      if (!client.wait_acknowledged(each, 300000)) ++failed;
    });
  }
  for (auto& device : devices) device.join();
  const double published_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  CHECK(failed == 0);
  while (consumed < connections * each && std::chrono::steady_clock::now() - begin < std::chrono::seconds(500))
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const double read_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  stop = true;
  for (auto& member : group) member.join();
  std::printf("published and acknowledged in %.1f s (%.0f/s), read in %.1f s\n", published_s,
              connections * each / published_s, read_s);

  std::map<std::string, std::map<int, int>> all;
  for (auto& mine : seen) {
    CHECK(mine.disorder == 0);
    for (auto& [key, values] : mine.values)
      for (auto& [value, times] : values) all[key][value] += times;
  }
  REQUIRE(all.size() == connections);
  for (const auto& [key, values] : all) {
    CHECK(values.size() == each);
    CHECK(values.begin()->first == 0);
    CHECK(values.rbegin()->first == each - 1);
  }
}
