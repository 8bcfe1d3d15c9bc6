// Braid, Apache-2.0.
//
// AlterConfigs: all settings of a resource at once; what is not named goes back to its default.
#include "actors/kafka/handlers/config_changes.hpp"
#include "actors/kafka/handlers/handlers.hpp"

namespace braid::kafka {

void alter_configs(Session& session, const Call& call, AlterConfigsRequest request) {
  std::vector<ConfigChange> changes;
  AlterConfigsResponse response;
  for (const AlterConfigsRequest::Resource& resource : request.resources) {
    ConfigChange& change = changes.emplace_back();
    change.resource_type = resource.resource_type;
    change.resource_name = resource.resource_name.str();
    change.replace = true;
    for (const AlterConfigsRequest::Config& config : resource.configs) {
      if (!config.value)
        change.refusal = {ErrorCode::invalid_request, "setting \"" + config.name.str() + "\" has no value"};
      else
        change.edits.push_back({config.name.str(), config.value->str()});
    }
    AlterConfigsResponse::Response& place = response.responses.emplace_back();
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
