// Braid, Apache-2.0.
#include "cluster/directory.hpp"

namespace braid {

TopicRef Directory::find(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? nullptr : at->second;
}

TopicRef Directory::find(const TopicId& id) const {
  const auto at = by_id_.find(id);
  return at == by_id_.end() ? nullptr : at->second;
}

std::optional<PartitionPlace> Directory::find_partition(PartitionId partition) const {
  const auto at = by_partition_.find(partition);
  if (at == by_partition_.end()) return std::nullopt;
  return PartitionPlace{find(at->second.first->id), at->second.second};
}

void Directory::insert(const TopicRef& topic) {
  by_name_.emplace(topic->name, topic);
  by_id_.emplace(topic->id, topic);
  for (std::size_t i = 0; i < topic->partitions.size(); ++i)
    by_partition_.emplace(topic->partitions[i].id,
                          std::pair(topic.get(), PartitionIndex(static_cast<std::int32_t>(i))));
}

void Directory::erase(const Topic& topic) {
  for (const auto& placement : topic.partitions) by_partition_.erase(placement.id);
  by_name_.erase(topic.name);
  by_id_.erase(topic.id);
}

void Directory::apply(const CatalogChange& change) {
  DirectoryChange told;
  for (const auto& removed : change.removed) {
    if (auto topic = find(removed.id)) {
      erase(*topic);
      told.removed.push_back(std::move(topic));
    }
  }
  for (const auto& topic : change.upserts) {
    if (auto previous = find(topic->id)) erase(*previous);
    insert(topic);
    told.upserted.push_back(topic);
  }
  for (const auto& listener : listeners_) listener(told);
}

}  // namespace braid
