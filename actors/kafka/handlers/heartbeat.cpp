// Braid, Apache-2.0.
//
// Heartbeat: a member lives; the answer tells it whether to join again.
#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/handlers/text.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

void respond(Session& session, const Call& call, const GroupError& result) {
  HeartbeatResponse response;
  response.error_code = result.error;
  session.respond(call, response);
}

}  // namespace

void heartbeat(Session& session, const Call& call, HeartbeatRequest request) {
  if (request.group_id.empty()) return respond(session, call, {ErrorCode::invalid_group_id});
  GroupHeartbeat beat;
  beat.group = request.group_id.str();
  beat.member = request.member_id.str();
  beat.instance = string(request.group_instance_id);
  beat.generation = request.generation_id;
  session.ask_coordinator(request.group_id.view(), std::move(beat), GroupError{ErrorCode::coordinator_not_available},
                          [&session, call](const GroupError& result) { respond(session, call, result); });
}

}  // namespace braid::kafka
