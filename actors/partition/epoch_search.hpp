// Braid, Apache-2.0.
//
// Where one leader's records end and the next one's begin. Every batch says which epoch it was written in, and epochs
// only grow along a log, so the place is found by bisection over the batches themselves: no table of epochs has to be
// kept, written and recovered for a million partitions that nobody asks about. A search costs as many reads of one
// batch as the number of offsets has bits.
#pragma once

#include <functional>
#include <optional>

#include "model/errors.hpp"
#include "model/ids.hpp"
#include "persistence/journal/journal.hpp"

namespace braid {

struct EpochBoundary {
  Errc error = Errc::none;
  LeaderEpoch last{-1};  ///< of the last batch whose epoch is not behind the one asked for; -1: there is none
  std::optional<Offset> next_from;  ///< where the first batch of a later epoch begins; nothing: there is none
};
using EpochBoundaryFound = std::function<void(const EpochBoundary&)>;

/// Looks at batches from `from` up to `limit`. `found` may be called before this returns.
void find_epoch_boundary(Journal& journal, PartitionId partition, Offset from, Offset limit, LeaderEpoch epoch,
                         EpochBoundaryFound found);

}  // namespace braid
