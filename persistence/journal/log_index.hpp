// Braid, Apache-2.0.
//
// What happens to a partition's log, as changes of the tables: a batch comes, a suffix is replaced or rolled back, the
// start moves, the partition goes. The running journal and recovery share these, so that both agree on what a sequence
// of entries means.
#pragma once

#include "persistence/journal/store.hpp"

namespace braid::journal {

/// Puts a batch at the end of the log; what lies at or behind its base offset is replaced. A lost batch (length 0)
/// holds a place whose content recovery could not find.
void add_batch(Store&, Row&, FileInfo&, const IndexEntry&, bool gap_before);
/// `stays`: not among what goes past JournalOptions::memory_bytes.
void add_memory_batch(Store&, Row&, MemoryBatch, bool stays);
/// What a segment says of its batches, of which there is at least one: where they begin and end, bytes, timestamp.
void summarize(const BatchIndex&, Segment&);
/// A sealed file's part of the log, as its footer or a checkpoint describes it.
void add_segment(Store&, Row&, const Segment&, Offset end);
/// Removes every batch that reaches to `end` or behind it. Leaves log_start alone.
void truncate(Store&, Row&, Offset end);
/// Moves the log start forward; batches wholly before it go.
void move_start(Store&, Row&, Offset log_start);
void drop_partition(Store&, std::uint32_t row);

/// The batches of a segment that is not sealed and not in memory.
inline BatchIndex& batches_of(Store& store, const Segment& segment) {
  return store.files.find(segment.file)->lists[segment.place].batches;
}

}  // namespace braid::journal
