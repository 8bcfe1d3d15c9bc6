// Braid, Apache-2.0.
//
// The cursor of a queue against a plain map from offset to state, over random work and restarts from its durable form;
// and what it costs in memory.
#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "persistence/queue/cursor.hpp"
#include "support/seed.hpp"

using namespace braid;

namespace {

struct Model {
  enum class State { fresh, held, returned, acknowledged };
  struct Message {
    State state = State::fresh;
    QueueCursor::Holder holder = 0;
    std::uint32_t bytes = 0, deliveries = 0;
  };
  std::map<std::int64_t, Message> messages;

  std::int64_t first() const {
    for (const auto& [offset, message] : messages)
      if (message.state != State::acknowledged) return offset;
    return messages.empty() ? 0 : messages.rbegin()->first + 1;
  }
  std::uint64_t count(State state) const {
    return static_cast<std::uint64_t>(std::count_if(
        messages.begin(), messages.end(), [state](const auto& entry) { return entry.second.state == state; }));
  }
  std::optional<std::int64_t> head() const {
    for (const State wanted : {State::returned, State::fresh})
      for (const auto& [offset, message] : messages)
        if (message.state == wanted) return offset;
    return std::nullopt;
  }
};

void compare(const QueueCursor& cursor, const Model& model) {
  using State = Model::State;
  REQUIRE(cursor.ready() == model.count(State::fresh) + model.count(State::returned));
  REQUIRE(cursor.held() == model.count(State::held));
  const auto ready = cursor.peek();
  const auto head = model.head();
  REQUIRE(ready.has_value() == head.has_value());
  if (ready) {
    REQUIRE(ready->first.value == *head);
    for (std::uint32_t i = 0; i < ready->count; ++i) {
      const auto& message = model.messages.at(*head + i);
      REQUIRE(message.state == (ready->returned ? State::returned : State::fresh));
      REQUIRE(message.deliveries == ready->deliveries);
    }
  }
}

/// As a store would keep it.
struct Kept {
  std::int64_t first = 0;
  std::map<std::uint64_t, Bytes> pages;
  void take(QueueCursor& cursor) {
    first = cursor.first().value;
    cursor.each_changed([&](std::uint64_t page) {
      Bytes value = cursor.encode_page(page);
      if (value.empty())
        pages.erase(page);
      else
        pages[page] = std::move(value);
    });
    std::erase_if(pages, [&](const auto& page) {
      return static_cast<std::int64_t>(page.first + 1) * QueueCursor::kPageOffsets <= first;
    });
  }
};

void live_beside_cursor_model(std::uint64_t seed) {
  CAPTURE(seed);
  using State = Model::State;
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t limit) { return static_cast<std::int64_t>(random() % limit); };
  const std::int64_t begin = below(3) * 1000;
  QueueCursor cursor{Offset(begin)};
  Model model;
  Kept kept{begin, {}};
  std::int64_t end = begin;
  const std::int64_t largest = below(2) ? 20 : 3000;
  for (int step = 0; step < 300; ++step) {
    switch (below(9)) {
      case 0: {
        const std::int64_t more = below(static_cast<std::uint64_t>(largest));
        for (std::int64_t i = 0; i < more; ++i) model.messages[end++];
        cursor.extend(Offset(end));
        break;
      }
      case 1:
      case 2: {  // deliver some
        for (std::int64_t left = below(static_cast<std::uint64_t>(largest)); left > 0; --left) {
          const auto ready = cursor.peek();
          if (!ready) break;
          auto& message = model.messages.at(ready->first.value);
          message.state = State::held;
          message.holder = static_cast<QueueCursor::Holder>(1 + below(3));
          message.bytes = static_cast<std::uint32_t>(below(1000));
          cursor.hold(ready->first, message.holder, message.bytes);
        }
        break;
      }
      case 3: {  // delivered without acknowledgement, or dropped
        const auto ready = cursor.peek();
        if (!ready) break;
        const auto count = static_cast<std::uint32_t>(1 + below(ready->count));
        cursor.discard(ready->first, count);
        for (std::uint32_t i = 0; i < count; ++i) model.messages.at(ready->first.value + i).state = State::acknowledged;
        break;
      }
      case 4:
      case 5: {  // a range, of which the holder has some
        const std::int64_t from = begin + below(static_cast<std::uint64_t>(end - begin + 1));
        const auto count = static_cast<std::uint32_t>(1 + below(static_cast<std::uint64_t>(largest)));
        const auto holder = static_cast<QueueCursor::Holder>(1 + below(3));
        std::uint32_t expected = 0;
        std::uint64_t bytes = 0;
        for (auto at = model.messages.lower_bound(from); at != model.messages.end() && at->first < from + count; ++at)
          if (at->second.state == State::held && at->second.holder == holder) {
            at->second.state = State::acknowledged;
            ++expected;
            bytes += at->second.bytes;
          }
        const auto settled = cursor.acknowledge(Offset(from), count, holder);
        REQUIRE(settled.messages == expected);
        REQUIRE(settled.bytes == bytes);
        break;
      }
      case 6: {  // a consumer goes
        const auto holder = static_cast<QueueCursor::Holder>(1 + below(3));
        const bool counted = below(2);
        std::vector<std::int64_t> had, expected;
        cursor.each_held(holder, [&](Offset offset) {
          had.push_back(offset.value);
          if (offset.value % 3 == 0)
            cursor.acknowledge(offset, 1, holder);
          else
            cursor.give_back(offset, counted);
        });
        for (auto& [offset, message] : model.messages) {
          if (message.state != State::held || message.holder != holder) continue;
          expected.push_back(offset);
          message.state = offset % 3 == 0 ? State::acknowledged : State::returned;
          if (counted && message.state == State::returned) ++message.deliveries;
        }
        REQUIRE(had == expected);
        break;
      }
      case 7:
        if (below(8) == 0) {
          const std::uint64_t ready = cursor.ready();
          REQUIRE(cursor.discard_ready() == ready);
          for (auto& [offset, message] : model.messages)
            if (message.state == State::fresh || message.state == State::returned) message.state = State::acknowledged;
        }
        break;
      case 8: {
        kept.take(cursor);
        if (below(4) != 0) break;
        // A restart: what is not acknowledged is ready again, with its counts.
        QueueCursor again{Offset(kept.first)};
        again.extend(Offset(end));
        for (const auto& [page, value] : kept.pages) REQUIRE(again.restore_page(page, value));
        for (auto& [offset, message] : model.messages)
          if (message.state != State::acknowledged) message.state = State::fresh;
        cursor = std::move(again);
        break;
      }
    }
    if (step % 10 == 0) compare(cursor, model);
  }
  compare(cursor, model);
  REQUIRE(cursor.first().value == std::max(begin, model.messages.empty() ? begin : model.first()));
}

}  // namespace

