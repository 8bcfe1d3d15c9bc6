// Braid, Apache-2.0.
//
// SIGTERM and SIGINT: the first asks for an ordered end, the second ends the process at once, for whoever has lost
// patience.
#pragma once

#include <functional>
#include <memory>

#include "runtime/loop.hpp"

namespace braid {

class Signals {
 public:
  virtual ~Signals() = default;
};

/// `first` runs on `loop`, a loop of a NodeRuntime, at the first signal; the second calls _exit(1). Call it on the loop
/// and destroy the result there.
std::unique_ptr<Signals> watch_signals(Loop& loop, std::function<void(int signal)> first);

}  // namespace braid
