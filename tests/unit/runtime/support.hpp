// Braid, Apache-2.0.
//
// What the runtime's tests share: waiting, with a deadline, for what loops on other threads tell.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "runtime/node_runtime.hpp"

namespace braid::test {

inline constexpr std::chrono::seconds kDeadline{20};

/// Loops put in, the test takes out.
template <class T>
class Inbox {
 public:
  void put(T value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
    changed_.notify_all();
  }
  /// Nothing when the deadline passes first.
  std::optional<T> take() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kDeadline, [this] { return !values_.empty(); })) return std::nullopt;
    std::optional<T> value(std::move(values_.front()));
    values_.pop_front();
    return value;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return values_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> values_;
};

inline NodeRuntimeOptions options(std::uint16_t loops) {
  return {.loops = loops, .seed = 1};
}

/// Asks on the loop until the condition holds there.
inline bool eventually(NodeRuntime& runtime, std::size_t loop, const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + kDeadline;
  while (std::chrono::steady_clock::now() < until) {
    bool holds = false;
    runtime.run_on(loop, [&] { holds = condition(); });
    if (holds) return true;
  }
  return false;
}

}  // namespace braid::test
