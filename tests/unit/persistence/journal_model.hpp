// Braid, Apache-2.0.
//
// A plain reference for the journal under failures. It remembers every append that was tried and what was said about
// it, and checks what the journal holds against that:
//
// - while running: exactly the batches that did not fail, in order;
// - after a restart: what was acknowledged and not replaced is there; what is there was tried; offsets have no gap and
//   no second value; the log start and drops hold when they were acknowledged.
#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

#include "journal_fixture.hpp"

namespace braid {

class JournalModel {
 public:
  struct Attempt {
    std::int64_t base = 0, last = 0;
    std::string content;
    Durability durability = Durability::sync;
    bool acknowledged = false, failed = false;
    bool promised = false;  ///< acknowledged, or found by a recovery, which syncs what it finds
  };
  struct Partition {
    std::vector<Attempt> attempts;
    std::vector<std::size_t> visible;  ///< attempts that are in the log now
    std::int64_t log_start = 0, promised_start = 0, highest_start = 0;
    std::int64_t end = 0;
    bool dropping = false, dropped = false;
    Durability durability = Durability::sync;
    std::uint64_t callbacks_due = 0;
  };

  explicit JournalModel(JournalFixture& fixture) : fixture_(fixture) {}

  std::map<std::uint64_t, Partition>& partitions() { return partitions_; }
  std::uint64_t due() const {
    std::uint64_t due = 0;
    for (const auto& [id, partition] : partitions_) due += partition.callbacks_due;
    return due;
  }

  /// Appends at the end, or at an earlier batch's place. True when the journal took it.
  bool append(std::uint64_t id, std::int64_t base, std::int64_t records, std::size_t size, Durability durability) {
    Partition& partition = partitions_[id];
    const std::size_t number = partition.attempts.size();
    Attempt attempt{base, base + records - 1, plain_batch(static_cast<std::int64_t>(++tag_), size).str(), durability};
    const Errc refused = fixture_.journal->append({.partition = PartitionId(id),
                                                   .shard = ShardId(1),
                                                   .batch = Bytes::copy(attempt.content),
                                                   .base_offset = Offset(attempt.base),
                                                   .last_offset = Offset(attempt.last),
                                                   .max_timestamp = Timestamp(static_cast<std::int64_t>(tag_)),
                                                   .durability = durability},
                                                  [this, id, number](Errc error) { answered(id, number, error); });
    if (refused != Errc::none) return false;
    std::erase_if(partition.visible, [&](std::size_t other) { return partition.attempts[other].last >= base; });
    partition.attempts.push_back(std::move(attempt));
    partition.visible.push_back(number);
    partition.end = base + records;
    ++partition.callbacks_due;
    return true;
  }

  /// The same batch at the ends of several partitions.
  bool append_shared(const std::vector<std::uint64_t>& ids, std::int64_t records, std::size_t size,
                     Durability durability) {
    std::vector<PartitionId> partitions;
    std::vector<std::pair<std::uint64_t, std::size_t>> attempts;
    for (const std::uint64_t id : ids) {
      partitions.emplace_back(id);
      attempts.emplace_back(id, partitions_[id].attempts.size());
    }
    const std::string content = plain_batch(static_cast<std::int64_t>(++tag_), size).str();
    const Errc refused = fixture_.submit_shared(
        partitions, Bytes::copy(content), static_cast<std::int32_t>(records),
        [this, attempts](Errc error) {
          for (const auto& [id, number] : attempts) answered(id, number, error);
        },
        durability, Timestamp(static_cast<std::int64_t>(tag_)));
    if (refused != Errc::none) return false;
    for (const auto& [id, number] : attempts) {
      Partition& partition = partitions_[id];
      partition.attempts.push_back({partition.end, partition.end + records - 1, content, durability});
      partition.visible.push_back(number);
      partition.end += records;
      ++partition.callbacks_due;
    }
    return true;
  }

