// Braid, Apache-2.0.
//
// What recovery makes of files that are not as they were written: torn tails are cut, damage is reported and fenced,
// and the rest is served.
#include "journal_fixture.hpp"
#include "persistence/journal/format.hpp"

using namespace braid;
using namespace braid::journal;

namespace {

std::string file_path(std::uint64_t id) {
  return "/data/journal/" + file_name(id);
}

/// Ten batches of two partitions, each synced on its own, in one file.
std::unique_ptr<JournalFixture> ten_batches() {
  auto fixture = std::make_unique<JournalFixture>(1, JournalOptions{.tail_cache_bytes = 0});
  fixture->open();
  for (int i = 0; i < 10; ++i) REQUIRE(fixture->append(i % 2 ? kSecond : kFirst, plain_batch(i, 120)) == Errc::none);
  return fixture;
}
constexpr std::uint32_t kEntry = 192;  // 72 + 120, a multiple of 8
constexpr std::uint32_t position_of(std::uint32_t number) {
  return kFileHeaderBytes + number * kEntry;
}

}  // namespace

TEST_CASE("A torn last entry is cut, and its offsets are used again") {
  auto fixture = ten_batches();
  fixture->kill();
  std::string content = fixture->disk.content(file_path(1));
  fixture->disk.put(file_path(1), content.substr(0, content.size() - 50));
  const RecoveryReport report = fixture->open();
  CHECK(report.damages.empty());
  CHECK(report.torn_bytes == kEntry - 50);
  CHECK(report.entries_scanned == 9);
  CHECK(fixture->journal->state(kFirst).end == Offset(5));
  CHECK(fixture->journal->state(kSecond).end == Offset(4));
  REQUIRE(fixture->append(kSecond, plain_batch(99)) == Errc::none);
  fixture->crash();
  CHECK(fixture->open().damages.empty());
  CHECK(fixture->read_all(kSecond).back() == plain_batch(99).str());
  CHECK(fixture->journal_files().size() == 1);
}

TEST_CASE("A flipped bit in a batch in the middle is reported, and only reads of that batch fail") {
  auto fixture = ten_batches();
  fixture->kill();
  fixture->disk.flip_bit(file_path(1), position_of(4) + kEntryHeaderBytes + 10, 3);
  const RecoveryReport report = fixture->open();
  REQUIRE(report.damages.size() == 1);
  CHECK(report.damages[0].find("partition 1, offsets 2 to 2") != std::string::npos);
  CHECK(report.damages[0].find(file_name(1)) != std::string::npos);
  CHECK(fixture->journal->state(kFirst).end == Offset(5));
  CHECK(fixture->read(kFirst, 0).batches.size() == 2);
  CHECK(fixture->read(kFirst, 2).error == Errc::damaged);
  CHECK(fixture->read(kFirst, 3).batches.size() == 2);
  CHECK(fixture->read_all(kSecond).size() == 5);
  // It stays so over checkpoints, footers and restarts.
  REQUIRE(fixture->append(kFirst, plain_batch(10)) == Errc::none);
  fixture->shut();
  CHECK(fixture->open().damages.empty());
  CHECK(fixture->read(kFirst, 2).error == Errc::damaged);
  CHECK(fixture->read(kFirst, 3).batches.size() == 3);
}

TEST_CASE("A destroyed entry header in the middle is reported, and the offsets that miss are fenced") {
  auto fixture = ten_batches();
  fixture->kill();
  fixture->disk.flip_bit(file_path(1), position_of(4) + 20, 0);
  const RecoveryReport report = fixture->open();
  REQUIRE(report.damages.size() == 2);
  CHECK(report.damages[0].find("bytes " + std::to_string(position_of(4)) + " to " + std::to_string(position_of(5))) !=
        std::string::npos);
  CHECK(report.damages[1].find("partition 1: offsets 2 to 2 are lost") != std::string::npos);
  CHECK(fixture->read(kFirst, 0).batches.size() == 2);
  CHECK(fixture->read(kFirst, 2).error == Errc::damaged);
  CHECK(fixture->read(kFirst, 3).batches.size() == 2);
  CHECK(fixture->read_all(kSecond).size() == 5);
  std::optional<Offset> found;
  fixture->journal->batch_for_timestamp(kFirst, Timestamp(0),
                                        [&](Errc, std::optional<Offset> offset) { found = offset; });
  CHECK_FALSE(found);
  for (int round = 0; round < 2; ++round) {
    fixture->shut();
    CHECK(fixture->open().damages.empty());
    CHECK(fixture->read(kFirst, 2).error == Errc::damaged);
    CHECK(fixture->read(kFirst, 3).batches.size() == 2);
  }
}

