// Braid, Apache-2.0.
//
// LeaveGroup: one member goes, or (from version 3) several do, each with its own result.
#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/handlers/text.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {
constexpr std::int16_t kFirstLeaveGroupBatched = 3;
}

void leave_group(Session& session, const Call& call, LeaveGroupRequest request) {
  LeaveGroupResponse response;
  if (request.group_id.empty()) {
    response.error_code = ErrorCode::invalid_group_id;
    return session.respond(call, response);
  }
  LeaveGroup leave;
  leave.group = request.group_id.str();
  if (call.version >= kFirstLeaveGroupBatched) {
    leave.members.reserve(request.members.size());
    response.members.reserve(request.members.size());
    for (LeaveGroupRequest::Member& member : request.members) {
      leave.members.push_back({member.member_id.str(), string(member.group_instance_id), string(member.reason)});
      response.members.push_back({std::move(member.member_id), std::move(member.group_instance_id), ErrorCode::none});
    }
  } else {
    leave.members.push_back({request.member_id.str(), {}, {}});
  }

  LeftGroup unavailable;
  unavailable.error = ErrorCode::coordinator_not_available;
  session.ask_coordinator(
      request.group_id.view(), std::move(leave), unavailable,
      [&session, call, response = std::move(response)](const LeftGroup& left) mutable {
        response.error_code = left.error;
        if (call.version < kFirstLeaveGroupBatched && left.error == ErrorCode::none)
          response.error_code = left.member_errors.empty() ? ErrorCode::none : left.member_errors.front();
        for (std::size_t i = 0; i < response.members.size(); ++i)
          response.members[i].error_code = i < left.member_errors.size() ? left.member_errors[i] : left.error;
        session.respond(call, response);
      });
}

}  // namespace braid::kafka
