// Braid, Apache-2.0.
//
// DescribeGroups: state and members of groups, each asked at its own coordinator. A group that nobody knows is "Dead",
// which is no error before version 6.
#include <memory>

#include "actors/kafka/handlers/authorized_operations.hpp"
#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/handlers/text.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

constexpr std::int16_t kFirstDescribeGroupsWithNotFound = 6;

struct DescribeGroupsWork {
  Session& session;
  Call call;
  bool include_operations;
  DescribeGroupsResponse response;
  std::size_t left = 1;  ///< groups asked for, and the handler itself

  DescribeGroupsWork(Session& its_session, const Call& its_call, bool operations)
      : session(its_session), call(its_call), include_operations(operations) {}

  void one_done() {
    if (--left == 0) session.respond(call, response);
  }
  void fill(DescribeGroupsResponse::Group& place, const GroupDescription& group) const {
    place.error_code = group.error;
    if (group.error != ErrorCode::none) return;
    place.group_state = Text(to_string(group.state));
    place.protocol_type = Text(group.protocol_type);
    place.protocol_data = Text(group.protocol);
    if (include_operations) place.authorized_operations = kGroupOperations;
    if (group.state == GroupState::dead && call.version >= kFirstDescribeGroupsWithNotFound) {
      place.error_code = ErrorCode::group_id_not_found;
      place.error_message = Text("there is no group \"" + place.group_id.str() + "\"");
    }
    place.members.reserve(group.members.size());
    for (const DescribedMember& member : group.members)
      place.members.push_back({Text(member.member), text(member.instance), Text(member.client_id),
                               Text(member.client_host), member.metadata, member.assignment});
  }
};

}  // namespace

void describe_groups(Session& session, const Call& call, DescribeGroupsRequest request) {
  const auto work = std::make_shared<DescribeGroupsWork>(session, call, request.include_authorized_operations);
  work->response.groups.resize(request.groups.size());
  for (std::size_t i = 0; i < request.groups.size(); ++i) {
    work->response.groups[i].group_id = request.groups[i];
    ++work->left;
    GroupDescription unavailable;
    unavailable.error = ErrorCode::coordinator_not_available;
    session.ask_coordinator(request.groups[i].view(), DescribeGroup{request.groups[i].str()}, unavailable,
                            [work, i](const GroupDescription& group) {
                              work->fill(work->response.groups[i], group);
                              work->one_done();
                            });
  }
  work->one_done();
}

}  // namespace braid::kafka
