// Braid, Apache-2.0.
//
// The timer wheel against the plainest timers there are: a list that is searched.
#include "runtime/timer_wheel.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "runtime/random.hpp"

using namespace braid;

namespace {

std::uint64_t seed_of_run() {
  if (const char* given = std::getenv("BRAID_SEED")) return std::strtoull(given, nullptr, 10);
  return std::random_device{}();
}

struct Reference {
  struct Timer {
    std::int64_t due;
    int number;
  };
  std::vector<Timer> timers;

  std::vector<int> advance(std::int64_t now) {
    std::vector<Timer> due;
    std::copy_if(timers.begin(), timers.end(), std::back_inserter(due), [&](const Timer& t) { return t.due <= now; });
    timers.erase(std::remove_if(timers.begin(), timers.end(), [&](const Timer& t) { return t.due <= now; }),
                 timers.end());
    std::stable_sort(due.begin(), due.end(), [](const Timer& a, const Timer& b) { return a.due < b.due; });
    std::vector<int> numbers;
    for (const Timer& timer : due) numbers.push_back(timer.number);
    return numbers;
  }
};

}  // namespace

TEST_CASE("The wheel fires what a list of timers fires, in the same order, under random operations") {
  const std::uint64_t seed = seed_of_run();
  INFO("BRAID_SEED=" << seed);
  Random random(seed);
  std::int64_t now = random.between(0, 1) ? 0 : random.between(0, std::int64_t{1} << 41);
  TimerWheel wheel(now);
  Reference reference;
  std::map<int, TimerId> ids;
  std::vector<int> fired;
  int number = 0;
  // Delays of all magnitudes, many of them alike, so that every level and full slots are met.
  const auto delay = [&] { return random.between(0, std::int64_t{1} << random.below(36)); };
  for (int step = 0; step < 20000; ++step) {
    switch (random.below(5)) {
      case 0:
      case 1:
      case 2: {
        const std::int64_t due = now + delay();
        const int mine = number++;
        ids[mine] = wheel.insert(due, [&fired, mine] { fired.push_back(mine); });
        reference.timers.push_back({std::max(due, now + 1), mine});
        break;
      }
      case 3: {
        if (number == 0) break;
        const int victim = static_cast<int>(random.below(static_cast<std::uint64_t>(number)));
        const auto found = std::find_if(reference.timers.begin(), reference.timers.end(),
                                        [&](const auto& timer) { return timer.number == victim; });
        REQUIRE(wheel.cancel(ids[victim]) == (found != reference.timers.end()));
        if (found != reference.timers.end()) reference.timers.erase(found);
        break;
      }
      default: {
        const auto next = wheel.next_due_ms();
        REQUIRE(next.has_value() == !reference.timers.empty());
        if (next) {
          // Never later than the first timer, and never in the past.
          const auto first = std::min_element(reference.timers.begin(), reference.timers.end(),
                                              [](const auto& a, const auto& b) { return a.due < b.due; });
          REQUIRE(*next <= first->due);
          REQUIRE(*next > now);
        }
        now = random.below(3) == 0 && next ? *next : now + delay();
        fired.clear();
        const std::size_t count = wheel.advance(now);
        REQUIRE(count == fired.size());
        REQUIRE(fired == reference.advance(now));
      }
    }
    REQUIRE(wheel.size() == reference.timers.size());
  }
}

TEST_CASE("Waiting only until the time that the wheel names reaches a far timer in a few steps") {
  TimerWheel wheel(123'456'789);
  bool fired = false;
  const std::int64_t due = 123'456'789 + 7ll * 24 * 3600 * 1000;
  wheel.insert(due, [&] { fired = true; });
  int wakes = 0;
  while (!fired && wakes < 100) {
    const std::int64_t next = *wheel.next_due_ms();
    REQUIRE(next <= due);
    wheel.advance(next);
    ++wakes;
  }
  CHECK(fired);
  CHECK(wakes <= 6);
}

TEST_CASE("Callbacks may set and cancel timers of the wheel that fires them") {
  TimerWheel wheel;
  std::string order;
  TimerId victim;
  wheel.insert(5, [&] {
    order += 'a';
    wheel.cancel(victim);
    wheel.insert(0, [&] { order += 'd'; });
    wheel.insert(1000, [&] { order += 'e'; });
  });
  victim = wheel.insert(5, [&] { order += 'b'; });
  wheel.insert(5, [&] { order += 'c'; });
  CHECK(wheel.advance(4) == 0);
  CHECK(wheel.advance(6) == 3);
  CHECK(order == "acd");
  CHECK_FALSE(wheel.cancel(victim));
  CHECK(wheel.advance(1000) == 1);
  CHECK(order == "acde");
  CHECK(wheel.size() == 0);
  CHECK_FALSE(wheel.next_due_ms());
}

TEST_CASE("A timer that always sets itself anew does not hold up an advance") {
  TimerWheel wheel;
  int fired = 0;
  std::function<void()> again = [&] {
    ++fired;
    wheel.insert(0, again);
  };
  wheel.insert(0, again);
  wheel.advance(10);
  CHECK(fired == 10);
}

TEST_CASE("The number of a cancelled timer does not cancel its successor") {
  TimerWheel wheel;
  const TimerId first = wheel.insert(10, [] {});
  CHECK(wheel.cancel(first));
  const TimerId second = wheel.insert(10, [] {});
  CHECK_FALSE(wheel.cancel(first));
  CHECK(wheel.cancel(second));
  CHECK_FALSE(wheel.cancel(TimerId{}));
  CHECK_FALSE(wheel.cancel(TimerId{~0ull}));
}

TEST_CASE("Clearing destroys callbacks that cancel timers themselves") {
  struct Canceller {
    TimerWheel* wheel;
    TimerId id;
    ~Canceller() { wheel->cancel(id); }
  };
  TimerWheel wheel;
  const TimerId other = wheel.insert(20, [] {});
  auto canceller = std::make_shared<Canceller>(Canceller{&wheel, other});
  wheel.insert(10, [canceller] {});
  canceller.reset();
  wheel.clear();
  CHECK(wheel.size() == 0);
  CHECK(wheel.advance(100) == 0);
}
