// Braid, Apache-2.0.
//
// How long to wait before trying again: twice as long after each failure up to a limit, with some chance in it so that
// many who failed together do not return together, and from the start again after a time without failure. Pure: time
// and chance are arguments.
#pragma once

#include <algorithm>
#include <cstdint>

namespace braid {

class Backoff {
 public:
  struct Limits {
    std::int64_t first_ms = 10;
    std::int64_t longest_ms = 30000;
    std::int64_t forget_after_ms = 60000;  ///< without a failure
  };
  Backoff() = default;
  explicit Backoff(Limits limits) : limits_(limits) {}

  /// A failure at `now_ms`: how long to wait. Between half and all of the doubled time, by `random`.
  std::int64_t failed(std::int64_t now_ms, std::uint64_t random) {
    if (failures_ > 0 && now_ms - last_failure_ms_ > limits_.forget_after_ms) failures_ = 0;
    last_failure_ms_ = now_ms;
    std::int64_t wait = limits_.first_ms;
    for (std::uint32_t i = 0; i < failures_ && wait < limits_.longest_ms; ++i) wait *= 2;
    wait = std::min(wait, limits_.longest_ms);
    ++failures_;
    const std::int64_t half = wait / 2;
    return wait - (half > 0 ? static_cast<std::int64_t>(random % static_cast<std::uint64_t>(half + 1)) : 0);
  }
  void reset() { failures_ = 0; }
  std::uint32_t failures() const { return failures_; }

 private:
  Limits limits_{};
  std::uint32_t failures_ = 0;
  std::int64_t last_failure_ms_ = 0;
};

}  // namespace braid
