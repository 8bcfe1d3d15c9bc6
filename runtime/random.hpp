// Braid, Apache-2.0.
//
// The generator behind Loop::random and the simulation's choices: splitmix64, eight bytes of state, the same numbers
// for the same seed on every machine, which the standard's distributions do not promise.
#pragma once

#include <cstdint>

namespace braid {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// From 0 to `limit` - 1; 0 when limit is 0.
  std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : next() % limit; }
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return most <= least ? least
                         : least + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least) + 1));
  }
  bool chance_per_million(std::uint32_t chance) { return below(1'000'000) < chance; }

 private:
  std::uint64_t state_;
};

}  // namespace braid
