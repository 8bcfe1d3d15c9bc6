// Braid, Apache-2.0.
//
// The heart of the simulation: virtual time, the list of what will happen, the seeded choices, and the hash over all of
// it. Events belong to a loop and run as a turn of that loop, so that what they ask for the turn's end happens behind
// each of them, as on a real loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/random.hpp"
#include "runtime/simulation/sim_world.hpp"

namespace braid {

class SimLoop;

/// What an event is, for the hash. Numbers are part of it: do not change them lightly.
enum class SimEvent : std::uint8_t {
  turn = 1,
  timers = 2,
  completion = 3,
  offload = 4,
  packet = 5,
  control = 6,  ///< of the network: connecting, closing, windows
  fault = 7,
  note = 8,
};

class SimCore {
 public:
  explicit SimCore(const SimOptions& sim_options)
      : options(sim_options), random(sim_options.seed), hash_(sim_options.seed) {}

  const SimOptions options;
  Random random;
  std::int64_t now_us = 0;
  SimLoop* current = nullptr;   ///< whose turn it is
  std::vector<SimLoop*> loops;  ///< the living ones, in the order of their making

  /// Runs `run` on `loop` after `delay_us`. `detail` goes into the hash.
  void in(std::int64_t delay_us, SimLoop& loop, SimEvent kind, std::uint64_t detail, std::function<void()> run);
  /// Drops all events of a loop.
  void purge(const SimLoop& loop);
  std::int64_t packet_delay_us() { return random.between(options.delay_min_us, options.delay_max_us); }
  std::int64_t io_delay_us() { return random.between(options.io_min_us, options.io_max_us); }

  /// One choice among all that can happen up to `until_us`. False when there is nothing; then time stands where it was.
  bool step(std::int64_t until_us);

  void fold(SimEvent kind, std::uint64_t a, std::uint64_t b);
  void fold(std::string_view text);
  std::uint64_t hash() const { return hash_; }
  std::uint64_t steps() const { return steps_; }

 private:
  struct Event {
    SimLoop* loop;
    SimEvent kind;
    std::uint64_t detail;
    std::function<void()> run;
  };
  /// When, and what chance says among events of the same time; numbered, so that no two are alike.
  struct When {
    std::int64_t time_us;
    std::uint64_t chance;
    std::uint64_t number;
    friend auto operator<=>(const When&, const When&) = default;
  };
  void mix(std::uint64_t value);

  std::map<When, Event> events_;
  std::uint64_t numbers_ = 0, steps_ = 0, hash_;
};

}  // namespace braid
