// Braid, Apache-2.0.
#include "actors/admin/policy_routes.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace braid {
namespace {

AdminResponse policy_error(int status, std::string_view error, std::string reason) {
  return {status, Json(Json::Object{{"error", Json(error)}, {"reason", Json(std::move(reason))}}), {}};
}
AdminResponse policy_error(const AdminError& error) {
  const int status = status_of(error.code);
  return policy_error(status, status == 400 ? "bad_request" : to_string(error.code), error.text);
}
AdminResponse object_not_found() {
  return policy_error(404, "Object Not Found", "Not Found");
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
  if (!policy) return policy_error(400, "bad_request", policy.error());
  const auto made = api.set_policy(*policy);
  if (!made) return policy_error(made.error());
  return {*made ? 201 : 204, Json(), {}};
}

}  // namespace

bool is_policy_path(std::string_view path) {
  return is_below(path, policies_path) || is_below(path, operator_policies_path);
}

AdminResponse answer_policies(AdminApi& api, const AdminRequest& request) {
  const std::string& path = request.raw_path.empty() ? request.path : request.raw_path;
  // Who writes the rest of the path in percent form as well is asked to write it plainly.
  const bool of_operator = is_below(path, operator_policies_path);
  const auto parent = of_operator ? operator_policies_path : policies_path;
  const auto names = is_below(path, parent) ? names_in(std::string_view(path).substr(parent.size())) : std::nullopt;
  if (!names || names->size() > 2) return object_not_found();
  const bool is_policy = names->size() == 2;
  if (request.method != "GET" && !(is_policy && (request.method == "PUT" || request.method == "DELETE"))) {
    auto response = policy_error(405, "method_not_allowed", "Method Not Allowed");
    response.allow = is_policy ? "GET, PUT, DELETE" : "GET";
    return response;
  }
  const auto all = api.list_policies(of_operator);
  if (!all) return policy_error(all.error());
  if (names->empty()) return list_of(*all, nullptr);
  if (std::find(all->vhosts.begin(), all->vhosts.end(), names->front()) == all->vhosts.end()) return object_not_found();
  if (!is_policy) return list_of(*all, &names->front());
  if (request.method == "PUT") return put_policy(api, request, *names, of_operator);
  const auto found = std::find_if(all->policies.begin(), all->policies.end(), [&](const PolicyInfo& policy) {
    return policy.vhost == names->at(0) && policy.name == names->at(1);
  });
  if (found == all->policies.end()) return object_not_found();
  if (request.method == "GET") return {200, to_json_object(*found), {}};
  const auto deleted = api.delete_policy(found->vhost, found->name, of_operator);
  if (!deleted) return policy_error(deleted.error());
  return *deleted ? AdminResponse{204, Json(), {}} : object_not_found();
}

}  // namespace braid
