// Braid, Apache-2.0.
//
// ApiVersions: what is served, straight from the table of handlers. A version that we do not know never gets here: the
// session answers it in version 0 (KIP-511).
#include <algorithm>

#include "actors/kafka/handlers.hpp"
#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

constexpr std::int16_t kFirstApiVersionsWithSoftware = 3;

/// Letters and digits, with '-' and '.' inside: Kafka's rule for the names of client software.
bool is_software_name(std::string_view text) {
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && alphanumeric(text.front()) && alphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return alphanumeric(c) || c == '-' || c == '.'; });
}

}  // namespace

void api_versions(Session& session, const Call& call, ApiVersionsRequest request) {
  ApiVersionsResponse response;
  if (call.version >= kFirstApiVersionsWithSoftware && (!is_software_name(request.client_software_name.view()) ||
                                                        !is_software_name(request.client_software_version.view()))) {
    response.error_code = ErrorCode::invalid_request;
    return session.respond(call, response);
  }
  for (const ServedApi& served : served_apis())
    response.api_keys.push_back({static_cast<std::int16_t>(served.key), served.advertised_from, served.versions.last});
  session.respond(call, response);
}

}  // namespace braid::kafka