TEST_CASE("a queue's cursor agrees with a plain table over random work and restarts") {
  const std::uint64_t seed = test_seed();
  for (std::uint64_t i = 0; i < 150; ++i) live_beside_cursor_model(seed + i);
}

TEST_CASE("a cursor's page that says what cannot be is refused, and what the log lacks is left out") {
  QueueCursor cursor{Offset(0)};
  cursor.extend(Offset(10));
  for (const std::string_view bad :
       {std::string_view("\x09", 1), std::string_view("\x02\x01\x00", 3), std::string_view(),
        std::string_view("\x02\x01\xff\x0f\x01\x00", 6), std::string_view("\x01\x00\x00", 3)})
    CHECK_FALSE(cursor.restore_page(0, Bytes::copy(bad)));
  CHECK(cursor.ready() == 10);
  CHECK_FALSE(cursor.restore_page(UINT64_MAX, Bytes::copy(std::string_view("\x01\x00", 2))));
  // All of the page: only ten of them are in the log.
  CHECK_FALSE(cursor.restore_page(0, Bytes::copy(std::string_view("\x01\x00", 2))));
  CHECK(cursor.ready() == 0);
  cursor.extend(Offset(12));
  CHECK(cursor.ready() == 2);
  CHECK(cursor.peek()->first == Offset(10));
}

TEST_CASE("a long queue costs nothing, and a million messages held out of order a few bytes each") {
  QueueCursor cursor;
  cursor.extend(Offset(10'000'000));
  CHECK(cursor.memory_bytes() < 1000);
  for (std::int64_t i = 0; i < 1'000'000; ++i) cursor.hold(Offset(i), 1, 100);
  CHECK(cursor.memory_bytes() < 8'000'000);
  for (std::int64_t i = 1; i < 1'000'000; i += 2) cursor.acknowledge(Offset(i), 1, 1);
  CHECK(cursor.held() == 500'000);
  CHECK(cursor.memory_bytes() < 8'000'000);
  for (std::int64_t i = 2; i < 1'000'000; i += 2) cursor.acknowledge(Offset(i), 1, 1);
  CHECK(cursor.first() == Offset(0));
  CHECK(cursor.memory_bytes() < 100'000);
  cursor.acknowledge(Offset(0), 1, 1);
  CHECK(cursor.first() == Offset(1'000'000));
  CHECK(cursor.memory_bytes() < 20'000);
}
