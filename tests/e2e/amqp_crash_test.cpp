// Braid, Apache-2.0.
//
// The broker is killed again and again under confirmed publishes and committed acknowledgements. What was confirmed and
// not acknowledged has to be there afterwards, and nothing whose acknowledgement was committed may come back.
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "e2e/support/amqp.hpp"
#include "e2e/support/broker.hpp"

using namespace braid::e2e;

namespace {

/// What the clients know for certain.
struct Ledger {
  std::mutex mutex;
  std::set<std::string> confirmed, committed, unsure;  ///< unsure: acknowledged, and the commit has no answer
  std::size_t returned = 0;                            ///< delivered although committed
};

void publish_until_broken(std::uint16_t port, int round, Ledger& ledger) {
  AmqpClient client(port);
  if (!client.connected() || !client.confirm_select()) return;
  constexpr std::uint64_t window = 50;
  for (std::uint64_t number = 1;; ++number) {
    const auto body = [round](std::uint64_t each) { return std::to_string(round) + "-" + std::to_string(each); };
    const std::uint64_t before = client.confirmed();
    if (!client.publish("", "crash", body(number), {.persistent = true})) return;
    const bool waited = number < window || client.wait_confirmed(number - window + 1);
    const std::lock_guard lock(ledger.mutex);
    for (std::uint64_t each = before + 1; each <= client.confirmed(); ++each) ledger.confirmed.insert(body(each));
    if (!waited) return;
  }
}

void consume_until_broken(std::uint16_t port, Ledger& ledger) {
  AmqpClient client(port);
  if (!client.connected() || !client.qos(20) || !client.tx_select() || !client.consume("crash")) return;
  std::set<std::string> batch;
  for (;;) {
    const auto message = client.next(1000);
    if (!message && !client.connected()) return;
    if (!message) continue;
    {
      const std::lock_guard lock(ledger.mutex);
      ledger.returned += ledger.committed.count(message->body);
    }
    batch.insert(message->body);
    if (batch.size() < 10) continue;
    if (!client.ack(message->tag, true)) return;
    const bool committed = client.tx_commit();
    const std::lock_guard lock(ledger.mutex);
    auto& into = committed ? ledger.committed : ledger.unsure;
    into.insert(batch.begin(), batch.end());
    if (!committed) return;
    batch.clear();
  }
}

}  // namespace

TEST_CASE("no confirmed AMQP message is lost and no committed acknowledgement forgotten over sudden ends") {
  const char* wanted = std::getenv("BRAID_CRASHES");
  const int rounds = wanted ? std::atoi(wanted) : 4;
  const char* given = std::getenv("BRAID_TEST_SEED");
  const std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  INFO("BRAID_TEST_SEED=" << seed << " rounds=" << rounds);
  std::mt19937_64 random(seed);
  Broker broker;
  {
    AmqpClient client(broker.amqp());
    REQUIRE(client.declare("crash", {.durable = true}));
    REQUIRE(client.close());
  }
  Ledger ledger;
  for (int round = 0; round < rounds; ++round) {
    std::thread publisher([&] { publish_until_broken(broker.amqp(), round, ledger); });
    std::thread consumer([&] { consume_until_broken(broker.amqp(), ledger); });
    std::this_thread::sleep_for(std::chrono::milliseconds(200 + random() % 400));  // the load's length, not a wait
    broker.kill();
    publisher.join();
    consumer.join();
    broker.start();
  }
  CHECK(ledger.confirmed.size() > 0);
  AmqpClient client(broker.amqp());
  REQUIRE(client.connected());
  REQUIRE(client.consume("crash", {.no_ack = true}));
  std::set<std::string> left;
  while (const auto message = client.next(1000)) left.insert(message->body);
  std::size_t lost = 0;
  for (const auto& body : ledger.confirmed)
    if (!left.count(body) && !ledger.committed.count(body) && !ledger.unsure.count(body)) ++lost;
  for (const auto& body : ledger.committed) ledger.returned += left.count(body);
  INFO(ledger.confirmed.size() << " confirmed, " << ledger.committed.size() << " committed");
  CHECK(lost == 0);
  CHECK(ledger.returned == 0);
}

TEST_CASE("connections and channels that come and go under load leave nothing behind") {
  Broker broker;
  AmqpClient steady(broker.amqp());
  REQUIRE(steady.declare("load"));
  REQUIRE(steady.consume("load"));
  std::atomic<bool> stop{false};
  std::thread load([&] {
    AmqpClient client(broker.amqp());
    while (!stop) {
      client.publish("", "load", "x");
      if (!client.confirm_select()) break;
    }
  });
  for (int i = 0; i < 300; ++i) {
    AmqpClient client(broker.amqp());
    REQUIRE(client.connected());
    const auto mine = client.declare("", {.exclusive = true});
    REQUIRE(mine);
    REQUIRE(client.consume(mine->name));
    for (std::uint16_t channel = 2; channel < 6; ++channel) {
      REQUIRE(client.open(channel));
      REQUIRE(client.consume(mine->name));
      if (channel % 2) REQUIRE(client.close_channel());
    }
    client.on(2).publish("", mine->name, "y");
    if (i % 2)
      client.drop();
    else
      REQUIRE(client.close());
  }
  stop = true;
  load.join();
  // What was given to nobody but us is all there, and the broker has room for as many again.
  std::size_t delivered = 0;
  while (const auto message = steady.next(500)) {
    ++delivered;
    steady.ack(message->tag);
  }
  CHECK(delivered > 0);
  CHECK(steady.declare("load", {.passive = true})->messages == 0);
}
