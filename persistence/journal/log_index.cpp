// Braid, Apache-2.0.
//
// Every change keeps: segments ascend and don't overlap; FileInfo::live counts the segments that refer to a file; a
// row's bytes and largest timestamp are those of its segments.
#include "persistence/journal/log_index.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace braid::journal {
namespace {

std::uint32_t distance(Offset from, Offset to) {
  return static_cast<std::uint32_t>(std::min<std::int64_t>(to.value - from.value, Segment::kFar));
}

Offset max_timestamp_offset(const Segment& segment) {
  if (segment.max_timestamp_distance == Segment::kFar) return segment.first_offset;
  return Offset(segment.first_offset.value + segment.max_timestamp_distance);
}

void refresh_max_timestamp(Row& row) {
  row.max_timestamp = Timestamp(-1);
  row.max_timestamp_offset = Offset(-1);
  for (const Segment& segment : row.segments)
    if (segment.max_timestamp > row.max_timestamp) {
      row.max_timestamp = segment.max_timestamp;
      row.max_timestamp_offset = max_timestamp_offset(segment);
    }
}

void append_to(Row& row, Segment& segment, Offset base_offset, Offset end, Timestamp timestamp, std::uint32_t bytes) {
  if (segment.end_distance == 0) segment.first_offset = base_offset;
  segment.end_distance = distance(segment.first_offset, end);
  segment.bytes += bytes;
  row.bytes += bytes;
  if (timestamp > segment.max_timestamp) {
    segment.max_timestamp = timestamp;
    segment.max_timestamp_distance = distance(segment.first_offset, base_offset);
  }
  if (timestamp > row.max_timestamp) {
    row.max_timestamp = timestamp;
    row.max_timestamp_offset = base_offset;
  }
  row.end = end;
}

Offset last_offset(const IndexEntry& batch) {
  return batch.last_offset();
}
Offset last_offset(const MemoryBatch& batch) {
  return batch.last_offset;
}
std::uint32_t bytes_of(const IndexEntry& batch) {
  return batch.length;
}
std::uint32_t bytes_of(const MemoryBatch& batch) {
  return static_cast<std::uint32_t>(batch.bytes.size());
}

template <class List>
void summarize_list(const List& list, Segment& segment) {
  segment.bytes = 0;
  segment.first_offset = list.front().base_offset;
  segment.max_timestamp = Timestamp(-1);
  segment.max_timestamp_distance = 0;
  for (const auto& batch : list) {
    segment.bytes += bytes_of(batch);
    if (batch.max_timestamp > segment.max_timestamp) {
      segment.max_timestamp = batch.max_timestamp;
      segment.max_timestamp_distance = distance(segment.first_offset, batch.base_offset);
    }
  }
  segment.end_distance = distance(segment.first_offset, Offset(last_offset(list.back()).value + 1));
}

/// Recomputes a segment from its list after batches were taken from either side.
template <class List>
void refresh(Row& row, Segment& segment, const List& list) {
  row.bytes -= segment.bytes;
  summarize_list(list, segment);
  row.bytes += segment.bytes;
}

/// The same after `bytes` were taken from the front; looks at the list only when the largest timestamp was among them.
template <class List>
void refresh_front(Row& row, Segment& segment, const List& list, std::uint64_t bytes) {
  const Offset first = list.front().base_offset;
  const Offset maximum = max_timestamp_offset(segment);
  if (maximum < first || segment.max_timestamp_distance == Segment::kFar || segment.end_distance == Segment::kFar)
    return refresh(row, segment, list);
  segment.end_distance -= distance(segment.first_offset, first);
  segment.max_timestamp_distance = distance(first, maximum);
  segment.first_offset = first;
  segment.bytes -= static_cast<std::uint32_t>(bytes);
  row.bytes -= bytes;
}

/// Gives back what a segment holds; the caller takes it out of the row.
void release(Store& store, Row& row, const Segment& segment) {
  row.bytes -= segment.bytes;
  if (segment.is_memory()) return store.memory.free_list(segment.place);
  FileInfo& file = *store.files.find(segment.file);
  assert(file.live > 0);
  --file.live;
  if (!segment.is_sealed()) BatchIndex().swap(file.lists[segment.place].batches);
}

}  // namespace

void summarize(const BatchIndex& batches, Segment& segment) {
  summarize_list(batches, segment);
}

void add_batch(Store& store, Row& row, FileInfo& file, const IndexEntry& entry, bool gap_before) {
  if (entry.base_offset < row.end) truncate(store, row, entry.base_offset);
  if (row.segments.empty() || row.segments.back().file != file.id || row.segments.back().is_sealed()) {
    Segment segment;
    segment.file = file.id;
    segment.place = static_cast<std::uint32_t>(file.lists.size());
    file.lists.push_back({row.partition, {}, gap_before});
    ++file.live;
    row.segments.push_back(segment);
  }
  Segment& segment = row.segments.back();
  file.lists[segment.place].batches.push_back(entry);
  const Offset end(entry.last_offset().value + 1);
  append_to(row, segment, entry.base_offset, end, entry.max_timestamp, entry.length);
  row.disk_end = end;
  row.stored = true;
}

