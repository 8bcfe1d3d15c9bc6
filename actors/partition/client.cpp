// Braid, Apache-2.0.
#include "actors/partition/client.hpp"

namespace braid {

void PartitionClient::set_opener(Opener opener) {
  opener_ = std::move(opener);
  std::vector<PartitionId> early;
  for (const auto& [partition, slot] : slots_) early.push_back(partition);
  for (const auto partition : early) opener_(partition);
}

void PartitionClient::opened(PartitionId partition, Errc error, PartitionActor actor) {
  auto at = slots_.find(partition);
  if (at == slots_.end()) return;
  auto waiting = std::move(at->second.waiting);
  // A waiter may send further requests at once: they must find the handle, and come behind those that waited.
  if (error == Errc::none)
    at->second.actor = actor;
  else
    slots_.erase(at);
  for (auto& resume : waiting) resume(error, actor);
}

void PartitionClient::forget(PartitionId partition) {
  auto at = slots_.find(partition);
  if (at != slots_.end() && at->second.actor) slots_.erase(at);
}

}  // namespace braid
