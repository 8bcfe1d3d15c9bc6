// Braid, Apache-2.0.
//
// What the real loop promises: order, timing that is never early, sleep that nobody oversleeps, and its own thread.
#include "runtime/loop.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <thread>

#include "runtime/log.hpp"
#include "runtime/remote_queue.hpp"
#include "runtime/signals.hpp"
#include "unit/runtime/support.hpp"

using namespace braid;
using namespace braid::test;

TEST_CASE("What many threads post runs on the loop, all of it, in each thread's order") {
  NodeRuntime runtime(options(1));
  runtime.start();
  constexpr int kThreads = 4, kEach = 20'000;
  std::vector<std::vector<int>> seen(kThreads);
  std::atomic<int> elsewhere = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i)
        runtime.loop(0).post([&, t, i] {
          seen[t].push_back(i);
          if (!runtime.loop(0).is_current()) ++elsewhere;
        });
    });
  for (auto& thread : threads) thread.join();
  runtime.run_on(0, [] {});
  CHECK(elsewhere == 0);
  for (const auto& numbers : seen) {
    CHECK(numbers.size() == kEach);
    CHECK(std::is_sorted(numbers.begin(), numbers.end()));
  }
}

TEST_CASE("A loop that sleeps is woken by every single post") {
  NodeRuntime runtime(options(1));
  runtime.start();
  // Each round waits until the loop has nothing to do but sleep, or nearly so: a lost bell shows as a hang.
  for (int i = 0; i < 5000; ++i) {
    Inbox<int> inbox;
    runtime.loop(0).post([&] { inbox.put(i); });
    REQUIRE(inbox.take() == i);
  }
}

TEST_CASE("Timers of a real loop fire in order and never early") {
  NodeRuntime runtime(options(1));
  runtime.start();
  Inbox<std::pair<int, std::int64_t>> fired;
  const auto start = std::make_shared<std::int64_t>();
  runtime.run_on(0, [&] {
    Loop& loop = runtime.loop(0);
    *start = loop.now_us();
    for (const int ms : {30, 1, 0, 15}) loop.after(ms, [&, ms] { fired.put({ms, runtime.loop(0).now_us() - *start}); });
    loop.cancel(loop.after(5, [&] { fired.put({5, 0}); }));
  });
  for (const int ms : {0, 1, 15, 30}) {
    const auto next = fired.take();
    REQUIRE(next);
    CHECK(next->first == ms);
    CHECK(next->second >= ms * 1000);
  }
}

TEST_CASE("A timer that comes due while the loop goes to sleep is not slept over") {
  NodeRuntime runtime(options(1));
  runtime.start();
  Inbox<int> fired;
  constexpr int kTimers = 2000;
  int left = kTimers;
  std::function<void()> next = [&] {
    if (--left == 0) return fired.put(1);
    runtime.loop(0).after(0, next);
  };
  runtime.run_on(0, next);
  CHECK(fired.take());
  runtime.stop();
}

TEST_CASE("Offloaded work runs elsewhere and is answered on the loop") {
  NodeRuntime runtime(options(1));
  runtime.start();
  Inbox<bool> answers;
  runtime.run_on(0, [&] {
    const auto elsewhere = std::make_shared<bool>(false);
    runtime.loop(0).offload([&, elsewhere] { *elsewhere = !runtime.loop(0).is_current(); },
                            [&, elsewhere] { answers.put(*elsewhere && runtime.loop(0).is_current()); });
  });
  CHECK(answers.take() == true);
}

TEST_CASE("A turn's end comes after what was posted for the turn, and may ask for another") {
  NodeRuntime runtime(options(1));
  Inbox<std::string> result;
  const auto order = std::make_shared<std::string>();
  Loop& loop = runtime.loop(0);
  loop.post([&, order] {
    loop.at_turn_end([&, order] {
      *order += 'c';
      loop.at_turn_end([&, order] {
        *order += 'd';
        result.put(*order);
      });
    });
    *order += 'a';
  });
  loop.post([order] { *order += 'b'; });
  runtime.start();
  CHECK(result.take() == "abcd");
}

TEST_CASE("A function that throws does not end its loop") {
  log::configure(log::Level::off, log::Format::text);
  NodeRuntime runtime(options(1));
  runtime.start();
  Inbox<int> after;
  runtime.run_on(0, [&] {
    runtime.loop(0).post([] { throw std::runtime_error("posted"); });
    runtime.loop(0).at_turn_end([] { throw std::runtime_error("at the end"); });
    runtime.loop(0).offload([] {}, [] { throw std::runtime_error("completed"); });
    runtime.loop(0).after(1, [] { throw std::runtime_error("fired"); });
    runtime.loop(0).after(2, [&] { after.put(1); });
  });
  CHECK(after.take() == 1);
  log::configure(log::Level::info, log::Format::text);
}

TEST_CASE("Posting to a loop that has stopped does nothing") {
  NodeRuntime runtime(options(1));
  runtime.start();
  runtime.stop();
  const auto held = std::make_shared<int>();
  runtime.loop(0).post([held] {});
  CHECK(held.use_count() == 1);
}

TEST_CASE("An idle loop sleeps") {
  NodeRuntime runtime(options(2));
  runtime.start();
  runtime.run_on(0, [&] { runtime.loop(0).after(3'600'000, [] {}); });
  const auto switches = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw + usage.ru_nivcsw;
  };
  // Another loop waits a while for us; all the time both loops and the pool have nothing to do.
  Inbox<int> inbox;
  const long before = switches();
  runtime.loop(1).post([&] { runtime.loop(1).after(300, [&] { inbox.put(1); }); });
  REQUIRE(inbox.take());
  CHECK(switches() - before < 100);
}

TEST_CASE("The queue between threads keeps order and drops what comes after its end") {
  RemoteQueue queue;
  std::string order;
  const auto push = [&](char c) {
    auto item = std::make_unique<RemoteQueue::Item>();
    item->work = [&order, c] { order += c; };
    return queue.push(std::move(item));
  };
  CHECK(queue.empty());
  for (const char c : {'a', 'b', 'c'}) CHECK(push(c));
  for (auto* item = queue.take_all(); item;) {
    const std::unique_ptr<RemoteQueue::Item> taken(std::exchange(item, item->next));
    taken->work();
  }
  CHECK(order == "abc");
  CHECK(queue.take_all() == nullptr);
  CHECK(push('d'));
  queue.close();
  CHECK_FALSE(push('e'));
  CHECK(queue.empty());
  CHECK(order == "abc");
}

TEST_CASE("The first signal is told, on the loop") {
  NodeRuntime runtime(options(1));
  runtime.start();
  Inbox<int> told;
  std::unique_ptr<Signals> signals;
  runtime.run_on(0, [&] {
    signals = watch_signals(runtime.loop(0), [&](int number) { told.put(runtime.loop(0).is_current() ? number : -1); });
  });
  ::raise(SIGTERM);
  CHECK(told.take() == SIGTERM);
  runtime.run_on(0, [&] { signals.reset(); });
}
