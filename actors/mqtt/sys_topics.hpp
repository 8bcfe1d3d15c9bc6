// Braid, Apache-2.0.
//
// Publishes the broker's figures under $SYS/broker at an interval: one actor for the node, which asks every loop for a
// copy of its counters. The values are retained so that a new subscriber gets them at once, but in memory only: they
// say nothing after a restart.
#pragma once

#include <vector>

#include "actors/services.hpp"

namespace braid::mqtt {

using SysTopicsActor = caf::typed_actor<caf::reacts_to<RetainStored>>;

/// On the first of the loops; not to be called when mqtt.sys_interval is off.
SysTopicsActor spawn_sys_topics(std::vector<Services*> all);

}  // namespace braid::mqtt
