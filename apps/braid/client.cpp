// Braid, Apache-2.0.
//
// The one source of the client side that includes cpp-httplib.
#include "apps/braid/client.hpp"

#include <httplib.h>

#include "apps/braid/exit_codes.hpp"
#include "config/address.hpp"

namespace braid {
namespace {

constexpr int connect_timeout_s = 5;
constexpr int answer_timeout_s = 60;  // deleting or listing very many takes the broker a while

/// What the broker says about a request that it refused.
ClientError refused(int status, const std::string& body) {
  std::string code, message;
  if (const auto json = parse_json(body)) {
    const auto* reason = json->find("reason");
    if (reason && reason->get<std::string>()) {  // as RabbitMQ's management API says it
      message = *reason->get<std::string>();
      if (status == 404) return {exit_code::not_found, "there is no such virtual host or policy"};
    } else if (const auto* error = json->find("error")) {
      const auto* code_text = error->find("code");
      const auto* message_text = error->find("message");
      if (code_text && code_text->get<std::string>()) code = *code_text->get<std::string>();
      if (message_text && message_text->get<std::string>()) message = *message_text->get<std::string>();
    } else if (const auto* problems = json->find("problems"); problems && problems->get<Json::Array>()) {
      for (const auto& problem : *problems->get<Json::Array>())
        if (const auto* text = problem.get<std::string>()) message += (message.empty() ? "" : "; ") + *text;
    }
  }
  if (message.empty()) message = "the broker answered with status " + std::to_string(status);
  // A path that does not exist is not a topic that does not exist: then this is no broker, or another version.
  const bool not_found = code == "unknown_topic" || code == "unknown_partition";
  return {not_found       ? exit_code::not_found
          : status == 503 ? exit_code::unhealthy
                          : exit_code::error,
          std::move(message)};
}

}  // namespace

Result<AdminClient, ClientError> AdminClient::to(const std::string& broker) {
  constexpr std::string_view scheme = "http://";
  const auto place = broker.starts_with(scheme) ? broker.substr(scheme.size()) : broker;
  const auto address = parse_host_port(place);
  if (!address)
    return Unexpected{
        ClientError{exit_code::usage, "--broker: expected host:port, such as 127.0.0.1:8080, not '" + broker + "'"}};
  return AdminClient(address->host, address->port);
}

Result<Json, ClientError> AdminClient::request(const std::string& method, const std::string& path,
                                               const std::string& body) const {
  httplib::Client client(host_, port_);
  client.set_connection_timeout(connect_timeout_s);
  client.set_read_timeout(answer_timeout_s);
  httplib::Request request;
  request.method = method;
  request.path = path;
  if (method == "POST" || method == "PUT") {
    request.body = body;
    request.set_header("Content-Type", "application/json");
  }
  const auto place = host_ + ":" + std::to_string(port_);
  const auto result = client.send(request);
  if (!result)
    return Unexpected{ClientError{exit_code::unhealthy, "no broker answers at " + place + " (" +
                                                            httplib::to_string(result.error()) +
                                                            "); `braid serve` starts one, --broker names another"}};
  if (result->status < 200 || result->status > 299) return Unexpected{refused(result->status, result->body)};
  if (result->body.empty() && (result->status == 201 || result->status == 204)) return Json(Json::Object{});
  auto json = parse_json(result->body);
  if (!json) return Unexpected{ClientError{exit_code::error, "what answers at " + place + " is no Braid broker"}};
  return std::move(*json);
}

std::string escape_path(const std::string& name) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
        c == '-') {
      escaped += c;
    } else {
      escaped += '%';
      escaped += digits[byte >> 4];
      escaped += digits[byte & 15];
    }
  }
  return escaped;
}

}  // namespace braid