TEST_CASE("A hole that nobody was promised is a torn tail, whatever the system wrote behind it") {
  JournalFixture fixture(1, {.tail_cache_bytes = 0});
  fixture.open();
  REQUIRE(fixture.append(kFirst, plain_batch(0, 120)) == Errc::none);
  // Two writes without a sync in between; of these only the second reached the disk.
  for (int i = 1; i < 4; ++i) REQUIRE(fixture.append(kFirst, plain_batch(i, 120), 1, Durability::os) == Errc::none);
  fixture.kill();
  std::string content = fixture.disk.content(file_path(1));
  std::fill_n(content.begin() + position_of(1), kEntry, '\0');
  fixture.disk.put(file_path(1), content);
  const RecoveryReport report = fixture.open();
  CHECK(report.damages.empty());
  CHECK(report.torn_bytes == 3 * kEntry);
  CHECK(fixture.journal->state(kFirst).end == Offset(1));
  REQUIRE(fixture.append(kFirst, plain_batch(9, 120)) == Errc::none);
  fixture.crash();
  CHECK(fixture.open().damages.empty());
  CHECK(fixture.journal->state(kFirst).end == Offset(2));
}

TEST_CASE("A damaged checkpoint is reported and the older one is used") {
  auto fixture = ten_batches();
  REQUIRE(fixture->checkpoint() == Errc::none);
  REQUIRE(fixture->append(kFirst, plain_batch(10)) == Errc::none);
  REQUIRE(fixture->checkpoint() == Errc::none);
  REQUIRE(fixture->append(kFirst, plain_batch(11)) == Errc::none);
  fixture->crash();
  fixture->disk.flip_bit("/data/journal/" + checkpoint_name(2), 60, 1);
  const RecoveryReport report = fixture->open();
  REQUIRE(report.damages.size() == 1);
  CHECK(report.damages[0].find(checkpoint_name(2)) != std::string::npos);
  CHECK(report.entries_scanned == 2);
  CHECK(fixture->read_all(kFirst).size() == 7);
  fixture->crash();
  fixture->disk.flip_bit("/data/journal/" + checkpoint_name(1), 60, 1);
  CHECK(fixture->open().damages.size() == 1);
  CHECK(fixture->read_all(kFirst).size() == 7);
}

TEST_CASE("A lost file is reported, reads of what it held fail, the rest is served") {
  JournalFixture fixture(1, {.file_bytes = 4096, .tail_cache_bytes = 0, .index_cache_bytes = 0});
  fixture.open();
  for (int i = 0; i < 60; ++i) REQUIRE(fixture.append(kFirst, plain_batch(i, 200)) == Errc::none);
  fixture.shut();
  REQUIRE(fixture.journal_files().size() >= 4);
  fixture.disk.erase(file_path(2));
  const RecoveryReport report = fixture.open();
  REQUIRE(report.damages.size() == 1);
  CHECK(report.damages[0].find(file_name(2) + " is missing") != std::string::npos);
  CHECK(fixture.read(kFirst, 0).error == Errc::none);
  CHECK(fixture.read(kFirst, 20).error == Errc::damaged);
  CHECK(fixture.read(kFirst, 59).error == Errc::none);
}

