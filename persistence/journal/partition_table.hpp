// Braid, Apache-2.0.
//
// What the journal remembers of every partition, idle ones included: a row of about a hundred bytes and 40 bytes per
// file that holds some of its batches. A million light topics are the goal, so there is no map node, no mailbox and no
// file per partition; rows lie in chunks, found through a flat hash of row numbers (4 bytes a slot).
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "model/ids.hpp"
#include "persistence/journal/producer_state.hpp"

namespace braid::journal {

inline constexpr std::uint32_t kMemoryFile = 0;  ///< "file" of batches with durability memory

/// A run of a partition's batches that lie in one file, or in memory.
struct Segment {
  static constexpr std::uint32_t kFar = UINT32_MAX;

  std::uint32_t file = kMemoryFile;
  /// Sealed: position of the section in the footer. Otherwise number of the list (FileInfo::lists, MemoryLog).
  std::uint32_t place = 0;
  std::uint32_t section_length = 0;  ///< 0: not sealed
  std::uint32_t bytes = 0;
  Offset first_offset;
  Timestamp max_timestamp{-1};
  std::uint32_t max_timestamp_distance = 0;  ///< of the batch that holds it, from first_offset; kFar: unknown
  std::uint32_t end_distance = 0;            ///< of its end, from first_offset; kFar: where the next segment begins

  bool is_sealed() const { return section_length != 0; }
  bool is_memory() const { return file == kMemoryFile; }
};

struct Row {
  PartitionId partition;
  ShardId shard;
  bool used = false;
  bool stored = false;  ///< something of it was given to the disk at some time
  Offset log_start{0};
  Offset end{0};
  Offset disk_end{0};  ///< end of what was given to the disk; lower than `end` behind batches in memory
  std::uint64_t bytes = 0;
  Timestamp max_timestamp{-1};
  Offset max_timestamp_offset{-1};
  std::vector<Segment> segments;  ///< ascending
  std::unique_ptr<ProducerStates> producers;
  std::uint32_t unacknowledged = 0;    ///< appends on their way through the writer
  std::uint32_t waiting_for_sync = 0;  ///< of these, written and not synced yet

  Offset segment_end(std::size_t number) const {
    const Segment& segment = segments[number];
    if (segment.end_distance != Segment::kFar) return Offset(segment.first_offset.value + segment.end_distance);
    return number + 1 < segments.size() ? segments[number + 1].first_offset : end;
  }
};

class PartitionTable {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  /// Row number, or kNone.
  std::uint32_t find(PartitionId) const;
  std::uint32_t find_or_insert(PartitionId, ShardId);
  void erase(std::uint32_t row);

  Row& operator[](std::uint32_t row) { return rows_[row]; }
  const Row& operator[](std::uint32_t row) const { return rows_[row]; }
  /// Row numbers run below this; some rows may be unused.
  std::uint32_t row_limit() const { return static_cast<std::uint32_t>(rows_.size()); }
  std::uint32_t size() const { return count_; }
  std::uint64_t memory_bytes() const;

 private:
  std::size_t home(PartitionId) const;
  void rehash(std::size_t slots);

  std::deque<Row> rows_;  // a row never moves
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> slots_;  // row number + 1; 0: free
  std::uint32_t count_ = 0;
};

}  // namespace braid::journal
