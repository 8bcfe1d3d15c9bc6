// Braid, Apache-2.0.
//
// What a loop knows of the catalog: every topic, by name, by id and by partition. Each loop has its own table and asks
// it without a lock; the topics in it are shared and immutable. Fed by the catalog service (catalog_service.hpp).
//
// A topic of one partition costs a loop 60 to 80 bytes, beside the topic itself, which all loops share.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "cluster/slot_index.hpp"
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

  /// Null when there is none.
  TopicRef find(std::string_view name) const;
  TopicRef find(const TopicId& id) const;
  std::optional<PartitionPlace> find_partition(PartitionId partition) const;
  std::size_t size() const { return names_.size(); }
  /// Every topic, in no particular order. `visit` must not change the directory.
  template <class F>
  void for_each(F&& visit) const {
    for (const auto& topic : slots_)
      if (topic) visit(topic);
  }

  /// As of the last change; never null, and immutable: what is held stays as it was.
  const std::shared_ptr<const ClusterSettings>& settings() const { return settings_; }
  const ClientQuotasRef& quotas() const { return quotas_; }
  /// Commands that the catalog had applied when the last change was made.
  std::uint64_t version() const { return version_; }

  void apply(const CatalogChange& change);
  /// Called on this loop for every change from now on; lives as long as the directory.
  void on_change(Listener listener) { listeners_.push_back(std::move(listener)); }

  /// Of the table, without the topics.
  std::size_t memory_bytes() const;

 private:
  /// Partitions with consecutive ids, as they are created together.
  struct Run {
    std::uint64_t first_id;
    std::uint32_t count;
    std::uint32_t slot;  ///< SlotIndex::none: deleted
    std::int32_t first_index;
  };

  std::uint32_t slot_of(std::string_view name) const;
  std::uint32_t slot_of(const TopicId& id) const;
  void insert(const TopicRef& topic);
  void replace(std::uint32_t slot, const TopicRef& topic);
  TopicRef erase(std::uint32_t slot);
  void add_runs(const Topic& topic, std::uint32_t slot, std::size_t first_new);
  const Run* find_run(std::uint64_t id) const;
  void tidy_runs();

  std::vector<TopicRef> slots_;
  std::vector<std::uint32_t> free_;
  SlotIndex names_, ids_;
  std::vector<Run> runs_;  ///< by first id
  std::size_t dead_runs_ = 0;
  bool runs_sorted_ = true;
  std::shared_ptr<const ClusterSettings> settings_ = std::make_shared<const ClusterSettings>();
  ClientQuotasRef quotas_ = std::make_shared<const ClientQuotas>();
  std::uint64_t version_ = 0;
  std::deque<Listener> listeners_;  ///< a listener may add others while it is called
};

}  // namespace braid
