// Braid, Apache-2.0.
//
// A queue with a log in memory, a store for its state and consumers that note what they get: the driver that tests use
// where the broker has an actor, a journal and sessions.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/batch_builder.hpp"
#include "persistence/queue/queue.hpp"

namespace braid {

class QueueHarness {
 public:
  struct Message {
    std::uint8_t priority = 0;
    Offset offset;
    std::string text;
    bool redelivered = false;
    std::uint16_t deliveries = 0;
  };
  using StateKey = std::pair<std::uint8_t, std::optional<std::uint64_t>>;

  explicit QueueHarness(const QueueSettings& with = {}) : settings(with) { open(); }

  /// A start: from the log, and from the state as it was flushed last.
  void open() {
    queue = std::make_unique<Queue>(settings);
    queue->dead_letters_taken(true);
    reads.clear();
    held.clear();
    for (auto& [priority, batches] : log) {
      Queue::Stored stored;
      if (!batches.empty()) stored.end = batches.back().end();
      for (const auto& [key, value] : state) {
        if (key.first != priority) continue;
        if (key.second)
          stored.pages.emplace_back(*key.second, value);
        else
          stored.position = value;
      }
      REQUIRE(queue->restore(priority, stored));
    }
  }
  void flush() {
    for (const Queue::Change& change : queue->changes()) {
      if (change.value)
        state[{change.priority, change.page}] = *change.value;
      else
        state.erase({change.priority, change.page});
    }
  }

  /// One batch; returns how many of it the queue had room for.
  std::uint32_t publish(const std::vector<std::string>& texts, std::uint8_t priority = 0,
                        std::optional<std::int64_t> expiration_ms = {}) {
    std::vector<std::uint32_t> sizes;
    for (const std::string& text : texts) sizes.push_back(static_cast<std::uint32_t>(text.size()));
    const std::uint32_t room = queue->room(sizes);
    if (room == 0) return 0;
    BatchBuilder builder;
    std::uint64_t bytes = 0;
    const std::string expiration = expiration_ms ? std::to_string(*expiration_ms) : "";
    const HeaderView header{kExpirationHeader, expiration};
    for (std::uint32_t i = 0; i < room; ++i) {
      if (expiration_ms)
        builder.add(now, "key", texts[i], std::span(&header, 1));
      else
        builder.add(now, "key", texts[i]);
      bytes += texts[i].size();
    }
    auto& batches = log[priority];
    const Offset base = batches.empty() ? Offset(0) : batches.back().end();
    batches.push_back({base, room, builder.finish()});
    queue->arrived(priority, batches.back().bytes, base, room, bytes);
    return room;
  }
  void publish_numbers(int from, int to) {
    std::vector<std::string> texts;
    for (int i = from; i < to; ++i) texts.push_back(std::to_string(i));
    publish(texts);
  }

  static ConsumerKey key(std::uint64_t number) { return {1, number}; }
  Queue::Refusal consume(std::uint64_t number, const ConsumerSettings& with) {
    no_ack[number] = with.no_ack;
    return queue->consume(key(number), with);
  }
  std::optional<Message> get(bool without_ack = false) {
    REQUIRE(queue->get(key(99), without_ack, ++token) == Queue::Refusal::none);
    no_ack[99] = without_ack;
    const std::size_t before = got.size();
    pump();
    REQUIRE(got.size() == before + 1);
    return got.back();
  }

  void pump() {
    for (int turn = 0; turn < 1000; ++turn) {
      QueueOutput out;
      queue->pump(now, out);
      wake_at = out.wake_at;
      for (const auto& delivery : out.deliveries) {
        std::uint32_t messages = 0;
        for (const MessageRun& run : delivery.runs) messages += take(run, delivery.to.consumer);
        REQUIRE(messages == delivery.messages);
        unused[delivery.to.consumer] += delivery.unused;
        wants[delivery.to.consumer] += delivery.wants ? 1 : 0;
      }
      for (const auto& got_one : out.got) {
        REQUIRE(got_one.token == token);
        got.emplace_back();
        if (!got_one.run) continue;
        REQUIRE(take(*got_one.run, 99) == 1);
        got.back() = delivered[99].back();
      }
      for (const auto& letter : out.dead) {
        for (const MessageRun& run : letter.runs) {
          RunWalker walker(run);
          RecordView record;
          while (walker.next(record)) dead.emplace_back(std::string(*record.value), letter.reason);
        }
        queue->dead_done(letter.token, dead_succeeds);
      }
      reads.insert(reads.end(), out.reads.begin(), out.reads.end());
      if (answer_reads) answer_all();
      if (out.deliveries.empty() && out.got.empty() && out.dead.empty() && !out.again &&
          (reads.empty() || !answer_reads) && out.reads.empty())
        return;
    }
    FAIL("the queue never comes to rest");
  }
  void answer_all() {
    for (const auto& read : std::exchange(reads, {})) answer(read);
  }
  void answer(const QueueOutput::Read& read) {
    std::vector<Bytes> batches;
    std::vector<Offset> bases;
    std::size_t bytes = 0;
    for (const Batch& batch : log[read.priority]) {
      if (batch.end() <= read.from || (!batches.empty() && bytes + batch.bytes.size() > read.max_bytes)) continue;
      bytes += batch.bytes.size();
      batches.push_back(batch.bytes);
      bases.push_back(batch.base);
    }
    queue->loaded(read, Errc::none, batches, bases);
  }

  void settle(std::uint64_t consumer, const Message& message, Settlement settlement = Settlement::acknowledge) {
    queue->settle(key(consumer), message.priority, message.offset, 1, settlement);
    std::erase_if(held[consumer], [&](const Message& other) {
      return other.offset == message.offset && other.priority == message.priority;
    });
  }
  std::vector<std::string> texts(std::uint64_t consumer) const {
    std::vector<std::string> all;
    if (const auto at = delivered.find(consumer); at != delivered.end())
      for (const Message& message : at->second) all.push_back(message.text);
    return all;
  }

  struct Batch {
    Offset base;
    std::uint32_t count;
    Bytes bytes;
    Offset end() const { return Offset(base.value + count); }
  };
  QueueSettings settings;
  std::unique_ptr<Queue> queue;
  Timestamp now{1'000'000};
  std::map<std::uint8_t, std::vector<Batch>> log;
  std::map<StateKey, Bytes> state;
  std::vector<QueueOutput::Read> reads;
  bool answer_reads = true, dead_succeeds = true;
  std::map<std::uint64_t, std::vector<Message>> delivered;  ///< all that a consumer was ever given
  std::map<std::uint64_t, std::deque<Message>> held;
  std::map<std::uint64_t, bool> no_ack;
  std::map<std::uint64_t, std::uint64_t> unused, wants;  ///< on demand
  std::vector<std::optional<Message>> got;
  std::vector<std::pair<std::string, DeadReason>> dead;
  std::optional<Timestamp> wake_at;
  std::uint64_t token = 0;

 private:
  std::uint32_t take(const MessageRun& run, std::uint64_t consumer) {
    RunWalker walker(run);
    RecordView record;
    std::uint32_t count = 0;
    while (walker.next(record)) {
      REQUIRE(record.offset.value == run.first.value + count);
      Message message{run.priority, record.offset, std::string(*record.value), run.redelivered, run.deliveries};
      delivered[consumer].push_back(message);
      if (!no_ack[consumer]) held[consumer].push_back(message);
      ++count;
    }
    REQUIRE(count == run.count);
    return count;
  }
};

}  // namespace braid
