// Braid, Apache-2.0.
//
// Actors on real loops: they run where they are pinned, whoever sends, and what goes wrong in one ends that one.
#include "runtime/pinned.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "runtime/log.hpp"
#include "unit/runtime/echo.hpp"
#include "unit/runtime/messages.hpp"
#include "unit/runtime/support.hpp"

using namespace braid;
using namespace braid::test;

namespace {

/// Plays `rounds` with an echo and reports how many answers came on the own loop.
class Player final : public Pinned<caf::event_based_actor> {
 public:
  Player(caf::actor_config& config, Loop& at, EchoActor echo, int rounds, Inbox<int>& results)
      : Pinned(config, at), echo_(std::move(echo)), rounds_(rounds), results_(results) {}
  caf::behavior make_behavior() override {
    return {[this](const Begin&) { next(); }};
  }

 private:
  void next() {
    if (round_ == rounds_) {
      results_.put(good_);
      return quit();
    }
    ask(
        this, echo_, Ping{round_++},
        [this](const Pong& pong) {
          good_ += pong.number == round_ - 1 && pong.on_own_loop && loop().is_current();
          next();
        },
        [this](const caf::error&) {
          results_.put(-1);
          quit();
        });
  }
  EchoActor echo_;
  int rounds_, round_ = 0, good_ = 0;
  Inbox<int>& results_;
};

/// Runs what the test gives it, as handlers and as callbacks.
struct Do {
  std::function<void()> work;
};

class Worker final : public Pinned<caf::event_based_actor> {
 public:
  Worker(caf::actor_config& config, Loop& at, Inbox<std::string>& events) : Pinned(config, at), events_(events) {}
  ~Worker() override { events_.put("destroyed"); }
  const char* name() const override { return "worker"; }
  caf::behavior make_behavior() override {
    return {[this](const Do& todo) {
              todo.work();
              if (loop().is_current()) events_.put("done");
            },
            [this](const std::shared_ptr<std::function<void(Worker&)>>& work) { (*work)(*this); }};
  }
  void on_exit() override { events_.put(loop().is_current() ? "exit" : "exit elsewhere"); }

  Inbox<std::string>& events_;
  Timer timer_, other_timer_;
};

using Work = std::shared_ptr<std::function<void(Worker&)>>;
Work work(std::function<void(Worker&)> f) {
  return std::make_shared<std::function<void(Worker&)>>(std::move(f));
}

}  // namespace

BRAID_MESSAGE(Do)
BRAID_MESSAGE(Work)

TEST_CASE("Two actors of one loop exchange requests on that loop") {
  Inbox<int> results;
  NodeRuntime runtime(options(1));
  runtime.start();
  EchoActor echo = spawn_on<Echo>(runtime.loop(0));
  const caf::actor player = spawn_on<Player>(runtime.loop(0), echo, 1000, results);
  tell_from_outside(player, Begin{});
  CHECK(results.take() == 1000);
}

TEST_CASE("Actors of different loops exchange requests, each on its own loop") {
  Inbox<int> results;
  NodeRuntime runtime(options(3));
  runtime.start();
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) {
      EchoActor echo = spawn_on<Echo>(runtime.loop(i));
      const caf::actor player = spawn_on<Player>(runtime.loop(j), echo, 200, results);
      tell_from_outside(player, Begin{});
    }
  for (int i = 0; i < 9; ++i) CHECK(results.take() == 200);
}

TEST_CASE("Actors spawned and messages sent before the loops start are not lost") {
  Inbox<int> results;
  NodeRuntime runtime(options(2));
  EchoActor echo = spawn_on<Echo>(runtime.loop(1));
  const caf::actor player = spawn_on<Player>(runtime.loop(0), echo, 10, results);
  tell_from_outside(player, Begin{});
  runtime.start();
  CHECK(results.take() == 10);
}

