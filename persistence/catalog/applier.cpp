// Braid, Apache-2.0.
//
// The commands. Nothing here trusts a command beyond its structure: it may come from a client's request, word for word.
#include "persistence/catalog/applier.hpp"

#include <algorithm>
#include <cstring>

#include "model/names.hpp"
#include "persistence/catalog/commands_generated.h"
#include "persistence/catalog/digest.hpp"

namespace braid {
namespace {

using flatbuffers::GetStringView;

// Kafka knows some thirty keys for a topic; more entries than this are a mistake or an attack.
constexpr std::size_t max_config_entries = 64;
constexpr std::size_t max_config_value_bytes = 4096;
constexpr std::size_t max_cluster_id_bytes = 64;
constexpr std::int32_t max_producer_ids = 1'000'000;
constexpr std::uint32_t max_shards = 4096;

TopicId topic_id(const catalog_wire::Uuid* id) {
  TopicId result;
  if (id) std::memcpy(result.bytes.data(), id->bytes()->data(), result.bytes.size());
  return result;
}
std::vector<ShardId> shard_list(const flatbuffers::Vector<std::uint32_t>* shards) {
  std::vector<ShardId> list;
  if (shards)
    for (const auto shard : *shards) list.emplace_back(shard);
  return list;
}
/// A name as far as it is shown: refused names may be long and are not text at all.
std::string shown(std::string_view name) {
  std::string text(name.substr(0, kMaxTopicNameBytes + 1));
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
  return text;
}

TopicOutcome refused(TopicOutcome outcome, Errc error, std::string reason) {
  outcome.error = error;
  outcome.reason = std::move(reason);
  outcome.topic = nullptr;
  return outcome;
}

using Entries = flatbuffers::Vector<flatbuffers::Offset<catalog_wire::ConfigEntry>>;
/// Merges edits into a topic's config; returns what is wrong with them, or nothing.
std::string edit_config(TopicConfig& config, const Entries* edits) {
  if (!edits) return {};
  if (edits->size() > max_config_entries) return "too many settings at once";
  for (const auto* edit : *edits) {
    std::string key(GetStringView(edit->key()));
    if (!edit->value()) {
      config.erase(key);
      continue;
    }
    if (key.size() > max_config_value_bytes || edit->value()->size() > max_config_value_bytes)
      return "a setting's name or value is too long";
    config[std::move(key)] = GetStringView(edit->value());
  }
  return {};
}

std::string placement_problem(const std::vector<ShardId>& placement, std::int64_t partitions, std::uint32_t shards) {
  if (placement.empty()) return {};
  if (static_cast<std::int64_t>(placement.size()) != partitions)
    return "the placement must name one shard per partition";
  if (std::any_of(placement.begin(), placement.end(), [&](ShardId shard) { return shard.value >= shards; }))
    return "the placement names a shard that does not exist; there are " + std::to_string(shards);
  return {};
}

}  // namespace

void Applier::prepare(sqlite::Database& database) {
  read_setting_.prepare(database, "SELECT value FROM settings WHERE key = ?1");
  write_setting_.prepare(database, "INSERT OR REPLACE INTO settings (key, value, changed_at) VALUES (?1, ?2, ?3)");
  delete_setting_.prepare(database, "DELETE FROM settings WHERE key = ?1");
  write_quota_.prepare(database, "INSERT OR REPLACE INTO client_quotas (entity, key, value) VALUES (?1, ?2, ?3)");
  delete_quota_.prepare(database, "DELETE FROM client_quotas WHERE entity = ?1 AND key = ?2");
  read_definition_.prepare(database, "SELECT value FROM definitions WHERE kind = ?1 AND key = ?2");
  // One that is there keeps its place in the order.
  write_definition_.prepare(database,
                            "INSERT INTO definitions (kind, key, value) VALUES (?1, ?2, ?3)"
                            " ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value");
  delete_definition_.prepare(database, "DELETE FROM definitions WHERE kind = ?1 AND key = ?2");
}

Applier::Verdict Applier::apply(const catalog_wire::Command& command, ApplyResult& result) {
  using catalog_wire::Payload;
  const auto kind = command.payload_type();
  if (!state_.initialized() && kind != Payload::InitializeCatalog) {
    result.error = Errc::unknown_topic;
    result.reason = "the catalog has not been initialized";
    return Verdict::undo;
  }
  switch (kind) {
    case Payload::CreateTopics:
      return apply(*command.payload_as_CreateTopics(), result);
    case Payload::DeleteTopics:
      return apply(*command.payload_as_DeleteTopics(), result);
    case Payload::CreatePartitions:
      return apply(*command.payload_as_CreatePartitions(), result);
    case Payload::AlterTopicConfig:
      return apply(*command.payload_as_AlterTopicConfig(), result);
    case Payload::SetClusterSettings:
      return apply(*command.payload_as_SetClusterSettings(), result);
    case Payload::AllocateProducerIds:
      return apply(*command.payload_as_AllocateProducerIds(), result);
    case Payload::InitializeCatalog:
      return apply(*command.payload_as_InitializeCatalog(), result);
    case Payload::AlterClientQuotas:
      return apply(*command.payload_as_AlterClientQuotas(), result);
    case Payload::AlterDefinitions:
      return apply(*command.payload_as_AlterDefinitions(), result);
    case Payload::NONE:
      break;
  }
  return Verdict::unknown;
}

Applier::Verdict Applier::apply(const catalog_wire::CreateTopics& command, ApplyResult& result) {
  for (const auto* topic : *command.topics()) result.topics.push_back(create(*topic));
  return command.validate_only() ? Verdict::undo : Verdict::keep;
}
Applier::Verdict Applier::apply(const catalog_wire::DeleteTopics& command, ApplyResult& result) {
  for (const auto* topic : *command.topics()) result.topics.push_back(remove(*topic));
  return Verdict::keep;
}
Applier::Verdict Applier::apply(const catalog_wire::CreatePartitions& command, ApplyResult& result) {
  for (const auto* topic : *command.topics()) result.topics.push_back(grow(*topic));
  return command.validate_only() ? Verdict::undo : Verdict::keep;
}
Applier::Verdict Applier::apply(const catalog_wire::AlterTopicConfig& command, ApplyResult& result) {
  for (const auto* topic : *command.topics()) result.topics.push_back(alter(*topic));
  return command.validate_only() ? Verdict::undo : Verdict::keep;
}

std::string Applier::room_problem(std::int64_t topic_partitions, std::int64_t new_partitions) const {
  if (topic_partitions > settings_.max_partitions_per_topic)
    return "a topic may have at most " + std::to_string(settings_.max_partitions_per_topic) +
           " partitions (catalog.max_partitions_per_topic)";
  if (state_.partitions + new_partitions > settings_.max_partitions)
    return "the cluster may have at most " + std::to_string(settings_.max_partitions) + " partitions and has " +
           std::to_string(state_.partitions) + " (catalog.max_partitions)";
  return {};
}

void Applier::add_partitions(Topic& topic, std::size_t count, const std::vector<ShardId>& placement) {
  topic.partitions.reserve(topic.partitions.size() + count);
  for (std::size_t i = 0; i < count; ++i) {
    const PartitionId id{state_.next_partition_id++};
    // Ids are consecutive, so this goes round the shards over all topics, the small ones included.
    const ShardId shard =
        placement.empty() ? ShardId{static_cast<std::uint32_t>(id.value % state_.shards)} : placement[i];
    topic.partitions.push_back({id, shard, LeaderEpoch{0}});
  }
}

TopicOutcome Applier::create(const catalog_wire::NewTopic& wanted) {
  TopicOutcome outcome{
      .name = shown(GetStringView(wanted.name())), .id = topic_id(wanted.id()), .reason = {}, .topic = nullptr};
  const std::string name(GetStringView(wanted.name()));
  if (const auto problem = topic_name_problem(name); !problem.empty())
    return refused(std::move(outcome), Errc::invalid_topic_name, std::string(problem));
  if (const auto other = topics_.find_folded(name)) {
    if (other->name == name) return refused(std::move(outcome), Errc::topic_exists, "topic \"" + name + "\" exists");
    return refused(std::move(outcome), Errc::invalid_topic_name,
                   "topic \"" + name + "\" collides with \"" + other->name + "\": '.' and '_' count as the same");
  }
  if (outcome.id.is_zero() || topics_.find(outcome.id))
    return refused(std::move(outcome), Errc::topic_exists, "the topic id is not a new one");
  if (wanted.partitions() < 1)
    return refused(std::move(outcome), Errc::invalid_partitions, "a topic has at least one partition");
  if (state_.topics >= settings_.max_topics)
    return refused(
        std::move(outcome), Errc::invalid_partitions,
        "the cluster may have at most " + std::to_string(settings_.max_topics) + " topics (catalog.max_topics)");
  if (auto problem = room_problem(wanted.partitions(), wanted.partitions()); !problem.empty())
    return refused(std::move(outcome), Errc::invalid_partitions, std::move(problem));
  if (wanted.placement() && wanted.placement()->size() > static_cast<std::size_t>(wanted.partitions()))
    return refused(std::move(outcome), Errc::invalid_partitions, "the placement must name one shard per partition");
  const auto placement = shard_list(wanted.placement());
  if (auto problem = placement_problem(placement, wanted.partitions(), state_.shards); !problem.empty())
    return refused(std::move(outcome), Errc::invalid_partitions, std::move(problem));

  auto topic = std::make_shared<Topic>();
  topic->id = outcome.id;
  topic->name = name;
  topic->internal = wanted.internal();
  if (auto problem = edit_config(topic->config, wanted.config()); !problem.empty())
    return refused(std::move(outcome), Errc::invalid_setting, std::move(problem));
  auto settings = parse_topic_config(topic->config, defaults_, settings_.topic_defaults);
  if (!settings) return refused(std::move(outcome), Errc::invalid_setting, settings.error());
  topic->settings = std::move(*settings);
  add_partitions(*topic, static_cast<std::size_t>(wanted.partitions()), placement);
  topics_.insert(*topic);
  outcome.event = TopicEvent::created;
  outcome.topic = std::move(topic);
  return outcome;
}

TopicOutcome Applier::remove(const catalog_wire::TopicKey& key) {
  const auto name = GetStringView(key.name());
  TopicOutcome outcome{.name = shown(name), .id = topic_id(key.id()), .reason = {}, .topic = nullptr};
  auto target = outcome.id.is_zero() ? topics_.find_folded(name) : topics_.find(outcome.id);
  const bool both_match = target && (!key.name() || target->name == name);
  if (!both_match) return refused(std::move(outcome), Errc::unknown_topic, "there is no such topic");
  const auto topic = topics_.load(target->number);
  outcome.name = topic->name;
  outcome.id = topic->id;
  if (topic->internal)
    return refused(std::move(outcome), Errc::invalid_topic_name, "topic \"" + topic->name + "\" belongs to the broker");
  topics_.remove(target->number, *topic);
  outcome.event = TopicEvent::deleted;
  return outcome;
}

TopicOutcome Applier::grow(const catalog_wire::MorePartitions& wanted) {
  TopicOutcome outcome{.name = shown(GetStringView(wanted.name())), .id = {}, .reason = {}, .topic = nullptr};
  const auto target = topics_.find_folded(GetStringView(wanted.name()));
  if (!target || target->name != GetStringView(wanted.name()))
    return refused(std::move(outcome), Errc::unknown_topic, "there is no such topic");
  const auto before = topics_.load(target->number);
  outcome.id = before->id;
  const auto present = static_cast<std::int64_t>(before->partitions.size());
  const auto added = wanted.partitions() - present;
  if (added < 1)
    return refused(
        std::move(outcome), Errc::invalid_partitions,
        "topic \"" + before->name + "\" has " + std::to_string(present) + " partitions; their number can only grow");
  if (before->internal)
    return refused(std::move(outcome), Errc::invalid_partitions,
                   "topic \"" + before->name + "\" belongs to the broker, which finds its partitions by their number");
  if (auto problem = room_problem(wanted.partitions(), added); !problem.empty())
    return refused(std::move(outcome), Errc::invalid_partitions, std::move(problem));
  const auto placement = shard_list(wanted.placement());
  if (auto problem = placement_problem(placement, added, state_.shards); !problem.empty())
    return refused(std::move(outcome), Errc::invalid_partitions, std::move(problem));
  auto after = std::make_shared<Topic>(*before);
  add_partitions(*after, static_cast<std::size_t>(added), placement);
  topics_.update(target->number, *before, *after);
  outcome.event = TopicEvent::altered;
  outcome.topic = std::move(after);
  return outcome;
}

TopicOutcome Applier::alter(const catalog_wire::TopicConfigChange& change) {
  TopicOutcome outcome{.name = shown(GetStringView(change.name())), .id = {}, .reason = {}, .topic = nullptr};
  const auto target = topics_.find_folded(GetStringView(change.name()));
  if (!target || target->name != GetStringView(change.name()))
    return refused(std::move(outcome), Errc::unknown_topic, "there is no such topic");
  const auto before = topics_.load(target->number);
  outcome.id = before->id;
  if (before->internal)
    return refused(std::move(outcome), Errc::invalid_setting, "topic \"" + before->name + "\" belongs to the broker");
  auto after = std::make_shared<Topic>(*before);
  if (change.replace()) after->config.clear();
  if (auto problem = edit_config(after->config, change.edits()); !problem.empty())
    return refused(std::move(outcome), Errc::invalid_setting, std::move(problem));
  auto settings = parse_topic_config(after->config, defaults_, settings_.topic_defaults);
  if (!settings) return refused(std::move(outcome), Errc::invalid_setting, settings.error());
  after->settings = std::move(*settings);
  topics_.update(target->number, *before, *after);
  outcome.event = TopicEvent::altered;
  outcome.topic = std::move(after);
  return outcome;
}

Applier::Verdict Applier::apply(const catalog_wire::AllocateProducerIds& command, ApplyResult& result) {
  if (command.count() < 1 || command.count() > max_producer_ids ||
      state_.next_producer_id > std::numeric_limits<std::int64_t>::max() - command.count()) {
    result.error = Errc::invalid_setting;
    result.reason = "a block has 1 to " + std::to_string(max_producer_ids) + " producer ids";
    return Verdict::undo;
  }
  result.first_producer_id = ProducerId{state_.next_producer_id};
  result.producer_ids = command.count();
  state_.next_producer_id += command.count();
  return Verdict::keep;
}

Applier::Verdict Applier::apply(const catalog_wire::InitializeCatalog& command, ApplyResult& result) {
  if (state_.initialized()) return Verdict::keep;
  const auto id = GetStringView(command.cluster_id());
  const bool sound = !id.empty() && id.size() <= max_cluster_id_bytes && is_valid_topic_name(id);
  if (!sound || command.shards() < 1 || command.shards() > max_shards) {
    result.error = Errc::invalid_setting;
    result.reason =
        sound ? "a cluster has 1 to " + std::to_string(max_shards) + " shards"
              : "a cluster id has 1 to " + std::to_string(max_cluster_id_bytes) + " letters, digits, '.', '_' and '-'";
    return Verdict::undo;
  }
  state_.cluster_id = id;
  state_.shards = command.shards();
  return Verdict::keep;
}

}  // namespace braid
