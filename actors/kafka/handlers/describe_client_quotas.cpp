// Braid, Apache-2.0.
//
// DescribeClientQuotas: the quotas whose entity has all the components that are asked for.
#include <map>

#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/handlers/text.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

constexpr std::string_view kIp = "ip";
enum class Match : std::int8_t { exact = 0, everybody = 1, any = 2 };
using Components = std::map<std::string_view, const DescribeClientQuotasRequest::Component*>;

/// Puts the components by their type; refuses what makes no sense.
std::pair<ErrorCode, std::string_view> check(const DescribeClientQuotasRequest& request, Components& components) {
  for (const DescribeClientQuotasRequest::Component& component : request.components) {
    const std::string_view type = component.entity_type.view();
    if (type.empty()) return {ErrorCode::invalid_request, "a component has no type"};
    if (type != kQuotaUser && type != kQuotaClientId && type != kIp)
      return {ErrorCode::unsupported_version, "there is no such type of entity"};
    if (!components.emplace(type, &component).second)
      return {ErrorCode::invalid_request, "two components have the same type"};
    const auto match = static_cast<Match>(component.match_type);
    if (match != Match::exact && match != Match::everybody && match != Match::any)
      return {ErrorCode::invalid_request, "there is no such way to match"};
    if ((match == Match::exact) != component.match.has_value())
      return {ErrorCode::invalid_request, "a name is given for an exact match, and for no other"};
  }
  if (components.count(kIp) > 0 && components.size() > 1)
    return {ErrorCode::invalid_request, "an ip has no user and no client id"};
  return {ErrorCode::none, {}};
}

bool matches(const QuotaEntity& entity, const Components& components, bool strict) {
  if (strict && entity.size() != components.size()) return false;
  for (const auto& [type, component] : components) {
    const auto part = entity.find(type);
    if (part == entity.end()) return false;
    const auto match = static_cast<Match>(component->match_type);
    if (match == Match::exact && (!part->second || component->match->view() != *part->second)) return false;
    if (match == Match::everybody && part->second) return false;
  }
  return true;
}

}  // namespace

void describe_client_quotas(Session& session, const Call& call, DescribeClientQuotasRequest request) {
  DescribeClientQuotasResponse response;
  Components components;
  if (const auto [error, reason] = check(request, components); error != ErrorCode::none) {
    response.error_code = error;
    response.error_message = Text(reason);
    response.entries.reset();
    return session.respond(call, response);
  }
  for (const auto& [entity, values] : *session.services().directory.quotas()) {
    if (!matches(entity, components, request.strict)) continue;
    DescribeClientQuotasResponse::Entry& entry = response.entries->emplace_back();
    for (const auto& [type, name] : entity) entry.entity.push_back({Text(type), text(name)});
    for (const auto& [key, value] : values) entry.values.push_back({Text(key), value});
  }
  session.respond(call, response);
}

}  // namespace braid::kafka
