// Braid, Apache-2.0.
//
// Batches with durability memory. They never reach the disk. Those of topics take no more than a limit together: past
// it the oldest of all are dropped, whichever partition they belong to. Those that their owner bounds by himself stay
// until he moves the log start; a list has one kind or the other.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "model/bytes.hpp"
#include "model/ids.hpp"

namespace braid::journal {

struct MemoryBatch {
  Offset base_offset;
  Offset last_offset;
  Timestamp max_timestamp{-1};
  Bytes bytes;
};

class MemoryLog {
 public:
  using List = std::deque<MemoryBatch>;

  std::uint32_t make_list();
  void free_list(std::uint32_t list);
  const List& list(std::uint32_t number) const { return lists_[number]; }

  void push_back(std::uint32_t list, PartitionId, MemoryBatch, bool stays);
  void pop_back(std::uint32_t list);
  void pop_front(std::uint32_t list);

  /// Of those that may go.
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t staying_bytes() const { return staying_bytes_; }
  /// Partition of the oldest batch that may go. There is one when bytes() is not 0.
  PartitionId oldest();

 private:
  struct Arrival {
    std::uint32_t list;
    std::uint32_t generation;
    std::uint64_t number;  // of the batch within its list, counted from the list's making
    PartitionId partition;
  };
  struct Counters {
    std::uint32_t generation = 0;
    std::uint64_t popped = 0;
    bool stays = false;
  };
  std::uint64_t& bytes_of(std::uint32_t list) { return counters_[list].stays ? staying_bytes_ : bytes_; }
  bool is_live(const Arrival&) const;

  std::vector<List> lists_;
  std::vector<Counters> counters_;
  std::vector<std::uint32_t> free_;
  std::deque<Arrival> arrivals_;  // those of dropped batches leave when they come to the front, or in bulk
  std::uint64_t batches_ = 0;
  std::uint64_t bytes_ = 0, staying_bytes_ = 0;
};

}  // namespace braid::journal