void add_memory_batch(Store& store, Row& row, MemoryBatch batch, bool stays) {
  if (batch.base_offset < row.end) truncate(store, row, batch.base_offset);
  if (row.segments.empty() || !row.segments.back().is_memory()) {
    Segment segment;
    segment.place = store.memory.make_list();
    row.segments.push_back(segment);
  }
  append_to(row, row.segments.back(), batch.base_offset, Offset(batch.last_offset.value + 1), batch.max_timestamp,
            static_cast<std::uint32_t>(batch.bytes.size()));
  store.memory.push_back(row.segments.back().place, row.partition, std::move(batch), stays);
  while (store.memory.bytes() > store.options.memory_bytes) {
    Row& victim = store.partitions[store.partitions.find(store.memory.oldest())];
    const auto segment = std::find_if(victim.segments.begin(), victim.segments.end(),
                                      [](const Segment& candidate) { return candidate.is_memory(); });
    assert(segment != victim.segments.end());
    const MemoryLog::List& list = store.memory.list(segment->place);
    if (segment == victim.segments.begin()) {
      move_start(store, victim, Offset(list.front().last_offset.value + 1));
      continue;
    }
    // Batches on disk come before it: they stay, and a gap is left.
    const std::uint64_t bytes = list.front().bytes.size();
    store.memory.pop_front(segment->place);
    if (!list.empty()) {
      refresh_front(victim, *segment, list, bytes);
    } else {
      release(store, victim, *segment);
      victim.segments.erase(segment);
    }
    refresh_max_timestamp(victim);
  }
}

void add_segment(Store& store, Row& row, const Segment& segment, Offset end) {
  if (segment.first_offset < row.end) truncate(store, row, segment.first_offset);
  row.segments.push_back(segment);
  row.bytes += segment.bytes;
  if (segment.max_timestamp > row.max_timestamp) {
    row.max_timestamp = segment.max_timestamp;
    row.max_timestamp_offset = max_timestamp_offset(segment);
  }
  if (!segment.is_memory()) {
    ++store.files.find(segment.file)->live;
    row.disk_end = end;
    row.stored = true;
  }
  row.end = end;
}

void truncate(Store& store, Row& row, Offset end) {
  if (end >= row.end) return;
  bool changed = false;
  while (!row.segments.empty()) {
    const std::size_t last = row.segments.size() - 1;
    Segment& segment = row.segments.back();
    if (row.segment_end(last) <= end) break;
    changed = true;
    if (segment.first_offset >= end) {
      release(store, row, segment);
      row.segments.pop_back();
      continue;
    }
    if (segment.is_sealed()) {
      // Its section stays as it is; readers stop at the segment's end.
      segment.end_distance = distance(segment.first_offset, end);
      break;
    }
    bool empty;
    if (segment.is_memory()) {
      const MemoryLog::List& list = store.memory.list(segment.place);
      while (!list.empty() && list.back().last_offset >= end) store.memory.pop_back(segment.place);
      empty = list.empty();
      if (!empty) refresh(row, segment, list);
    } else {
      BatchIndex& list = batches_of(store, segment);
      while (!list.empty() && list.back().last_offset() >= end) list.pop_back();
      empty = list.empty();
      if (!empty) refresh(row, segment, list);
    }
    if (!empty) break;
    release(store, row, segment);
    row.segments.pop_back();
  }
  row.end = end;
  row.disk_end = std::min(row.disk_end, end);
  if (changed) refresh_max_timestamp(row);
}

void move_start(Store& store, Row& row, Offset log_start) {
  // Once more when it is there already: a footer that is read over a checkpoint cuts the log at a truncation again, and
  // has nothing of what came between that and the start.
  if (log_start < row.log_start) return;
  row.log_start = log_start;
  row.end = std::max(row.end, log_start);
  std::size_t dead = 0;
  while (dead < row.segments.size() && row.segment_end(dead) <= log_start) release(store, row, row.segments[dead++]);
  row.segments.erase(row.segments.begin(), row.segments.begin() + static_cast<std::ptrdiff_t>(dead));
  bool changed = dead > 0;
  if (!row.segments.empty() && row.segments.front().first_offset < log_start && !row.segments.front().is_sealed()) {
    Segment& segment = row.segments.front();
    if (segment.is_memory()) {
      const MemoryLog::List& list = store.memory.list(segment.place);
      std::uint64_t bytes = 0;
      while (list.front().last_offset < log_start) {
        bytes += list.front().bytes.size();
        store.memory.pop_front(segment.place);
        changed = true;
      }
      if (changed) refresh_front(row, segment, list, bytes);
    } else {
      BatchIndex& list = batches_of(store, segment);
      const std::size_t count = find_batch(list, log_start);
      if (count > 0) {
        const auto behind = list.begin() + static_cast<std::ptrdiff_t>(count);
        const std::uint64_t bytes =
            std::accumulate(list.begin(), behind, std::uint64_t{0},
                            [](std::uint64_t sum, const IndexEntry& e) { return sum + e.length; });
        list.erase(list.begin(), behind);
        refresh_front(row, segment, list, bytes);
        changed = true;
      }
    }
  }
  if (changed) refresh_max_timestamp(row);
}

void drop_partition(Store& store, std::uint32_t row_number) {
  Row& row = store.partitions[row_number];
  for (const Segment& segment : row.segments) release(store, row, segment);
  store.partitions.erase(row_number);
}

}  // namespace braid::journal
