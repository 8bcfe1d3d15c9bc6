// Braid, Apache-2.0.
//
// The classic consumer group: joining, rebalancing, syncing, expiring and leaving, and the codes that clients act on.
#include "unit/actors/group_harness.hpp"

namespace braid::test {
namespace {

std::set<std::string> names(const std::vector<GroupMember>& members) {
  std::set<std::string> result;
  for (const GroupMember& member : members) result.insert(member.member);
  return result;
}

}  // namespace

TEST_CASE("a first join under KIP-394 is given an id and joins with it") {
  GroupHarness h;
  const JoinedGroup first = h.joined(h.join({.member = "", .requires_known_member = true}));
  CHECK(first.error == ErrorCode::member_id_required);
  CHECK(first.member == "id-1");
  CHECK(h.group.state() == GroupState::empty);
  CHECK(h.group.pending_members() == 1);

  const JoinedGroup second = h.joined(h.join({.member = first.member, .requires_known_member = true}));
  CHECK(second.error == ErrorCode::none);
  CHECK(second.generation == 1);
  CHECK(second.leader == first.member);
  CHECK(second.member == first.member);
  CHECK(second.protocol_type == "consumer");
  CHECK(second.protocol == "range");
  CHECK(names(second.members) == std::set<std::string>{first.member});
  CHECK(h.group.pending_members() == 0);
}

TEST_CASE("an id that is not used is forgotten after the session timeout") {
  GroupHarness h;
  const std::string id = h.joined(h.join({.member = "", .requires_known_member = true})).member;
  h.pass(10000);
  CHECK(h.group.idle());
  CHECK(h.joined(h.join({.member = id})).error == ErrorCode::unknown_member_id);
}

TEST_CASE("a rebalance waits for an id that was handed out, until it expires") {
  GroupHarness h;
  const auto ids = h.stable_group(1);
  h.join({.member = "", .session_timeout_ms = 6000, .requires_known_member = true});
  CHECK(h.group.state() == GroupState::stable);
  const GroupTicket leader = h.join({.member = ids[0]});
  CHECK_FALSE(h.answered(leader));
  h.pass(6000);
  CHECK(h.joined(leader).generation == 2);
}

TEST_CASE("an id that expires does not disturb a stable group") {
  GroupHarness h;
  const auto ids = h.stable_group(1);
  h.join({.member = "", .session_timeout_ms = 6000, .requires_known_member = true});
  h.pass(6000);
  CHECK(h.group.pending_members() == 0);
  CHECK(h.heartbeat(ids[0], 1) == ErrorCode::none);
}

TEST_CASE("the first rebalance of an empty group waits for further members, longer while they come") {
  GroupHarness h({.initial_rebalance_delay_ms = 3000});
  const GroupTicket first = h.join_new();
  h.pass(2999);
  const GroupTicket second = h.join_new();
  h.pass(1);
  CHECK_FALSE(h.answered(first));
  h.pass(2999);
  CHECK_FALSE(h.answered(first));
  h.pass(1);
  CHECK(h.joined(first).generation == 1);
  CHECK(h.joined(first).leader == h.joined(first).member);
  CHECK(h.joined(first).members.size() == 2);
  CHECK(h.joined(second).members.empty());
  CHECK(h.joined(second).leader == h.joined(first).member);
}

TEST_CASE("the wait for further members ends with the rebalance timeout") {
  GroupHarness h({.initial_rebalance_delay_ms = 3000});
  const GroupTicket first = h.join({.member = "", .rebalance_timeout_ms = 10000});
  for (int i = 0; i < 9; ++i) {
    h.pass(1000);
    h.join({.member = "", .rebalance_timeout_ms = 10000});
    CHECK_FALSE(h.answered(first));
  }
  h.pass(1000);
  CHECK(h.joined(first).members.size() == 10);
}

TEST_CASE("the protocol that most members prefer among those that all speak is selected") {
  GroupHarness h({.initial_rebalance_delay_ms = 1000});
  const GroupTicket a = h.join({.member = "", .protocols = {{"range", "a"}, {"sticky", "A"}}});
  h.join({.member = "", .protocols = {{"sticky", "B"}, {"range", "b"}}});
  h.join({.member = "", .protocols = {{"own", "?"}, {"sticky", "C"}, {"range", "c"}}});
  h.pass(2000);
  const JoinedGroup& leader = h.joined(a);
  CHECK(leader.protocol == "sticky");
  std::set<std::string> metadata;
  for (const GroupMember& member : leader.members) metadata.insert(member.metadata.str());
  CHECK(metadata == std::set<std::string>{"A", "B", "C"});
}

TEST_CASE("a member without a protocol that all others speak is refused") {
  GroupHarness h;
  h.stable_group(2);
  CHECK(h.joined(h.join({.member = "", .protocols = {{"sticky", ""}}})).error ==
        ErrorCode::inconsistent_group_protocol);
  CHECK(h.joined(h.join({.member = "", .protocols = {}})).error == ErrorCode::inconsistent_group_protocol);
  CHECK(h.joined(h.join({.member = "", .protocol_type = "connect"})).error == ErrorCode::inconsistent_group_protocol);
  CHECK(h.group.state() == GroupState::stable);
}

TEST_CASE("an empty group needs a protocol type and a protocol") {
  GroupHarness h;
  CHECK(h.joined(h.join({.member = "", .protocols = {}})).error == ErrorCode::inconsistent_group_protocol);
  CHECK(h.joined(h.join({.member = "", .protocol_type = ""})).error == ErrorCode::inconsistent_group_protocol);
  CHECK(h.group.idle());
}

TEST_CASE("a protocol named twice counts once") {
  GroupHarness h({.initial_rebalance_delay_ms = 1000});
  const GroupTicket a = h.join({.member = "", .protocols = {{"range", "first"}, {"range", "second"}}});
  h.join({.member = "", .protocols = {{"range", "other"}, {"range", "again"}}});
  h.pass(2000);
  CHECK(h.joined(a).protocol == "range");
  CHECK(h.joined(a).members.size() == 2);
}

TEST_CASE("a session timeout outside of the limits is refused") {
  GroupHarness h;
  CHECK(h.joined(h.join({.member = "", .session_timeout_ms = 5999})).error == ErrorCode::invalid_session_timeout);
  CHECK(h.joined(h.join({.member = "", .session_timeout_ms = 1800001})).error == ErrorCode::invalid_session_timeout);
  CHECK(h.group.idle());
}

TEST_CASE("a full group takes nobody more") {
  GroupHarness h({.initial_rebalance_delay_ms = 0, .max_members = 2});
  h.stable_group(2);
  CHECK(h.joined(h.join_new()).error == ErrorCode::group_max_size_reached);
  CHECK(h.joined(h.join({.member = "", .requires_known_member = true})).error == ErrorCode::group_max_size_reached);
}

TEST_CASE("a group does not hand out ids without end") {
  GroupHarness h({.initial_rebalance_delay_ms = 0, .max_members = 2});
  const std::string id = h.joined(h.join({.member = "", .requires_known_member = true})).member;
  h.join({.member = "", .requires_known_member = true});
  CHECK(h.joined(h.join({.member = "", .requires_known_member = true})).error == ErrorCode::group_max_size_reached);
  CHECK(h.group.pending_members() == 2);
  const GroupTicket joined = h.join({.member = id});
  h.pass(10000);
  CHECK(h.joined(joined).error == ErrorCode::none);
}

TEST_CASE("while a full group rebalances the first to join again keep their places") {
  GroupHarness h({.initial_rebalance_delay_ms = 0, .max_members = 2});
  const auto ids = h.stable_group(2);
  const std::string leader = h.group.leader();
  const std::string late = ids[0] == leader ? ids[1] : ids[0];
  const GroupTicket first = h.join({.member = leader}), newcomer = h.join_new();
  CHECK(h.joined(h.join({.member = late})).error == ErrorCode::group_max_size_reached);
  h.pass(60000);
  CHECK(h.joined(first).error == ErrorCode::none);
  CHECK(h.joined(newcomer).error == ErrorCode::none);
  CHECK_FALSE(h.group.has_member(late));
}

TEST_CASE("followers wait in sync for the assignment that the leader makes") {
  GroupHarness h({.initial_rebalance_delay_ms = 1000});
  const GroupTicket a = h.join_new(), b = h.join_new();
  h.pass(2000);
  const std::string leader = h.joined(a).member, follower = h.joined(b).member;
  REQUIRE(h.joined(a).leader == leader);

  const GroupTicket waiting = h.sync(follower, 1);
  CHECK_FALSE(h.answered(waiting));
  CHECK(h.group.state() == GroupState::completing_rebalance);
  CHECK(h.heartbeat(follower, 1) == ErrorCode::none);

  const GroupTicket led = h.sync(leader, 1, {{leader, "0,1"}, {follower, "2,3"}, {"stranger", "4"}});
  CHECK(h.synced(led).assignment.view() == "0,1");
  CHECK(h.synced(waiting).assignment.view() == "2,3");
  CHECK(h.synced(waiting).protocol == "range");
  CHECK(h.synced(waiting).protocol_type == "consumer");
  CHECK(h.group.state() == GroupState::stable);
  CHECK(h.synced(h.sync(follower, 1)).assignment.view() == "2,3");
}

TEST_CASE("a member that the leader forgot gets an empty assignment") {
  GroupHarness h({.initial_rebalance_delay_ms = 1000});
  const GroupTicket a = h.join_new(), b = h.join_new();
  h.pass(2000);
  const GroupTicket waiting = h.sync(h.joined(b).member, 1);
  h.sync(h.joined(a).member, 1, {{h.joined(a).member, "all"}});
  CHECK(h.synced(waiting).error == ErrorCode::none);
  CHECK(h.synced(waiting).assignment.empty());
}

TEST_CASE("sync checks member, generation and protocol") {
  GroupHarness h;
  const auto ids = h.stable_group(1);
  CHECK(h.synced(h.sync("stranger", 1)).error == ErrorCode::unknown_member_id);
  CHECK(h.synced(h.sync(ids[0], 2)).error == ErrorCode::illegal_generation);
  SyncGroup request;
  request.member = ids[0];
  request.generation = 1;
  request.protocol = "sticky";
  CHECK(h.synced(h.sync(request)).error == ErrorCode::inconsistent_group_protocol);
  request.protocol = "range";
  request.protocol_type = "connect";
  CHECK(h.synced(h.sync(request)).error == ErrorCode::inconsistent_group_protocol);
  request.protocol_type = "consumer";
  CHECK(h.synced(h.sync(request)).error == ErrorCode::none);
}

TEST_CASE("a new member makes the others rejoin, as their heartbeats tell them") {
  GroupHarness h;
  const auto ids = h.stable_group(1);
  const GroupTicket newcomer = h.join_new();
  CHECK_FALSE(h.answered(newcomer));
  CHECK(h.heartbeat(ids[0], 1) == ErrorCode::rebalance_in_progress);
  CHECK(h.synced(h.sync(ids[0], 1)).error == ErrorCode::rebalance_in_progress);
  const GroupTicket again = h.join({.member = ids[0]});
  CHECK(h.joined(again).generation == 2);
  CHECK(h.joined(again).leader == ids[0]);
  CHECK(h.joined(again).members.size() == 2);
  CHECK(h.joined(newcomer).generation == 2);
  CHECK(h.heartbeat(ids[0], 1) == ErrorCode::illegal_generation);
}

TEST_CASE("a rebalance that begins while members wait in sync sends them back to join") {
  GroupHarness h({.initial_rebalance_delay_ms = 1000});
  h.join_new();
  const GroupTicket b = h.join_new();
  h.pass(2000);
  const GroupTicket waiting = h.sync(h.joined(b).member, 1);
  h.join_new();
  CHECK(h.synced(waiting).error == ErrorCode::rebalance_in_progress);
  CHECK(h.group.state() == GroupState::preparing_rebalance);
}

TEST_CASE("who does not rejoin within the rebalance timeout is out, and another member leads") {
  GroupHarness h;
  const auto ids = h.stable_group(2);
  const std::string leader = h.group.leader();
  const std::string follower = ids[0] == leader ? ids[1] : ids[0];
  const std::int32_t generation = h.group.generation();
  const GroupTicket newcomer = h.join({.member = "", .rebalance_timeout_ms = 1000});
  const GroupTicket again = h.join({.member = follower});
  for (int i = 0; i < 12; ++i) {  // heartbeats alone do not save the leader
    REQUIRE(h.heartbeat(leader, generation) == ErrorCode::rebalance_in_progress);
    h.pass(5000);
  }
  CHECK_FALSE(h.group.has_member(leader));
  CHECK(h.joined(again).generation == generation + 1);
  CHECK(h.joined(newcomer).generation == generation + 1);
  CHECK((h.group.leader() == follower || h.group.leader() == h.joined(newcomer).member));
  CHECK(h.heartbeat(leader, generation) == ErrorCode::unknown_member_id);
}

TEST_CASE("a silent member expires with its session and the others rebalance") {
  GroupHarness h;
  const auto ids = h.stable_group(2);
  const std::int32_t generation = h.group.generation();
  h.pass(9000);
  CHECK(h.heartbeat(ids[0], generation) == ErrorCode::none);
  h.pass(1000);
  CHECK_FALSE(h.group.has_member(ids[1]));
  CHECK(h.heartbeat(ids[0], generation) == ErrorCode::rebalance_in_progress);
  CHECK(h.joined(h.join({.member = ids[0]})).members.size() == 1);
}

TEST_CASE("heartbeats keep a member for as long as they come") {
  GroupHarness h;
  const auto ids = h.stable_group(1);
  for (int i = 0; i < 1000; ++i) {
    h.pass(9999);
    REQUIRE(h.heartbeat(ids[0], 1) == ErrorCode::none);
  }
  h.pass(10000);
  CHECK(h.group.idle());
  CHECK(h.group.state() == GroupState::empty);
}

TEST_CASE("a member that waits for its join is not expected to send heartbeats") {
  GroupHarness h;
  const auto ids = h.stable_group(2);
  const std::string leader = h.group.leader();
  const std::string other = ids[0] == leader ? ids[1] : ids[0];
  const std::int32_t generation = h.group.generation();
  const GroupTicket waiting = h.join({.member = leader});
  for (int i = 0; i < 11; ++i) {
    h.pass(5000);
    REQUIRE(h.heartbeat(other, generation) == ErrorCode::rebalance_in_progress);
  }
  CHECK_FALSE(h.answered(waiting));
  h.pass(5000);
  CHECK(h.joined(waiting).error == ErrorCode::none);
}

TEST_CASE("a first join whose client vanished ends after five minutes") {
  GroupHarness h;
  const auto ids = h.stable_group(1);
  h.join({.member = ids[0], .rebalance_timeout_ms = 3600000});
  h.sync(ids[0], 2, {});
  REQUIRE(h.group.state() == GroupState::stable);
  const GroupTicket vanished = h.join({.member = "", .session_timeout_ms = 1800000, .rebalance_timeout_ms = 3600000});
  for (int i = 0; i < 60; ++i) {
    CHECK_FALSE(h.answered(vanished));
    REQUIRE(h.heartbeat(ids[0], 2) == ErrorCode::rebalance_in_progress);
    h.pass(5000);
  }
  CHECK(h.joined(vanished).error == ErrorCode::unknown_member_id);
}

TEST_CASE("who leaves makes the others rebalance; the last one leaves an empty group") {
  GroupHarness h;
  const auto ids = h.stable_group(2);
  const std::int32_t generation = h.group.generation();
  CHECK(h.leave("stranger") == ErrorCode::unknown_member_id);
  CHECK(h.leave(ids[0]) == ErrorCode::none);
  CHECK(h.heartbeat(ids[1], generation) == ErrorCode::rebalance_in_progress);
  CHECK(h.joined(h.join({.member = ids[1]})).leader == ids[1]);
  CHECK(h.leave(ids[1]) == ErrorCode::none);
  CHECK(h.group.state() == GroupState::empty);
  CHECK(h.group.generation() == generation + 2);
  CHECK(h.heartbeat(ids[1], generation + 1) == ErrorCode::unknown_member_id);
  CHECK_FALSE(h.group.next_deadline_ms());
}

TEST_CASE("several leave at once and each gets its own answer") {
  GroupHarness h;
  const auto ids = h.stable_group(3);
  const std::string pending = h.joined(h.join({.member = "", .requires_known_member = true})).member;
  const auto errors = h.leave({{ids[0], {}, {}}, {"stranger", {}, {}}, {ids[1], {}, {}}, {pending, {}, {}}});
  CHECK(errors == std::vector{ErrorCode::none, ErrorCode::unknown_member_id, ErrorCode::none, ErrorCode::none});
  CHECK(h.group.members() == 1);
  CHECK(h.group.pending_members() == 0);
}

TEST_CASE("who leaves while it waits is answered") {
  GroupHarness h;
  h.stable_group(2);
  const std::string leader = h.group.leader();
  const GroupTicket waiting = h.join({.member = leader});
  h.leave(leader);
  CHECK(h.joined(waiting).error == ErrorCode::unknown_member_id);
}

TEST_CASE("a follower that joins unchanged into a stable group gets the present generation") {
  GroupHarness h;
  const auto ids = h.stable_group(2);
  const std::string follower = ids[0] == h.group.leader() ? ids[1] : ids[0];
  const JoinedGroup& same = h.joined(h.join({.member = follower}));
  CHECK(same.generation == h.group.generation());
  CHECK(same.members.empty());
  CHECK(h.group.state() == GroupState::stable);

  h.join({.member = follower, .protocols = {{"range", "other topics"}}});
  CHECK(h.group.state() == GroupState::preparing_rebalance);
}

TEST_CASE("a leader that joins again wants a new assignment") {
  GroupHarness h;
  h.stable_group(2);
  h.join({.member = h.group.leader()});
  CHECK(h.group.state() == GroupState::preparing_rebalance);
}

TEST_CASE("a join whose answer was lost is answered again") {
  GroupHarness h;
  const JoinedGroup first = h.joined(h.join_new());
  const JoinedGroup again = h.joined(h.join({.member = first.member}));
  CHECK(again.generation == first.generation);
  CHECK(again.members.size() == 1);
  CHECK(h.group.state() == GroupState::completing_rebalance);
}

TEST_CASE("of two joins of one member the later one is answered in full") {
  GroupHarness h;
  h.stable_group(2);
  const std::string leader = h.group.leader();
  const GroupTicket first = h.join({.member = leader}), second = h.join({.member = leader});
  CHECK(h.joined(first).error == ErrorCode::rebalance_in_progress);
  CHECK_FALSE(h.answered(second));
}

TEST_CASE("who has joined but never syncs is out after the rebalance timeout") {
  GroupHarness h({.initial_rebalance_delay_ms = 1000});
  const GroupTicket a = h.join_new(), b = h.join_new();
  h.pass(2000);
  const std::string leader = h.joined(a).member, silent = h.joined(b).member;
  h.sync(leader, 1, {});
  for (int i = 0; i < 12; ++i) {
    REQUIRE(h.heartbeat(leader, 1) == ErrorCode::none);
    REQUIRE(h.heartbeat(silent, 1) == ErrorCode::none);
    h.pass(5000);
  }
  CHECK_FALSE(h.group.has_member(silent));
  CHECK(h.group.state() == GroupState::preparing_rebalance);
}

TEST_CASE("a commit needs a member of the present generation, or a group without members") {
  GroupHarness h;
  CHECK(h.commit("", -1) == ErrorCode::none);
  CHECK(h.commit("stranger", 1) == ErrorCode::unknown_member_id);
  const auto ids = h.stable_group(1);
  CHECK(h.commit("", -1) == ErrorCode::unknown_member_id);
  CHECK(h.commit(ids[0], 1) == ErrorCode::none);
  CHECK(h.commit(ids[0], 2) == ErrorCode::illegal_generation);
  CHECK(h.commit("stranger", 1) == ErrorCode::unknown_member_id);
  CHECK(h.commit(ids[0], 1, "instance") == ErrorCode::unknown_member_id);

  const GroupTicket newcomer = h.join_new();
  CHECK(h.commit(ids[0], 1) == ErrorCode::none);  // while it is asked to give partitions up
  h.join({.member = ids[0]});
  CHECK(h.commit(ids[0], 2) == ErrorCode::rebalance_in_progress);
  CHECK(h.commit(h.joined(newcomer).member, 1) == ErrorCode::illegal_generation);
}

TEST_CASE("a commit counts as a sign of life") {
  GroupHarness h;
  const auto ids = h.stable_group(1);
  h.pass(9000);
  CHECK(h.commit(ids[0], 1) == ErrorCode::none);
  h.pass(9000);
  CHECK(h.group.has_member(ids[0]));
}

TEST_CASE("a closed group sends everybody to look for the coordinator") {
  GroupHarness h;
  h.stable_group(2);
  const GroupTicket waiting = h.join({.member = h.group.leader()});
  h.close();
  CHECK(h.joined(waiting).error == ErrorCode::coordinator_not_available);
  CHECK(h.joined(h.join_new()).error == ErrorCode::coordinator_not_available);
  CHECK(h.synced(h.sync("id", 1)).error == ErrorCode::coordinator_not_available);
  CHECK(h.heartbeat("id", 1) == ErrorCode::coordinator_not_available);
  CHECK(h.commit("", -1) == ErrorCode::coordinator_not_available);
  CHECK_FALSE(h.group.next_deadline_ms());
}

}  // namespace braid::test
