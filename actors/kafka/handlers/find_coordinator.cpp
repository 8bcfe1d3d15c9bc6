// Braid, Apache-2.0.
//
// FindCoordinator: one node coordinates all groups. Transactions are not served; their producers get the one code that
// ends them at once (others they would retry until their time is up, and say nothing but "timed out").
#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

constexpr std::int8_t kGroup = 0, kTransaction = 1;
constexpr std::int16_t kFirstFindCoordinatorBatched = 4;

FindCoordinatorResponse::Coordinator find(const Session& session, std::int8_t key_type, const Text& key) {
  FindCoordinatorResponse::Coordinator found;
  found.key = key;
  found.node_id = -1;
  found.port = -1;
  if (key_type == kTransaction) {
    found.error_code = ErrorCode::transactional_id_authorization_failed;
    found.error_message = Text::literal("transactions are not served by this broker");
  } else if (key_type != kGroup) {
    found.error_code = ErrorCode::invalid_request;
    found.error_message = Text::literal("this kind of coordinator is not served by this broker");
  } else {
    found.node_id = session.node_id();
    found.host = Text(session.endpoint().host);
    found.port = session.endpoint().port;
    found.error_message.reset();
  }
  return found;
}

}  // namespace

void find_coordinator(Session& session, const Call& call, FindCoordinatorRequest request) {
  FindCoordinatorResponse response;
  if (call.version >= kFirstFindCoordinatorBatched) {
    response.coordinators.reserve(request.coordinator_keys.size());
    for (const Text& key : request.coordinator_keys)
      response.coordinators.push_back(find(session, request.key_type, key));
    return session.respond(call, response);
  }
  FindCoordinatorResponse::Coordinator found = find(session, request.key_type, request.key);
  response.error_code = found.error_code;
  response.error_message = std::move(found.error_message);
  response.node_id = found.node_id;
  response.host = std::move(found.host);
  response.port = found.port;
  session.respond(call, response);
}

}  // namespace braid::kafka
