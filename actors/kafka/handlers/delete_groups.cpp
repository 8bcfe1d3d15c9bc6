// Braid, Apache-2.0.
//
// DeleteGroups: groups without members, with their offsets. Groups succeed and fail one by one.
#include <memory>
#include <set>

#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

struct DeleteGroupsWork {
  Session& session;
  Call call;
  DeleteGroupsResponse response;
  std::size_t left = 1;  ///< groups asked for, and the handler itself

  void one_done() {
    if (--left == 0) session.respond(call, response);
  }
};

}  // namespace

void delete_groups(Session& session, const Call& call, DeleteGroupsRequest request) {
  const auto work = std::make_shared<DeleteGroupsWork>(DeleteGroupsWork{session, call, {}});
  std::set<std::string_view> seen;
  std::erase_if(request.groups_names, [&](const Text& group) { return !seen.insert(group.view()).second; });
  work->response.results.resize(request.groups_names.size());
  for (std::size_t i = 0; i < request.groups_names.size(); ++i) {
    const Text& group = request.groups_names[i];
    work->response.results[i].group_id = group;
    ++work->left;
    session.ask_coordinator(group.view(), DeleteGroup{group.str()}, GroupError{ErrorCode::coordinator_not_available},
                            [work, i](const GroupError& result) {
                              work->response.results[i].error_code = result.error;
                              work->one_done();
                            });
  }
  work->one_done();
}

}  // namespace braid::kafka
