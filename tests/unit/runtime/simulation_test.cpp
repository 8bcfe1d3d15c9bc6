// Braid, Apache-2.0.
//
// The simulated world: it keeps what real loops and disks promise, breaks what they may break, and replays.
#include "runtime/simulation/sim_world.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <deque>
#include <set>

#include "model/receive_buffer.hpp"
#include "persistence/disk.hpp"
#include "persistence/testing/sim_disk.hpp"
#include "runtime/connection_actor.hpp"
#include "runtime/log.hpp"
#include "unit/runtime/echo.hpp"
#include "unit/runtime/messages.hpp"
#include "unit/runtime/sim_seed.hpp"
#include "unit/runtime/stream_side.hpp"

using namespace braid;
using namespace braid::test;

namespace {

/// Keeps every read in a file and answers when it is durable.
class StoringSession final : public ConnectionActor<caf::event_based_actor> {
 public:
  StoringSession(caf::actor_config& config, Loop& at, std::unique_ptr<Stream> stream, EchoActor echo)
      : ConnectionActor(config, at, std::move(stream)), echo_(std::move(echo)) {}
  caf::behavior make_behavior() override {
    return {[](int) {}};
  }

 protected:
  void received(ReceiveBuffer& buffer) override {
    const Bytes bytes = buffer.take(buffer.size());
    ask(
        this, echo_, Ping{static_cast<int>(bytes.size())},
        [this, bytes](const Pong&) {
          waiting_.push_back(bytes);
          if (waiting_.size() == 1) store(bytes);
        },
        [this](const caf::error&) { stream().abort(); });
  }

