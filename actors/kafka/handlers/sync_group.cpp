// Braid, Apache-2.0.
//
// SyncGroup: the leader hands in everybody's assignment, the others wait for theirs.
#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/handlers/text.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

constexpr std::int16_t kFirstSyncGroupWithProtocol = 5;

void respond(Session& session, const Call& call, const SyncedGroup& synced) {
  SyncGroupResponse response;
  response.error_code = synced.error;
  response.protocol_type = text(synced.protocol_type);
  response.protocol_name = text(synced.protocol);
  response.assignment = synced.assignment;
  session.respond(call, response);
}

}  // namespace

void sync_group(Session& session, const Call& call, SyncGroupRequest request) {
  SyncedGroup refused;
  refused.error = ErrorCode::invalid_group_id;
  if (request.group_id.empty()) return respond(session, call, refused);
  refused.error = ErrorCode::inconsistent_group_protocol;
  if (call.version >= kFirstSyncGroupWithProtocol && (!request.protocol_type || !request.protocol_name))
    return respond(session, call, refused);

  SyncGroup sync;
  sync.group = request.group_id.str();
  sync.member = request.member_id.str();
  sync.instance = string(request.group_instance_id);
  sync.protocol_type = string(request.protocol_type);
  sync.protocol = string(request.protocol_name);
  sync.generation = request.generation_id;
  sync.assignments.reserve(request.assignments.size());
  for (SyncGroupRequest::Assignment& assignment : request.assignments)
    sync.assignments.emplace_back(assignment.member_id.str(), std::move(assignment.assignment));

  session.set_patient(call);
  refused.error = ErrorCode::coordinator_not_available;
  session.ask_coordinator(request.group_id.view(), std::move(sync), refused,
                          [&session, call](const SyncedGroup& synced) { respond(session, call, synced); });
}

}  // namespace braid::kafka
