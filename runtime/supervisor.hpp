// Braid, Apache-2.0.
//
// CAF monitors actors but restarts none. A supervisor starts children by their factories, watches them, and starts
// those that failed again, after a pause that grows while they keep failing. A child that ended in order stays ended.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "runtime/backoff.hpp"
#include "runtime/pinned.hpp"

namespace braid {

struct ChildSpec {
  std::string name;  ///< for the log
  /// Starts the child (spawn_on) and returns it; runs on the supervisor's loop, as do the two below.
  std::function<caf::strong_actor_ptr()> start;
  std::function<void(const caf::strong_actor_ptr&)> started = {};
  std::function<void(const caf::error&)> ended = {};
  Backoff::Limits backoff = {};
};

/// Takes a child into care and starts it.
struct Supervise {
  std::shared_ptr<const ChildSpec> child;
};
/// Stops starting children again, tells them to exit, and ends when the last has gone.
struct StopChildren {};

using SupervisorActor = Interface<Takes<Supervise>, Takes<StopChildren>>;

/// One per loop; children may live on any loop.
SupervisorActor spawn_supervisor(Loop& loop);

}  // namespace braid

BRAID_MESSAGE(braid::Supervise)
BRAID_MESSAGE(braid::StopChildren)
