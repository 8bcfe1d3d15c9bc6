// Braid, Apache-2.0.
//
// A topic as every loop sees it: immutable, so that loops share one copy instead of asking the catalog. A change makes
// a new Topic; whoever still holds the old one finishes its request with what was true when it began.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/topic_settings.hpp"
#include "model/ids.hpp"

namespace braid {

/// Where a partition lives. 16 bytes, since a node may hold hundreds of thousands.
struct PartitionPlacement {
  PartitionId id;
  ShardId shard;
  LeaderEpoch epoch{0};
  friend bool operator==(const PartitionPlacement&, const PartitionPlacement&) = default;
};

struct Topic {
  TopicId id;
  std::string name;
  /// By PartitionIndex. Ids grow with the index: partitions are only ever added at the end.
  std::vector<PartitionPlacement> partitions;
  TopicConfig config;      ///< what was set on the topic, as text
  TopicSettings settings;  ///< `config` over the node's defaults
  bool internal = false;   ///< belongs to the broker (`__consumer_offsets`): clients neither create nor delete it

  /// The placement, or null when the topic has no such partition (indexes come from clients).
  const PartitionPlacement* partition(PartitionIndex index) const {
    if (index.value < 0 || static_cast<std::size_t>(index.value) >= partitions.size()) return nullptr;
    return &partitions[static_cast<std::size_t>(index.value)];
  }
};

using TopicRef = std::shared_ptr<const Topic>;

}  // namespace braid
