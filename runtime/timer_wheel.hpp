// Braid, Apache-2.0.
//
// A million timers (keep alive, session timeouts, expiries) of which most are cancelled before they fire: inserting and
// cancelling must cost next to nothing, and finding the next one must not look at the others.
//
// A hierarchical wheel: the time of a timer is written in base 64, and it lies in the slot of the highest digit in
// which it differs from now. When now reaches that digit the slot is dealt out to the levels below, so a timer moves at
// most once per level; a bit per slot finds the next one that is not empty. Timers of the same millisecond fire in the
// order in which they were set. Pure: time is what `advance` says.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "runtime/loop.hpp"

namespace braid {

class TimerWheel {
 public:
  explicit TimerWheel(std::int64_t now_ms = 0) : now_(static_cast<std::uint64_t>(now_ms)) {}

  /// Fires in the first `advance` to `due_ms` or later; a time that is not ahead counts as the next millisecond.
  TimerId insert(std::int64_t due_ms, std::function<void()> fire);
  /// False when there is no such timer any more.
  bool cancel(TimerId id);
  /// When `advance` has to be called next, at the latest; it may find nothing to fire then (a slot is dealt out).
  std::optional<std::int64_t> next_due_ms() const;
  /// Fires what is due, in order of time. Callbacks may insert and cancel. Returns how many fired.
  std::size_t advance(std::int64_t now_ms);

  std::size_t size() const { return size_; }
  std::size_t memory_bytes() const;
  void clear();

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr unsigned kBits = 6, kSlots = 1u << kBits, kLevels = 11;
  struct Node {
    std::function<void()> fire;
    std::uint64_t due = 0;
    std::uint32_t next = kNone, previous = kNone;
    std::uint32_t generation = 0;
    std::uint16_t slot = kFree;
  };
  static constexpr std::uint16_t kFree = UINT16_MAX;
  struct Slot {
    std::uint32_t first = kNone, last = kNone;
  };

  std::uint16_t slot_for(std::uint64_t due) const;
  void link(std::uint32_t index);
  void unlink(std::uint32_t index);
  void release(std::uint32_t index);
  std::optional<std::uint64_t> next_event() const;

  std::uint64_t now_;
  std::array<Slot, kSlots * kLevels> slots_;
  std::array<std::uint64_t, kLevels> filled_{};
  std::vector<Node> nodes_;
  std::uint32_t free_ = kNone;
  std::size_t size_ = 0;
};

}  // namespace braid
