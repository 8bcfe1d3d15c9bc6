// Braid, Apache-2.0.
//
// The broker as a process: a node on real loops, with its admin port, from start to ordered end.
#pragma once

#include "config/settings.hpp"

namespace braid {

/// Runs until SIGTERM or SIGINT. Returns the process's exit code: 0 after an ordered end, 1 when the broker could not
/// start or did not end in order; the log says why.
int run_broker(const Settings& settings);

}  // namespace braid
