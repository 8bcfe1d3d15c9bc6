// Braid, Apache-2.0.
//
// The catalog service in the simulated world: clients on three loops create, alter and delete topics in whatever order
// the seed makes of it. At each answer every loop's directory must hold what the answer says; the same seed gives the
// same run.
#include <catch2/catch.hpp>
#include <random>

#include "cluster/catalog_service.hpp"
#include "runtime/pinned.hpp"
#include "runtime/simulation/sim_world.hpp"
#include "support/seed.hpp"

using namespace braid;

namespace {

constexpr std::size_t simulated_loops = 3;

struct Run {
  std::uint64_t trace = 0, steps = 0;
  std::string content;  ///< of the catalog at the end
  int answered = 0;
  std::vector<std::string> wrong;
};

struct Shared {
  SimWorld& world;
  Directory (&directories)[simulated_loops];
  Run& run;
};

struct Start {};

/// Works on names of its own, so that it knows what each answer must be.
class Client : public Pinned<caf::event_based_actor> {
 public:
  Client(caf::actor_config& config, Loop& at, CatalogActor catalog, int number, int rounds, Shared& shared)
      : Pinned(config, at), catalog_(std::move(catalog)), number_(number), rounds_(rounds), shared_(shared) {}
  caf::behavior make_behavior() override {
    return {[this](const Start&) { next(); }};
  }

 private:
  void next() {
    if (rounds_-- == 0) return;
    const auto name = "c" + std::to_string(number_) + "-" + std::to_string(loop().random() % 3);
    const auto present = topics_.find(name);
    switch (loop().random() % 4) {
      case 0:
        return send(DeleteTopics{{{name, {}}}}, name, present != topics_.end());
      case 1:
        return send(AlterTopicConfig{{{name, {{"retention.ms", std::to_string(rounds_)}}, false}}, false}, name,
                    present != topics_.end());
      default:
        return send(CreateTopics{{{.name = name, .id = {}, .partitions = 2, .config = {}, .placement = {}}}, false},
                    name, present == topics_.end());
    }
  }

  template <class Request>
  void send(Request request, std::string name, bool succeeds) {
    ask(
        this, catalog_, std::move(request),
        [this, name, succeeds](const TopicsApplied& reply) {
          answered(name, succeeds, reply);
          next();
        },
        [this](const caf::error&) { complain("no answer"); });
  }

  void answered(const std::string& name, bool succeeds, const TopicsApplied& reply) {
    ++shared_.run.answered;
    shared_.world.note(name);
    if (reply.error != Errc::none || reply.topics.size() != 1) return complain("whole request failed: " + reply.reason);
    const auto& outcome = reply.topics[0];
    if ((outcome.error == Errc::none) != succeeds) return complain(name + ": " + outcome.reason);
    if (!succeeds) return;
    if (outcome.topic) {
      topics_[name] = outcome.id;
    } else {
      topics_.erase(name);
    }
    for (const auto& directory : shared_.directories)
      if (directory.find(name) != outcome.topic) complain(name + " is not on every loop as the answer says");
  }
  void complain(std::string text) { shared_.run.wrong.push_back(std::move(text)); }

  CatalogActor catalog_;
  int number_, rounds_;
  Shared& shared_;
  std::map<std::string, TopicId> topics_;
};

Run simulate(std::uint64_t seed) {
  Run run;
  Directory directories[simulated_loops];
  SimWorld world({.seed = seed});
  Shared shared{world, directories, run};
  auto& node = world.add_node("one", simulated_loops);
  auto store = CatalogStore::open({.path = ":memory:", .defaults = {}, .vfs = nullptr});
  REQUIRE(store);
  REQUIRE((*store)->apply(std::vector<Bytes>{encode(InitializeCatalog{"simulated", 4})}));
  std::vector<DirectoryActor> updaters;
  for (std::size_t i = 0; i < simulated_loops; ++i)
    updaters.push_back(spawn_directory_actor(node.loop(i), directories[i]));
  const auto catalog = spawn_catalog_service(node.loop(seed % simulated_loops), std::move(*store), updaters);
  constexpr int clients = 9, rounds = 25;
  for (int i = 0; i < clients; ++i)
    tell_from_outside(
        spawn_on<Client>(node.loop(static_cast<std::size_t>(i) % simulated_loops), catalog, i, rounds, shared),
        Start{});
  CHECK(world.run_until([&] { return run.answered == clients * rounds || !run.wrong.empty(); }, 600'000));
  std::map<std::string, std::string> content;
  directories[0].for_each([&](const TopicRef& topic) {
    content[topic->name] = std::to_string(topic->partitions.front().id.value) + " " +
                           std::to_string(topic->settings.retention_ms) + " " + std::to_string(topic->id.bytes[0]);
  });
  for (const auto& [name, text] : content) run.content += name + " " + text + "\n";
  run.trace = world.trace_hash();
  run.steps = world.steps();
  return run;
}

}  // namespace

BRAID_MESSAGE(Start)

TEST_CASE("under any schedule an answer is true on every loop, and a seed replays") {
  const auto first = test_seed();
  for (std::uint64_t seed = first; seed < first + 20; ++seed) {
    CAPTURE(seed);
    const auto run = simulate(seed);
    CHECK(run.wrong == std::vector<std::string>{});
    if (seed != first) continue;
    const auto again = simulate(seed);
    CHECK(again.trace == run.trace);
    CHECK(again.steps == run.steps);
    CHECK(again.content == run.content);
    CHECK(simulate(seed + 1000).trace != run.trace);
  }
}
