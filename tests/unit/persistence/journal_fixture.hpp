// Braid, Apache-2.0.
//
// A journal on a simulated disk, with calls that wait for their callbacks by letting the disk work.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/byte_io.hpp"
#include "model/crc32c.hpp"
#include "persistence/journal/journal.hpp"
#include "persistence/testing/manual_loop.hpp"
#include "persistence/testing/sim_disk.hpp"

namespace braid {

inline constexpr PartitionId kFirst(1), kSecond(2), kThird(3);

/// Something of the right size, at least 24 bytes, that says what it is. The journal does not look inside, but for
/// producer ids.
inline Bytes plain_batch(std::int64_t tag, std::size_t size = 100) {
  std::string text = "batch " + std::to_string(tag) + " ";
  while (text.size() < size) text += static_cast<char>('a' + (tag + static_cast<std::int64_t>(text.size())) % 26);
  text.resize(std::max<std::size_t>(size, 24));
  return Bytes::copy(text);
}

struct JournalFixture {
  explicit JournalFixture(std::uint64_t seed = 1, JournalOptions with = {}) : disk(seed), options(std::move(with)) {
    options.directory = "/data/journal";
  }
  ~JournalFixture() { journal.reset(); }

  /// Opens, or opens again after crash(), kill() or shut().
  RecoveryReport open() {
    view = loop.attach(disk);
    RecoveryReport report;
    auto opened = Journal::open(*view, options, &report);
    if (!opened) FAIL(opened.error());
    journal = std::move(*opened);
    return report;
  }
  void crash() {
    journal.reset();
    disk.crash();
    loop.clear();
  }
  void kill() {
    journal.reset();
    disk.kill();
    loop.clear();
  }
  void shut() {
    std::optional<Errc> closed;
    journal->close([&](Errc error) { closed = error; });
    loop.run();
    REQUIRE(closed == Errc::none);
    kill();
  }

  /// Appends at the end and returns at once.
  Errc submit(PartitionId partition, Bytes batch, std::int64_t records, AppendDone done,
              Durability durability = Durability::sync, Timestamp timestamp = Timestamp(-1)) {
    const Offset base = journal->state(partition).end;
    return journal->append({.partition = partition,
                            .shard = ShardId(1),
                            .batch = std::move(batch),
                            .base_offset = base,
                            .last_offset = Offset(base.value + records - 1),
                            .max_timestamp = timestamp,
                            .durability = durability},
                           std::move(done));
  }
  /// One batch for several partitions; returns at once.
  Errc submit_shared(const std::vector<PartitionId>& partitions, Bytes batch, std::int32_t records, AppendDone done,
                     Durability durability = Durability::sync, Timestamp timestamp = Timestamp(-1)) {
    std::vector<SharedAppendRequest::Target> targets;
    for (const PartitionId partition : partitions) targets.push_back({partition});
    const Errc refused = journal->append_shared({.shard = ShardId(1),
                                                 .batch = std::move(batch),
                                                 .targets = targets,
                                                 .last_offset_delta = records - 1,
                                                 .max_timestamp = timestamp,
                                                 .durability = durability},
                                                std::move(done));
    if (refused == Errc::none)
      for (const auto& target : targets)
        CHECK(target.base_offset.value == journal->state(target.partition).end.value - records);
    return refused;
  }
  Errc append_shared(const std::vector<PartitionId>& partitions, Bytes batch, std::int32_t records = 1,
                     Durability durability = Durability::sync) {
    std::optional<Errc> result;
    const Errc refused = submit_shared(
        partitions, std::move(batch), records, [&](Errc error) { result = error; }, durability);
    if (refused != Errc::none) return refused;
    CHECK_FALSE(result);
    loop.run();
    REQUIRE(result);
    return *result;
  }
  Errc append(PartitionId partition, Bytes batch, std::int64_t records = 1, Durability durability = Durability::sync,
              Timestamp timestamp = Timestamp(-1)) {
    std::optional<Errc> result;
    const Errc refused = submit(
        partition, std::move(batch), records, [&](Errc error) { result = error; }, durability, timestamp);
    if (refused != Errc::none) return refused;
    CHECK_FALSE(result);  // never inside the call
    loop.run();
    REQUIRE(result);
    return *result;
  }
  ReadResult read(PartitionId partition, std::int64_t from, std::int64_t limit = INT64_MAX,
                  std::uint32_t max_bytes = 1 << 20, bool at_least_one = true) {
    std::optional<ReadResult> result;
    journal->read({partition, Offset(from), Offset(limit), max_bytes, at_least_one, true},
                  [&](ReadResult read) { result = std::move(read); });
    loop.run();
    REQUIRE(result);
    return std::move(*result);
  }
  /// Everything from `from` to the end, in as many reads as it takes.
  std::vector<std::string> read_all(PartitionId partition, std::int64_t from = 0) {
    std::vector<std::string> batches;
    const std::int64_t end = journal->state(partition).end.value;
    std::int64_t records = 0;
    while (from + records < end) {
      const ReadResult result = read(partition, from + records);
      INFO("partition " << partition.value << " at " << from + records << " of " << end);
      REQUIRE(result.error == Errc::none);
      REQUIRE_FALSE(result.batches.empty());
      for (const Bytes& batch : result.batches) batches.push_back(batch.str());
      records += static_cast<std::int64_t>(result.batches.size());
    }
    return batches;
  }
  Errc checkpoint() {
    std::optional<Errc> result;
    journal->checkpoint([&](Errc error) { result = error; });
    loop.run();
    REQUIRE(result);
    return *result;
  }
  Errc set_log_start(PartitionId partition, std::int64_t offset) {
    std::optional<Errc> result;
    if (const Errc refused = journal->set_log_start(partition, Offset(offset), [&](Errc error) { result = error; });
        refused != Errc::none)
      return refused;
    loop.run();
    REQUIRE(result);
    return *result;
  }
  Errc drop(PartitionId partition) {
    std::optional<Errc> result;
    if (const Errc refused = journal->drop(partition, [&](Errc error) { result = error; }); refused != Errc::none)
      return refused;
    loop.run();
    REQUIRE(result);
    return *result;
  }
  std::vector<std::string> journal_files() const {
    std::vector<std::string> files;
    for (const std::string& path : disk.paths())
      if (path.ends_with(".journal")) files.push_back(path);
    return files;
  }

  SimDisk disk;
  ManualLoop loop;
  std::unique_ptr<Disk> view;
  JournalOptions options;
  std::unique_ptr<Journal> journal;
};

}  // namespace braid
