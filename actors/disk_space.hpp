// Braid, Apache-2.0.
//
// A disk that is nearly full is easier to make room on than a full one. One actor of the node measures the volume of
// the data directory now and then; whoever can wait (AMQP tells its publishers so) looks here, on any loop, for an
// atomic load. What others do when the disk is full does not depend on it: their writes fail, and are tried again.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtime/spelling.hpp"

namespace braid {

struct Services;

class DiskSpace {
 public:
  /// Less than limits.disk_free_bytes is left.
  bool low() const { return low_.load(std::memory_order_relaxed); }

 private:
  friend class DiskWatch;
  std::atomic<bool> low_{false};
};

struct MeasureDisk {};
using DiskWatchActor = Interface<Takes<MeasureDisk>>;
/// Keeps `services.disk_space`; not to be called when limits.disk_free_bytes is off.
DiskWatchActor spawn_disk_watch(Services& services);

}  // namespace braid

BRAID_MESSAGE(braid::MeasureDisk)
