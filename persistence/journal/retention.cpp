// Braid, Apache-2.0.
#include "persistence/journal/retention.hpp"

#include <algorithm>

#include "persistence/journal/log_index.hpp"

namespace braid::journal {
namespace {

/// Calls visit(end, bytes, max_timestamp) for the pieces that retention can drop, oldest first, while it returns true:
/// single batches where the index is in memory, a file's share otherwise.
template <class Visit>
void walk(const Store& store, const Row& row, Visit visit) {
  for (std::size_t i = 0; i < row.segments.size(); ++i) {
    const Segment& segment = row.segments[i];
    if (segment.is_sealed()) {
      if (!visit(row.segment_end(i), segment.bytes, segment.max_timestamp)) return;
    } else if (segment.is_memory()) {
      for (const MemoryBatch& batch : store.memory.list(segment.place))
        if (!visit(Offset(batch.last_offset.value + 1), batch.bytes.size(), batch.max_timestamp)) return;
    } else {
      for (const IndexEntry& entry : store.files.find(segment.file)->lists[segment.place].batches)
        if (!visit(Offset(entry.last_offset().value + 1), entry.length, entry.max_timestamp)) return;
    }
  }
}

}  // namespace

Offset retention_start(const Store& store, const Row& row, Timestamp now, std::int64_t retention_ms,
                       std::int64_t retention_bytes) {
  Offset start = row.log_start;
  if (retention_ms >= 0 && row.segments.size() > 0)
    walk(store, row, [&](Offset end, std::uint64_t, Timestamp newest) {
      // Batches without a timestamp don't age.
      if (newest.value < 0 || newest.value >= now.value - retention_ms) return false;
      start = std::max(start, end);
      return true;
    });
  if (retention_bytes >= 0) {
    std::uint64_t left = row.bytes;
    walk(store, row, [&](Offset end, std::uint64_t bytes, Timestamp) {
      if (end >= row.end || left < bytes || left - bytes < static_cast<std::uint64_t>(retention_bytes)) return false;
      left -= bytes;
      start = std::max(start, end);
      return true;
    });
  }
  return start;
}

bool remove_dead_files(Store& store, const Checkpointer& checkpointer, const Sealer& sealer) {
  bool more = false;
  std::vector<std::uint32_t> removed;
  for (auto& [id, file] : store.files.all()) {
    if (!file.rolled || file.live > 0) continue;
    if (file.forgotten && id < checkpointer.oldest_needed_file() && !sealer.is_sealing(id))
      removed.push_back(id);
    else
      more = true;
  }
  for (const std::uint32_t id : removed) {
    store.disk.remove_later(store.files.find(id)->path, [](Outcome<IoError>) {});
    store.files.erase(id);
  }
  return more;
}

}  // namespace braid::journal