 private:
  void stored() {
    stream().write(waiting_.front());
    waiting_.pop_front();
    if (!waiting_.empty()) store(waiting_.front());
  }
  void store(const Bytes& bytes) {
    if (!file_) {
      const std::string path =
          "/data/" + std::to_string(loop().index().value) + "-" + std::to_string(stream().peer().port);
      auto opened = loop().disk().open(path, Disk::Open::create_new);
      if (!opened) return stream().abort();
      file_ = *opened;
    }
    file_->write(position_, {bytes}, guard([this](const Outcome<IoError>& written) {
                   if (!written) return quit(caf::make_error(caf::sec::runtime_error));
                   file_->sync(guard([this](const Outcome<IoError>&) { stored(); }));
                 }));
    position_ += bytes.size();
  }
  EchoActor echo_;
  std::deque<Bytes> waiting_;
  std::shared_ptr<File> file_;
  std::uint64_t position_ = 0;
};

/// Clients on one node store through sessions on two loops of another, which crashes and comes back in between.
struct Story {
  std::uint64_t hash = 0, steps = 0;
  std::size_t answered = 0, broken = 0;
};
Story tell(std::uint64_t seed) {
  SimWorld world({.seed = seed, .break_per_million = 2000});
  SimNode& broker = world.add_node("broker", 2);
  SimNode& devices = world.add_node("devices");
  std::vector<std::unique_ptr<Listener>> listeners;
  const auto start = [&] {
    listeners.clear();
    world.on(broker.loop(0), [&] { REQUIRE(broker.loop(0).disk().make_directories("/data")); });
    for (std::size_t i = 0; i < broker.loops(); ++i) {
      Loop& at = broker.loop(i);
      EchoActor echo = spawn_on<Echo>(broker.loop(1 - i));
      world.on(at, [&] {
        auto listening = at.network().listen("0.0.0.0", 1883, [&at, echo](std::unique_ptr<Stream> stream) {
          spawn_on<StoringSession>(at, std::move(stream), echo);
        });
        REQUIRE(listening);
        listeners.push_back(std::move(*listening));
      });
    }
  };
  start();
  std::vector<std::unique_ptr<Side>> sides;
  const auto connect = [&](int count) {
    for (int i = 0; i < count; ++i) {
      Side& side = *sides.emplace_back(std::make_unique<Side>());
      world.on(devices.loop(), [&] {
        devices.loop().network().connect("broker", 1883, 1000,
                                         [&side](Result<std::unique_ptr<Stream>, std::string> result) {
                                           if (!result) return void(++side.closed);
                                           side.take(std::move(*result));
                                           side.stream->write(Bytes::copy(pattern(20'000)));
                                         });
      });
    }
  };
  connect(4);
  world.run_for(static_cast<std::int64_t>(world.random() % 100));
  broker.crash();
  world.run_for(500);
  broker.restart();
  start();
  connect(4);
  const auto settled = [&] {
    return std::all_of(sides.begin(), sides.end(),
                       [](const auto& side) { return side->closed || side->received.size() == 20'000; });
  };
  CHECK(world.run_until(settled, 60'000));
  Story story;
  for (const auto& side : sides) {
    CHECK(pattern(20'000).substr(0, side->received.size()) == side->received);
    story.answered += side->received.size() == 20'000;
    story.broken += side->closed;
    world.note(side->received);
  }
  world.on(devices.loop(), [&] { sides.clear(); });
  for (std::size_t i = 0; i < listeners.size(); ++i) world.on(broker.loop(i), [&] { listeners[i].reset(); });
  world.run_for(1000);
  story.hash = world.trace_hash();
  story.steps = world.steps();
  return story;
}

}  // namespace

TEST_CASE("A simulated world replays by its seed, and differs by another") {
  std::set<std::uint64_t> hashes;
  std::size_t answered = 0, broken = 0;
  for (std::uint64_t seed = base_seed(); seed < base_seed() + seeds(); ++seed) {
    INFO("BRAID_SEED=" << seed);
    const Story first = tell(seed), second = tell(seed);
    REQUIRE(first.hash == second.hash);
    REQUIRE(first.steps == second.steps);
    hashes.insert(first.hash);
    answered += first.answered;
    broken += first.broken;
  }
  CHECK(hashes.size() == seeds());
  // The stories are about something: most connections did their work, and the crash broke some.
  if (seeds() > 1) {
    CHECK(answered > 0);
    CHECK(broken > 0);
  }
}

TEST_CASE("Time passes only as far as something happens, and timers are not early") {
  SimWorld world({.seed = base_seed()});
  SimNode& node = world.add_node("a");
  std::vector<std::int64_t> fired;
  world.on(node.loop(), [&] {
    for (const std::int64_t ms : {50, 0, 10, 3'600'000, 10})
      node.loop().after(ms, [&, ms, due = world.now_us() + ms * 1000] {
        CHECK(world.now_us() >= due);
        CHECK(node.loop().is_current());
        fired.push_back(ms);
      });
  });
  CHECK_FALSE(node.loop().is_current());
  world.run_for(1000);
  CHECK(fired == std::vector<std::int64_t>{0, 10, 10, 50});
  CHECK(world.now_us() >= 1'000'000);
  CHECK(world.run_until([&] { return fired.size() == 5; }, 2 * 3'600'000));
  CHECK(world.now_us() < 3'601'000'000);
  CHECK_FALSE(world.step());
}

TEST_CASE("A paused node does nothing until it goes on; its wall clock may jump") {
  SimWorld world({.seed = base_seed()});
  SimNode& node = world.add_node("a");
  int ran = 0;
  node.pause(true);
  node.loop().post([&] { ++ran; });
  world.on(node.loop(), [&] { node.loop().after(10, [&] { ++ran; }); });
  world.run_for(1000);
  CHECK(ran == 0);
  node.pause(false);
  world.run_for(1);
  CHECK(ran == 2);
  const Timestamp before = node.loop().wall_clock();
  node.jump_clock(-3'600'000);
  CHECK(node.loop().wall_clock().value == before.value - 3'600'000);
}

TEST_CASE("What was synced survives a crash, and what was under way never completes") {
  SimWorld world({.seed = base_seed()});
  SimNode& node = world.add_node("a");
  bool synced = false, late = false;
  std::shared_ptr<File> file;
  world.on(node.loop(), [&] {
    REQUIRE(node.loop().disk().make_directories("/data"));
    node.loop().disk().create("/data/file", [&](IoResult<std::shared_ptr<File>> created) {
      REQUIRE(created);
      file = *created;
      file->write(0, {Bytes::copy("kept")}, [&](Outcome<IoError> written) {
        REQUIRE(written);
        CHECK(node.loop().is_current());
        file->sync([&](Outcome<IoError> done) { synced = done.has_value(); });
      });
    });
  });
  REQUIRE(world.run_until([&] { return synced; }, 1000));
  world.on(node.loop(), [&] {
    file->write(4, {Bytes::copy("lost")}, [&](Outcome<IoError>) { late = true; });
    node.loop().after(1, [&] { late = true; });
    node.loop().offload([] {}, [&] { late = true; });
    node.loop().post([&] { late = true; });
  });
  Loop& before = node.loop();
  node.crash();
  file.reset();
  before.post([&] { late = true; });
  world.run_for(10'000);
  CHECK_FALSE(late);
  node.restart();
  CHECK(&node.loop() != &before);
  auto opened = node.loop().disk().open("/data/file", Disk::Open::existing);
  REQUIRE(opened);
  CHECK((*opened)->read_now(0, 4)->view() == "kept");
}

TEST_CASE("Actors of the simulated world die with their machine, and offloaded work comes back") {
  log::configure(log::Level::off, log::Format::text);
  SimWorld world({.seed = base_seed()});
  SimNode& node = world.add_node("a", 2);
  EchoActor echo = spawn_on<Echo>(node.loop(1));
  int answered = 0, failed = 0;
  class Asker final : public Pinned<caf::event_based_actor> {
   public:
    Asker(caf::actor_config& config, Loop& at, EchoActor whom, int& good, int& bad)
        : Pinned(config, at), whom_(std::move(whom)), good_(good), bad_(bad) {}
    caf::behavior make_behavior() override {
      return {[this](const Begin&) {
        loop().offload([] {}, guard([this] {
                         ask(
                             this, whom_, Ping{1}, [this](const Pong&) { ++good_; },
                             [this](const caf::error&) { ++bad_; });
                       }));
      }};
    }

   private:
    EchoActor whom_;
    int &good_, &bad_;
  };
  const caf::actor asker = spawn_on<Asker>(node.loop(0), echo, answered, failed);
  tell_from_outside(asker, Begin{});
  CHECK(world.run_until([&] { return answered == 1; }, 1000));
  tell_from_outside(echo, Fail{});
  world.run_for(10);
  tell_from_outside(asker, Begin{});
  CHECK(world.run_until([&] { return failed == 1; }, 1000));
  node.kill();
  tell_from_outside(asker, Begin{});
  world.run_for(1000);
  CHECK(answered == 1);
  CHECK(failed == 1);
  log::configure(log::Level::info, log::Format::text);
}
