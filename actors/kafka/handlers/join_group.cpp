// Braid, Apache-2.0.
//
// JoinGroup: becoming a member, and waiting for the others.
#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/handlers/text.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

constexpr std::int16_t kFirstJoinGroupWithKnownMember = 4, kFirstJoinGroupWithNullProtocol = 7,
                       kFirstJoinGroupWithSkipAssignment = 9;

void respond(Session& session, const Call& call, const JoinedGroup& joined) {
  JoinGroupResponse response;
  response.error_code = joined.error;
  response.generation_id = joined.generation;
  response.protocol_type = text(joined.protocol_type);
  response.protocol_name = text(joined.protocol);
  if (!response.protocol_name && call.version < kFirstJoinGroupWithNullProtocol) response.protocol_name = Text();
  response.leader = Text(joined.leader);
  response.member_id = Text(joined.member);
  response.skip_assignment = joined.skip_assignment;
  response.members.reserve(joined.members.size());
  for (const GroupMember& member : joined.members)
    response.members.push_back({Text(member.member), text(member.instance), member.metadata});
  session.respond(call, response);
}

}  // namespace

void join_group(Session& session, const Call& call, JoinGroupRequest request) {
  JoinedGroup refused;
  refused.member = request.member_id.str();
  refused.error = ErrorCode::invalid_group_id;
  if (request.group_id.empty()) return respond(session, call, refused);

  JoinGroup join;
  join.group = request.group_id.str();
  join.member = request.member_id.str();
  join.instance = string(request.group_instance_id);
  join.protocol_type = request.protocol_type.str();
  join.client_id = session.client_id();
  join.client_host = "/" + session.peer_ip();
  join.session_timeout_ms = request.session_timeout_ms;
  join.rebalance_timeout_ms =
      request.rebalance_timeout_ms < 0 ? request.session_timeout_ms : request.rebalance_timeout_ms;
  join.requires_known_member = call.version >= kFirstJoinGroupWithKnownMember;
  join.supports_skip_assignment = call.version >= kFirstJoinGroupWithSkipAssignment;
  join.protocols.reserve(request.protocols.size());
  for (JoinGroupRequest::Protocol& protocol : request.protocols)
    join.protocols.push_back({protocol.name.str(), std::move(protocol.metadata)});

  session.set_patient(call);
  refused.error = ErrorCode::coordinator_not_available;
  session.ask_coordinator(request.group_id.view(), std::move(join), refused,
                          [&session, call](const JoinedGroup& joined) { respond(session, call, joined); });
}

}  // namespace braid::kafka
