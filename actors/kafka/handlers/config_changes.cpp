// Braid, Apache-2.0.
#include "actors/kafka/handlers/config_changes.hpp"

#include <algorithm>
#include <memory>
#include <set>

#include "config/broker_config.hpp"

namespace braid::kafka {

namespace {

struct ChangeWork {
  std::vector<ConfigRefusal> refusals;
  ConfigsChanged done;
  std::vector<std::size_t> topic_places;
  std::size_t left = 1;  ///< commands under way, and the caller itself

  void one_done() {
    if (--left == 0) done(refusals);
  }
};

bool is_node_setting(std::string_view name) {
  const auto table = broker_config_table();
  return std::any_of(table.begin(), table.end(), [&](const BrokerConfigInfo& info) { return info.name == name; });
}

/// The edits of the cluster's defaults under the catalog's names.
ConfigRefusal translate(const ConfigChange& change, const TopicConfig& present, SetClusterSettings& command) {
  std::set<std::string_view> named;
  for (const ConfigEdit& edit : change.edits) {
    const auto topic_name = topic_name_of(edit.key);
    if (!topic_name && is_node_setting(edit.key))
      return {ErrorCode::invalid_request, edit.key + " cannot be changed while the broker runs"};
    if (!topic_name) return {ErrorCode::invalid_config, "there is no setting " + edit.key.substr(0, 100)};
    named.insert(*topic_name);
    command.edits.push_back({std::string(kTopicDefaultPrefix) + std::string(*topic_name), edit.value});
  }
  if (!change.replace) return {};
  for (const auto& [name, value] : present)
    if (named.count(name) == 0) command.edits.push_back({std::string(kTopicDefaultPrefix) + name, std::nullopt});
  return {};
}

ConfigRefusal refusal_of(Errc error, const std::string& reason) {
  return {to_error_code(error), reason};
}

}  // namespace

void refuse_repeated(std::vector<ConfigChange>& changes) {
  std::map<std::pair<std::int8_t, std::string_view>, int> resources;
  for (const ConfigChange& change : changes) ++resources[{change.resource_type, change.resource_name}];
  for (ConfigChange& change : changes) {
    if (resources[{change.resource_type, change.resource_name}] > 1)
      change.refusal = {ErrorCode::invalid_request, "the request names the resource twice"};
    std::set<std::string_view> keys;
    for (const ConfigEdit& edit : change.edits)
      if (!keys.insert(edit.key).second && !change.refusal)
        change.refusal = {ErrorCode::invalid_request, "the request names a setting twice"};
  }
}

void change_configs(Session& session, std::vector<ConfigChange> changes, bool validate_only, ConfigsChanged done) {
  const auto work = std::make_shared<ChangeWork>();
  work->done = std::move(done);
  work->refusals.resize(changes.size());
  AlterTopicConfig topics;
  topics.validate_only = validate_only;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    ConfigChange& change = changes[i];
    ConfigRefusal& refusal = work->refusals[i];
    refusal = change.refusal;
    if (!refusal) refusal = check_config_resource(session, change.resource_type, change.resource_name);
    if (refusal) continue;
    if (change.resource_type == static_cast<std::int8_t>(ConfigResource::topic)) {
      topics.topics.push_back({change.resource_name, std::move(change.edits), change.replace});
      work->topic_places.push_back(i);
      continue;
    }
    if (!is_whole_cluster(change.resource_type, change.resource_name)) {
      const bool broker = change.resource_type == static_cast<std::int8_t>(ConfigResource::broker);
      refusal = {ErrorCode::invalid_request,
                 broker ? "a broker's settings are its node's; what can be changed here are the defaults of the whole "
                          "cluster (a broker without a name)"
                        : "this kind of resource has no settings here"};
      continue;
    }
    SetClusterSettings settings;
    settings.validate_only = validate_only;
    refusal = translate(change, session.services().directory.settings()->topic_defaults, settings);
    if (refusal) continue;
    ++work->left;
    ask(
        &session, session.services().catalog, std::move(settings),
        [work, i](const ClusterSettingsApplied& applied) {
          if (applied.error != Errc::none) work->refusals[i] = refusal_of(applied.error, applied.reason);
          work->one_done();
        },
        [work, i](const caf::error&) {
          work->refusals[i] = {ErrorCode::request_timed_out, "the catalog did not answer"};
          work->one_done();
        });
  }
  if (!topics.topics.empty()) {
    ++work->left;
    ask(
        &session, session.services().catalog, std::move(topics),
        [work](const TopicsApplied& applied) {
          for (std::size_t i = 0; i < work->topic_places.size(); ++i) {
            ConfigRefusal& refusal = work->refusals[work->topic_places[i]];
            if (applied.error != Errc::none)
              refusal = refusal_of(applied.error, applied.reason);
            else if (i < applied.topics.size() && applied.topics[i].error != Errc::none)
              refusal = refusal_of(applied.topics[i].error, applied.topics[i].reason);
          }
          work->one_done();
        },
        [work](const caf::error&) {
          for (const std::size_t place : work->topic_places)
            work->refusals[place] = {ErrorCode::request_timed_out, "the catalog did not answer"};
          work->one_done();
        });
  }
  work->one_done();
}

}  // namespace braid::kafka
