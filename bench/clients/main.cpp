// Braid, Apache-2.0.
//
// What clients see: throughput and latency through librdkafka and libmosquitto against the real binary, and what a
// hundred thousand partitions cost. One line per figure. The clients take their share of the machine: on a small one
// the figures are those of client and broker together.
//
//   bench_clients [scenario...]     without a name, all of them
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "e2e/support/broker.hpp"
#include "e2e/support/command.hpp"
#include "e2e/support/kafka.hpp"
#include "e2e/support/mqtt.hpp"

namespace braid::e2e {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch()).count();
}

void print_latency(const char* what, std::vector<std::int64_t> us) {
  std::sort(us.begin(), us.end());
  if (us.empty()) return;
  const auto at = [&](double share) {
    return static_cast<double>(
               us[std::min(us.size() - 1, static_cast<std::size_t>(share * static_cast<double>(us.size())))]) /
           1000;
  };
  std::printf("%-52s p50 %.2f ms, p99 %.2f ms, max %.2f ms (%zu samples)\n", what, at(0.5), at(0.99),
              static_cast<double>(us.back()) / 1000, us.size());
}

std::size_t resident_kib(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  return 0;
}

void mqtt_publish(const char* what, const std::string& first_level, const std::vector<std::string>& config) {
  constexpr int connections = 50, each = 10000;
  Broker broker;
  if (!config.empty()) broker.create_topic(first_level, 12, config);
  std::vector<std::unique_ptr<MqttClient>> clients;
  for (int i = 0; i < connections; ++i) clients.push_back(std::make_unique<MqttClient>(broker.mqtt()));
  const auto begin = Clock::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < connections; ++i)
    threads.emplace_back([&, i] {
      auto& client = *clients[static_cast<std::size_t>(i)];
      const std::string topic = first_level + "/" + std::to_string(i), payload(100, 'x');
      for (int n = 0; n < each; ++n) {
        client.publish(topic, payload, 1);
        if (n % 1000 == 999) client.wait_acknowledged(static_cast<std::size_t>(n - 999));
      }
      client.wait_acknowledged(each);
    });
  for (auto& thread : threads) thread.join();
  std::printf("%-52s %.0f msg/s\n", what, connections * each / seconds_since(begin));
}

void mqtt_throughput() {
  mqtt_publish("MQTT QoS 1, 50 connections, 100 B, no topic", "live", {});
  mqtt_publish("MQTT QoS 1, 50 connections, 100 B, durability sync", "fleet", {"durability=sync"});
  mqtt_publish("MQTT QoS 1, 50 connections, 100 B, durability os", "fleet", {"durability=os"});
}

void kafka_throughput() {
  for (const std::string durability : {"sync", "os", "memory"}) {
    Broker broker;
    broker.create_topic("load", 6, {"durability=" + durability});
    constexpr int count = 1000000;
    const std::string value(100, 'x');
    {
      KafkaProducer producer(broker.bootstrap(), {{"acks", "all"}, {"queue.buffering.max.messages", "1000000"}});
      const auto begin = Clock::now();
      for (int i = 0; i < count; ++i) {
        producer.send("load", std::nullopt, value);
        if (i % 1000 == 0) producer.poll();
      }
      producer.flush(120000);
      std::printf("%-52s %.0f msg/s\n", ("Kafka produce acks=all, 100 B, durability " + durability).c_str(),
                  count / seconds_since(begin));
    }
    const auto begin = Clock::now();
    const auto read = read_all(broker.bootstrap(), "load", 120000);
    std::printf("%-52s %.0f msg/s\n", ("Kafka consume, 100 B, durability " + durability).c_str(),
                static_cast<double>(read.size()) / seconds_since(begin));
  }
}

