// Braid, Apache-2.0.
//
// What can be done to the catalog. A command carries everything that applying it needs, identities and explicit
// placements included, so that every replica that applies the same commands in the same order holds the same catalog.
// The structs below are what proposers fill in; `encode` turns them into the FlatBuffers (commands.fbs) that
// `CatalogStore::apply` takes and, later, the Raft log holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/topic_settings.hpp"
#include "model/bytes.hpp"
#include "model/ids.hpp"
#include "persistence/catalog/client_quotas.hpp"
#include "persistence/catalog/definitions.hpp"

namespace braid {

struct NewTopic {
  std::string name;
  TopicId id;  ///< chosen at random by the proposer; the catalog service fills it in when it is zero
  std::int32_t partitions = 1;
  TopicConfig config;
  bool internal = false;
  /// One shard per partition; empty: spread evenly over all shards.
  std::vector<ShardId> placement;
};
/// Topics succeed or fail one by one, as Kafka's CreateTopics does.
struct CreateTopics {
  std::vector<NewTopic> topics;
  bool validate_only = false;  ///< say what would happen and leave everything as it is
};

/// By name, by id, or by both, which then have to belong together.
struct TopicKey {
  std::string name;
  TopicId id;
};
struct DeleteTopics {
  std::vector<TopicKey> topics;
};

/// A topic's new number of partitions: more than it has.
struct MorePartitions {
  std::string name;
  std::int32_t partitions = 0;
  std::vector<ShardId> placement;  ///< one shard per new partition, or empty
};
struct CreatePartitions {
  std::vector<MorePartitions> topics;
  bool validate_only = false;
};

struct ConfigEdit {
  std::string key;
  std::optional<std::string> value;  ///< nothing: back to the default
};
struct TopicConfigChange {
  std::string name;
  std::vector<ConfigEdit> edits;
  bool replace = false;  ///< what is not named in `edits` goes back to its default (Kafka's AlterConfigs)
};
/// All edits of a topic take effect, or none of them.
struct AlterTopicConfig {
  std::vector<TopicConfigChange> topics;
  bool validate_only = false;
};

/// All edits take effect, or none of them. Keys: cluster_settings.hpp.
struct SetClusterSettings {
  std::vector<ConfigEdit> edits;
  bool validate_only = false;
};

struct QuotaEdit {
  std::string key;
  std::optional<double> value;  ///< nothing: no quota of that kind any more
};
/// All edits of an entity take effect, or none of them; entities succeed and fail one by one.
struct QuotaChange {
  QuotaEntity entity;
  std::vector<QuotaEdit> edits;
};
struct AlterClientQuotas {
  std::vector<QuotaChange> changes;
  bool validate_only = false;
};

/// All edits take effect, or none of them; in their order.
struct AlterDefinitions {
  std::vector<DefinitionEdit> edits;
};

/// A block of producer ids that no other caller will ever get.
struct AllocateProducerIds {
  std::int32_t count = 1000;
};

/// First start: names the cluster and fixes the number of shards. Does nothing to a catalog that has been initialized.
struct InitializeCatalog {
  std::string cluster_id;
  std::uint32_t shards = 1;
};

Bytes encode(const CreateTopics&);
Bytes encode(const DeleteTopics&);
Bytes encode(const CreatePartitions&);
Bytes encode(const AlterTopicConfig&);
Bytes encode(const SetClusterSettings&);
Bytes encode(const AllocateProducerIds&);
Bytes encode(const InitializeCatalog&);
Bytes encode(const AlterClientQuotas&);
Bytes encode(const AlterDefinitions&);

}  // namespace braid
