// Braid, Apache-2.0.
//
// The commands that change no topic: settings of the cluster, quotas of clients, definitions of protocols.
#include "persistence/catalog/applier.hpp"
#include "persistence/catalog/commands_generated.h"
#include "persistence/catalog/definitions.hpp"
#include "persistence/catalog/digest.hpp"

namespace braid {
namespace {

using flatbuffers::GetStringView;

constexpr std::size_t max_quota_edits = 16;
constexpr std::size_t max_definition_bytes = 4u << 20;

std::span<const std::uint8_t> span(const flatbuffers::Vector<std::uint8_t>& bytes) {
  return {bytes.data(), bytes.size()};
}

ChangeOutcome refused(std::string reason) {
  return {Errc::invalid_setting, std::move(reason)};
}

}  // namespace

Applier::Verdict Applier::apply(const catalog_wire::SetClusterSettings& command, ApplyResult& result) {
  const TopicConfig topic_defaults = settings_.topic_defaults;
  for (const auto* edit : *command.edits()) {
    const auto value = edit->value() ? std::optional(GetStringView(edit->value())) : std::nullopt;
    if (auto problem = store_setting(GetStringView(edit->key()), value)) {
      result.error = Errc::invalid_setting;
      result.reason = std::move(*problem);
      return Verdict::undo;
    }
  }
  if (command.validate_only()) return Verdict::undo;
  if (settings_.topic_defaults != topic_defaults) topic_defaults_changed(topic_defaults, result);
  return Verdict::keep;
}

std::optional<std::string> Applier::store_setting(std::string_view key, std::optional<std::string_view> value) {
  if (auto done = set_cluster_setting(settings_, key, value); !done) return done.error();
  if (read_setting_.bind(1, key).step()) {
    state_.digest -= digest_of_setting(key, read_setting_.text(0));
    read_setting_.reset();
  }
  if (value) {
    write_setting_.bind(1, key).bind(2, *value).bind(3, static_cast<std::int64_t>(state_.applied_index)).run();
    state_.digest += digest_of_setting(key, *value);
  } else {
    delete_setting_.bind(1, key).run();
  }
  return std::nullopt;
}

/// A topic is immutable, its settings included: those that are others now become new ones, and every loop hears of it.
void Applier::topic_defaults_changed(const TopicConfig& before, ApplyResult& result) {
  for (auto& topic : topics_.load_all()) {
    const auto old = parse_topic_config(topic->config, defaults_, before);
    if (old && *old == topic->settings) continue;
    TopicOutcome outcome{.name = topic->name, .id = topic->id, .reason = {}, .topic = nullptr};
    outcome.event = TopicEvent::altered;
    outcome.topic = std::move(topic);
    result.topics.push_back(std::move(outcome));
  }
}

Applier::Verdict Applier::apply(const catalog_wire::AlterClientQuotas& command, ApplyResult& result) {
  auto quotas = std::make_shared<ClientQuotas>(*quotas_);
  for (const auto* change : *command.changes()) result.changes.push_back(alter(*change, *quotas));
  quotas_ = std::move(quotas);
  return command.validate_only() ? Verdict::undo : Verdict::keep;
}

ChangeOutcome Applier::alter(const catalog_wire::QuotaChange& change, ClientQuotas& quotas) {
  const auto entity = decode_quota_entity(GetStringView(change.entity()));
  if (!entity) return refused("the quota's entity cannot be read");
  if (auto problem = quota_entity_problem(*entity); !problem.empty()) return refused(std::move(problem));
  if (change.edits()->size() > max_quota_edits) return refused("too many quotas at once");
  for (const auto* edit : *change.edits())
    if (auto problem = quota_value_problem(GetStringView(edit->key()), edit->remove() ? 1 : edit->value());
        !problem.empty())
      return refused(std::move(problem));

  ClientQuotas after = {};
  if (const auto known = quotas.find(*entity); known != quotas.end()) after.insert(*known);
  const bool is_new = after.empty();
  for (const auto* edit : *change.edits())
    set_quota(after, *entity, GetStringView(edit->key()), edit->remove() ? std::nullopt : std::optional(edit->value()));
  if (is_new && !after.empty() && static_cast<std::int64_t>(quotas.size()) >= settings_.max_client_quotas)
    return refused("the cluster may have at most " + std::to_string(settings_.max_client_quotas) +
                   " quotas (catalog.max_client_quotas)");

  const std::string stored = encode_quota_entity(*entity);
  for (const auto* edit : *change.edits()) {
    const std::string_view key = GetStringView(edit->key());
    if (const auto known = quotas.find(*entity); known != quotas.end())
      if (const auto old = known->second.find(key); old != known->second.end())
        state_.digest -= digest_of_quota(stored, key, encode_quota_value(old->second));
    if (edit->remove()) {
      delete_quota_.bind(1, stored).bind(2, key).run();
      set_quota(quotas, *entity, key, std::nullopt);
      continue;
    }
    const std::string value = encode_quota_value(edit->value());
    write_quota_.bind(1, stored).bind(2, key).bind(3, value).run();
    state_.digest += digest_of_quota(stored, key, value);
    set_quota(quotas, *entity, key, edit->value());
  }
  return {};
}

Applier::Verdict Applier::apply(const catalog_wire::AlterDefinitions& command, ApplyResult& result) {
  for (const auto* edit : *command.edits()) {
    const auto key = span(*edit->key());
    if (edit->kind() >= kDefinitionKinds || key.empty() || key.size() > max_definition_bytes ||
        (edit->value() && edit->value()->size() > max_definition_bytes)) {
      result.error = Errc::invalid_setting;
      result.reason = "a definition is of no known kind, or too large";
      return Verdict::undo;
    }
    const std::int64_t kind = edit->kind();
    if (read_definition_.bind(1, kind).bind_blob(2, key).step()) {
      state_.digest -= digest_of_definition(edit->kind(), key, read_definition_.blob(0));
      read_definition_.reset();
    }
    if (edit->value()) {
      const auto value = span(*edit->value());
      write_definition_.bind(1, kind).bind_blob(2, key).bind_blob(3, value).run();
      state_.digest += digest_of_definition(edit->kind(), key, value);
    } else {
      delete_definition_.bind(1, kind).bind_blob(2, key).run();
    }
  }
  return Verdict::keep;
}

}  // namespace braid