  void set_log_start(std::uint64_t id, std::int64_t offset) {
    Partition& partition = partitions_[id];
    const Errc refused =
        fixture_.journal->set_log_start(PartitionId(id), Offset(offset), [this, id, offset](Errc error) {
          Partition& now = partitions_[id];
          --now.callbacks_due;
          if (error == Errc::none) now.promised_start = std::max(now.promised_start, offset);
        });
    REQUIRE(refused == Errc::none);
    ++partition.callbacks_due;
    partition.log_start = std::max(partition.log_start, offset);
    partition.highest_start = std::max(partition.highest_start, offset);
  }

  void drop(std::uint64_t id) {
    Partition& partition = partitions_[id];
    partition.dropping = true;
    ++partition.callbacks_due;
    REQUIRE(fixture_.journal->drop(PartitionId(id), [this, id](Errc error) {
      --partitions_[id].callbacks_due;
      if (error == Errc::none) partitions_[id].dropped = true;
    }) == Errc::none);
  }

  /// What the running journal holds is what did not fail.
  void check_running(std::uint64_t id) {
    Partition& partition = partitions_[id];
    fixture_.loop.run();
    if (partition.dropping || !fixture_.journal->knows(PartitionId(id))) return;
    INFO("partition " << id << describe(partition));
    const LogState state = fixture_.journal->state(PartitionId(id));
    REQUIRE(state.end.value == partition.end);
    REQUIRE(state.log_start.value == std::min(partition.log_start, partition.end));
    std::vector<std::size_t> expected;
    for (const std::size_t number : partition.visible)
      if (partition.attempts[number].last >= state.log_start.value) expected.push_back(number);
    REQUIRE(contents(id, state.log_start.value, partition) == expected);
  }

  enum class Loss { nothing, process, machine };
  /// What a restart found, and from now on goes by.
  void check_restarted(Loss loss) {
    for (auto& [id, partition] : partitions_) {
      INFO("partition " << id);
      partition.callbacks_due = 0;
      const bool known = fixture_.journal->knows(PartitionId(id));
      if (partition.dropped) {
        REQUIRE_FALSE(known);
        continue;
      }
      if (partition.dropping) {
        partition.dropped = !known;
        if (!known) continue;
        partition.dropping = false;
      }
      const LogState state = fixture_.journal->state(PartitionId(id));
      // What was in memory only is gone, and the log begins behind it.
      if (partition.durability != Durability::memory) REQUIRE(state.log_start.value <= partition.highest_start);
      REQUIRE(state.log_start.value >= std::min(partition.promised_start, state.end.value));
      std::vector<std::size_t> found = match(id, state, partition);
      for (std::size_t number = 0; number < partition.attempts.size(); ++number) {
        const Attempt& attempt = partition.attempts[number];
        if (!is_owed(attempt, loss) || attempt.last < state.log_start.value || is_replaced(partition, number)) continue;
        INFO("attempt " << number << ": offsets " << attempt.base << " to " << attempt.last << " of log "
                        << state.log_start.value << " to " << state.end.value << " after the loss of "
                        << (loss == Loss::machine ? "the machine" : "the process") << describe(partition));
        REQUIRE(std::find(found.begin(), found.end(), number) != found.end());
      }
      // What is not there is as if it had failed; what is there is on the disk.
      for (std::size_t number = 0; number < partition.attempts.size(); ++number) {
        Attempt& attempt = partition.attempts[number];
        const bool there = std::find(found.begin(), found.end(), number) != found.end();
        if (there) attempt.promised = true, attempt.failed = false;
        if (!there) attempt.failed = true, attempt.acknowledged = attempt.promised = false;
      }
      partition.visible = std::move(found);
      partition.end = state.end.value;
      partition.log_start = state.log_start.value;
    }
  }

