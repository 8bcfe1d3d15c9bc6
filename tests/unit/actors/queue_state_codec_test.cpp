// Braid, Apache-2.0.
//
// The stored form of queues: what goes in comes out, and what is cut or damaged is refused or read as something valid.
#include <catch2/catch.hpp>
#include <random>

#include "actors/queues/state_codec.hpp"
#include "support/seed.hpp"

using namespace braid;

namespace {

StoredQueue some_queue() {
  StoredQueue queue;
  queue.name = "vhost/orders";
  queue.owner = QueueOwner::mqtt;
  queue.settings.auto_delete = true;
  queue.settings.dead_letter = true;
  queue.settings.max_priority = 9;
  queue.settings.overflow = Overflow::reject_publish_dead_letter;
  queue.settings.message_ttl_ms = 0;
  queue.settings.max_length_bytes = UINT64_MAX;
  queue.settings.delivery_limit = 20;
  queue.definition = Bytes::copy("arguments");
  return queue;
}

}  // namespace

TEST_CASE("a queue's definition comes back as it was stored") {
  const auto queue = some_queue();
  const auto read = decode_definition(encode_definition(queue));
  REQUIRE(read);
  CHECK(read->name == queue.name);
  CHECK(read->owner == queue.owner);
  CHECK(read->settings == queue.settings);
  CHECK(read->definition.view() == queue.definition.view());
  StoredQueue plain;
  plain.settings.single_active_consumer = true;
  plain.settings.expires_ms = INT64_MAX;
  plain.settings.max_length = 5;
  const auto again = decode_definition(encode_definition(plain));
  REQUIRE(again);
  CHECK(again->settings == plain.settings);
}

TEST_CASE("keys of queues' state name kind, queue, priority and page, and nothing else is one") {
  for (const char kind : {'D', 'P', 'C'}) {
    QueueStateKey key{kind, QueueId(0x0102030405060708), 255, 1ull << 60};
    const Bytes bytes = encode_key(key);
    const auto read = decode_key(bytes);
    REQUIRE(read);
    CHECK(read->kind == kind);
    CHECK(read->queue == key.queue);
    CHECK(read->priority == (kind == 'D' ? 0 : 255));
    CHECK(read->page == (kind == 'C' ? key.page : 0));
    for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(decode_key(bytes.slice(0, size)));
    CHECK_FALSE(decode_key(Bytes::copy(std::string(bytes.view()) + "x")));
  }
  CHECK_FALSE(decode_key(Bytes::copy(std::string("X12345678"))));
}

TEST_CASE("a definition that is cut is refused, and a damaged one never breaks the reader") {
  const Bytes good = encode_definition(some_queue());
  for (std::size_t size = 0; size < good.size(); ++size) CHECK_FALSE(decode_definition(good.slice(0, size)));
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20000; ++i) {
    std::string damaged(good.view());
    for (std::uint64_t changes = 1 + random() % 3; changes > 0; --changes)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    if (const auto read = decode_definition(Bytes::copy(damaged))) {
      CHECK(read->owner <= QueueOwner::kafka);
      CHECK(read->settings.overflow <= Overflow::reject_publish_dead_letter);
      CHECK(read->settings.message_ttl_ms.value_or(0) >= 0);
    }
  }
}
