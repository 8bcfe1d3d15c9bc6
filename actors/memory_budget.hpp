// Braid, Apache-2.0.
//
// What all connections of the node together hold of requests that are not finished. Each connection has its own limit;
// ten thousand connections at their limits would still be more than the machine has. Past the budget a connection with
// something in flight is not read until that is done, so the node as a whole takes no more than it finishes.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace braid {

class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}
  bool exceeded() const { return used_bytes_.load(std::memory_order_relaxed) > limit_bytes_; }
  std::uint64_t used_bytes() const { return used_bytes_.load(std::memory_order_relaxed); }

 private:
  friend class BudgetShare;
  std::atomic<std::uint64_t> used_bytes_{0};
  const std::uint64_t limit_bytes_;
};

/// One connection's part of the budget, given back when it is destroyed. Told the connection's total once per read or
/// completion, not per message.
class BudgetShare {
 public:
  explicit BudgetShare(MemoryBudget& budget) : budget_(budget) {}
  ~BudgetShare() { set(0); }
  BudgetShare(const BudgetShare&) = delete;
  BudgetShare& operator=(const BudgetShare&) = delete;

  void set(std::uint64_t bytes) {
    const std::uint64_t before = std::exchange(bytes_, bytes);
    if (bytes != before) budget_.used_bytes_.fetch_add(bytes - before, std::memory_order_relaxed);
  }
  /// Whether this connection should wait: it can, since what it has in flight will wake it.
  bool should_wait() const { return bytes_ != 0 && budget_.exceeded(); }

 private:
  MemoryBudget& budget_;
  std::uint64_t bytes_ = 0;
};

}  // namespace braid
