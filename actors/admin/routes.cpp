// Braid, Apache-2.0.
#include "actors/admin/routes.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "actors/admin/rabbitmq_routes.hpp"
#include "config/suggest.hpp"
#include "config/units.hpp"
#include "model/names.hpp"

namespace braid {
namespace {

constexpr std::int64_t default_page = 1000;
constexpr std::int64_t largest_page = 10000;

AdminResponse failed(const AdminError& error) {
  std::string code(to_string(error.code));
  std::replace(code.begin(), code.end(), ' ', '_');
  return error_response(status_of(error.code), code, error.text);
}

AdminResponse bad_request(std::string message) {
  return error_response(400, "bad_request", std::move(message));
}

Json to_json_object(const TopicInfo& topic) {
  Json::Object config;
  for (const auto& [name, value] : topic.config) config.emplace_back(name, Json(value));
  return Json(Json::Object{{"name", Json(topic.name)},
                           {"id", Json(format_topic_id(topic.id))},
                           {"partitions", Json(topic.partitions)},
                           {"internal", Json(topic.internal)},
                           {"config", Json(std::move(config))}});
}

Json to_json_object(const TopicDescription& description) {
  Json::Array partitions;
  for (const auto& partition : description.partitions)
    partitions.push_back(Json(Json::Object{{"partition", Json(partition.index.value)},
                                           {"log_start", Json(partition.log_start.value)},
                                           {"end", Json(partition.end.value)},
                                           {"bytes", Json(static_cast<std::int64_t>(partition.bytes))}}));
  Json::Object settings;
  for (const auto& entry : description.settings)
    settings.emplace_back(
        std::string(entry.info->name),
        Json(Json::Object{{"value", Json(entry.value)}, {"default", Json(entry.source() != ConfigSource::topic)}}));
  return Json(Json::Object{{"topic", to_json_object(description.topic)},
                           {"partitions", Json(std::move(partitions))},
                           {"settings", Json(std::move(settings))}});
}

std::string wrong_type(std::string_view name, std::string_view expected, const Json& found) {
  return "'" + std::string(name) + "': expected " + std::string(expected) + ", not " + std::string(found.type_name());
}

/// The request for a new topic, or what is wrong with it.
Result<NewTopicRequest, std::string> read_new_topic(const std::string& body) {
  const auto json = parse_json(body);
  if (!json) return Unexpected{"the body is not JSON: " + json.error()};
  const auto* members = json->get<Json::Object>();
  if (!members)
    return Unexpected{"expected an object such as {\"name\": \"sensors\", \"partitions\": 3}, not " +
                      std::string(json->type_name())};
  NewTopicRequest request;
  bool named = false;
  for (const auto& [name, value] : *members) {
    if (name == "name") {
      const auto* text = value.get<std::string>();
      if (!text) return Unexpected{wrong_type(name, "a text", value)};
      request.name = *text;
      named = true;
    } else if (name == "partitions") {
      const auto* number = value.get<std::int64_t>();
      if (!number) return Unexpected{wrong_type(name, "a whole number", value)};
      if (*number < 1 || *number > std::numeric_limits<std::int32_t>::max())
        return Unexpected{"'partitions': expected at least 1, not " + std::to_string(*number)};
      request.partitions = static_cast<std::int32_t>(*number);
    } else if (name == "config") {
      const auto* settings = value.get<Json::Object>();
      if (!settings) return Unexpected{wrong_type(name, "an object of texts", value)};
      for (const auto& [key, setting] : *settings) {
        // Numbers are what people write for retention.ms; everything else is a text.
        if (const auto* text = setting.get<std::string>())
          request.config[key] = *text;
        else if (const auto* number = setting.get<std::int64_t>())
          request.config[key] = std::to_string(*number);
        else
          return Unexpected{wrong_type("config." + key, "a text or a whole number", setting)};
      }
    } else {
      const auto near = nearest_name(name, {"name", "partitions", "config"});
      return Unexpected{"unknown field '" + name + "'" +
                        (near.empty() ? "" : ", did you mean '" + std::string(near) + "'?")};
    }
  }
  if (!named) return Unexpected{std::string("the field 'name' is missing")};
  if (const auto problem = topic_name_problem(request.name); !problem.empty())
    return Unexpected{"'" + request.name + "' is no topic name: " + std::string(problem)};
  return request;
}

AdminResponse create_topic(AdminApi& api, const AdminRequest& request) {
  const auto wanted = read_new_topic(request.body);
  if (!wanted) return bad_request(wanted.error());
  const auto created = api.create_topic(*wanted);
  if (!created) return failed(created.error());
  return {201, to_json_object(*created), {}};
}

AdminResponse list_topics(AdminApi& api, const AdminRequest& request) {
  std::string after;
  std::int64_t limit = default_page;
  for (const auto& [name, value] : request.query) {
    if (name == "after") {
      after = value;
    } else if (name == "limit") {
      const auto number = parse_integer(value);
      if (!number || *number < 1 || *number > largest_page)
        return bad_request("'limit': expected a number from 1 to " + std::to_string(largest_page));
      limit = *number;
    } else {
      return bad_request("unknown parameter '" + name + "'; there are 'after' and 'limit'");
    }
  }
  // One more than asked for tells whether there are more.
  auto topics = api.list_topics(after, static_cast<std::size_t>(limit) + 1);
  if (!topics) return failed(topics.error());
  const bool more = topics->size() > static_cast<std::size_t>(limit);
  if (more) topics->resize(static_cast<std::size_t>(limit));
  Json::Array list;
  for (const auto& topic : *topics) list.push_back(to_json_object(topic));
  Json::Object body{{"topics", Json(std::move(list))}};
  if (more) body.emplace_back("next", Json(topics->back().name));
  return {200, Json(std::move(body)), {}};
}

AdminResponse answer_topic(AdminApi& api, const AdminRequest& request, const std::string& name) {
  if (const auto problem = topic_name_problem(name); !problem.empty())
    return bad_request("'" + name + "' is no topic name: " + std::string(problem));
  if (request.method == "DELETE") {
    if (auto deleted = api.delete_topic(name); !deleted) return failed(deleted.error());
    return {200, Json(Json::Object{{"deleted", Json(name)}}), {}};
  }
  const auto description = api.describe_topic(name);
  if (!description) return failed(description.error());
  return {200, to_json_object(*description), {}};
}

AdminResponse answer_health(AdminApi& api) {
  const auto health = api.health();
  Json::Object body{{"status", Json(health.problems.empty() ? "ok" : "unhealthy")}};
  Json::Array problems;
  for (const auto& problem : health.problems) problems.push_back(Json(problem));
  if (!problems.empty()) body.emplace_back("problems", Json(std::move(problems)));
  return {health.problems.empty() ? 200 : 503, Json(std::move(body)), {}};
}

AdminResponse wrong_method(std::string allow) {
  auto response = error_response(405, "method_not_allowed", "this path has " + allow);
  response.allow = std::move(allow);
  return response;
}

}  // namespace

int status_of(Errc code) {
  switch (code) {
    case Errc::unknown_topic:
    case Errc::unknown_partition:
      return 404;
    case Errc::topic_exists:
      return 409;
    case Errc::invalid_topic_name:
    case Errc::invalid_partitions:
    case Errc::invalid_setting:
      return 400;
    case Errc::storage_failed:
    case Errc::not_leader:
    case Errc::overloaded:
    case Errc::shutting_down:
      return 503;
    case Errc::timed_out:
    case Errc::unknown_outcome:
      return 504;
    default:
      return 500;
  }
}

AdminResponse error_response(int status, std::string_view code, std::string message) {
  return {
      status,
      Json(Json::Object{{"error", Json(Json::Object{{"code", Json(code)}, {"message", Json(std::move(message))}})}}),
      {}};
}

AdminResponse answer(AdminApi& api, const AdminRequest& request) {
  if (request.path == "/healthz") return request.method == "GET" ? answer_health(api) : wrong_method("GET");
  if (request.path == topics_path) {
    if (request.method == "GET") return list_topics(api, request);
    if (request.method == "POST") return create_topic(api, request);
    return wrong_method("GET, POST");
  }
  if (request.path.starts_with(topics_path) && request.path[topics_path.size()] == '/') {
    if (request.method != "GET" && request.method != "DELETE") return wrong_method("GET, DELETE");
    return answer_topic(api, request, request.path.substr(topics_path.size() + 1));
  }
  if (is_rabbitmq_path(request.path)) return answer_as_rabbitmq(api, request);
  return error_response(404, "not_found",
                        "there is no such path; /healthz, /api/v1/topics, /api/vhosts, /api/policies and "
                        "/api/operator-policies are what there is");
}

std::string format_topic_id(const TopicId& id) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const auto byte : id.bytes) {
    bits = (bits << 8) | byte;
    for (count += 8; count >= 6; count -= 6) text += alphabet[(bits >> (count - 6)) & 63];
  }
  if (count > 0) text += alphabet[(bits << (6 - count)) & 63];
  return text;
}

}  // namespace braid
