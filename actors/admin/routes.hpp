// Braid, Apache-2.0.
//
// From a request's method, path and body to an answer, without a socket: what the admin API means, as a pure function
// of AdminApi.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "actors/admin/admin_api.hpp"
#include "actors/admin/json.hpp"

namespace braid {

inline constexpr std::string_view topics_path = "/api/v1/topics";

struct AdminRequest {
  std::string method;
  std::string path;  ///< decoded, without the query
  std::map<std::string, std::string> query;
  std::string body;
  std::string raw_path = {};  ///< as it came, since names may have an encoded '/' in them; empty: `path`
};

struct AdminResponse {
  int status = 200;
  Json body;          ///< null: none
  std::string allow;  ///< with 405: the methods that the path has
};

AdminResponse answer(AdminApi& api, const AdminRequest& request);

int status_of(Errc code);

AdminResponse error_response(int status, std::string_view code, std::string message);

/// Kafka's form of a topic id: 16 bytes in base64url, without padding.
std::string format_topic_id(const TopicId& id);

}  // namespace braid
