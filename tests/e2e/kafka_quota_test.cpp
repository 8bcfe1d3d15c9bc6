// Braid, Apache-2.0.
//
// Quotas as librdkafka sees them (KIP-219): it is told how long to wait, does not wait by itself, and is held to its
// rate all the same, because the broker does not read its connection meanwhile. Clients without a quota notice nothing.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>

#include "e2e/support/broker.hpp"
#include "e2e/support/kafka.hpp"
#include "e2e/support/raw.hpp"

using namespace braid::e2e;

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMessages = 10;
constexpr std::size_t kMessageBytes = 25000;
constexpr double kRate = 100000;
/// The first second's worth is free and the wait behind the last message is nobody's.
constexpr auto kLeast = std::chrono::milliseconds(1000);

std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text.push_back(static_cast<char>(value >> 8 * i));
  return text;
}
std::string text(const std::string& value) {
  return number(value.size(), 2) + value;
}

/// AlterClientQuotas, version 0, which librdkafka has no call for.
void set_quota(const Broker& broker, const std::string& client_id, const std::string& key, double rate) {
  std::uint64_t bits;
  std::memcpy(&bits, &rate, sizeof bits);
  const std::string request = number(49, 2) + number(0, 2) + number(7, 4) + text("quota") + number(1, 4) +
                              number(1, 4) + text("client-id") + text(client_id) + number(1, 4) + text(key) +
                              number(bits, 8) + number(0, 1) + number(0, 1);
  RawConnection connection(broker.kafka());
  REQUIRE(connection.send(number(request.size(), 4) + request));
  // Size, correlation id, throttle time, one entry: its error code.
  const auto answer = connection.receive(18);
  REQUIRE(answer.size() >= 18);
  REQUIRE(answer.substr(4, 4) == number(7, 4));
  REQUIRE(answer.substr(16, 2) == number(0, 2));
}

struct Outcome {
  Clock::duration took;
  int throttled_ms;
};
Outcome produce(const Broker& broker, const std::string& client_id) {
  KafkaProducer producer(broker.bootstrap(), {{"client.id", client_id}, {"batch.num.messages", "1"}, {"acks", "1"}});
  const auto begin = Clock::now();
  for (int i = 0; i < kMessages; ++i) producer.send("t", std::nullopt, std::string(kMessageBytes, 'x'));
  REQUIRE(producer.flush());
  REQUIRE(producer.acknowledged() == kMessages);
  return {Clock::now() - begin, producer.throttled_ms()};
}
Outcome consume(const Broker& broker, const std::string& client_id) {
  KafkaConsumer consumer(broker.bootstrap(), "group of " + client_id, {"t"},
                         {{"client.id", client_id}, {"fetch.message.max.bytes", "1000"}});
  const auto begin = Clock::now();
  REQUIRE(consumer.take(kMessages).size() == kMessages);
  return {Clock::now() - begin, consumer.throttled_ms()};
}

}  // namespace

TEST_CASE("a client beyond its quota is told so and held to its rate, others are not") {
  Broker broker({"kafka.quota_window=1s", "kafka.group_initial_rebalance_delay=0s"});
  broker.create_topic("t");
  set_quota(broker, "held", "producer_byte_rate", kRate);
  set_quota(broker, "held", "consumer_byte_rate", kRate);
  CHECK(produce(broker, "free").throttled_ms == 0);
  const auto produced = produce(broker, "held");
  CHECK(produced.throttled_ms > 0);
  CHECK(produced.took >= kLeast);
  CHECK(consume(broker, "free").throttled_ms == 0);
  const auto consumed = consume(broker, "held");
  CHECK(consumed.throttled_ms > 0);
  CHECK(consumed.took >= kLeast);
}
