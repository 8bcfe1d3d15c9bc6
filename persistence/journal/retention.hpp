// Braid, Apache-2.0.
//
// How space comes back: what time and size ask of a partition, and which files hold nothing any more.
#pragma once

#include "persistence/journal/checkpoint.hpp"
#include "persistence/journal/sealer.hpp"
#include "persistence/journal/store.hpp"

namespace braid::journal {

Offset retention_start(const Store&, const Row&, Timestamp now, std::int64_t retention_ms,
                       std::int64_t retention_bytes);

/// Removes dead files that no recovery will look for. True when there are more, which wait for a checkpoint.
bool remove_dead_files(Store&, const Checkpointer&, const Sealer&);

}  // namespace braid::journal