TEST_CASE("A file that lost its end behind a checkpoint is reported, reads of what it held fail, the rest is served") {
  JournalFixture fixture(1, {.file_bytes = 4096, .tail_cache_bytes = 0, .index_cache_bytes = 0});
  fixture.open();
  for (int i = 0; i < 60; ++i) REQUIRE(fixture.append(kFirst, plain_batch(i, 200)) == Errc::none);
  fixture.shut();
  REQUIRE(fixture.journal_files().size() >= 4);
  fixture.disk.put(file_path(2), fixture.disk.content(file_path(2)).substr(0, 1000));
  const RecoveryReport report = fixture.open();
  REQUIRE(report.damages.size() == 1);
  CHECK(report.damages[0].find(file_name(2) + ": bytes 1000 to ") != std::string::npos);
  CHECK(report.damages[0].find("are missing") != std::string::npos);
  CHECK(fixture.read(kFirst, 0).error == Errc::none);
  CHECK(fixture.read(kFirst, 20).error == Errc::damaged);
  CHECK(fixture.read(kFirst, 59).error == Errc::none);
}

TEST_CASE("A damaged section of a footer fails the reads that need it and no others") {
  JournalFixture fixture(1, {.file_bytes = 4096, .tail_cache_bytes = 0, .index_cache_bytes = 0});
  fixture.open();
  for (int i = 0; i < 60; ++i) REQUIRE(fixture.append(kFirst, plain_batch(i, 200)) == Errc::none);
  fixture.shut();
  const std::string content = fixture.disk.content(file_path(1));
  const auto trailer = decode_trailer(Bytes::copy(content).slice(content.size() - kTrailerBytes).span());
  REQUIRE(trailer);
  fixture.disk.flip_bit(file_path(1), trailer->footer_position + 8, 0);
  fixture.open();
  CHECK(fixture.read(kFirst, 0).error == Errc::damaged);
  CHECK(fixture.read(kFirst, 59).error == Errc::none);
  // Without checkpoints the entries are read instead, and the damage is healed.
  fixture.shut();
  for (const std::string& path : fixture.disk.paths())
    if (path.find("checkpoint") != std::string::npos) fixture.disk.erase(path);
  CHECK(fixture.open().damages.empty());
  CHECK(fixture.read_all(kFirst).size() == 60);
}

TEST_CASE("A region that cannot be read is reported and never taken for a torn tail") {
  auto fixture = ten_batches();
  fixture->kill();
  // The scan reads the header, the trailer's place, and then everything in one piece, which fails, and so in pages.
  fixture->disk.fail(SimDisk::Operation::read, 5, 2);
  const RecoveryReport report = fixture->open();
  CHECK_FALSE(report.damages.empty());
  CHECK(report.torn_bytes == 0);
  const std::string kept = fixture->disk.content(file_path(1));
  CHECK(kept.size() >= position_of(10));
  // The sector was only hard to read: the next start finds everything.
  fixture->kill();
  fixture->open();
  CHECK(fixture->read_all(kFirst).size() == 5);
}

TEST_CASE("Entries of one file mean nothing in another, nor at another place") {
  auto fixture = ten_batches();
  fixture->shut();
  const std::string content = fixture->disk.content(file_path(1));
  // A file system that recycles blocks could show old entries behind new ones, at the same or another position.
  fixture->open();
  REQUIRE(fixture->append(kFirst, plain_batch(10, 120)) == Errc::none);
  fixture->kill();
  std::string with_ghost = fixture->disk.content(file_path(1));
  with_ghost += content.substr(position_of(3), kEntry);
  fixture->disk.put(file_path(1), with_ghost);
  const RecoveryReport report = fixture->open();
  CHECK(report.damages.empty());
  CHECK(report.torn_bytes == kEntry);
  CHECK(fixture->journal->state(kFirst).end == Offset(6));
  CHECK(fixture->journal->state(kSecond).end == Offset(5));
}

TEST_CASE("A journal of a later version is refused, not guessed at") {
  auto fixture = ten_batches();
  fixture->kill();
  std::string content = fixture->disk.content(file_path(1));
  EntryHeader header;
  header.kind = static_cast<EntryKind>(77);
  header.partition = kFirst;
  std::string entry(kEntryHeaderBytes, '\0');
  encode(header, file_seed(1), position_of(10), reinterpret_cast<std::uint8_t*>(entry.data()));
  fixture->disk.put(file_path(1), content + entry);
  fixture->view = fixture->loop.attach(fixture->disk);
  const auto opened = Journal::open(*fixture->view, fixture->options);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().find("later version") != std::string::npos);
}
