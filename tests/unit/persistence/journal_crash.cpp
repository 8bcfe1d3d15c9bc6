// Braid, Apache-2.0.
//
// Random work, random faults, and a crash at any point: the journal against the reference in journal_model.hpp.
#include "journal_model.hpp"
#include "support/seed.hpp"

using namespace braid;

namespace {

struct Mix {
  bool write_faults = false, sync_faults = false, evict = false, replace = false, memory = false, reads_fail = false;
};

/// One life of a disk: several runs of a journal on it, each ended by a crash or kill.
void live(std::uint64_t seed, const Mix& mix) {
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  JournalOptions options;
  options.file_bytes = 4096u << below(4);
  options.tail_cache_bytes = below(3) * 6000;
  options.index_cache_bytes = below(2) * 100000;
  JournalFixture fixture(seed, options);
  fixture.loop = ManualLoop(seed | 1);
  fixture.disk.evict_lost_pages(mix.evict);
  JournalModel model(fixture);
  fixture.open();
  std::uint64_t next_partition = 1;
  const auto pick = [&]() -> std::uint64_t {
    std::vector<std::uint64_t> living;
    for (const auto& [id, partition] : model.partitions())
      if (!partition.dropping) living.push_back(id);
    if (living.size() < 6 && (living.empty() || below(10) == 0)) {
      auto& made = model.partitions()[next_partition];
      made.durability = static_cast<Durability>(mix.memory ? below(3) : 1 + below(2));
      return next_partition++;
    }
    return living[below(living.size())];
  };

  const int lives = 3 + static_cast<int>(below(4));
  for (int life = 0; life < lives; ++life) {
    const int steps = static_cast<int>(below(400));
    bool sync_failed = false;
    for (int step = 0; step < steps; ++step) {
      const std::uint64_t id = pick();
      auto& partition = model.partitions()[id];
      switch (below(20)) {
        default: {
          // Durability changes while a topic lives, too; memory stays memory here, since what it holds may go any time.
          const Durability durability =
              partition.durability == Durability::memory ? Durability::memory : static_cast<Durability>(1 + below(2));
          model.append(id, partition.end, 1 + static_cast<std::int64_t>(below(5)),
                       1 + below(below(8) == 0 ? 9000 : 400), durability);
          break;
        }
        case 10:
        case 11: {
          std::vector<std::uint64_t> ids;
          const bool memory = partition.durability == Durability::memory;
          for (const auto& [other, candidate] : model.partitions())
            if (!candidate.dropping && (candidate.durability == Durability::memory) == memory &&
                (other == id || below(2) == 0))
              ids.push_back(other);
          std::shuffle(ids.begin(), ids.end(), random);
          model.append_shared(ids, 1 + static_cast<std::int64_t>(below(5)), 1 + below(below(8) == 0 ? 9000 : 400),
                              memory ? Durability::memory : static_cast<Durability>(1 + below(2)));
          break;
        }
        case 12:
          if (mix.replace && partition.durability == Durability::sync && !partition.visible.empty()) {
            const auto& replaced = partition.attempts[partition.visible[below(partition.visible.size())]];
            if (replaced.base >= partition.log_start) model.append(id, replaced.base, 1, 100, Durability::sync);
          }
          break;
        case 13:
          if (partition.end > 0)
            model.set_log_start(id, static_cast<std::int64_t>(below(static_cast<std::uint64_t>(partition.end) + 1)));
          break;
        case 14:
          if (below(10) == 0) model.drop(id);
          break;
        case 15:
          fixture.journal->checkpoint([](Errc) {});
          break;
        case 16:
          fixture.journal->reclaim();
          break;
        case 17:
          fixture.journal->sync();
          break;
        case 18:
          if (mix.write_faults && below(4) == 0) {
            if (below(2) == 0)
              fixture.disk.fail(SimDisk::Operation::write, 1 + below(3), 1 + below(2));
            else
              fixture.disk.limit_bytes(fixture.disk.used_bytes() + below(3000));
          } else if (mix.sync_faults && below(4) == 0) {
            fixture.disk.fail(SimDisk::Operation::sync, 1 + below(3), 1 + below(2));
            sync_failed = true;
          } else if (below(3) == 0) {
            fixture.disk.heal();
          }
          break;
        case 19:
          model.check_running(id);
          break;
      }
      for (std::uint64_t turns = below(6); turns > 0; --turns) fixture.loop.step();
    }
    if (below(3) == 0) {
      fixture.loop.run();
      REQUIRE(model.due() == 0);
      for (const auto& [id, partition] : model.partitions()) model.check_running(id);
    }
    fixture.disk.heal();
    auto loss = JournalModel::Loss::machine;
    if (below(2) == 0) {
      // A failed sync and lost pages and a dying process at once may cost what only the page cache was to keep.
      loss = sync_failed && mix.evict ? JournalModel::Loss::machine : JournalModel::Loss::process;
      fixture.kill();
    } else {
      fixture.crash();
    }
    const RecoveryReport report = fixture.open();
    CHECK(report.damages == std::vector<std::string>{});
    model.check_restarted(loss);
    for (const auto& [id, partition] : model.partitions()) model.check_running(id);
  }
}

void live_often(const Mix& mix, int times) {
  std::uint64_t seed = test_seed();
  for (int i = 0; i < times; ++i) live(seed + static_cast<std::uint64_t>(i), mix);
}

}  // namespace

TEST_CASE("Nothing acknowledged is lost by crashes at any point") {
  live_often({.memory = true}, 150);
}
TEST_CASE("Nothing acknowledged is lost by crashes when suffixes are replaced") {
  live_often({.replace = true}, 100);
}
TEST_CASE("Nothing acknowledged is lost when writes fail and space ends") {
  live_often({.write_faults = true}, 150);
}
TEST_CASE("Nothing acknowledged is lost when syncs fail") {
  live_often({.sync_faults = true}, 150);
}
TEST_CASE("Nothing acknowledged is lost when failed syncs lose pages at once") {
  live_often({.sync_faults = true, .evict = true}, 150);
}
TEST_CASE("Nothing acknowledged is lost when everything fails now and then") {
  live_often({.write_faults = true, .sync_faults = true, .evict = true, .replace = true, .memory = true}, 200);
}
