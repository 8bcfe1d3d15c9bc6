// Braid, Apache-2.0.
//
// Batches of several partitions: stored once, found in each of them under its own offsets, and gone from one without
// leaving the others.
#include "journal_fixture.hpp"
#include "persistence/journal/format.hpp"

using namespace braid;
using namespace braid::journal;

namespace {

std::vector<std::int64_t> bases(const ReadResult& read) {
  std::vector<std::int64_t> values;
  for (const Offset offset : read.base_offsets) values.push_back(offset.value);
  return values;
}

std::string only_file() {
  return "/data/journal/" + file_name(1);
}

}  // namespace

TEST_CASE("A batch of several partitions is stored once and read in each under its own offset") {
  JournalFixture fixture(1, {.tail_cache_bytes = GENERATE(0u, 1u << 20)});
  fixture.open();
  REQUIRE(fixture.append(kFirst, plain_batch(0), 5) == Errc::none);
  const std::uint64_t before = fixture.disk.used_bytes();
  const std::size_t size = GENERATE(100u, 20000u);
  REQUIRE(fixture.append_shared({kFirst, kSecond, kThird}, plain_batch(1, size), 3) == Errc::none);
  CHECK(fixture.disk.used_bytes() - before == entry_bytes(static_cast<std::uint32_t>(size) + targets_bytes(3)));
  REQUIRE(fixture.append_shared({kThird, kFirst}, plain_batch(2), 2) == Errc::none);
  for (int round = 0; round < 3; ++round) {
    CAPTURE(round);
    const ReadResult first = fixture.read(kFirst, 0);
    CHECK(bases(first) == std::vector<std::int64_t>{0, 5, 8});
    REQUIRE(first.batches.size() == 3);
    CHECK(first.batches[1] == plain_batch(1, size));
    CHECK(first.batches[2] == plain_batch(2));
    CHECK(bases(fixture.read(kSecond, 2)) == std::vector<std::int64_t>{0});
    CHECK(bases(fixture.read(kThird, 0)) == std::vector<std::int64_t>{0, 3});
    CHECK(fixture.journal->state(kFirst).end == Offset(10));
    CHECK(fixture.journal->state(kSecond).end == Offset(3));
    CHECK(fixture.journal->state(kThird).end == Offset(5));
    if (round == 0)
      fixture.crash();
    else
      fixture.shut();
    CHECK(fixture.open().damages.empty());
  }
}

TEST_CASE("A shared batch outlives footers, checkpoints and the log starts of the others") {
  JournalFixture fixture(1, {.file_bytes = 4096, .tail_cache_bytes = 0, .index_cache_bytes = 0});
  fixture.open();
  for (int i = 0; i < 60; ++i) {
    REQUIRE(fixture.append_shared({kFirst, kSecond, kThird}, plain_batch(i, 150), 2) == Errc::none);
    REQUIRE(fixture.append(kSecond, plain_batch(1000 + i)) == Errc::none);
  }
  REQUIRE(fixture.journal_files().size() > 4);
  REQUIRE(fixture.set_log_start(kFirst, 120) == Errc::none);
  REQUIRE(fixture.drop(kThird) == Errc::none);
  for (int round = 0; round < 2; ++round) {
    CHECK(fixture.read_all(kFirst, 120).empty());
    CHECK_FALSE(fixture.journal->knows(kThird));
    std::int64_t next = 0;
    for (int i = 0; i < 60; ++i, next += 3) {
      const ReadResult read = fixture.read(kSecond, next, INT64_MAX, 1);
      REQUIRE(read.batches.size() == 1);
      CHECK(read.batches[0] == plain_batch(i, 150));
      CHECK(bases(read) == std::vector<std::int64_t>{next});
    }
    fixture.shut();
    CHECK(fixture.open().damages.empty());
  }
  // The files go when the last of the partitions has let go of them.
  const std::size_t files = fixture.journal_files().size();
  REQUIRE(fixture.set_log_start(kSecond, 180) == Errc::none);
  for (int i = 0; i < 3; ++i) {
    fixture.journal->reclaim();
    fixture.loop.run();
  }
  CHECK(fixture.journal_files().size() < files);
  CHECK(fixture.journal_files().size() <= 2);
}

