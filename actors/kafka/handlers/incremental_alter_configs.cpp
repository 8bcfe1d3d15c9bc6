// Braid, Apache-2.0.
//
// IncrementalAlterConfigs: single settings of a resource, set, put back to their default, or (lists) with items more or
// fewer (KIP-339). The others stay as they are.
#include <algorithm>

#include "actors/kafka/handlers/config_changes.hpp"
#include "actors/kafka/handlers/handlers.hpp"

namespace braid::kafka {

namespace {

enum class Operation : std::int8_t { set = 0, remove = 1, append = 2, subtract = 3 };

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    if (!item.empty()) items.emplace_back(item);
    text.remove_prefix(std::min(item.size() + 1, text.size()));
  }
  return items;
}
std::string join(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ",") + item;
  return text;
}

/// The present value of a list, under the name that the resource has for it; nothing when it is no list.
std::optional<std::string> present_list(const Session& session, const ConfigChange& change, std::string_view name) {
  const Directory& directory = session.services().directory;
  const bool of_topic = change.resource_type == static_cast<std::int8_t>(ConfigResource::topic);
  const TopicRef topic = of_topic ? directory.find(change.resource_name) : nullptr;
  for (const TopicConfigEntry& entry :
       describe_topic_config(topic ? topic->config : TopicConfig{}, session.services().settings.topic_defaults,
                             directory.settings()->topic_defaults))
    if (entry.info->type == ConfigType::list &&
        name == (of_topic ? entry.info->name : broker_name_of(entry.info->name)))
      return entry.value;
  return std::nullopt;
}

/// One operation as the value that it leads to.
ConfigRefusal translate(const Session& session, const IncrementalAlterConfigsRequest::Config& config,
                        ConfigChange& change) {
  const std::string name = config.name.str();
  const auto operation = static_cast<Operation>(config.config_operation);
  if (operation == Operation::remove) {
    change.edits.push_back({name, std::nullopt});
    return {};
  }
  if (!config.value) return {ErrorCode::invalid_request, "setting \"" + name + "\" has no value"};
  if (operation == Operation::set) {
    change.edits.push_back({name, config.value->str()});
    return {};
  }
  if (operation != Operation::append && operation != Operation::subtract)
    return {ErrorCode::invalid_request, "there is no such operation"};
  const auto present = present_list(session, change, name);
  if (!present) return {ErrorCode::invalid_config, "setting \"" + name + "\" is not a list"};
  std::vector<std::string> items = split(*present);
  for (std::string& item : split(config.value->view())) {
    const auto known = std::find(items.begin(), items.end(), item);
    if (operation == Operation::append && known == items.end())
      items.push_back(std::move(item));
    else if (operation == Operation::subtract && known != items.end())
      items.erase(known);
  }
  change.edits.push_back({name, join(items)});
  return {};
}

}  // namespace

void incremental_alter_configs(Session& session, const Call& call, IncrementalAlterConfigsRequest request) {
  std::vector<ConfigChange> changes;
  IncrementalAlterConfigsResponse response;
  for (const IncrementalAlterConfigsRequest::Resource& resource : request.resources) {
    ConfigChange& change = changes.emplace_back();
    change.resource_type = resource.resource_type;
    change.resource_name = resource.resource_name.str();
    for (const IncrementalAlterConfigsRequest::Config& config : resource.configs)
      if (auto refusal = translate(session, config, change)) change.refusal = std::move(refusal);
    IncrementalAlterConfigsResponse::Response& place = response.responses.emplace_back();
    place.resource_type = resource.resource_type;
    place.resource_name = resource.resource_name;
  }
  refuse_repeated(changes);
  change_configs(session, std::move(changes), request.validate_only,
                 [&session, call, response](const std::vector<ConfigRefusal>& refusals) mutable {
                   for (std::size_t i = 0; i < refusals.size(); ++i) {
                     response.responses[i].error_code = refusals[i].error;
                     if (refusals[i]) response.responses[i].error_message = Text(refusals[i].reason);
                   }
                   session.respond(call, response);
                 });
}

}  // namespace braid::kafka
