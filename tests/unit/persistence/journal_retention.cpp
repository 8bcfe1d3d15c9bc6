// Braid, Apache-2.0.
//
// Space: log starts by time and size, files that go when nothing lives in them, memory topics that stay within bounds.
#include "journal_fixture.hpp"

using namespace braid;

namespace {

Offset wanted(const JournalFixture& fixture, std::int64_t now, std::int64_t milliseconds, std::int64_t bytes) {
  return fixture.journal->retention_start(kFirst, Timestamp(now), milliseconds, bytes);
}

}  // namespace

TEST_CASE("Retention by time drops what is older, batch by batch in the open file, and may empty the log") {
  JournalFixture fixture;
  fixture.open();
  for (int i = 0; i < 10; ++i)
    REQUIRE(fixture.append(kFirst, plain_batch(i), 2, Durability::sync, Timestamp(1000 + i)) == Errc::none);
  CHECK(wanted(fixture, 1010, -1, -1) == Offset(0));
  CHECK(wanted(fixture, 1010, 100, -1) == Offset(0));
  CHECK(wanted(fixture, 1010, 5, -1) == Offset(10));
  CHECK(wanted(fixture, 5000, 5, -1) == Offset(20));
  REQUIRE(fixture.set_log_start(kFirst, 20) == Errc::none);
  CHECK(fixture.journal->state(kFirst).bytes == 0);
  REQUIRE(fixture.append(kFirst, plain_batch(11), 1) == Errc::none);
  CHECK(fixture.journal->state(kFirst).end == Offset(21));
}

TEST_CASE("Retention by size keeps at least what was asked, and the newest batch whatever was asked") {
  JournalFixture fixture;
  fixture.open();
  for (int i = 0; i < 10; ++i) REQUIRE(fixture.append(kFirst, plain_batch(i, 100)) == Errc::none);
  CHECK(fixture.journal->state(kFirst).bytes == 1000);
  CHECK(wanted(fixture, 0, -1, 1000) == Offset(0));
  CHECK(wanted(fixture, 0, -1, 450) == Offset(5));
  CHECK(wanted(fixture, 0, -1, 0) == Offset(9));
  REQUIRE(fixture.set_log_start(kFirst, 5) == Errc::none);
  CHECK(fixture.journal->state(kFirst).bytes == 500);
}

TEST_CASE("In sealed files retention goes file by file") {
  JournalFixture fixture(1, {.file_bytes = 4096});
  fixture.open();
  for (int i = 0; i < 100; ++i)
    REQUIRE(fixture.append(kFirst, plain_batch(i, 200), 1, Durability::sync, Timestamp(i)) == Errc::none);
  const Offset start = wanted(fixture, 100, 60, -1);
  CHECK(start > Offset(20));
  CHECK(start <= Offset(40));
}

TEST_CASE("Files in which nothing lives are removed, and a restart does not miss them") {
  JournalFixture fixture(1, {.file_bytes = 4096});
  fixture.open();
  for (int i = 0; i < 200; ++i) REQUIRE(fixture.append(i % 3 ? kFirst : kSecond, plain_batch(i, 200)) == Errc::none);
  const std::size_t before = fixture.journal_files().size();
  REQUIRE(fixture.set_log_start(kFirst, fixture.journal->state(kFirst).end.value - 2) == Errc::none);
  for (int i = 0; i < 4; ++i) {
    fixture.journal->reclaim();
    fixture.loop.run();
  }
  CHECK(fixture.journal_files().size() == before);  // the second partition lives in all of them
  REQUIRE(fixture.drop(kSecond) == Errc::none);
  for (int i = 0; i < 4; ++i) {
    fixture.journal->reclaim();
    fixture.loop.run();
  }
  CHECK(fixture.journal_files().size() <= 4);
  CHECK(fixture.journal->statistics().files <= 4);
  for (const bool crash : {true, false}) {
    if (crash)
      fixture.crash();
    else
      fixture.shut();
    CHECK(fixture.open().damages.empty());
    CHECK(fixture.read_all(kFirst, fixture.journal->state(kFirst).log_start.value).size() == 2);
    CHECK_FALSE(fixture.journal->knows(kSecond));
  }
}

TEST_CASE("Batches with durability memory never reach the disk and keep within their bound") {
  JournalFixture fixture(1, {.memory_bytes = 1000});
  fixture.open();
  for (int i = 0; i < 100; ++i)
    REQUIRE(fixture.append(i % 2 ? kFirst : kSecond, plain_batch(i), 1, Durability::memory) == Errc::none);
  CHECK(fixture.journal->statistics().writes == 0);
  CHECK(fixture.disk.used_bytes() == 0);
  for (const PartitionId partition : {kFirst, kSecond}) {
    const LogState state = fixture.journal->state(partition);
    CHECK(state.end == Offset(50));
    CHECK(state.log_start == Offset(45));
    CHECK(state.bytes == 500);
    CHECK(fixture.read_all(partition, 45).size() == 5);
  }
  REQUIRE(fixture.set_log_start(kFirst, 47) == Errc::none);
  CHECK(fixture.journal->statistics().writes == 0);
  CHECK(fixture.read_all(kFirst, 47).size() == 3);
  // An orderly restart goes on with the next offset, without the batches.
  fixture.shut();
  CHECK(fixture.open().damages.empty());
  CHECK(fixture.journal->state(kFirst).log_start == Offset(50));
  CHECK(fixture.journal->state(kFirst).end == Offset(50));
  REQUIRE(fixture.append(kFirst, plain_batch(7), 1, Durability::memory) == Errc::none);
  CHECK(fixture.read_all(kFirst, 50) == std::vector<std::string>{plain_batch(7).str()});
}