TEST_CASE(
    "A shared batch in memory is found in each partition, and mixed with stored ones keeps the order of answers") {
  JournalFixture fixture;
  fixture.open();
  std::string order;
  REQUIRE(fixture.submit(kFirst, plain_batch(0), 1, [&](Errc) { order += 'a'; }) == Errc::none);
  REQUIRE(fixture.submit_shared(
              {kFirst, kSecond}, plain_batch(1), 2, [&](Errc) { order += 'b'; }, Durability::memory) == Errc::none);
  REQUIRE(fixture.submit_shared(
              {kSecond, kFirst}, plain_batch(2), 2, [&](Errc) { order += 'c'; }, Durability::os) == Errc::none);
  REQUIRE(fixture.submit(kSecond, plain_batch(3), 1, [&](Errc) { order += 'd'; }) == Errc::none);
  fixture.loop.run();
  CHECK(order == "abcd");
  CHECK(bases(fixture.read(kFirst, 0)) == std::vector<std::int64_t>{0, 1, 3});
  CHECK(bases(fixture.read(kSecond, 0)) == std::vector<std::int64_t>{0, 2, 4});
  fixture.kill();
  fixture.open();
  CHECK(bases(fixture.read(kFirst, 3)) == std::vector<std::int64_t>{3});
}

TEST_CASE("A damaged shared batch is fenced in every partition that has it, the rest is served") {
  JournalFixture fixture(1, {.tail_cache_bytes = 0});
  fixture.open();
  REQUIRE(fixture.append_shared({kFirst, kSecond}, plain_batch(0, 120)) == Errc::none);
  REQUIRE(fixture.append_shared({kFirst, kSecond}, plain_batch(1, 120)) == Errc::none);
  REQUIRE(fixture.append_shared({kFirst, kSecond}, plain_batch(2, 120)) == Errc::none);
  fixture.kill();
  const std::uint32_t entry = entry_bytes(120 + targets_bytes(2)), second = kFileHeaderBytes + entry;
  SECTION("in the batch") {
    fixture.disk.flip_bit(only_file(), second + kEntryHeaderBytes + targets_bytes(2) + 10, 2);
    const RecoveryReport report = fixture.open();
    REQUIRE(report.damages.size() == 1);
    CHECK(report.damages[0].find("partition 1, offsets 1 to 1; partition 2, offsets 1 to 1") != std::string::npos);
  }
  SECTION("in the list of its partitions") {
    fixture.disk.flip_bit(only_file(), second + kEntryHeaderBytes + 3, 2);
    const RecoveryReport report = fixture.open();
    REQUIRE(report.damages.size() == 2);
    CHECK(report.damages[0].find("partition 1, offsets 1 to 1; and of 1 partitions") != std::string::npos);
    CHECK(report.damages[1].find("partition 2: offsets 1 to 1 are lost") != std::string::npos);
  }
  SECTION("in its header") {
    fixture.disk.flip_bit(only_file(), second + 30, 2);
    CHECK(fixture.open().damages.size() == 3);
  }
  for (const PartitionId partition : {kFirst, kSecond}) {
    CHECK(fixture.read(partition, 0).batches.size() == 1);
    CHECK(fixture.read(partition, 1).error == Errc::damaged);
    CHECK(bases(fixture.read(partition, 2)) == std::vector<std::int64_t>{2});
  }
}