void latency() {
  constexpr int samples = 2000;
  {
    Broker broker;
    MqttClient subscriber(broker.mqtt()), publisher(broker.mqtt());
    subscriber.subscribe("live/x", 1);
    std::vector<std::int64_t> us;
    for (int i = 0; i < samples; ++i) {
      const auto begin = now_us();
      publisher.publish("live/x", "x", 1);
      subscriber.wait_received(static_cast<std::size_t>(i) + 1);
      us.push_back(now_us() - begin);
    }
    print_latency("MQTT to MQTT, QoS 1, no topic, one at a time", us);
  }
  for (const std::string durability : {"sync", "os"}) {
    Broker broker;
    broker.create_topic("t", 1, {"durability=" + durability});
    {
      MqttClient publisher(broker.mqtt());
      std::vector<std::int64_t> us;
      for (int i = 0; i < samples; ++i) {
        const auto begin = now_us();
        publisher.publish_and_wait("t/x", "x", 1);
        us.push_back(now_us() - begin);
      }
      print_latency(("MQTT publish to PUBACK, durability " + durability).c_str(), us);
    }
    {
      KafkaProducer producer(broker.bootstrap(), {{"linger.ms", "0"}});
      std::vector<std::int64_t> us;
      for (int i = 0; i < samples; ++i) {
        bool done = false;
        const auto begin = now_us();
        producer.send("t", std::nullopt, "x", [&](const std::string&, auto, auto) { done = true; });
        while (!done) producer.poll(100);
        us.push_back(now_us() - begin);
      }
      print_latency(("Kafka produce to acknowledgement, durability " + durability).c_str(), us);
    }
    {
      KafkaConsumer consumer(broker.bootstrap(), "tail", {"t"},
                             {{"auto.offset.reset", "latest"}, {"fetch.wait.max.ms", "500"}});
      eventually([&] {
        consumer.poll(50);
        return consumer.assigned() == 1;
      });
      for (int i = 0; i < 20; ++i) consumer.poll(50);
      MqttClient publisher(broker.mqtt());
      std::vector<std::int64_t> us;
      for (int i = 0; i < samples; ++i) {
        const auto begin = now_us();
        publisher.publish("t/x", "x", 1);
        while (!consumer.poll(1000)) {
        }
        us.push_back(now_us() - begin);
      }
      print_latency(("MQTT publish to Kafka consumer, durability " + durability).c_str(), us);
    }
  }
}

void partitions() {
  constexpr int count = 100000;
  Broker broker;
  const auto empty = resident_kib(broker.pid());
  auto begin = Clock::now();
  broker.create_topic("many", count, {"durability=os"});
  std::printf("%-52s %.2f s, %.0f B each\n", "100,000 partitions created, none used", seconds_since(begin),
              static_cast<double>(resident_kib(broker.pid()) - empty) * 1024 / count);
  {
    // By MQTT, since librdkafka visits all of a topic's partitions for each request: names enough to touch nearly all.
    MqttClient publisher(broker.mqtt());
    begin = Clock::now();
    constexpr int names = 400000;
    for (int i = 0; i < names; ++i) {
      publisher.publish("many/" + std::to_string(i), "one", 1);
      if (i % 1000 == 999) publisher.wait_acknowledged(static_cast<std::size_t>(i - 999));
    }
    publisher.wait_acknowledged(names);
    std::printf("%-52s %.2f s\n", "400,000 records spread over them by key", seconds_since(begin));
  }
  std::printf("%-52s %.0f B each\n", "memory while all are active",
              static_cast<double>(resident_kib(broker.pid()) - empty) * 1024 / count);
  for (const bool kill : {false, true}) {
    kill ? broker.kill() : static_cast<void>(broker.stop());
    begin = Clock::now();
    broker.start();
    std::printf("%-52s %.2f s, %.0f B each\n", kill ? "restart after kill -9" : "restart after an ordered end",
                seconds_since(begin), static_cast<double>(resident_kib(broker.pid()) - empty) * 1024 / count);
  }
}

}  // namespace
}  // namespace braid::e2e

int main(int argc, char** argv) {
  using namespace braid::e2e;
  const std::pair<std::string, void (*)()> scenarios[] = {
      {"mqtt", mqtt_throughput}, {"kafka", kafka_throughput}, {"latency", latency}, {"partitions", partitions}};
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  for (const auto& [name, run_one] : scenarios)
    if (argc < 2 || std::find(argv + 1, argv + argc, name) != argv + argc) run_one();
  return 0;
}
