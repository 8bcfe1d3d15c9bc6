// Braid, Apache-2.0.
#include "actors/kafka/handlers/config_resources.hpp"

#include "model/names.hpp"

namespace braid::kafka {

namespace {

ConfigRefusal check_broker(const Session& session, std::string_view name, bool may_be_empty) {
  if (name.empty() && may_be_empty) return {};
  const std::string own = std::to_string(session.node_id());
  if (name == own) return {};
  return {ErrorCode::invalid_request, "the only broker is " + own};
}

}  // namespace

ConfigRefusal check_config_resource(const Session& session, std::int8_t type, std::string_view name) {
  switch (static_cast<ConfigResource>(type)) {
    case ConfigResource::topic:
      if (const auto problem = topic_name_problem(name); !problem.empty())
        return {ErrorCode::invalid_topic_exception, std::string(problem)};
      if (!session.services().directory.find(name))
        return {ErrorCode::unknown_topic_or_partition, "there is no such topic"};
      return {};
    case ConfigResource::broker:
      return check_broker(session, name, true);
    case ConfigResource::broker_logger:
      return check_broker(session, name, false);
    case ConfigResource::client_metrics:
    case ConfigResource::group:
      if (name.empty()) return {ErrorCode::invalid_request, "the resource has no name"};
      return {};
  }
  return {ErrorCode::invalid_request, "there is no such kind of resource"};
}

}  // namespace braid::kafka
