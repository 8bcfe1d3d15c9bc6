// Braid, Apache-2.0.
//
// What a loop knows of the catalog: every topic, by name, by id and by partition. Each loop has its own table and asks
// it without a lock; the topics in it are shared and immutable. Fed by the catalog service (catalog_service.hpp).
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "persistence/catalog/results.hpp"
#include "persistence/catalog/topic.hpp"

namespace braid {

struct PartitionPlace {
  TopicRef topic;
  PartitionIndex index;
};

/// What listeners of the directory are told, after the table has changed.
struct DirectoryChange {
  std::vector<TopicRef> upserted;  ///< created, or with other settings or more partitions
  std::vector<TopicRef> removed;   ///< as they were
};

class Directory {
 public:
  using Listener = std::function<void(const DirectoryChange&)>;

  TopicRef find(std::string_view name) const;
  TopicRef find(const TopicId& id) const;
  std::optional<PartitionPlace> find_partition(PartitionId partition) const;
  std::size_t size() const { return by_name_.size(); }
  template <class F>
  void for_each(F&& visit) const {
    for (const auto& [name, topic] : by_name_) visit(topic);
  }

  void apply(const CatalogChange& change);
  /// Called on this loop for every change from now on; lives as long as the directory.
  void on_change(Listener listener) { listeners_.push_back(std::move(listener)); }

 private:
  void insert(const TopicRef& topic);
  void erase(const Topic& topic);

  std::unordered_map<std::string_view, TopicRef> by_name_;  ///< keys point into the topics
  std::unordered_map<TopicId, TopicRef> by_id_;
  std::unordered_map<PartitionId, std::pair<const Topic*, PartitionIndex>> by_partition_;
  std::vector<Listener> listeners_;
};

}  // namespace braid
