// Braid, Apache-2.0.
#include "actors/admin/rabbitmq_routes.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace braid {
namespace {

AdminResponse rabbitmq_error(int status, std::string_view error, std::string reason) {
  return {status, Json(Json::Object{{"error", Json(error)}, {"reason", Json(std::move(reason))}}), {}};
}
AdminResponse rabbitmq_error(const AdminError& error) {
  const int status = status_of(error.code);
  return rabbitmq_error(status, status == 400 ? "bad_request" : to_string(error.code), error.text);
}
AdminResponse object_not_found() {
  return rabbitmq_error(404, "Object Not Found", "Not Found");
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Nothing when it is not in percent form.
std::optional<std::string> unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) return std::nullopt;
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

bool is_below(std::string_view path, std::string_view parent) {
  return path.starts_with(parent) && (path.size() == parent.size() || path[parent.size()] == '/');
}

/// The names behind the path of policies: none, a virtual host, or that and a policy.
std::optional<std::vector<std::string>> names_in(std::string_view rest) {
  std::vector<std::string> names;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const auto end = std::min(rest.find('/'), rest.size());
    auto name = unescaped(rest.substr(0, end));
    if (!name) return std::nullopt;
    names.push_back(std::move(*name));
    rest.remove_prefix(end);
  }
  return names;
}

Json to_json_object(const PolicyInfo& policy) {
  Json::Object definition;
  for (const auto& [name, value] : policy.definition)
    definition.emplace_back(name, std::visit([](const auto& each) { return Json(each); }, value));
  return Json(Json::Object{{"vhost", Json(policy.vhost)},
                           {"name", Json(policy.name)},
                           {"pattern", Json(policy.pattern)},
                           {"apply-to", Json(policy.apply_to)},
                           {"definition", Json(std::move(definition))},
                           {"priority", Json(policy.priority)}});
}

std::string expected(std::string_view name, std::string_view what, const Json& found) {
  return "'" + std::string(name) + "': expected " + std::string(what) + ", not " + std::string(found.type_name());
}

std::optional<std::string> read_definition(const Json& value, PolicyInfo& policy) {
  const auto* members = value.get<Json::Object>();
  if (!members) return expected("definition", "an object", value);
  for (const auto& [name, each] : *members) {
    if (const auto* number = each.get<std::int64_t>())
      policy.definition[name] = *number;
    else if (const auto* text = each.get<std::string>())
      policy.definition[name] = *text;
    else
      return expected("definition." + name, "a text or a whole number", each);
  }
  return {};
}

/// The body of a PUT, or what is wrong with it.
Result<PolicyInfo, std::string> read_policy(const std::string& body, const std::string& vhost, const std::string& name,
                                            bool of_operator) {
  const auto json = parse_json(body);
  if (!json) return Unexpected{"the body is not JSON: " + json.error()};
  const auto* members = json->get<Json::Object>();
  if (!members) return Unexpected{"expected an object, not " + std::string(json->type_name())};
  PolicyInfo policy;
  policy.vhost = vhost;
  policy.name = name;
  policy.of_operator = of_operator;
  bool has_pattern = false, has_definition = false;
  for (const auto& [key, value] : *members) {
    if (key == "definition") {
      if (auto problem = read_definition(value, policy)) return Unexpected{std::move(*problem)};
      has_definition = true;
    } else if (key == "priority") {
      const auto* number = value.get<std::int64_t>();
      if (!number || *number < std::numeric_limits<std::int32_t>::min() ||
          *number > std::numeric_limits<std::int32_t>::max())
        return Unexpected{expected(key, "a whole number of 32 bits", value)};
      policy.priority = static_cast<std::int32_t>(*number);
    } else if (key == "pattern" || key == "apply-to" || key == "vhost" || key == "name") {
      const auto* text = value.get<std::string>();
      if (!text) return Unexpected{expected(key, "a text", value)};
      if ((key == "vhost" && *text != vhost) || (key == "name" && *text != name))
        return Unexpected{"'" + key + "' is not the one in the path"};
      if (key == "pattern") policy.pattern = *text;
      if (key == "apply-to") policy.apply_to = *text;
      has_pattern = has_pattern || key == "pattern";
    } else {
      return Unexpected{"unknown field '" + key + "'; there are pattern, definition, priority and apply-to"};
    }
  }
  if (!has_pattern) return Unexpected{std::string("the field 'pattern' is missing")};
  if (!has_definition) return Unexpected{std::string("the field 'definition' is missing")};
  return policy;
}

AdminResponse list_of(const Policies& all, const std::string* vhost) {
  Json::Array list;
  for (const PolicyInfo& policy : all.policies)
    if (!vhost || policy.vhost == *vhost) list.push_back(to_json_object(policy));
  return {200, Json(std::move(list)), {}};
}

AdminResponse put_policy(AdminApi& api, const AdminRequest& request, const std::vector<std::string>& names,
                         bool of_operator) {
  const auto policy = read_policy(request.body, names[0], names[1], of_operator);
  if (!policy) return rabbitmq_error(400, "bad_request", policy.error());
  const auto made = api.set_policy(*policy);
  if (!made) return rabbitmq_error(made.error());
  return {*made ? 201 : 204, Json(), {}};
}

