// Braid, Apache-2.0.
//
// ListConfigResources: what DescribeConfigs can be asked about. Version 0 asks for client metrics only, of which there
// are none; nor are there settings of groups.
#include <algorithm>

#include "actors/kafka/handlers/config_resources.hpp"
#include "actors/kafka/handlers/handlers.hpp"

namespace braid::kafka {

namespace {
constexpr std::int16_t kFirstListConfigResourcesWithTypes = 1;
}

void list_config_resources(Session& session, const Call& call, ListConfigResourcesRequest request) {
  ListConfigResourcesResponse response;
  if (call.version < kFirstListConfigResourcesWithTypes) return session.respond(call, response);
  constexpr ConfigResource all[] = {ConfigResource::topic, ConfigResource::broker, ConfigResource::broker_logger,
                                    ConfigResource::client_metrics, ConfigResource::group};
  const auto& types = request.resource_types;
  const auto wants = [&](ConfigResource type) {
    return types.empty() || std::find(types.begin(), types.end(), static_cast<std::int8_t>(type)) != types.end();
  };
  for (const std::int8_t type : types) {
    if (std::find(std::begin(all), std::end(all), static_cast<ConfigResource>(type)) != std::end(all)) continue;
    response.error_code = ErrorCode::unsupported_version;
    return session.respond(call, response);
  }
  const auto add = [&](ConfigResource type, std::string_view name) {
    response.config_resources.push_back({Text(name), static_cast<std::int8_t>(type)});
  };
  if (wants(ConfigResource::topic))
    session.services().directory.for_each([&](const TopicRef& topic) { add(ConfigResource::topic, topic->name); });
  for (const ConfigResource type : {ConfigResource::broker, ConfigResource::broker_logger})
    if (wants(type)) add(type, std::to_string(session.node_id()));
  session.respond(call, response);
}

}  // namespace braid::kafka
