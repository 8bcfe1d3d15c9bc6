// Braid, Apache-2.0.
//
// The plain parts of an AMQP session: what is unacknowledged against a plain map, numbers that finish in any order,
// batches that keep the order of every queue, login responses and reply addresses.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "actors/amqp/definitions/interface.hpp"
#include "actors/amqp/interval.hpp"
#include "actors/amqp/session/completion_window.hpp"
#include "actors/amqp/session/credentials.hpp"
#include "actors/amqp/session/direct_reply.hpp"
#include "actors/amqp/session/publish_batches.hpp"
#include "actors/amqp/session/settlements.hpp"
#include "actors/amqp/session/stream_reader.hpp"
#include "actors/amqp/session/unacknowledged.hpp"
#include "support/seed.hpp"

using namespace braid;
using namespace braid::amqp;

namespace {

struct Delivered {
  std::uint64_t queue;
  std::int64_t offset;
  friend bool operator==(const Delivered&, const Delivered&) = default;
};

}  // namespace

TEST_CASE("unacknowledged deliveries behave as a map from tag to message") {
  const std::uint64_t seed = test_seed();
  INFO("BRAID_TEST_SEED=" << seed);
  std::mt19937_64 random(seed);
  Unacknowledged held;
  std::map<std::uint64_t, Delivered> model;
  std::uint64_t next_tag = 1;
  std::map<std::uint64_t, std::int64_t> next_offset;
  std::vector<Held> put_aside;
  for (int step = 0; step < 10000; ++step) {
    const auto action = random() % 10;
    if (action < 4) {
      const std::uint64_t queue = random() % 3;
      const auto count = static_cast<std::uint32_t>(random() % 5 + 1);
      std::int64_t& offset = next_offset[queue];
      if (random() % 4 == 0) offset += 3;
      held.add({next_tag, count, 0, 0, queue != 2, Offset(offset), QueueId(queue), 7, 0});
      for (std::uint32_t i = 0; i < count; ++i) model[next_tag++] = {queue, offset++};
    } else {
      const std::uint64_t tag = random() % (next_tag + 2);
      const bool multiple = action == 9;
      std::map<std::uint64_t, Delivered> taken;
      const bool found = held.take(tag, multiple, [&](const Held& part) {
        for (std::uint32_t i = 0; i < part.count; ++i)
          taken[part.first_tag + i] = {part.queue.value, part.first.value + i};
        if (action == 5) put_aside.push_back(part);
      });
      REQUIRE(found == model.contains(tag));
      std::map<std::uint64_t, Delivered> expected;
      if (found) {
        const auto end = model.upper_bound(tag);
        for (auto at = multiple ? model.begin() : model.find(tag); at != end; at = model.erase(at))
          expected.insert(*at);
      }
      REQUIRE(taken == expected);
      if (action == 8)
        for (const Held& part : std::exchange(put_aside, {})) {
          held.put_back(part);
          for (std::uint32_t i = 0; i < part.count; ++i)
            model[part.first_tag + i] = {part.queue.value, part.first.value + i};
        }
    }
    REQUIRE(held.size() == model.size());
    const auto to_consumers =
        std::count_if(model.begin(), model.end(), [](auto& each) { return each.second.queue != 2; });
    REQUIRE(held.by_consumers() == static_cast<std::uint64_t>(to_consumers));
  }
  std::uint64_t left = 0;
  held.take_all([&](const Held& part) { left += part.count; });
  CHECK(left == model.size());
  CHECK(held.empty());
}

TEST_CASE("a thousand deliveries in a row are one run, and acknowledging each of them is one range") {
  Unacknowledged held;
  for (std::uint64_t tag = 1; tag <= 1000; ++tag)
    held.add({tag, 1, 0, 1, true, Offset(static_cast<std::int64_t>(tag) + 41), QueueId(5), 9, 0});
  Settlements settlements;
  for (std::uint64_t tag = 1; tag <= 1000; ++tag)
    REQUIRE(held.take(tag, false, [&](const Held& part) { settlements.add(part, Settlement::acknowledge); }));
  std::size_t calls = 0;
  settlements.take([&](std::uint32_t loop, const std::vector<Settle::Range>& ranges) {
    ++calls;
    CHECK(loop == 1);
    REQUIRE(ranges.size() == 1);
    CHECK(ranges[0].first == Offset(42));
    CHECK(ranges[0].count == 1000);
  });
  CHECK(calls == 1);
  settlements.take([&](std::uint32_t, const std::vector<Settle::Range>&) { FAIL("nothing was left"); });
}

TEST_CASE("deliveries that came seconds apart are runs of their own, so that each has its age") {
  Unacknowledged held;
  held.add({1, 1, 0, 0, true, Offset(1), QueueId(5), 9, 1000});
  held.add({2, 1, 0, 0, true, Offset(2), QueueId(5), 9, 5000});
  // So are those that have more time than others.
  held.add({3, 1, 0, 0, true, Offset(3), QueueId(5), 9, 5000, 100});
  std::vector<std::int64_t> times;
  const auto note = [&times](const Held& each) {
    times.push_back(each.delivered_ms + each.timeout_ms);
    return each.timeout_ms == 0;
  };
  held.each_from_oldest(note);
  REQUIRE(times == std::vector<std::int64_t>{1000, 5000, 5100});
  REQUIRE(held.take(1, false, [](const Held&) {}));
  times.clear();
  held.each_from_oldest([&](const Held& each) { return note(each) && false; });
  CHECK(times == std::vector<std::int64_t>{5000});
}

