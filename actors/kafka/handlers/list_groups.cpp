// Braid, Apache-2.0.
//
// ListGroups: the groups of all coordinators, filtered by state and by type. All groups here are of the classic
// protocol.
#include <algorithm>
#include <memory>
#include <set>

#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

constexpr std::string_view kClassic = "classic";

std::string lower(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  std::string result(text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin));
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}
std::set<std::string> lower(const std::vector<Text>& texts) {
  std::set<std::string> result;
  for (const Text& text : texts) result.insert(lower(text.view()));
  return result;
}

struct ListGroupsWork {
  Session& session;
  Call call;
  std::set<std::string> states;  ///< empty: any
  ListGroupsResponse response;
  std::size_t left = 1;  ///< coordinators asked, and the handler itself

  ListGroupsWork(Session& its_session, const Call& its_call, const ListGroupsRequest& request)
      : session(its_session), call(its_call), states(lower(request.states_filter)) {}

  void one_done() {
    if (--left > 0) return;
    if (response.error_code != ErrorCode::none) response.groups.clear();
    session.respond(call, response);
  }
  void add(const GroupsListed& listed) {
    if (listed.error != ErrorCode::none) response.error_code = listed.error;
    for (const ListedGroup& group : listed.groups) {
      const std::string_view state = to_string(group.state);
      if (!states.empty() && states.count(lower(state)) == 0) continue;
      response.groups.push_back(
          {Text(group.group), Text(group.protocol_type), Text::literal(state), Text::literal(kClassic)});
    }
  }
};

}  // namespace

void list_groups(Session& session, const Call& call, ListGroupsRequest request) {
  const auto work = std::make_shared<ListGroupsWork>(session, call, request);
  const std::set<std::string> types = lower(request.types_filter);
  if (types.empty() || types.count(std::string(kClassic)) > 0) {
    for (const GroupCoordinator& coordinator : session.services().coordinators) {
      ++work->left;
      ask(
          &session, coordinator, ListGroups{},
          [work](const GroupsListed& listed) {
            work->add(listed);
            work->one_done();
          },
          [work](const caf::error&) {
            work->response.error_code = ErrorCode::coordinator_not_available;
            work->one_done();
          });
    }
  }
  work->one_done();
}

}  // namespace braid::kafka
