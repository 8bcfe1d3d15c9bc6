// Braid, Apache-2.0.
//
// Linear probing; a removal shifts what follows back, so that there are no tombstones.
#include "persistence/journal/partition_table.hpp"

#include <cassert>

namespace braid::journal {
namespace {

std::uint64_t mix(std::uint64_t value) {  // MurmurHash3's finaliser: ids are sequential
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccdull;
  value ^= value >> 33;
  value *= 0xc4ceb9fe1a85ec53ull;
  return value ^ (value >> 33);
}

}  // namespace

std::size_t PartitionTable::home(PartitionId partition) const {
  return mix(partition.value) & (slots_.size() - 1);
}

std::uint32_t PartitionTable::find(PartitionId partition) const {
  if (slots_.empty()) return kNone;
  for (std::size_t slot = home(partition); slots_[slot] != 0; slot = (slot + 1) & (slots_.size() - 1))
    if (rows_[slots_[slot] - 1].partition == partition) return slots_[slot] - 1;
  return kNone;
}

std::uint32_t PartitionTable::find_or_insert(PartitionId partition, ShardId shard) {
  if (const std::uint32_t row = find(partition); row != kNone) return row;
  if ((count_ + 1) * 4ull > slots_.size() * 3ull) rehash(slots_.empty() ? 64 : slots_.size() * 2);
  std::uint32_t row;
  if (free_.empty()) {
    row = static_cast<std::uint32_t>(rows_.size());
    rows_.emplace_back();
  } else {
    row = free_.back();
    free_.pop_back();
  }
  rows_[row].partition = partition;
  rows_[row].shard = shard;
  rows_[row].used = true;
  std::size_t slot = home(partition);
  while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
  slots_[slot] = row + 1;
  ++count_;
  return row;
}

void PartitionTable::erase(std::uint32_t row) {
  assert(rows_[row].used);
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = home(rows_[row].partition);
  while (slots_[hole] != row + 1) hole = (hole + 1) & mask;
  for (std::size_t next = (hole + 1) & mask; slots_[next] != 0; next = (next + 1) & mask) {
    // An entry may fill the hole unless its home lies behind the hole, cyclically.
    const std::size_t wanted = home(rows_[slots_[next] - 1].partition);
    if (((next - wanted) & mask) >= ((next - hole) & mask)) {
      slots_[hole] = slots_[next];
      hole = next;
    }
  }
  slots_[hole] = 0;
  rows_[row] = Row{};
  free_.push_back(row);
  --count_;
}

void PartitionTable::rehash(std::size_t slots) {
  slots_.assign(slots, 0);
  for (std::uint32_t row = 0; row < rows_.size(); ++row) {
    if (!rows_[row].used) continue;
    std::size_t slot = home(rows_[row].partition);
    while (slots_[slot] != 0) slot = (slot + 1) & (slots - 1);
    slots_[slot] = row + 1;
  }
}

std::uint64_t PartitionTable::memory_bytes() const {
  std::uint64_t bytes = rows_.size() * sizeof(Row) + slots_.size() * sizeof(std::uint32_t) + free_.capacity() * 4;
  for (const Row& row : rows_) bytes += row.segments.capacity() * sizeof(Segment);
  return bytes;
}

}  // namespace braid::journal
