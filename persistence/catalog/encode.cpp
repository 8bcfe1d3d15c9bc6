// Braid, Apache-2.0.
//
// Commands to FlatBuffers.
#include "persistence/catalog/commands.hpp"
#include "persistence/catalog/commands_generated.h"

namespace braid {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
template <class T>
using Offsets = std::vector<Offset<T>>;

template <class T>
Bytes finish(FlatBufferBuilder& builder, catalog_wire::Payload kind, Offset<T> payload) {
  catalog_wire::FinishCommandBuffer(builder, catalog_wire::CreateCommand(builder, kind, payload.Union()));
  return Bytes::copy(std::span<const std::uint8_t>(builder.GetBufferPointer(), builder.GetSize()));
}

catalog_wire::Uuid uuid(const TopicId& id) {
  return catalog_wire::Uuid(flatbuffers::span<const std::uint8_t, 16>(id.bytes.data(), id.bytes.size()));
}

auto text(FlatBufferBuilder& builder, const std::string& value) {
  return builder.CreateString(value);
}

auto shards(FlatBufferBuilder& builder, const std::vector<ShardId>& placement) {
  return placement.empty()
             ? 0
             : builder.CreateVector<std::uint32_t>(placement.size(), [&](std::size_t i) { return placement[i].value; });
}

auto edits(FlatBufferBuilder& builder, const std::vector<ConfigEdit>& changes) {
  Offsets<catalog_wire::ConfigEntry> entries;
  for (const auto& [key, value] : changes) {
    const auto name = text(builder, key);
    entries.push_back(catalog_wire::CreateConfigEntry(builder, name, value ? text(builder, *value) : 0));
  }
  return builder.CreateVector(entries);
}

Offset<catalog_wire::NewTopic> write(FlatBufferBuilder& builder, const NewTopic& topic) {
  const auto name = text(builder, topic.name);
  const auto id = uuid(topic.id);
  Offset<flatbuffers::Vector<Offset<catalog_wire::ConfigEntry>>> config;
  if (!topic.config.empty()) {
    std::vector<ConfigEdit> entries;
    for (const auto& [key, value] : topic.config) entries.push_back({key, value});
    config = edits(builder, entries);
  }
  const auto placement = shards(builder, topic.placement);
  return catalog_wire::CreateNewTopic(builder, name, &id, topic.partitions, config, topic.internal, placement);
}

}  // namespace

Bytes encode(const CreateTopics& command) {
  FlatBufferBuilder builder;
  Offsets<catalog_wire::NewTopic> topics;
  for (const auto& topic : command.topics) topics.push_back(write(builder, topic));
  const auto list = builder.CreateVector(topics);
  return finish(builder, catalog_wire::Payload::CreateTopics,
                catalog_wire::CreateCreateTopics(builder, list, command.validate_only));
}

Bytes encode(const DeleteTopics& command) {
  FlatBufferBuilder builder;
  Offsets<catalog_wire::TopicKey> topics;
  for (const auto& topic : command.topics) {
    const auto name = topic.name.empty() ? 0 : text(builder, topic.name);
    const auto id = uuid(topic.id);
    topics.push_back(catalog_wire::CreateTopicKey(builder, name, topic.id.is_zero() ? nullptr : &id));
  }
  const auto list = builder.CreateVector(topics);
  return finish(builder, catalog_wire::Payload::DeleteTopics, catalog_wire::CreateDeleteTopics(builder, list));
}

Bytes encode(const CreatePartitions& command) {
  FlatBufferBuilder builder;
  Offsets<catalog_wire::MorePartitions> topics;
  for (const auto& topic : command.topics) {
    const auto name = text(builder, topic.name);
    const auto placement = shards(builder, topic.placement);
    topics.push_back(catalog_wire::CreateMorePartitions(builder, name, topic.partitions, placement));
  }
  const auto list = builder.CreateVector(topics);
  return finish(builder, catalog_wire::Payload::CreatePartitions,
                catalog_wire::CreateCreatePartitions(builder, list, command.validate_only));
}

Bytes encode(const AlterTopicConfig& command) {
  FlatBufferBuilder builder;
  Offsets<catalog_wire::TopicConfigChange> topics;
  for (const auto& topic : command.topics) {
    const auto name = text(builder, topic.name);
    const auto changes = edits(builder, topic.edits);
    topics.push_back(catalog_wire::CreateTopicConfigChange(builder, name, changes, topic.replace));
  }
  const auto list = builder.CreateVector(topics);
  return finish(builder, catalog_wire::Payload::AlterTopicConfig,
                catalog_wire::CreateAlterTopicConfig(builder, list, command.validate_only));
}

Bytes encode(const SetClusterSettings& command) {
  FlatBufferBuilder builder;
  const auto changes = edits(builder, command.edits);
  return finish(builder, catalog_wire::Payload::SetClusterSettings,
                catalog_wire::CreateSetClusterSettings(builder, changes, command.validate_only));
}

Bytes encode(const AlterClientQuotas& command) {
  FlatBufferBuilder builder;
  Offsets<catalog_wire::QuotaChange> changes;
  for (const auto& change : command.changes) {
    Offsets<catalog_wire::QuotaEdit> quota_edits;
    for (const auto& edit : change.edits)
      quota_edits.push_back(
          catalog_wire::CreateQuotaEdit(builder, text(builder, edit.key), edit.value.value_or(0), !edit.value));
    const auto list = builder.CreateVector(quota_edits);
    changes.push_back(
        catalog_wire::CreateQuotaChange(builder, text(builder, encode_quota_entity(change.entity)), list));
  }
  const auto list = builder.CreateVector(changes);
  return finish(builder, catalog_wire::Payload::AlterClientQuotas,
                catalog_wire::CreateAlterClientQuotas(builder, list, command.validate_only));
}

Bytes encode(const AlterDefinitions& command) {
  FlatBufferBuilder builder;
  Offsets<catalog_wire::DefinitionEdit> edits;
  for (const auto& edit : command.edits) {
    const auto key = builder.CreateVector(edit.key.data(), edit.key.size());
    const auto value = edit.value ? builder.CreateVector(edit.value->data(), edit.value->size()) : 0;
    edits.push_back(catalog_wire::CreateDefinitionEdit(builder, static_cast<std::uint8_t>(edit.kind), key, value));
  }
  const auto list = builder.CreateVector(edits);
  return finish(builder, catalog_wire::Payload::AlterDefinitions, catalog_wire::CreateAlterDefinitions(builder, list));
}

Bytes encode(const AllocateProducerIds& command) {
  FlatBufferBuilder builder;
  return finish(builder, catalog_wire::Payload::AllocateProducerIds,
                catalog_wire::CreateAllocateProducerIds(builder, command.count));
}

Bytes encode(const InitializeCatalog& command) {
  FlatBufferBuilder builder;
  const auto cluster_id = text(builder, command.cluster_id);
  return finish(builder, catalog_wire::Payload::InitializeCatalog,
                catalog_wire::CreateInitializeCatalog(builder, cluster_id, command.shards));
}

}  // namespace braid