TEST_CASE("A topic that turns from memory to disk and back keeps its order, and a restart finds what was on disk") {
  JournalFixture fixture;
  fixture.open();
  const std::vector<Durability> turns{Durability::memory, Durability::sync, Durability::memory, Durability::os};
  std::vector<int> answered;
  std::vector<std::string> expected;
  for (int i = 0; i < 40; ++i) {
    REQUIRE(fixture.submit(
                kFirst, plain_batch(i), 1,
                [&answered, i](Errc error) {
                  CHECK(error == Errc::none);
                  answered.push_back(i);
                },
                turns[static_cast<std::size_t>(i / 10)]) == Errc::none);
    expected.push_back(plain_batch(i).str());
    if (i % 7 == 0) fixture.loop.step();
  }
  fixture.loop.run();
  REQUIRE(answered.size() == 40);
  CHECK(std::is_sorted(answered.begin(), answered.end()));
  CHECK(fixture.read_all(kFirst) == expected);
  fixture.kill();
  CHECK(fixture.open().damages.empty());
  CHECK(fixture.journal->state(kFirst).log_start == Offset(10));
  CHECK(fixture.journal->state(kFirst).end == Offset(40));
  CHECK(fixture.read(kFirst, 10, 20).batches.size() == 10);
  CHECK(fixture.read(kFirst, 25).batches.size() == 10);  // the gap is read over
}

TEST_CASE("The first batch for a timestamp is found in memory and on disk") {
  for (const bool sealed : {false, true}) {
    JournalFixture fixture(1, {.file_bytes = sealed ? 4096u : 1u << 20, .tail_cache_bytes = 0});
    fixture.open();
    // Not ascending: 0 10 20 30 35 20 5 ...
    std::vector<std::int64_t> timestamps;
    for (int i = 0; i < 100; ++i) timestamps.push_back(i % 5 == 4 ? i * 10 - 35 : i * 10);
    for (int i = 0; i < 100; ++i)
      REQUIRE(fixture.append(kFirst, plain_batch(i, 200), 3, Durability::sync,
                             Timestamp(timestamps[static_cast<std::size_t>(i)])) == Errc::none);
    for (int restart = 0; restart < 2; ++restart) {
      for (std::int64_t at = -5; at < 1100; at += 13) {
        std::optional<Offset> expected;
        for (int i = 0; i < 100 && !expected; ++i)
          if (timestamps[static_cast<std::size_t>(i)] >= at) expected = Offset(i * 3);
        std::optional<std::optional<Offset>> found;
        fixture.journal->batch_for_timestamp(kFirst, Timestamp(at), [&](Errc error, std::optional<Offset> offset) {
          CHECK(error == Errc::none);
          found = offset;
        });
        fixture.loop.run();
        REQUIRE(found);
        CHECK(*found == expected);
      }
      CHECK(fixture.journal->batch_of_max_timestamp(kFirst) == Offset(98 * 3));
      CHECK(fixture.journal->state(kFirst).max_timestamp == Timestamp(980));
      fixture.crash();
      fixture.open();
    }
  }
}

TEST_CASE("The batch with the largest timestamp is known after prefix and suffix have gone") {
  JournalFixture fixture;
  fixture.open();
  for (const std::int64_t timestamp : {5, 9, 3, 7, 1})
    REQUIRE(fixture.append(kFirst, plain_batch(timestamp), 1, Durability::sync, Timestamp(timestamp)) == Errc::none);
  CHECK(fixture.journal->batch_of_max_timestamp(kFirst) == Offset(1));
  REQUIRE(fixture.set_log_start(kFirst, 2) == Errc::none);
  CHECK(fixture.journal->batch_of_max_timestamp(kFirst) == Offset(3));
  REQUIRE(fixture.set_log_start(kFirst, 5) == Errc::none);
  CHECK_FALSE(fixture.journal->batch_of_max_timestamp(kFirst));
}

TEST_CASE("A log start behind a truncation in the same file holds when its footer is read over a checkpoint") {
  JournalOptions options;
  options.file_bytes = 4096;
  JournalFixture fixture(1, options);
  fixture.open();
  REQUIRE(fixture.append(kFirst, plain_batch(0), 6) == Errc::none);
  REQUIRE(fixture.append(kFirst, plain_batch(1), 4) == Errc::none);
  // A suffix is gone when what was to replace it fails, so the next file begins with a truncation.
  fixture.disk.fail(SimDisk::Operation::write, 1, 1);
  std::optional<Errc> replaced;
  REQUIRE(fixture.journal->append({.partition = kFirst,
                                   .shard = ShardId(1),
                                   .batch = plain_batch(2),
                                   .base_offset = Offset(6),
                                   .last_offset = Offset(6)},
                                  [&](Errc error) { replaced = error; }) == Errc::none);
  fixture.loop.run();
  REQUIRE(replaced == Errc::storage_failed);
  REQUIRE(fixture.append(kFirst, plain_batch(3), 2) == Errc::none);
  REQUIRE(fixture.set_log_start(kFirst, 8) == Errc::none);
  REQUIRE(fixture.checkpoint() == Errc::none);
  for (int i = 0; i < 30; ++i) REQUIRE(fixture.append(kSecond, plain_batch(10 + i, 400)) == Errc::none);
  fixture.crash();
  fixture.open();
  CHECK(fixture.journal->state(kFirst).log_start == Offset(8));
  CHECK(fixture.journal->state(kFirst).end == Offset(8));
}
