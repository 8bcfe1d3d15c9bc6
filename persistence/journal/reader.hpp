// Braid, Apache-2.0.
//
// Reads. What is in memory answers at once; otherwise the wanted entries are gathered into few disk reads, neighbours
// into one, checked against their checksums, and handed on as slices of what was read.
#pragma once

#include <functional>
#include <optional>

#include "persistence/journal/store.hpp"

namespace braid::journal {

void read_batches(Store&, ReadRequest, std::function<void(ReadResult)> done);
void find_timestamp(Store&, PartitionId, Timestamp at, std::function<void(Errc, std::optional<Offset>)> done);

/// The index of a sealed segment, from the cache or the file's footer.
void load_section(Store&, const Segment&, std::function<void(Errc, SectionCache::Section)> done);

}  // namespace braid::journal
