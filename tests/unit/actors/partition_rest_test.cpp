// Braid, Apache-2.0.
//
// A partition that is put to rest just when somebody uses it again: what was asked is answered, who is parked is woken,
// and the next request finds a partition. In the simulated world, over many orders of the same messages.
#include <catch2/catch.hpp>
#include <filesystem>

#include "actors/internal_topics.hpp"
#include "actors/node.hpp"
#include "runtime/pinned.hpp"
#include "runtime/simulation/sim_world.hpp"
#include "support/seed.hpp"

using namespace braid;

namespace {

struct Seen {
  bool parked = false, woken = false, answered_again = false;
};

/// Parks a read at the tail, has the partition put to rest at the same time, and asks it once more when woken.
class Reader : public Pinned<WakeTarget::base> {
 public:
  Reader(caf::actor_config& config, Loop& at, Services& services, Seen& seen)
      : Pinned(config, at), services_(services), seen_(seen) {}

 protected:
  behavior_type make_behavior() override {
    partition_ = services_.directory.find(kRetainedTopic)->partitions.at(0).id;
    ReadBatches read;
    read.park = WakeTarget(this);
    services_.partitions.request(this, partition_, std::move(read),
                                 [this](const BatchesRead& got) { seen_.parked = got.parked; });
    send(services_.hosts[*services_.loop_of(partition_)], PartitionIdle{partition_});
    return {[this](const Wake&) {
      seen_.woken = true;
      services_.partitions.request(this, partition_, DescribeLog{}, [this](const LogDescription& log) {
        seen_.answered_again = log.error == Errc::none;
      });
    }};
  }

 private:
  Services& services_;
  Seen& seen_;
  PartitionId partition_;
};

Seen run(std::uint64_t seed) {
  Seen seen;
  const auto catalog_file =
      (std::filesystem::temp_directory_path() / ("braid-rest-" + std::to_string(::getpid()) + ".db")).string();
  std::filesystem::remove(catalog_file);
  Settings settings;
  settings.storage.path = "data";
  settings.kafka_protocol.offsets_partitions = 1;
  SimWorld world({.seed = seed});
  auto& machine = world.add_node("broker", 2);
  auto catalog = CatalogStore::open({.path = catalog_file, .defaults = settings.topic_defaults});
  REQUIRE(catalog);
  auto node =
      std::make_unique<Node>(settings, std::vector<Loop*>{&machine.loop(0), &machine.loop(1)}, std::move(*catalog));
  REQUIRE(node->open());
  world.run_for(100);
  spawn_on<Reader>(machine.loop(seed % 2), node->services(seed % 2), seen);
  world.run_until([&] { return seen.answered_again; }, 5000);
  machine.crash();
  node.reset();
  std::filesystem::remove(catalog_file);
  return seen;
}

}  // namespace

TEST_CASE("a partition that is used again while it is put to rest answers, wakes and can be opened again") {
  const auto first = test_seed();
  int parked = 0;
  for (std::uint64_t seed = first; seed < first + 40; ++seed) {
    CAPTURE(seed);
    const auto seen = run(seed);
    // Where the rest came first, the read was parked at the partition that was started anew: nobody wakes it.
    CHECK((seen.parked || seen.woken));
    CHECK(seen.woken == seen.answered_again);
    parked += seen.woken ? 1 : 0;
  }
  CHECK(parked > 0);
}
