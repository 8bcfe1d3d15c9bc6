// Braid, Apache-2.0.
//
// Static members (KIP-345): an instance that restarts takes its old place, and its old self is fenced.
#include "unit/actors/group_harness.hpp"

namespace braid::test {
namespace {

/// Instances "a" (leader) and "b" in a stable group; returns their member ids.
std::pair<std::string, std::string> two_instances(GroupHarness& h) {
  const std::string id_a = h.joined(h.join({.member = "", .instance = "a"})).member;
  const GroupTicket b = h.join({.member = "", .instance = "b"});
  h.join({.member = id_a, .instance = "a"});
  const std::string id_b = h.joined(b).member;
  h.sync(id_a, 2, {{id_a, "0"}, {id_b, "1"}}, "a");
  h.sync(id_b, 2, {}, "b");
  REQUIRE(h.group.state() == GroupState::stable);
  REQUIRE(h.group.leader() == id_a);
  return {id_a, id_b};
}

}  // namespace

TEST_CASE("an instance joins at once without the detour of KIP-394") {
  GroupHarness h;
  const JoinedGroup& joined = h.joined(h.join({.member = "", .instance = "a", .requires_known_member = true}));
  CHECK(joined.error == ErrorCode::none);
  CHECK(joined.members.at(0).instance == "a");
}

TEST_CASE("an instance that restarts gets a new id and its assignment, without a rebalance") {
  GroupHarness h;
  const auto [id_a, id_b] = two_instances(h);
  const JoinedGroup back = h.joined(h.join({.member = "", .instance = "b"}));
  CHECK(back.error == ErrorCode::none);
  CHECK(back.generation == 2);
  CHECK(back.member != id_b);
  CHECK(h.group.state() == GroupState::stable);
  CHECK(h.synced(h.sync(back.member, 2, {}, "b")).assignment.view() == "1");
  CHECK(h.heartbeat(id_a, 2, "a") == ErrorCode::none);

  // The old self is still running somewhere.
  CHECK(h.heartbeat(id_b, 2, "b") == ErrorCode::fenced_instance_id);
  CHECK(h.commit(id_b, 2, "b") == ErrorCode::fenced_instance_id);
  CHECK(h.synced(h.sync(id_b, 2, {}, "b")).error == ErrorCode::fenced_instance_id);
  CHECK(h.joined(h.join({.member = id_b, .instance = "b"})).error == ErrorCode::fenced_instance_id);
  CHECK(h.leave({{id_b, "b", {}}}) == std::vector{ErrorCode::fenced_instance_id});
  CHECK(h.heartbeat(id_b, 2) == ErrorCode::unknown_member_id);
}

TEST_CASE("a leader that restarts must not assign anew") {
  GroupHarness h;
  const auto [id_a, id_b] = two_instances(h);
  const JoinedGroup old_client = h.joined(h.join({.member = "", .instance = "a"}));
  CHECK(old_client.leader == id_a);  // not itself, so that it takes itself for a follower
  CHECK(old_client.members.empty());
  CHECK(h.group.leader() == old_client.member);

  const JoinedGroup new_client = h.joined(h.join({.member = "", .instance = "a", .supports_skip_assignment = true}));
  CHECK(new_client.leader == new_client.member);
  CHECK(new_client.skip_assignment);
  CHECK(new_client.members.size() == 2);
  CHECK(h.synced(h.sync(new_client.member, 2, {{new_client.member, "wrong"}}, "a")).assignment.view() == "0");
}

TEST_CASE("an instance that restarts with other protocols makes the group rebalance") {
  GroupHarness h;
  two_instances(h);
  CHECK(h.joined(h.join({.member = "", .instance = "b", .protocols = {{"sticky", ""}}})).error ==
        ErrorCode::inconsistent_group_protocol);

  GroupHarness wide;
  const std::vector<std::pair<std::string, std::string>> both = {{"range", ""}, {"sticky", ""}};
  const std::string id = wide.joined(wide.join({.member = "", .instance = "a", .protocols = both})).member;
  wide.sync(id, 1, {{id, "0"}}, "a");
  const JoinedGroup& back = wide.joined(wide.join({.member = "", .instance = "a", .protocols = {{"sticky", ""}}}));
  CHECK(back.generation == 2);
  CHECK(back.protocol == "sticky");
}

TEST_CASE("an instance that restarts while it waits fences the request that waits") {
  GroupHarness h;
  const auto [id_a, id_b] = two_instances(h);
  const GroupTicket join_waits = h.join({.member = id_a, .instance = "a"});
  REQUIRE_FALSE(h.answered(join_waits));
  const GroupTicket back = h.join({.member = "", .instance = "a"});
  CHECK(h.joined(join_waits).error == ErrorCode::fenced_instance_id);
  h.join({.member = id_b, .instance = "b"});
  CHECK(h.joined(back).generation == 3);

  const GroupTicket sync_waits = h.sync(id_b, 3, {}, "b");
  REQUIRE_FALSE(h.answered(sync_waits));
  h.join({.member = "", .instance = "b"});
  CHECK(h.synced(sync_waits).error == ErrorCode::fenced_instance_id);
  CHECK(h.group.state() == GroupState::preparing_rebalance);
}

TEST_CASE("an instance that is away keeps its place until its session ends") {
  GroupHarness h;
  const auto [id_a, id_b] = two_instances(h);
  const std::string back = h.joined(h.join({.member = "", .instance = "a", .session_timeout_ms = 20000})).member;
  for (int i = 0; i < 4; ++i) {
    CHECK(h.group.has_member(back));
    CHECK(h.heartbeat(id_b, 2, "b") == ErrorCode::none);
    h.pass(5000);
  }
  CHECK_FALSE(h.group.has_member(back));
  CHECK(h.heartbeat(id_b, 2, "b") == ErrorCode::rebalance_in_progress);
}

TEST_CASE("a rebalance that finds only absent instances waits for their sessions") {
  GroupHarness h;
  const std::string a =
      h.joined(h.join({.member = "", .instance = "a", .session_timeout_ms = 20000, .rebalance_timeout_ms = 1000}))
          .member;
  h.sync(a, 1, {{a, "0"}}, "a");
  const GroupTicket joining = h.join_new();
  REQUIRE(h.group.state() == GroupState::preparing_rebalance);
  h.leave("id-2");
  CHECK(h.answered(joining));
  h.pass(15000);
  CHECK(h.group.state() == GroupState::preparing_rebalance);
  CHECK(h.group.has_member(a));
  h.pass(10000);
  CHECK(h.group.state() == GroupState::empty);
  CHECK(h.group.idle());
}

TEST_CASE("an administrator removes an instance without knowing its member id") {
  GroupHarness h;
  const auto [id_a, id_b] = two_instances(h);
  CHECK(h.leave({{"", "b", "maintenance"}, {"", "nobody", {}}}) ==
        std::vector{ErrorCode::none, ErrorCode::unknown_member_id});
  CHECK_FALSE(h.group.has_member(id_b));
  CHECK(h.heartbeat(id_a, 2, "a") == ErrorCode::rebalance_in_progress);
}

TEST_CASE("a claim to an instance that does not exist is an unknown member") {
  GroupHarness h;
  const auto [id_a, id_b] = two_instances(h);
  CHECK(h.heartbeat(id_a, 2, "c") == ErrorCode::unknown_member_id);
  CHECK(h.joined(h.join({.member = id_a, .instance = "c"})).error == ErrorCode::unknown_member_id);
  CHECK(h.joined(h.join({.member = id_a, .instance = "b"})).error == ErrorCode::fenced_instance_id);
  const std::string pending = h.joined(h.join({.member = "", .requires_known_member = true})).member;
  CHECK(h.joined(h.join({.member = pending, .instance = "c"})).error == ErrorCode::unknown_member_id);
}

}  // namespace braid::test
