// Braid, Apache-2.0.
//
// The journal when nothing goes wrong: what is appended is read, now and after a restart.
#include <map>

#include "journal_fixture.hpp"

using namespace braid;

TEST_CASE("An appended batch is read back from memory at once") {
  JournalFixture fixture;
  fixture.open();
  REQUIRE(fixture.append(kFirst, plain_batch(1), 5) == Errc::none);
  CHECK(fixture.journal->state(kFirst).end == Offset(5));
  bool called = false;
  fixture.journal->read({kFirst, Offset(3), Offset(INT64_MAX)}, [&](ReadResult result) {
    called = true;
    REQUIRE(result.batches.size() == 1);
    CHECK(result.batches[0] == plain_batch(1));
    CHECK(result.bytes == 100);
  });
  CHECK(called);
  CHECK(fixture.journal->statistics().disk_reads == 0);
}

TEST_CASE("Batches of many partitions come back after a restart, small and large, in order") {
  for (const bool crash : {true, false}) {
    JournalFixture fixture(7, {.file_bytes = 64 << 10});
    fixture.open();
    std::map<std::uint64_t, std::vector<std::string>> expected;
    for (int i = 0; i < 400; ++i) {
      const PartitionId partition(static_cast<std::uint64_t>(i % 7));
      const Bytes batch = plain_batch(i, i % 11 == 0 ? 9000 : 50 + static_cast<std::size_t>(i));
      REQUIRE(fixture.append(partition, batch) == Errc::none);
      expected[partition.value].push_back(batch.str());
    }
    for (const auto& [partition, batches] : expected) CHECK(fixture.read_all(PartitionId(partition)) == batches);
    if (crash)
      fixture.crash();
    else
      fixture.shut();
    const RecoveryReport report = fixture.open();
    CHECK(report.damages == std::vector<std::string>{});
    for (const auto& [partition, batches] : expected) CHECK(fixture.read_all(PartitionId(partition)) == batches);
    CHECK(fixture.journal_files().size() > 5);
  }
}

TEST_CASE("Old batches are read from sealed files, several with one disk read") {
  JournalFixture fixture(3, {.file_bytes = 32 << 10, .tail_cache_bytes = 0});
  fixture.open();
  std::vector<std::string> expected;
  for (int i = 0; i < 300; ++i) {
    REQUIRE(fixture.append(kFirst, plain_batch(i, 500)) == Errc::none);
    expected.push_back(plain_batch(i, 500).str());
  }
  const auto before = fixture.journal->statistics();
  CHECK(fixture.read_all(kFirst) == expected);
  const auto after = fixture.journal->statistics();
  CHECK(after.disk_reads - before.disk_reads < 30);
  const ReadResult some = fixture.read(kFirst, 10, 200, 1100);
  CHECK(some.batches.size() == 2);
  const ReadResult limited = fixture.read(kFirst, 10, 11);
  CHECK(limited.batches.size() == 1);
  const ReadResult small = fixture.read(kFirst, 10, 200, 100);
  CHECK(small.batches.size() == 1);
  const ReadResult none = fixture.read(kFirst, 10, 200, 100, false);
  CHECK(none.error == Errc::none);
  CHECK(none.batches.empty());
}

TEST_CASE("Reads outside of the log are told so, a read at its end is empty") {
  JournalFixture fixture;
  fixture.open();
  REQUIRE(fixture.append(kFirst, plain_batch(1), 3) == Errc::none);
  CHECK(fixture.read(kFirst, 3).error == Errc::none);
  CHECK(fixture.read(kFirst, 3).batches.empty());
  CHECK(fixture.read(kFirst, 4).error == Errc::offset_out_of_range);
  CHECK(fixture.read(kSecond, 0).error == Errc::unknown_partition);
  REQUIRE(fixture.append(kFirst, plain_batch(2), 3) == Errc::none);
  REQUIRE(fixture.set_log_start(kFirst, 4) == Errc::none);
  CHECK(fixture.read(kFirst, 3).error == Errc::offset_out_of_range);
  CHECK(fixture.read(kFirst, 4).batches.size() == 1);
  CHECK(fixture.journal->state(kFirst).log_start == Offset(4));
}