TEST_CASE("an interval is a number and a unit, and too long ones are as long as can be") {
  CHECK(parse_interval_ms("0s") == 0);
  CHECK(parse_interval_ms("5m") == 300'000);
  CHECK(parse_interval_ms("2h") == 7'200'000);
  CHECK(parse_interval_ms("1D") == 86'400'000);
  CHECK(parse_interval_ms("1M") == 30ll * 86'400'000);
  CHECK(parse_interval_ms("1Y") == 365ll * 86'400'000);
  CHECK(parse_interval_ms("99999999999Y") == INT64_MAX);
  CHECK(parse_interval_ms("99999999999999999999999999s") == INT64_MAX);
  for (const auto text : {"", "5", "m", "5x", "-5m", "+5m", " 5m", "5 m", "5mm", "5.5h"})
    CHECK_FALSE(parse_interval_ms(text));
}

TEST_CASE("a consumer of a stream says where it begins as a word, a number, a time or an interval") {
  using From = StreamOffset::From;
  const Timestamp now(1'700'000'000'000);
  const auto is = [&](const FieldValue& value, From from, std::int64_t number) {
    const auto offset = parse_stream_offset(value, now);
    return offset && offset->from == from && (from < From::offset || offset->value == number);
  };
  CHECK(is(FieldValue::text("first"), From::first, 0));
  CHECK(is(FieldValue::text("last"), From::last, 0));
  CHECK(is(FieldValue::text("next"), From::next, 0));
  CHECK(is(FieldValue::integer(7), From::offset, 7));
  CHECK(is(FieldValue::timestamp(1'600'000'000), From::timestamp, 1'600'000'000'000));
  CHECK(is(FieldValue::timestamp(UINT64_MAX), From::timestamp, INT64_MAX));
  CHECK(is(FieldValue::timestamp(INT64_MAX / 1000 + 1), From::timestamp, INT64_MAX));
  CHECK(is(FieldValue::text("10s"), From::timestamp, 1'699'999'990'000));
  CHECK(is(FieldValue::text("99999Y"), From::first, 0));
  for (const auto& value :
       {FieldValue::text("soon"), FieldValue::text(""), FieldValue::text("7"), FieldValue::integer(-1),
        FieldValue::boolean(true), FieldValue::real(1.5), FieldValue::binary("first"), FieldValue()})
    CHECK_FALSE(parse_stream_offset(value, now));
}

TEST_CASE("numbers finish in any order and come out in order, in runs of one outcome") {
  CompletionWindow window;
  for (std::uint64_t number = 1; number <= 6; ++number) REQUIRE(window.open() == number);
  struct Run {
    std::uint64_t last;
    std::uint32_t count;
    bool good;
    bool operator==(const Run&) const = default;
  };
  std::vector<Run> runs;
  const auto take = [&] {
    runs.clear();
    window.take_finished([&](std::uint64_t last, std::uint32_t count, bool good) {
      runs.push_back({last, count, good});
    });
    return runs;
  };
  window.finish(2);
  window.finish(3, false);
  CHECK(take().empty());
  window.finish(1);
  CHECK(take() == std::vector<Run>{{2, 2, true}, {3, 1, false}});
  window.finish(3);
  window.finish(99);
  CHECK(take().empty());
  for (std::uint64_t number = 4; number <= 6; ++number) window.finish(number);
  CHECK(take() == std::vector<Run>{{6, 3, true}});
  CHECK(window.empty());
  CHECK(window.next() == 7);
}

namespace {

struct World {
  VhostDirectory directory{1};
  std::shared_ptr<VhostView> vhost;
  std::vector<QueueNumber> numbers;
  PublishBatches batches;

  explicit World(std::size_t queues, std::uint8_t max_priority = 0) {
    directory.apply({DefineVhost{"v"}});
    vhost = directory.find("v");
    for (std::size_t i = 0; i < queues; ++i) {
      QueuePlace place;
      place.queue = QueueId(100 + i);
      place.loop = static_cast<std::uint32_t>(i % 2);
      place.max_priority = max_priority;
      const std::string name = "q" + std::to_string(i);
      directory.apply({AddQueue{"v", name, place}});
      numbers.push_back(*vhost->topology().find_queue(name));
    }
  }
  void publish(std::vector<std::size_t> to, const std::string& body, std::uint64_t sequence = 0,
               std::uint8_t priority = 0) {
    std::vector<QueueNumber> queues;
    for (const auto index : to) queues.push_back(numbers[index]);
    const std::string_view pieces[] = {body};
    PublishBatches::Message message;
    message.publish.body = pieces;
    message.priority = priority;
    const Receipt receipt{1, 1, sequence, 1, 0};
    REQUIRE(batches.add(*vhost, queues, message, Timestamp(1), sequence ? &receipt : nullptr));
  }
  static std::vector<std::string> bodies(const SealedBatch& sealed) {
    std::vector<std::string> all;
    auto walker = BatchWalker::open(sealed.batch, sealed.batch.size());
    REQUIRE(walker);
    RecordView record;
    while (walker->next(record)) all.emplace_back(*record.value);
    return all;
  }
};

}  // namespace

TEST_CASE("publishes for the same queues are one batch, with a target per loop and one receipt") {
  World world(3);
  for (std::uint64_t i = 1; i <= 5; ++i) world.publish({0, 1, 2}, std::to_string(i), i);
  const auto sealed = world.batches.take();
  REQUIRE(sealed.size() == 1);
  CHECK(World::bodies(sealed[0]) == std::vector<std::string>{"1", "2", "3", "4", "5"});
  REQUIRE(sealed[0].targets.size() == 2);
  CHECK(sealed[0].targets[0].queues == std::vector<QueueId>{QueueId(100), QueueId(102)});
  CHECK(sealed[0].targets[1].queues == std::vector<QueueId>{QueueId(101)});
  REQUIRE(sealed[0].receipts.size() == 1);
  CHECK(sealed[0].receipts[0].first == 1);
  CHECK(sealed[0].receipts[0].count == 5);
  CHECK(world.batches.empty());
}

TEST_CASE("the order of each queue is the order of publishes, whatever sets of queues they went to") {
  const std::uint64_t seed = test_seed();
  INFO("BRAID_TEST_SEED=" << seed);
  std::mt19937_64 random(seed);
  World world(20, 5);
  std::vector<std::vector<std::string>> expected(20), got(20);
  for (int i = 0; i < 2000; ++i) {
    std::vector<std::size_t> to;
    const std::size_t first = random() % 20, count = random() % 3 + 1;
    for (std::size_t k = 0; k < count; ++k) to.push_back((first + k) % 20);
    world.publish(to, std::to_string(i), 0, static_cast<std::uint8_t>(random() % 2));
    for (const auto queue : to) expected[queue].push_back(std::to_string(i));
  }
  for (const auto& sealed : world.batches.take())
    for (const auto& target : sealed.targets)
      for (const QueueId queue : target.queues)
        for (const auto& body : World::bodies(sealed)) got[queue.value - 100].push_back(body);
  CHECK(got == expected);
}

TEST_CASE("messages of different priorities share a batch only when no queue of theirs has priorities") {
  World plain(1), ranked(1, 9);
  for (World* world : {&plain, &ranked}) {
    world->publish({0}, "low", 0, 1);
    world->publish({0}, "high", 0, 7);
  }
  CHECK(plain.batches.take().size() == 1);
  const auto sealed = ranked.batches.take();
  REQUIRE(sealed.size() == 2);
  CHECK(sealed[0].priority == 1);
  CHECK(sealed[1].priority == 7);
}

TEST_CASE("login responses of PLAIN and AMQPLAIN are read, and nothing else passes for one") {
  using namespace std::string_view_literals;
  const TableLimits limits;
  const auto plain = read_credentials("PLAIN", "\0guest\0secret"sv, limits);
  REQUIRE(plain);
  CHECK(plain->user == "guest");
  CHECK(plain->password == "secret");
  CHECK(read_credentials("PLAIN", "other\0guest\0guest"sv, limits));
  for (const auto bad : {""sv, "guest"sv, "\0guest"sv, "\0a\0b\0c"sv})
    CHECK_FALSE(read_credentials("PLAIN", bad, limits));
  TableWriter table;
  table.put("LOGIN", "guest").put("PASSWORD", "guest");
  const auto amqplain = read_credentials("AMQPLAIN", table.table().encoded(), limits);
  REQUIRE(amqplain);
  CHECK(known_user(*amqplain));
  TableWriter short_of_one;
  short_of_one.put("LOGIN", "guest");
  CHECK_FALSE(read_credentials("AMQPLAIN", short_of_one.table().encoded(), limits));
  CHECK_FALSE(read_credentials("AMQPLAIN", "\0guest\0guest"sv, limits));
  CHECK_FALSE(known_user({"guest", "other"}));
  CHECK_FALSE(known_user({"admin", "guest"}));
}

TEST_CASE("a reply address reads back, and nothing else is one") {
  const ReplyAddress address{17, 0xfedcba9876543210, 3};
  const std::string text = print(address);
  CHECK(text.starts_with("amq.rabbitmq.reply-to."));
  CHECK(text.size() <= 255);
  CHECK(parse_reply_address(text) == address);
  CHECK_FALSE(parse_reply_address("amq.rabbitmq.reply-to"));
  CHECK_FALSE(parse_reply_address(text.substr(0, text.size() - 1)));
  CHECK_FALSE(parse_reply_address(text + "0"));
  std::string wrong = text;
  wrong.back() = 'x';
  CHECK_FALSE(parse_reply_address(wrong));
}