  /// The newest attempts, for messages.
  static std::string describe(const Partition& partition) {
    std::string text;
    for (std::size_t i = partition.attempts.size() > 8 ? partition.attempts.size() - 8 : 0;
         i < partition.attempts.size(); ++i) {
      const Attempt& attempt = partition.attempts[i];
      text += "\n  attempt " + std::to_string(i) + ": " + std::to_string(attempt.base) + " to " +
              std::to_string(attempt.last) + (attempt.durability == Durability::sync ? " sync" : " os") +
              (attempt.acknowledged ? " acknowledged" : "") + (attempt.failed ? " failed" : "") +
              (attempt.promised ? " promised" : "");
    }
    return text;
  }

 private:
  void answered(std::uint64_t id, std::size_t number, Errc error) {
    Partition& partition = partitions_[id];
    --partition.callbacks_due;
    Attempt& attempt = partition.attempts[number];
    REQUIRE_FALSE(attempt.acknowledged);
    REQUIRE_FALSE(attempt.failed);
    if (error == Errc::none) {
      attempt.acknowledged = true;
      attempt.promised = attempt.durability == Durability::sync;
      return;
    }
    REQUIRE((error == Errc::storage_failed || error == Errc::unknown_outcome));
    attempt.failed = true;
    std::erase_if(partition.visible, [number](std::size_t other) { return other >= number; });
    partition.end = std::min(partition.end, attempt.base);
    partition.log_start = std::min(partition.log_start, partition.end);
  }

  static bool is_owed(const Attempt& attempt, Loss loss) {
    if (attempt.durability == Durability::memory) return false;
    if (loss == Loss::machine) return attempt.promised;
    return attempt.promised || attempt.acknowledged;
  }
  static bool is_replaced(const Partition& partition, std::size_t number) {
    for (std::size_t later = number + 1; later < partition.attempts.size(); ++later)
      if (partition.attempts[later].base <= partition.attempts[number].last) return true;
    return false;
  }

  /// The attempts whose batches lie between two offsets, by reading.
  std::vector<std::size_t> contents(std::uint64_t id, std::int64_t from, const Partition& partition) {
    std::vector<std::size_t> numbers;
    std::int64_t next = from;
    while (next < partition.end) {
      const ReadResult read = fixture_.read(PartitionId(id), next, INT64_MAX, 3000);
      INFO("reading at " << next << " of " << partition.end);
      REQUIRE(read.error == Errc::none);
      REQUIRE_FALSE(read.batches.empty());
      REQUIRE(read.base_offsets.size() == read.batches.size());
      for (std::size_t i = 0; i < read.batches.size(); ++i) {
        const Bytes& batch = read.batches[i];
        const auto number = std::find_if(partition.attempts.begin(), partition.attempts.end(),
                                         [&](const Attempt& attempt) { return attempt.content == batch.view(); });
        if (number == partition.attempts.end()) FAIL("this batch was never appended: " << batch.view().substr(0, 20));
        REQUIRE(read.base_offsets[i].value == number->base);
        numbers.push_back(static_cast<std::size_t>(number - partition.attempts.begin()));
        REQUIRE(number->last >= next);
        next = number->last + 1;
      }
    }
    return numbers;
  }

  std::vector<std::size_t> match(std::uint64_t id, const LogState& state, Partition& partition) {
    std::vector<std::size_t> found;
    partition.end = state.end.value;
    std::int64_t next = -1;
    for (const std::size_t number : contents(id, state.log_start.value, partition)) {
      const Attempt& attempt = partition.attempts[number];
      if (next == -1)
        REQUIRE(attempt.base <= state.log_start.value);
      else
        REQUIRE(attempt.base == next);
      next = attempt.last + 1;
      found.push_back(number);
    }
    if (next == -1)
      REQUIRE(state.log_start == state.end);
    else
      REQUIRE(next == state.end.value);
    return found;
  }

  JournalFixture& fixture_;
  std::map<std::uint64_t, Partition> partitions_;
  std::uint64_t tag_ = 0;
};

}  // namespace braid