TEST_CASE("An exception in a handler ends that actor, and requests to it fail") {
  log::configure(log::Level::off, log::Format::text);
  Inbox<int> results;
  NodeRuntime runtime(options(1));
  runtime.start();
  EchoActor echo = spawn_on<Echo>(runtime.loop(0));
  EchoActor other = spawn_on<Echo>(runtime.loop(0));
  tell_from_outside(echo, Fail{});
  const caf::actor unlucky = spawn_on<Player>(runtime.loop(0), echo, 10, results);
  tell_from_outside(unlucky, Begin{});
  CHECK(results.take() == -1);
  const caf::actor lucky = spawn_on<Player>(runtime.loop(0), other, 10, results);
  tell_from_outside(lucky, Begin{});
  CHECK(results.take() == 10);
  log::configure(log::Level::info, log::Format::text);
}

TEST_CASE("An exception in a callback of the loop ends the actor it entered") {
  log::configure(log::Level::off, log::Format::text);
  Inbox<std::string> events;
  NodeRuntime runtime(options(1));
  runtime.start();
  const caf::actor worker = spawn_on<Worker>(runtime.loop(0), events);
  tell_from_outside(worker, work([](Worker& self) {
                      self.loop().post(self.guard([] { throw std::runtime_error("in a callback"); }));
                    }));
  CHECK(events.take() == "exit");
  log::configure(log::Level::info, log::Format::text);
}

TEST_CASE("An actor without a handle lives on until it quits, and ends on its loop") {
  Inbox<std::string> events;
  NodeRuntime runtime(options(1));
  runtime.start();
  {
    const caf::actor worker = spawn_on<Worker>(runtime.loop(0), events);
    tell_from_outside(worker, work([](Worker& self) {
                        self.timer_ = self.after(5, [&self] {
                          self.events_.put("fired");
                          self.quit();
                        });
                      }));
  }
  CHECK(events.take() == "fired");
  CHECK(events.take() == "exit");
  CHECK(events.take() == "destroyed");
}

TEST_CASE("A guarded callback is dropped when its actor has ended") {
  Inbox<std::string> events;
  NodeRuntime runtime(options(1));
  runtime.start();
  std::function<void(int)> guarded;
  Inbox<int> ready;
  caf::actor worker = spawn_on<Worker>(runtime.loop(0), events);
  tell_from_outside(worker, work([&](Worker& self) {
                      guarded = self.guard([&self](int value) { self.events_.put(std::to_string(value)); });
                      ready.put(1);
                    }));
  REQUIRE(ready.take());
  runtime.run_on(0, [&] { guarded(1); });
  CHECK(events.take() == "1");

  SECTION("while a handle to it is still held") {
    caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
    CHECK(events.take() == "exit");
    runtime.run_on(0, [&] { guarded(2); });
    CHECK(events.size() == 0);
    worker = nullptr;
    CHECK(events.take() == "destroyed");
  }
  SECTION("and after it was destroyed") {
    worker = nullptr;
    runtime.run_on(0, [&] { guarded(2); });
    CHECK(events.take() == "2");
    tell_from_outside(caf::actor(), Begin{});
  }
  runtime.run_on(0, [&] { guarded = nullptr; });
}

TEST_CASE("Timers run in their actor, are cancelled by their handles, and end with their actor") {
  Inbox<std::string> events;
  NodeRuntime runtime(options(1));
  runtime.start();
  caf::actor worker = spawn_on<Worker>(runtime.loop(0), events);
  tell_from_outside(worker, work([](Worker& self) {
                      self.timer_ = self.after(1, [&self] { self.events_.put("never"); });
                      self.timer_.cancel();
                      self.timer_ = self.after(2, [&self] {
                        // Starting a timer anew in its own callback destroys what the callback came from.
                        self.events_.put(self.timer_.running() ? "running" : "first");
                        self.timer_ = self.after(1, [&self] { self.events_.put("second"); });
                      });
                      self.other_timer_ = self.after(3'600'000, [&self] { self.events_.put("never"); });
                    }));
  CHECK(events.take() == "first");
  CHECK(events.take() == "second");
  tell_from_outside(worker, work([](Worker& self) {
                      self.timer_ = self.after(1, [&self] { self.events_.put("never"); });
                      self.quit();
                    }));
  CHECK(events.take() == "exit");
  Inbox<int> later;
  runtime.run_on(0, [&] { runtime.loop(0).after(5, [&] { later.put(1); }); });
  CHECK(later.take());
  CHECK(events.size() == 0);
  // Timers of a dead actor may be destroyed on another thread.
  worker = nullptr;
  CHECK(events.take() == "destroyed");
}

