// Braid, Apache-2.0.
//
// Topics as rows: the only place that knows how a Topic lies in the three tables it is made of. Each topic's rows carry
// a checksum, and the sum over all of them is in the catalog's state, so that a flipped bit or a lost row is noticed
// when it is read and never becomes somebody's configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "persistence/catalog/results.hpp"
#include "persistence/catalog/sqlite.hpp"
#include "persistence/catalog/state.hpp"
#include "persistence/catalog/topic.hpp"

namespace braid {

class TopicTable {
 public:
  /// Changes keep `state`'s counts and digest up to date.
  TopicTable(CatalogState& state, const ClusterSettings& settings, TopicDefaults defaults)
      : state_(state), settings_(settings), defaults_(std::move(defaults)) {}
  void prepare(sqlite::Database& database);

  struct Found {
    std::int64_t number = 0;  ///< row number
    std::string name;
    TopicId id;
  };
  /// The topic of this name, or the one whose name collides with it.
  std::optional<Found> find_folded(std::string_view name);
  std::optional<Found> find(const TopicId& id);
  /// The whole topic. Damage fails the database.
  std::shared_ptr<Topic> load(std::int64_t number);
  /// All topics in the order of their creation; checks counts and digest. Damage fails the database.
  std::vector<TopicRef> load_all();

  void insert(const Topic& topic);
  void remove(std::int64_t number, const Topic& topic);
  /// Writes what changed: configuration, and partitions at the end.
  void update(std::int64_t number, const Topic& before, const Topic& after);

 private:
  std::optional<Found> found(sqlite::Statement& statement);
  void finish(Topic& topic, std::int64_t stored_checksum);
  void insert_config(std::int64_t number, const Topic& topic);
  void insert_partitions(std::int64_t number, const Topic& topic, std::size_t first);
  void damaged(std::string_view what);

  CatalogState& state_;
  const ClusterSettings& settings_;
  TopicDefaults defaults_;
  sqlite::Database* database_ = nullptr;
  sqlite::Statement find_name_, find_id_, select_, select_config_, select_partitions_, insert_, insert_config_,
      insert_partition_, update_checksum_, delete_, delete_config_;
  std::string scratch_;
};

}  // namespace braid
