// Braid, Apache-2.0.
#include "persistence/journal/memory_log.hpp"

#include <cassert>

namespace braid::journal {

std::uint32_t MemoryLog::make_list() {
  if (free_.empty()) {
    lists_.emplace_back();
    counters_.emplace_back();
    return static_cast<std::uint32_t>(lists_.size() - 1);
  }
  const std::uint32_t list = free_.back();
  free_.pop_back();
  return list;
}

void MemoryLog::free_list(std::uint32_t list) {
  for (const MemoryBatch& batch : lists_[list]) bytes_of(list) -= batch.bytes.size();
  batches_ -= lists_[list].size();
  lists_[list] = List{};
  counters_[list] = {counters_[list].generation + 1, 0};
  free_.push_back(list);
}

void MemoryLog::push_back(std::uint32_t list, PartitionId partition, MemoryBatch batch, bool stays) {
  assert(lists_[list].empty() || counters_[list].stays == stays);
  counters_[list].stays = stays;
  // Batches replaced at a list's end are rare and only make an arrival point at their successor, which is right.
  if (!stays)
    arrivals_.push_back({list, counters_[list].generation, counters_[list].popped + lists_[list].size(), partition});
  bytes_of(list) += batch.bytes.size();
  ++batches_;
  lists_[list].push_back(std::move(batch));
  if (arrivals_.size() > 2 * batches_ + 64)
    std::erase_if(arrivals_, [this](const Arrival& arrival) { return !is_live(arrival); });
}

void MemoryLog::pop_back(std::uint32_t list) {
  bytes_of(list) -= lists_[list].back().bytes.size();
  --batches_;
  lists_[list].pop_back();
}

void MemoryLog::pop_front(std::uint32_t list) {
  bytes_of(list) -= lists_[list].front().bytes.size();
  --batches_;
  lists_[list].pop_front();
  ++counters_[list].popped;
}

bool MemoryLog::is_live(const Arrival& arrival) const {
  const Counters& counters = counters_[arrival.list];
  return arrival.generation == counters.generation && arrival.number >= counters.popped &&
         arrival.number < counters.popped + lists_[arrival.list].size();
}

PartitionId MemoryLog::oldest() {
  while (!arrivals_.empty() && !is_live(arrivals_.front())) arrivals_.pop_front();
  assert(!arrivals_.empty());
  return arrivals_.front().partition;
}

}  // namespace braid::journal
