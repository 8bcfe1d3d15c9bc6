// Braid, Apache-2.0.
//
// What each command does to the rows. Runs inside the transaction and the savepoint that CatalogStore holds.
#pragma once

#include "persistence/catalog/client_quotas.hpp"
#include "persistence/catalog/cluster_settings.hpp"
#include "persistence/catalog/results.hpp"
#include "persistence/catalog/sqlite.hpp"
#include "persistence/catalog/state.hpp"
#include "persistence/catalog/topic_table.hpp"

namespace braid {

namespace catalog_wire {
struct Command;
struct CreateTopics;
struct NewTopic;
struct DeleteTopics;
struct TopicKey;
struct CreatePartitions;
struct MorePartitions;
struct AlterTopicConfig;
struct TopicConfigChange;
struct SetClusterSettings;
struct AllocateProducerIds;
struct InitializeCatalog;
struct AlterClientQuotas;
struct AlterDefinitions;
struct QuotaChange;
}  // namespace catalog_wire

class Applier {
 public:
  Applier(CatalogState& state, ClusterSettings& settings, ClientQuotasRef& quotas, TopicTable& topics,
          const TopicDefaults& defaults)
      : state_(state), settings_(settings), quotas_(quotas), topics_(topics), defaults_(defaults) {}
  void prepare(sqlite::Database& database);

  enum class Verdict {
    keep,
    undo,    ///< refused, or only tried: what it wrote has to go
    unknown  ///< a command of a newer version: going on would let this replica differ from the others
  };
  /// `command` has been verified. Failures of SQLite are left in the database.
  Verdict apply(const catalog_wire::Command& command, ApplyResult& result);

 private:
  Verdict apply(const catalog_wire::CreateTopics& command, ApplyResult& result);
  Verdict apply(const catalog_wire::DeleteTopics& command, ApplyResult& result);
  Verdict apply(const catalog_wire::CreatePartitions& command, ApplyResult& result);
  Verdict apply(const catalog_wire::AlterTopicConfig& command, ApplyResult& result);
  Verdict apply(const catalog_wire::SetClusterSettings& command, ApplyResult& result);
  Verdict apply(const catalog_wire::AllocateProducerIds& command, ApplyResult& result);
  Verdict apply(const catalog_wire::InitializeCatalog& command, ApplyResult& result);
  Verdict apply(const catalog_wire::AlterClientQuotas& command, ApplyResult& result);
  Verdict apply(const catalog_wire::AlterDefinitions& command, ApplyResult& result);
  TopicOutcome create(const catalog_wire::NewTopic& wanted);
  TopicOutcome remove(const catalog_wire::TopicKey& key);
  TopicOutcome grow(const catalog_wire::MorePartitions& wanted);
  TopicOutcome alter(const catalog_wire::TopicConfigChange& change);
  ChangeOutcome alter(const catalog_wire::QuotaChange& change, ClientQuotas& quotas);
  std::optional<std::string> store_setting(std::string_view key, std::optional<std::string_view> value);
  void topic_defaults_changed(const TopicConfig& before, ApplyResult& result);
  void add_partitions(Topic& topic, std::size_t count, const std::vector<ShardId>& placement);
  std::string room_problem(std::int64_t topic_partitions, std::int64_t new_partitions) const;

  CatalogState& state_;
  ClusterSettings& settings_;
  ClientQuotasRef& quotas_;
  TopicTable& topics_;
  const TopicDefaults& defaults_;
  sqlite::Statement write_setting_, read_setting_, delete_setting_, write_quota_, delete_quota_;
  sqlite::Statement read_definition_, write_definition_, delete_definition_;
};

}  // namespace braid
