// Braid, Apache-2.0.
//
// The catalog's state machine: topics, their partitions and placements, and the cluster's settings, in an SQLite file.
// `apply` is the only way to change it. Applying the same commands in the same order yields the same catalog anywhere:
// there is neither a clock nor randomness in here, and a refused command is refused everywhere.
//
// Blocking, and used by one thread at a time: never on an event loop (cluster/catalog_service.hpp).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/bytes.hpp"
#include "persistence/catalog/applier.hpp"
#include "persistence/catalog/cluster_settings.hpp"
#include "persistence/catalog/definitions.hpp"
#include "persistence/catalog/results.hpp"
#include "persistence/catalog/schema.hpp"
#include "persistence/catalog/sqlite.hpp"
#include "persistence/catalog/state.hpp"
#include "persistence/catalog/topic_table.hpp"

namespace braid {

struct CatalogOptions {
  std::string path;           ///< of the file; ":memory:" keeps nothing
  TopicDefaults defaults;     ///< of this node: what a topic's settings are where its config says nothing
  const char* vfs = nullptr;  ///< SQLite's file layer; tests put a failing one here
};

class CatalogStore {
 public:
  /// Opens or creates, migrates, and checks. The error's text is for the user who starts the broker.
  static Result<std::unique_ptr<CatalogStore>, CatalogError> open(CatalogOptions options);

  /// Applies commands in order, all in one transaction and one sync, and moves the applied index by one for each. A
  /// command takes effect as a whole or not at all. An empty command does nothing but move the index (an entry of the
  /// log that holds no command). After an error none of the commands has taken effect, except that after
  /// unknown_outcome a restart may find that they have.
  Result<AppliedCommands, CatalogError> apply(std::span<const Bytes> commands);

  /// Every topic, in the order of creation, each checked against its checksum, and all of them against the digest.
  Result<std::vector<TopicRef>, CatalogError> load_topics();

  /// Every definition, by kind and then in the order in which they were first made. After `load_topics`, which checks
  /// them.
  Result<std::vector<Definition>, CatalogError> load_definitions();

  const CatalogState& state() const { return state_; }
  const ClusterSettings& settings() const { return settings_; }
  const ClientQuotasRef& quotas() const { return quotas_; }

 private:
  explicit CatalogStore(CatalogOptions options);
  void prepare();
  void read_state();
  void read_settings();
  void read_quotas();
  void write_state();
  bool apply_one(const Bytes& command, ApplyResult& result);
  CatalogError undo(bool failed_in_commit);

  CatalogOptions options_;
  CatalogState state_;
  ClusterSettings settings_;
  ClientQuotasRef quotas_ = std::make_shared<const ClientQuotas>();
  sqlite::Database database_;
  TopicTable topics_;
  Applier applier_;
  sqlite::Statement begin_, commit_, rollback_, savepoint_, rollback_to_savepoint_, release_savepoint_, write_state_;
};

}  // namespace braid
