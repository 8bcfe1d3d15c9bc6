// Braid, Apache-2.0.
//
// Ordered shutdown: a list of steps (stop accepting, answer what is in flight, sync the journals, ...) that run one
// after the other, each with a deadline, because a broker that waits for ever for one client is killed by whoever
// started it, and then nothing is synced. A step that is not done in time is named in the log and left behind.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "runtime/loop.hpp"

namespace braid {

/// Belongs to one loop and is used on its thread.
class Terminator {
 public:
  using Done = std::function<void()>;

  explicit Terminator(Loop& loop);
  ~Terminator();

  /// `begin` is called on the loop; it calls `done`, once, on the loop, now or later.
  void add(std::string name, std::int64_t deadline_ms, std::function<void(Done done)> begin);
  /// Runs the steps in the order in which they were added, then `finished` with true when all were in time. Once.
  void run(std::function<void(bool in_time)> finished);
  bool running() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace braid
