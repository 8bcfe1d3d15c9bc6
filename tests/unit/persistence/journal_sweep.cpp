// Braid, Apache-2.0.
//
// One fixed piece of work, done again and again with the first, second, third ... disk operation failing, until it runs
// through without meeting the failure. Nothing acknowledged may be lost, the journal must serve again once the disk
// does, and a restart must find it all.
#include "journal_model.hpp"

using namespace braid;

namespace {

JournalOptions small_files() {
  JournalOptions options;
  options.file_bytes = 4096;
  options.tail_cache_bytes = 4000;
  return options;
}

/// Work that meets every part: appends of all sizes and durabilities, full files, footers, a checkpoint, reclaim.
void work(JournalModel& model, JournalFixture& fixture) {
  const auto append = [&](std::uint64_t id, std::size_t size, Durability durability) {
    model.append(id, model.partitions()[id].end, 2, size, durability);
  };
  for (int i = 0; i < 30; ++i) {
    append(1, 100, Durability::sync);
    append(2, 300, Durability::os);
    if (i % 10 == 3) append(3, 5000, Durability::sync);
    if (i % 5 == 2) model.append_shared({2, 1, 3}, 2, i % 2 ? 200 : 5000, i % 3 ? Durability::os : Durability::sync);
    if (i % 4 == 0) fixture.loop.run();
    if (i == 12) fixture.journal->checkpoint([](Errc) {});
    if (i == 14) model.set_log_start(1, model.partitions()[1].end / 2);
    if (i == 20) model.set_log_start(3, model.partitions()[3].end);
    if (i == 22) fixture.journal->reclaim();
    if (i == 25) fixture.journal->sync();
  }
  fixture.loop.run();
}

template <class Inject>
void sweep(Inject inject) {
  bool reached = true;
  for (std::uint64_t nth = 1; reached; ++nth) {
    REQUIRE(nth < 1000);
    CAPTURE(nth);
    JournalFixture fixture(nth, small_files());
    fixture.open();
    JournalModel model(fixture);
    const auto operations = [&] {
      std::uint64_t sum = 0;
      for (std::size_t i = 0; i < SimDisk::kOperations; ++i)
        sum += fixture.disk.count(static_cast<SimDisk::Operation>(i));
      return sum;
    };
    inject(fixture.disk, nth);
    const std::uint64_t before = operations();
    work(model, fixture);
    REQUIRE(model.due() == 0);
    reached = operations() - before >= nth;
    fixture.disk.heal();
    for (const auto& [id, partition] : model.partitions()) model.check_running(id);
    // It serves again, and everything from now on succeeds.
    for (std::uint64_t id = 1; id <= 3; ++id)
      REQUIRE(model.append(id, model.partitions()[id].end, 1, 50, Durability::sync));
    fixture.loop.run();
    for (const auto& [id, partition] : model.partitions()) {
      INFO("partition " << id << JournalModel::describe(partition));
      REQUIRE(partition.attempts.back().acknowledged);
      model.check_running(id);
    }
    const bool kill = nth % 2 == 0;
    if (kill)
      fixture.kill();
    else
      fixture.crash();
    const RecoveryReport report = fixture.open();
    REQUIRE(report.damages == std::vector<std::string>{});
    model.check_restarted(kill ? JournalModel::Loss::process : JournalModel::Loss::machine);
  }
}

}  // namespace

TEST_CASE("Whichever single disk operation fails, nothing acknowledged is lost") {
  sweep([](SimDisk& disk, std::uint64_t nth) { disk.fail_any(nth); });
}
TEST_CASE("Whichever disk operation the disk fails from on for a while, nothing acknowledged is lost") {
  sweep([](SimDisk& disk, std::uint64_t nth) { disk.fail_any(nth, 6); });
}
TEST_CASE("However much space is left, nothing acknowledged is lost when it ends") {
  for (std::uint64_t bytes = 0; bytes < 40000; bytes += 277) {
    CAPTURE(bytes);
    JournalFixture fixture(bytes + 1, small_files());
    fixture.open();
    JournalModel model(fixture);
    fixture.disk.limit_bytes(bytes);
    work(model, fixture);
    REQUIRE(model.due() == 0);
    for (const auto& [id, partition] : model.partitions()) model.check_running(id);
    fixture.disk.heal();
    REQUIRE(model.append(1, model.partitions()[1].end, 1, 50, Durability::sync));
    fixture.loop.run();
    REQUIRE(model.partitions()[1].attempts.back().acknowledged);
    fixture.crash();
    REQUIRE(fixture.open().damages == std::vector<std::string>{});
    model.check_restarted(JournalModel::Loss::machine);
  }
}
TEST_CASE("Whichever operation fails during recovery, a later try finds everything") {
  bool failed = true;
  for (std::uint64_t nth = 1; failed || nth < 40; ++nth) {
    REQUIRE(nth < 500);
    CAPTURE(nth);
    JournalFixture fixture(nth, small_files());
    fixture.open();
    JournalModel model(fixture);
    work(model, fixture);
    const auto loss = nth % 2 ? JournalModel::Loss::machine : JournalModel::Loss::process;
    if (nth % 2)
      fixture.crash();
    else
      fixture.kill();
    fixture.disk.fail_any(nth);
    fixture.view = fixture.loop.attach(fixture.disk);
    RecoveryReport report;
    auto opened = Journal::open(*fixture.view, fixture.options, &report);
    failed = !opened;
    // It may refuse, or open and say what it could not read; either way nothing is destroyed.
    if (opened) opened->reset();
    fixture.kill();
    fixture.disk.heal();
    REQUIRE(fixture.open().damages == std::vector<std::string>{});
    model.check_restarted(loss);
  }
}