TEST_CASE("A callback that enters from inside a handler just runs") {
  Inbox<std::string> events;
  NodeRuntime runtime(options(1));
  runtime.start();
  const caf::actor worker = spawn_on<Worker>(runtime.loop(0), events);
  tell_from_outside(worker, work([](Worker& self) {
                      self.enter([&] {
                        self.events_.put("inner");
                        self.quit();
                      });
                      self.events_.put("outer");
                    }));
  CHECK(events.take() == "inner");
  CHECK(events.take() == "outer");
  CHECK(events.take() == "exit");
}

TEST_CASE("A promise that is dropped answers with an error") {
  class Forgetful final : public Pinned<EchoActor::base> {
   public:
    using Pinned::Pinned;
    behavior_type make_behavior() override {
      return {[this](const Ping& ping) -> caf::result<Pong> {
                Promise<Pong> promise(this);
                auto later = promise.later();
                if (ping.number == 0) promise.deliver(Pong{0, true});
                return later;
              },
              [](const Fail&) {}};
    }
  };
  Inbox<int> results;
  NodeRuntime runtime(options(1));
  runtime.start();
  EchoActor forgetful = spawn_on<Forgetful>(runtime.loop(0));
  const caf::actor player = spawn_on<Player>(runtime.loop(0), forgetful, 2, results);
  tell_from_outside(player, Begin{});
  CHECK(results.take() == -1);
}

TEST_CASE("An actor that ends with a promise in its hands answers it with an error, and is destroyed") {
  class Keeper final : public Pinned<EchoActor::base> {
   public:
    Keeper(caf::actor_config& config, Loop& at, Inbox<std::string>& events) : Pinned(config, at), events_(events) {}
    ~Keeper() override { events_.put("destroyed"); }
    behavior_type make_behavior() override {
      return {[this](const Ping&) -> caf::result<Pong> {
                kept_.emplace_back(this);
                kept_.emplace_back(std::move(kept_.front()));  // promises may move
                quit();
                return kept_.back().later();
              },
              [](const Fail&) {}};
    }

   private:
    Inbox<std::string>& events_;
    std::vector<Promise<Pong>> kept_;
  };
  Inbox<std::string> events;
  Inbox<int> results;
  NodeRuntime runtime(options(1));
  runtime.start();
  {
    const caf::actor player =
        spawn_on<Player>(runtime.loop(0), EchoActor(spawn_on<Keeper>(runtime.loop(0), events)), 1, results);
    tell_from_outside(player, Begin{});
    CHECK(results.take() == -1);
  }
  CHECK(events.take() == "destroyed");
}

TEST_CASE("Stopping the runtime ends the actors that are left, on their loops") {
  Inbox<std::string> events;
  {
    NodeRuntime runtime(options(2));
    runtime.start();
    for (std::size_t i = 0; i < 10; ++i) spawn_on<Worker>(runtime.loop(i % 2), events);
    runtime.stop();
    CHECK(events.size() == 20);
  }
  for (int i = 0; i < 20; ++i) {
    const auto event = events.take();
    CHECK((event == "exit" || event == "destroyed"));
  }
}

TEST_CASE("A runtime that never started can be stopped") {
  Inbox<std::string> events;
  NodeRuntime runtime(options(2));
  spawn_on<Worker>(runtime.loop(0), events);
  runtime.stop();
  CHECK(events.take() == "exit");
}

TEST_CASE("An actor that is launched on a loop that has stopped ends at once") {
  Inbox<std::string> events;
  NodeRuntime runtime(options(1));
  runtime.start();
  runtime.stop();
  spawn_on<Worker>(runtime.loop(0), events);
  CHECK(events.take() == "exit elsewhere");
  CHECK(events.take() == "destroyed");
}
