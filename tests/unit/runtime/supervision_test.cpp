// Braid, Apache-2.0.
//
// Supervision, back-off and ordered shutdown, in virtual time: what takes minutes outside takes none here.
#include <algorithm>
#include <catch2/catch.hpp>
#include <stdexcept>

#include "runtime/backoff.hpp"
#include "runtime/log.hpp"
#include "runtime/simulation/sim_world.hpp"
#include "runtime/supervisor.hpp"
#include "runtime/terminator.hpp"
#include "unit/runtime/messages.hpp"

using namespace braid;
using namespace braid::test;

namespace {

class Child final : public Pinned<caf::event_based_actor> {
 public:
  Child(caf::actor_config& config, Loop& at, bool fail_at_start) : Pinned(config, at), fail_at_start_(fail_at_start) {}
  caf::behavior make_behavior() override {
    if (fail_at_start_) throw std::runtime_error("cannot start");
    return {[](const Fail&) { throw std::runtime_error("asked to fail"); }, [this](const Begin&) { quit(); }};
  }

 private:
  bool fail_at_start_;
};

struct Quiet {
  Quiet() { log::configure(log::Level::off, log::Format::text); }
  ~Quiet() { log::configure(log::Level::info, log::Format::text); }
};

struct Supervised {
  Quiet quiet;
  SimWorld world{{.seed = 7}};
  SimNode& node = world.add_node("a");
  SupervisorActor supervisor = spawn_supervisor(node.loop());
  caf::actor child;
  int starts = 0, ends = 0;
  bool fail_at_start = false, refuse = false;
  std::vector<std::int64_t> started_at_ms;

  void supervise() {
    auto spec = std::make_shared<ChildSpec>();
    spec->name = "child";
    spec->start = [this]() -> caf::strong_actor_ptr {
      ++starts;
      started_at_ms.push_back(world.now_us() / 1000);
      if (refuse) throw std::runtime_error("no child today");
      return caf::actor_cast<caf::strong_actor_ptr>(spawn_on<Child>(node.loop(), fail_at_start));
    };
    spec->started = [this](const caf::strong_actor_ptr& made) { child = caf::actor_cast<caf::actor>(made); };
    spec->ended = [this](const caf::error&) { ++ends; };
    spec->backoff = {.first_ms = 100, .longest_ms = 10'000, .forget_after_ms = 60'000};
    tell_from_outside(supervisor, Supervise{spec});
    world.run_for(1);
  }
};

}  // namespace

TEST_CASE_METHOD(Supervised, "A child that fails is started again, later each time, and soon again after a good time") {
  supervise();
  CHECK(starts == 1);
  for (int failure = 1; failure <= 10; ++failure) {
    tell_from_outside(child, Fail{});
    CHECK(world.run_until([&] { return starts == failure + 1; }, 11'000));
    CHECK(ends == failure);
    const std::int64_t pause = started_at_ms[failure] - started_at_ms[failure - 1];
    const std::int64_t longest = std::min<std::int64_t>(100ll << (failure - 1), 10'000);
    CHECK(pause >= longest / 2);
    CHECK(pause <= longest + 20);
  }
  world.run_for(70'000);
  tell_from_outside(child, Fail{});
  CHECK(world.run_until([&] { return starts == 12; }, 120));
}

TEST_CASE_METHOD(Supervised, "A child that cannot start is tried again until it can") {
  SECTION("because its actor fails") {
    fail_at_start = true;
  }
  SECTION("because there is none") {
    refuse = true;
  }
  supervise();
  world.run_for(5000);
  CHECK(starts > 3);
  CHECK(starts < 12);
  fail_at_start = refuse = false;
  world.run_for(20'000);
  const int before = starts;
  world.run_for(100'000);
  CHECK(starts == before);
}

TEST_CASE_METHOD(Supervised, "A child that ends in order is not started again") {
  supervise();
  tell_from_outside(child, Begin{});
  world.run_for(100'000);
  CHECK(starts == 1);
  CHECK(ends == 1);
}

TEST_CASE_METHOD(Supervised, "A supervisor that stops ends its children and itself") {
  supervise();
  tell_from_outside(child, Fail{});
  world.run_for(10);  // one waits to be started again
  supervise();        // another runs
  tell_from_outside(supervisor, StopChildren{});
  world.run_for(100'000);
  CHECK(starts == 2);
  CHECK(ends == 2);
  bool gone = false;
  class Watcher final : public Pinned<caf::event_based_actor> {
   public:
    Watcher(caf::actor_config& config, Loop& at, SupervisorActor watched, bool& gone) : Pinned(config, at) {
      monitor(watched);
      set_down_handler([&gone](caf::down_msg&) { gone = true; });
    }
    caf::behavior make_behavior() override {
      return {[](int) {}};
    }
  };
  spawn_on<Watcher>(node.loop(), supervisor, gone);
  world.run_for(10);
  CHECK(gone);
}

TEST_CASE("The pause doubles up to its limit and never leaves its bounds") {
  Backoff backoff({.first_ms = 3, .longest_ms = 1000, .forget_after_ms = 10});
  for (std::int64_t expected : {3, 6, 12, 24, 48, 96, 192, 384, 768, 1000, 1000}) {
    Backoff same = backoff;
    CHECK(backoff.failed(0, 0) == expected);
    CHECK(same.failed(0, ~0ull) >= expected / 2);
  }
  for (int i = 0; i < 1000; ++i) backoff.failed(0, 1);
  CHECK(backoff.failed(0, 0) == 1000);
  CHECK(backoff.failed(11, 0) == 3);
}

TEST_CASE("Shutdown runs its steps in order and leaves a late one behind") {
  Quiet quiet;
  SimWorld world({.seed = 1});
  SimNode& node = world.add_node("a");
  std::string order;
  Terminator terminator(node.loop());
  Terminator::Done late;
  terminator.add("at once", 100, [&](Terminator::Done done) {
    order += 'a';
    done();
    done();  // twice is once
  });
  terminator.add("later", 100, [&](const Terminator::Done& done) {
    order += 'b';
    node.loop().after(50, done);
  });
  bool in_time = true, finished = false;
  SECTION("all in time") {}
  SECTION("one too late") {
    in_time = false;
    terminator.add("too late", 100, [&](const Terminator::Done& done) {
      order += 'c';
      late = done;
    });
  }
  terminator.add("last", 100, [&](const Terminator::Done& done) {
    if (late) late();
    order += 'd';
    done();
  });
  world.on(node.loop(), [&] {
    terminator.run([&](bool all) {
      finished = true;
      CHECK(all == in_time);
    });
  });
  CHECK(terminator.running());
  CHECK(world.run_until([&] { return finished; }, 1000));
  CHECK(order == (in_time ? "abd" : "abcd"));
  CHECK_FALSE(terminator.running());
}

TEST_CASE("A shutdown of many steps that are done at once does not grow the stack") {
  SimWorld world({.seed = 1});
  SimNode& node = world.add_node("a");
  Terminator terminator(node.loop());
  int steps = 0;
  for (int i = 0; i < 100'000; ++i)
    terminator.add("step", 100, [&](const Terminator::Done& done) {
      ++steps;
      done();
    });
  bool finished = false;
  world.on(node.loop(), [&] { terminator.run([&](bool) { finished = true; }); });
  CHECK(world.run_until([&] { return finished; }, 10'000));
  CHECK(steps == 100'000);
}