TEST_CASE("Appends of one turn go out as one write and one sync, and are answered in order") {
  JournalFixture fixture;
  fixture.open();
  std::vector<int> order;
  for (int i = 0; i < 50; ++i)
    REQUIRE(fixture.submit(
                PartitionId(static_cast<std::uint64_t>(i % 5)), plain_batch(i), 1,
                [&order, i](Errc error) {
                  CHECK(error == Errc::none);
                  order.push_back(i);
                },
                i % 3 == 0 ? Durability::os : Durability::sync) == Errc::none);
  CHECK(order.empty());
  fixture.loop.run();
  REQUIRE(order.size() == 50);
  std::map<int, int> last;
  for (const int i : order) {
    CHECK(last[i % 5] <= i);
    last[i % 5] = i;
  }
  CHECK(fixture.journal->statistics().writes == 1);
  CHECK(fixture.journal->statistics().syncs == 1);
}

TEST_CASE("A later batch replaces the suffix that it overlaps, also after a restart") {
  JournalFixture fixture;
  fixture.open();
  for (int i = 0; i < 5; ++i) REQUIRE(fixture.append(kFirst, plain_batch(i), 2) == Errc::none);
  std::optional<Errc> result;
  REQUIRE(fixture.journal->append({.partition = kFirst,
                                   .shard = ShardId(1),
                                   .batch = plain_batch(77),
                                   .base_offset = Offset(6),
                                   .last_offset = Offset(6)},
                                  [&](Errc error) { result = error; }) == Errc::none);
  fixture.loop.run();
  CHECK(result == Errc::none);
  for (int round = 0; round < 3; ++round) {
    CHECK(fixture.journal->state(kFirst).end == Offset(7));
    const ReadResult read = fixture.read(kFirst, 4);
    REQUIRE(read.batches.size() == 2);
    CHECK(read.batches[1] == plain_batch(77));
    if (round == 0)
      fixture.crash();
    else
      fixture.shut();
    fixture.open();
  }
}

TEST_CASE("A dropped partition stays dropped") {
  JournalFixture fixture(5, {.file_bytes = 8192});
  fixture.open();
  for (int i = 0; i < 100; ++i) {
    REQUIRE(fixture.append(kFirst, plain_batch(i)) == Errc::none);
    REQUIRE(fixture.append(kSecond, plain_batch(i)) == Errc::none);
  }
  REQUIRE(fixture.drop(kFirst) == Errc::none);
  CHECK_FALSE(fixture.journal->knows(kFirst));
  fixture.crash();
  fixture.open();
  CHECK_FALSE(fixture.journal->knows(kFirst));
  CHECK(fixture.read_all(kSecond).size() == 100);
  CHECK(fixture.journal->partitions() == std::vector<PartitionId>{kSecond});
}

TEST_CASE("What cannot be a batch is refused") {
  JournalFixture fixture;
  fixture.open();
  const auto append = [&](Bytes batch, std::int64_t base, std::int64_t last) {
    return fixture.journal->append({.partition = kFirst,
                                    .shard = ShardId(1),
                                    .batch = std::move(batch),
                                    .base_offset = Offset(base),
                                    .last_offset = Offset(last)},
                                   [](Errc) { FAIL("refused, yet answered"); });
  };
  CHECK(append({}, 0, 0) == Errc::batch_too_large);
  CHECK(append(plain_batch(1), 1, 1) == Errc::offset_out_of_range);
  CHECK(append(plain_batch(1), 0, -1) == Errc::offset_out_of_range);
  CHECK(append(plain_batch(1), -1, 0) == Errc::offset_out_of_range);
  CHECK(append(plain_batch(1), 0, INT64_MAX) == Errc::offset_out_of_range);
  fixture.loop.run();
}

TEST_CASE("Appends past the limit of pending bytes are refused as overload") {
  JournalFixture fixture(1, {.max_pending_bytes = 1000});
  fixture.open();
  int answered = 0;
  Errc refused = Errc::none;
  int taken = 0;
  while (refused == Errc::none) {
    refused = fixture.submit(kFirst, plain_batch(taken), 1, [&](Errc) { ++answered; });
    if (refused == Errc::none) ++taken;
  }
  CHECK(refused == Errc::overloaded);
  CHECK(taken > 1);
  fixture.loop.run();
  CHECK(answered == taken);
  CHECK(fixture.append(kFirst, plain_batch(1)) == Errc::none);
}
