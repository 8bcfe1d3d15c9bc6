// Braid, Apache-2.0.
//
// Rows to topics and back.
#include "persistence/catalog/topic_table.hpp"

#include <sqlite3.h>

#include <cstring>
#include <limits>

#include "model/crc32c.hpp"
#include "model/names.hpp"
#include "persistence/catalog/digest.hpp"

namespace braid {
namespace {

std::span<const std::uint8_t> bytes_of(const TopicId& id) {
  return {id.bytes.data(), id.bytes.size()};
}

bool read_id(std::span<const std::uint8_t> blob, TopicId& id) {
  if (blob.size() != id.bytes.size()) return false;
  std::memcpy(id.bytes.data(), blob.data(), blob.size());
  return true;
}

/// A partition's row, checked against what the row before it was; the columns begin at `column`.
bool read_partition(const sqlite::Statement& row, int column, Topic& topic) {
  const auto position = row.integer(column), id = row.integer(column + 1), shard = row.integer(column + 2),
             epoch = row.integer(column + 3);
  const bool sound = position == static_cast<std::int64_t>(topic.partitions.size()) && id > 0 && shard >= 0 &&
                     shard <= std::numeric_limits<std::uint32_t>::max() && epoch >= 0 &&
                     epoch <= std::numeric_limits<std::int32_t>::max();
  if (!sound) return false;
  topic.partitions.push_back({PartitionId{static_cast<std::uint64_t>(id)}, ShardId{static_cast<std::uint32_t>(shard)},
                              LeaderEpoch{static_cast<std::int32_t>(epoch)}});
  return true;
}

}  // namespace

void TopicTable::prepare(sqlite::Database& database) {
  database_ = &database;
  find_name_.prepare(database, "SELECT number, name, id FROM topics WHERE replace(name, '.', '_') = ?1");
  find_id_.prepare(database, "SELECT number, name, id FROM topics WHERE id = ?1");
  select_.prepare(database, "SELECT id, name, internal, checksum FROM topics WHERE number = ?1");
  select_config_.prepare(database, "SELECT key, value FROM topic_config WHERE topic = ?1");
  select_partitions_.prepare(
      database, "SELECT position, id, shard, leader_epoch FROM partitions WHERE topic = ?1 ORDER BY position");
  insert_.prepare(database, "INSERT INTO topics (id, name, internal, checksum) VALUES (?1, ?2, ?3, ?4)");
  insert_config_.prepare(database, "INSERT INTO topic_config (topic, key, value) VALUES (?1, ?2, ?3)");
  insert_partition_.prepare(
      database, "INSERT INTO partitions (topic, position, id, shard, leader_epoch) VALUES (?1, ?2, ?3, ?4, ?5)");
  update_checksum_.prepare(database, "UPDATE topics SET checksum = ?2 WHERE number = ?1");
  delete_.prepare(database, "DELETE FROM topics WHERE number = ?1");
  delete_config_.prepare(database, "DELETE FROM topic_config WHERE topic = ?1");
}

void TopicTable::damaged(std::string_view what) {
  database_->fail(SQLITE_CORRUPT, std::string(what));
}

std::optional<TopicTable::Found> TopicTable::found(sqlite::Statement& statement) {
  std::optional<Found> result;
  if (!statement.step()) return result;
  result.emplace(Found{statement.integer(0), std::string(statement.text(1)), {}});
  if (!read_id(statement.blob(2), result->id)) damaged("a topic has no id");
  statement.reset();
  return result;
}
std::optional<TopicTable::Found> TopicTable::find_folded(std::string_view name) {
  const std::string key = topic_collision_key(name);
  return found(find_name_.bind(1, key));
}
std::optional<TopicTable::Found> TopicTable::find(const TopicId& id) {
  return found(find_id_.bind_blob(1, bytes_of(id)));
}

/// Last step of loading: what was read must be what was written.
void TopicTable::finish(Topic& topic, std::int64_t stored_checksum) {
  topic.partitions.shrink_to_fit();
  if (checksum(topic, scratch_) != stored_checksum) return damaged("topic \"" + topic.name + "\" fails its checksum");
  auto settings = parse_topic_config(topic.config, defaults_, settings_.topic_defaults);
  if (!settings) return damaged("topic \"" + topic.name + "\": " + settings.error());
  topic.settings = std::move(*settings);
}

std::shared_ptr<Topic> TopicTable::load(std::int64_t number) {
  auto topic = std::make_shared<Topic>();
  select_.bind(1, number);
  if (!select_.step()) {
    damaged("a topic's row is missing");
    return topic;
  }
  if (!read_id(select_.blob(0), topic->id)) damaged("a topic has no id");
  topic->name = select_.text(1);
  topic->internal = select_.integer(2) != 0;
  const auto stored_checksum = select_.integer(3);
  select_.reset();
  select_config_.bind(1, number);
  while (select_config_.step()) topic->config.emplace(select_config_.text(0), select_config_.text(1));
  select_partitions_.bind(1, number);
  while (select_partitions_.step())
    if (!read_partition(select_partitions_, 0, *topic)) damaged("the partitions of a topic are not in order");
  if (!database_->failed()) finish(*topic, stored_checksum);
  return topic;
}

std::vector<TopicRef> TopicTable::load_all() {
  std::vector<TopicRef> all;
  sqlite::Statement topics(*database_, "SELECT number, id, name, internal, checksum FROM topics ORDER BY number");
  sqlite::Statement configs(*database_, "SELECT topic, key, value FROM topic_config ORDER BY topic, key");
  sqlite::Statement partitions(
      *database_, "SELECT topic, position, id, shard, leader_epoch FROM partitions ORDER BY topic, position");
  bool more_configs = configs.step();
  bool more_partitions = partitions.step();
  std::int64_t partition_count = 0;
  std::uint64_t digest = 0;
  while (topics.step()) {
    const auto number = topics.integer(0);
    auto topic = std::make_shared<Topic>();
    if (!read_id(topics.blob(1), topic->id)) damaged("a topic has no id");
    topic->name = topics.text(2);
    topic->internal = topics.integer(3) != 0;
    for (; more_configs && configs.integer(0) == number; more_configs = configs.step())
      topic->config.emplace(configs.text(1), configs.text(2));
    for (; more_partitions && partitions.integer(0) == number; more_partitions = partitions.step())
      if (!read_partition(partitions, 1, *topic))
        damaged("the partitions of topic \"" + topic->name + "\" are not in order");
    if (!database_->failed()) finish(*topic, topics.integer(4));
    partition_count += static_cast<std::int64_t>(topic->partitions.size());
    digest += digest_of_topic(*topic, static_cast<std::uint32_t>(topics.integer(4)));
    all.push_back(std::move(topic));
  }
  if (more_configs || more_partitions) damaged("there are rows that belong to no topic");
  if (static_cast<std::int64_t>(all.size()) != state_.topics || partition_count != state_.partitions)
    damaged("topics or partitions are missing");
  sqlite::Statement settings(*database_, "SELECT key, value FROM settings");
  while (settings.step()) digest += digest_of_setting(settings.text(0), settings.text(1));
  sqlite::Statement quotas(*database_, "SELECT entity, key, value FROM client_quotas");
  while (quotas.step()) digest += digest_of_quota(quotas.text(0), quotas.text(1), quotas.text(2));
  sqlite::Statement definitions(*database_, "SELECT kind, key, value FROM definitions");
  while (definitions.step())
    digest += digest_of_definition(static_cast<std::uint8_t>(definitions.integer(0)), definitions.blob(1),
                                   definitions.blob(2));
  if (digest != state_.digest) damaged("its content does not match its digest");
  if (database_->failed()) all.clear();
  return all;
}

void TopicTable::insert(const Topic& topic) {
  const auto sum = checksum(topic, scratch_);
  insert_.bind_blob(1, bytes_of(topic.id)).bind(2, topic.name).bind(3, std::int64_t{topic.internal}).bind(4, sum);
  insert_.run();
  const auto number = database_->last_insert_id();
  insert_config(number, topic);
  insert_partitions(number, topic, 0);
  state_.topics += 1;
  state_.digest += digest_of_topic(topic, sum);
}

void TopicTable::remove(std::int64_t number, const Topic& topic) {
  delete_.bind(1, number).run();
  state_.topics -= 1;
  state_.partitions -= static_cast<std::int64_t>(topic.partitions.size());
  state_.digest -= digest_of_topic(topic, checksum(topic, scratch_));
}

void TopicTable::update(std::int64_t number, const Topic& before, const Topic& after) {
  if (after.config != before.config) {
    delete_config_.bind(1, number).run();
    insert_config(number, after);
  }
  insert_partitions(number, after, before.partitions.size());
  const auto sum = checksum(after, scratch_);
  update_checksum_.bind(1, number).bind(2, sum).run();
  state_.digest += digest_of_topic(after, sum) - digest_of_topic(before, checksum(before, scratch_));
}

void TopicTable::insert_config(std::int64_t number, const Topic& topic) {
  for (const auto& [key, value] : topic.config) insert_config_.bind(1, number).bind(2, key).bind(3, value).run();
}
void TopicTable::insert_partitions(std::int64_t number, const Topic& topic, std::size_t first) {
  insert_partition_.bind(1, number);
  for (std::size_t i = first; i < topic.partitions.size(); ++i) {
    const auto& partition = topic.partitions[i];
    insert_partition_.bind(2, static_cast<std::int64_t>(i)).bind(3, static_cast<std::int64_t>(partition.id.value));
    insert_partition_.bind(4, std::int64_t{partition.shard.value}).bind(5, std::int64_t{partition.epoch.value}).run();
  }
  state_.partitions += static_cast<std::int64_t>(topic.partitions.size() - first);
}

}  // namespace braid