TEST_CASE("More partitions than one entry takes, and none at all, are refused") {
  JournalFixture fixture;
  fixture.open();
  std::vector<PartitionId> many;
  for (std::uint64_t i = 1; i <= kMaxTargets + 1; ++i) many.emplace_back(i);
  const auto never = [](Errc) { FAIL("refused at once"); };
  CHECK(fixture.submit_shared(many, plain_batch(1), 1, never) != Errc::none);
  CHECK(fixture.submit_shared({}, plain_batch(1), 1, never) != Errc::none);
  CHECK(fixture.submit_shared({kFirst}, Bytes(), 1, never) == Errc::batch_too_large);
  fixture.loop.run();
  many.pop_back();
  REQUIRE(fixture.append_shared(many, plain_batch(1)) == Errc::none);
  fixture.crash();
  fixture.open();
  CHECK(fixture.journal->partitions().size() == kMaxTargets);
  CHECK(fixture.read_all(many.back()) == std::vector<std::string>{plain_batch(1).str()});
}

TEST_CASE("What readers had before the disk refused it keeps its offsets, in memory and on the disk") {
  JournalFixture fixture;
  fixture.open();
  REQUIRE(fixture.append(kFirst, plain_batch(0), 5) == Errc::none);
  const auto submit = [&](Bytes batch, Durability durability, std::optional<Errc>& result) {
    std::vector<SharedAppendRequest::Target> targets{{kFirst}, {kSecond}};
    REQUIRE(fixture.journal->append_shared({.shard = ShardId(1),
                                            .batch = std::move(batch),
                                            .targets = targets,
                                            .last_offset_delta = 2,
                                            .durability = durability,
                                            .visible_at_once = true},
                                           [&](Errc error) { result = error; }) == Errc::none);
    return std::pair(targets[0].base_offset.value, targets[1].base_offset.value);
  };
  std::optional<Errc> lost, in_memory, kept;
  fixture.disk.fail(SimDisk::Operation::write, 1, 1000);
  CHECK(submit(plain_batch(1), Durability::sync, lost) == std::pair(std::int64_t{5}, std::int64_t{0}));
  CHECK(submit(plain_batch(2), Durability::memory, in_memory) == std::pair(std::int64_t{8}, std::int64_t{3}));
  fixture.loop.run();
  CHECK(lost == Errc::storage_failed);
  CHECK(in_memory == Errc::storage_failed);
  fixture.disk.heal();
  CHECK(submit(plain_batch(3), Durability::sync, kept) == std::pair(std::int64_t{11}, std::int64_t{6}));
  fixture.loop.run();
  CHECK(kept == Errc::none);
  for (int round = 0; round < 2; ++round) {
    CAPTURE(round);
    CHECK(bases(fixture.read(kFirst, 0)) == std::vector<std::int64_t>{0, 11});
    // A log of which the disk has nothing before the gap begins behind it at the next start.
    CHECK(bases(fixture.read(kSecond, round == 0 ? 0 : 6)) == std::vector<std::int64_t>{6});
    CHECK(fixture.journal->state(kFirst).end == Offset(14));
    CHECK(fixture.journal->state(kSecond).end == Offset(9));
    fixture.crash();
    fixture.open();
  }
}

TEST_CASE("Batches in memory that were visible at once stay when topics in memory are over their limit") {
  JournalFixture fixture(1, {.memory_bytes = 2000});
  fixture.open();
  std::vector<SharedAppendRequest::Target> target{{kFirst}};
  for (int i = 0; i < 30; ++i) {
    REQUIRE(fixture.journal->append_shared({.shard = ShardId(1),
                                            .batch = plain_batch(i),
                                            .targets = target,
                                            .durability = Durability::memory,
                                            .visible_at_once = true},
                                           [](Errc) {}) == Errc::none);
    REQUIRE(fixture.append(kSecond, plain_batch(100 + i), 1, Durability::memory) == Errc::none);
  }
  CHECK(fixture.read_all(kFirst).size() == 30);
  CHECK(fixture.journal->state(kSecond).log_start > Offset(5));
  REQUIRE(fixture.set_log_start(kFirst, 30) == Errc::none);
  CHECK(fixture.journal->state(kFirst).bytes == 0);
}