AdminResponse not_allowed(std::string allowed) {
  auto response = rabbitmq_error(405, "method_not_allowed", "Method Not Allowed");
  response.allow = std::move(allowed);
  return response;
}

bool is_change_of_one(const AdminRequest& request, bool is_one) {
  return is_one && (request.method == "PUT" || request.method == "DELETE");
}

AdminResponse answer_policies(AdminApi& api, const AdminRequest& request, const std::vector<std::string>& names,
                              bool of_operator) {
  if (names.size() > 2) return object_not_found();
  const bool is_policy = names.size() == 2;
  if (request.method != "GET" && !is_change_of_one(request, is_policy))
    return not_allowed(is_policy ? "GET, PUT, DELETE" : "GET");
  const auto all = api.list_policies(of_operator);
  if (!all) return rabbitmq_error(all.error());
  if (names.empty()) return list_of(*all, nullptr);
  if (std::find(all->vhosts.begin(), all->vhosts.end(), names.front()) == all->vhosts.end()) return object_not_found();
  if (!is_policy) return list_of(*all, &names.front());
  if (request.method == "PUT") return put_policy(api, request, names, of_operator);
  const auto found = std::find_if(all->policies.begin(), all->policies.end(), [&](const PolicyInfo& policy) {
    return policy.vhost == names.at(0) && policy.name == names.at(1);
  });
  if (found == all->policies.end()) return object_not_found();
  if (request.method == "GET") return {200, to_json_object(*found), {}};
  const auto deleted = api.delete_policy(found->vhost, found->name, of_operator);
  if (!deleted) return rabbitmq_error(deleted.error());
  return *deleted ? AdminResponse{204, Json(), {}} : object_not_found();
}

Json vhost_object(const std::string& name) {
  return Json(Json::Object{{"name", Json(name)}});
}

/// What RabbitMQ's clients say of a virtual host; nothing of it can be had here but what is the case anyway.
std::optional<std::string> check_vhost(const std::string& body) {
  if (body.empty()) return {};
  const auto json = parse_json(body);
  if (!json) return "the body is not JSON: " + json.error();
  const auto* members = json->get<Json::Object>();
  if (!members) return "expected an object, not " + std::string(json->type_name());
  for (const auto& [key, value] : *members) {
    const auto* text = value.get<std::string>();
    const auto* flag = value.get<bool>();
    const bool is_nothing = std::holds_alternative<std::nullptr_t>(value.value()) || (text && text->empty()) ||
                            (flag && !*flag) || (text && key == "default_queue_type" && *text == "classic");
    if (!is_nothing) return "'" + key + "' of a virtual host is not served";
  }
  return {};
}

AdminResponse answer_vhosts(AdminApi& api, const AdminRequest& request, const std::vector<std::string>& names) {
  if (names.size() > 1) return object_not_found();
  const bool is_vhost = names.size() == 1;
  if (request.method != "GET" && !is_change_of_one(request, is_vhost))
    return not_allowed(is_vhost ? "GET, PUT, DELETE" : "GET");
  if (request.method == "PUT") {
    if (auto problem = check_vhost(request.body)) return rabbitmq_error(400, "bad_request", std::move(*problem));
    const auto made = api.create_vhost(names.front());
    if (!made) return rabbitmq_error(made.error());
    return {*made ? 201 : 204, Json(), {}};
  }
  if (request.method == "DELETE") {
    const auto deleted = api.delete_vhost(names.front());
    if (!deleted) return rabbitmq_error(deleted.error());
    return *deleted ? AdminResponse{204, Json(), {}} : object_not_found();
  }
  const auto all = api.list_policies(false);
  if (!all) return rabbitmq_error(all.error());
  if (is_vhost)
    return std::find(all->vhosts.begin(), all->vhosts.end(), names.front()) == all->vhosts.end()
               ? object_not_found()
               : AdminResponse{200, vhost_object(names.front()), {}};
  Json::Array list;
  for (const std::string& name : all->vhosts) list.push_back(vhost_object(name));
  return {200, Json(std::move(list)), {}};
}

}  // namespace

bool is_rabbitmq_path(std::string_view path) {
  return is_below(path, vhosts_path) || is_below(path, policies_path) || is_below(path, operator_policies_path);
}

bool may_lack_body(std::string_view path) {
  return is_below(path, vhosts_path);
}

AdminResponse answer_as_rabbitmq(AdminApi& api, const AdminRequest& request) {
  const std::string& path = request.raw_path.empty() ? request.path : request.raw_path;
  // Who writes the front of the path in percent form as well is asked to write it plainly.
  for (const std::string_view parent : {vhosts_path, policies_path, operator_policies_path}) {
    if (!is_below(path, parent)) continue;
    const auto names = names_in(std::string_view(path).substr(parent.size()));
    if (!names) break;
    if (parent == vhosts_path) return answer_vhosts(api, request, *names);
    return answer_policies(api, request, *names, parent == operator_policies_path);
  }
  return object_not_found();
}

}  // namespace braid
