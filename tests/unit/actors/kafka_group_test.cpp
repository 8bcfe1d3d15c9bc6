// Braid, Apache-2.0.
//
// Groups and committed offsets over the wire, in every version, and over a restart of the node.
#include "unit/actors/kafka_group_support.hpp"

namespace braid::test {

using namespace kafka;

TEST_CASE("a group's coordinator is this node, in every version") {
  KafkaWorld world;
  auto& client = world.client();
  FindCoordinatorRequest request;
  request.key = Text("g");
  for (std::int16_t version = 0; version <= 3; ++version) {
    const auto found = client.call<FindCoordinatorResponse>(request, version);
    CHECK(found.error_code == ErrorCode::none);
    CHECK(found.node_id == world.settings().node_id);
    CHECK(found.port == world.settings().kafka.port);
  }
  request.key = Text();
  request.coordinator_keys = {Text("g"), Text("h")};
  for (std::int16_t version = 4; version <= 6; ++version) {
    const auto found = client.call<FindCoordinatorResponse>(request, version);
    REQUIRE(found.coordinators.size() == 2);
    CHECK(found.coordinators[1].key == Text("h"));
    CHECK(found.coordinators[1].host.view() == "broker");
  }
  request.key_type = 2;
  CHECK(client.call<FindCoordinatorResponse>(request, 6).coordinators.at(0).error_code == ErrorCode::invalid_request);
}

TEST_CASE("a member joins, syncs, beats and leaves in every version") {
  KafkaWorld world;
  auto& client = world.client();
  for (std::int16_t version = 0; version <= 9; ++version) {
    INFO("JoinGroup " << version);
    const std::string group = "g" + std::to_string(version);
    auto joined = client.call<JoinGroupResponse>(join_request(group), version);
    if (version >= 4) {
      CHECK(joined.error_code == ErrorCode::member_id_required);
      CHECK(joined.member_id.view().substr(0, 12) == "test-client-");
      joined = client.call<JoinGroupResponse>(join_request(group, joined.member_id.str()), version);
    }
    CHECK(joined.error_code == ErrorCode::none);
    CHECK(joined.generation_id == 1);
    CHECK(joined.leader == joined.member_id);
    CHECK(joined.protocol_name == Text("range"));
    REQUIRE(joined.members.size() == 1);
    CHECK(joined.members[0].metadata.view() == "topics");

    SyncGroupRequest sync;
    sync.group_id = Text(group);
    sync.generation_id = 1;
    sync.member_id = joined.member_id;
    sync.assignments.push_back({joined.member_id, Bytes::copy("everything")});
    if (version >= 5)
      CHECK(client.call<SyncGroupResponse>(sync, 5).error_code == ErrorCode::inconsistent_group_protocol);
    sync.protocol_type = Text("consumer");
    sync.protocol_name = Text("range");
    const auto synced = client.call<SyncGroupResponse>(sync, std::min<std::int16_t>(version, 5));
    CHECK(synced.error_code == ErrorCode::none);
    CHECK(synced.assignment.view() == "everything");
    if (version >= 5) CHECK(synced.protocol_name == Text("range"));

    HeartbeatRequest beat;
    beat.group_id = Text(group);
    beat.generation_id = 1;
    beat.member_id = joined.member_id;
    CHECK(client.call<HeartbeatResponse>(beat, std::min<std::int16_t>(version, 4)).error_code == ErrorCode::none);
    beat.generation_id = 2;
    CHECK(client.call<HeartbeatResponse>(beat, 0).error_code == ErrorCode::illegal_generation);

    LeaveGroupRequest leave;
    leave.group_id = Text(group);
    const std::int16_t leave_version = std::min<std::int16_t>(version, 5);
    if (leave_version < 3)
      leave.member_id = joined.member_id;
    else
      leave.members = {{joined.member_id, {}, {}}, {Text("stranger"), {}, {}}};
    const auto left = client.call<LeaveGroupResponse>(leave, leave_version);
    CHECK(left.error_code == ErrorCode::none);
    if (leave_version >= 3) {
      CHECK(left.members.at(0).error_code == ErrorCode::none);
      CHECK(left.members.at(1).error_code == ErrorCode::unknown_member_id);
    } else {
      CHECK(client.call<LeaveGroupResponse>(leave, leave_version).error_code == ErrorCode::unknown_member_id);
    }
  }
}

TEST_CASE("a group without a name is refused") {
  KafkaWorld world;
  auto& client = world.client();
  CHECK(client.call<JoinGroupResponse>(join_request(""), 7).error_code == ErrorCode::invalid_group_id);
  CHECK(client.call<SyncGroupResponse>(SyncGroupRequest{}, 3).error_code == ErrorCode::invalid_group_id);
  CHECK(client.call<HeartbeatResponse>(HeartbeatRequest{}, 3).error_code == ErrorCode::invalid_group_id);
  CHECK(client.call<LeaveGroupResponse>(LeaveGroupRequest{}, 3).error_code == ErrorCode::invalid_group_id);
}

TEST_CASE("two members share a group, and one that goes silent is out after its session") {
  KafkaWorld world;
  auto& one = world.client();
  auto& two = world.client();
  const std::string first = alone(one, "g");
  const auto waiting = two.send(join_request("g"), 3);
  world.world().run_for(1000);
  CHECK_FALSE(two.answered(waiting));
  HeartbeatRequest beat;
  beat.group_id = Text("g");
  beat.generation_id = 1;
  beat.member_id = Text(first);
  CHECK(one.call<HeartbeatResponse>(beat, 3).error_code == ErrorCode::rebalance_in_progress);
  const auto again = one.call<JoinGroupResponse>(join_request("g", first), 3);
  CHECK(again.generation_id == 2);
  CHECK(again.members.size() == 2);
  REQUIRE(two.wait(waiting));
  const auto second = two.read<JoinGroupResponse>(waiting, 3);
  CHECK(second.leader == Text(first));
  SyncGroupRequest sync;
  sync.group_id = Text("g");
  sync.generation_id = 2;
  sync.member_id = second.member_id;
  const auto follower = two.send(sync, 3);
  sync.member_id = Text(first);
  sync.assignments = {{Text(first), Bytes::copy("0")}, {second.member_id, Bytes::copy("1")}};
  CHECK(one.call<SyncGroupResponse>(sync, 3).assignment.view() == "0");
  REQUIRE(two.wait(follower));
  CHECK(two.read<SyncGroupResponse>(follower, 3).assignment.view() == "1");

  // The second one is silent from now on.
  beat.generation_id = 2;
  ErrorCode error = ErrorCode::none;
  for (int i = 0; i < 12 && error == ErrorCode::none; ++i) {
    world.world().run_for(1000);
    error = one.call<HeartbeatResponse>(beat, 3).error_code;
  }
  CHECK(error == ErrorCode::rebalance_in_progress);
  CHECK(one.call<JoinGroupResponse>(join_request("g", first), 3).members.size() == 1);
}

TEST_CASE("offsets are committed and fetched in every version") {
  KafkaWorld world;
  world.create_topic("t", 2);
  auto& client = world.client();
  const TopicId id = world.topic_id("t");
  for (std::int16_t version = 1; version <= 10; ++version) {
    INFO("OffsetCommit " << version);
    const std::string group = "g" + std::to_string(version);
    const auto response =
        client.call<OffsetCommitResponse>(commit_request(world, group, "t", {{0, 100 + version}, {7, 1}}), version);
    CHECK(response.topics.at(0).partitions.at(0).error_code == ErrorCode::none);
    CHECK(response.topics.at(0).partitions.at(1).error_code == ErrorCode::unknown_topic_or_partition);
  }
  for (std::int16_t version = 1; version <= 7; ++version) {
    INFO("OffsetFetch " << version);
    OffsetFetchRequest request;
    request.group_id = Text("g5");
    request.topics->push_back({Text("t"), {0, 1}});
    const auto response = client.call<OffsetFetchResponse>(request, version);
    CHECK(response.error_code == ErrorCode::none);
    const auto& partitions = response.topics.at(0).partitions;
    CHECK(partitions.at(0).committed_offset == 105);
    CHECK(partitions.at(0).metadata == Text("note"));
    CHECK(partitions.at(1).committed_offset == -1);
    CHECK(partitions.at(1).error_code == ErrorCode::none);
    if (version < 2) continue;
    request.topics.reset();
    const auto all = client.call<OffsetFetchResponse>(request, version);
    REQUIRE(all.topics.size() == 1);
    CHECK(all.topics[0].partitions.size() == 1);
  }
  for (std::int16_t version = 8; version <= 10; ++version) {
    INFO("OffsetFetch " << version);
    OffsetFetchRequest request;
    request.groups.resize(3);
    request.groups[0].group_id = Text("g8");
    request.groups[0].topics->push_back({Text("t"), id, {0, 1}});
    TopicId unknown;
    unknown.bytes.fill(1);
    if (version >= 10) request.groups[0].topics->push_back({Text(), unknown, {0}});
    request.groups[1].group_id = Text("g9");
    request.groups[1].topics.reset();
    request.groups[2].group_id = Text("nobody");
    request.groups[2].topics.reset();
    const auto response = client.call<OffsetFetchResponse>(request, version);
    REQUIRE(response.groups.size() == 3);
    for (const auto& group : response.groups) CHECK(group.error_code == ErrorCode::none);
    bool known = false;
    for (const auto& topic : response.groups[0].topics) {
      if (topic.topic_id == unknown) CHECK(topic.partitions.at(0).error_code == ErrorCode::unknown_topic_id);
      if (topic.name == Text("t") || topic.topic_id == id) {
        known = true;
        CHECK(topic.partitions.at(0).committed_offset == 108);
        CHECK(topic.partitions.at(1).committed_offset == -1);
      }
    }
    CHECK(known);
    REQUIRE(response.groups[1].topics.size() == 1);
    if (version >= 10) CHECK(response.groups[1].topics[0].topic_id == id);
    CHECK(response.groups[2].topics.empty());
  }
}

TEST_CASE("only members of the present generation commit, and outsiders only to an empty group") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  CHECK(commit(world, client, "g", 1) == ErrorCode::none);
  CHECK(commit(world, client, "g", 2, "stranger", 3) == ErrorCode::illegal_generation);
  const std::string member = alone(client, "g");
  CHECK(commit(world, client, "g", 3) == ErrorCode::unknown_member_id);
  CHECK(commit(world, client, "g", 4, member, 1) == ErrorCode::none);
  CHECK(commit(world, client, "g", 5, member, 2) == ErrorCode::illegal_generation);
  CHECK(commit(world, client, "g", 6, "stranger", 1) == ErrorCode::unknown_member_id);
  CHECK(fetch(client, "g").committed_offset == 4);
}

TEST_CASE("metadata of an offset has a limit of its own") {
  KafkaWorld world;
  world.create_topic("t", 2);
  auto& client = world.client();
  auto request = commit_request(world, "g", "t", {{0, 1}, {1, 2}});
  request.topics[0].partitions[0].committed_metadata = Text(std::string(4097, 'x'));
  request.topics[0].partitions[1].committed_metadata = Text(std::string(4096, 'x'));
  const auto partitions = client.call<OffsetCommitResponse>(request, 7).topics.at(0).partitions;
  CHECK(partitions.at(0).error_code == ErrorCode::offset_metadata_too_large);
  CHECK(partitions.at(1).error_code == ErrorCode::none);
  CHECK(fetch(client, "g", 0).committed_offset == -1);
  CHECK(fetch(client, "g", 1).committed_offset == 2);
}

TEST_CASE("committed offsets and members survive a power failure") {
  KafkaWorld world;
  world.create_topic("t");
  std::string member;
  {
    auto& client = world.client();
    for (int i = 0; i < 20; ++i)
      CHECK(commit(world, client, "simple-" + std::to_string(i), 100 + i) == ErrorCode::none);
    member = alone(client, "g");
    CHECK(commit(world, client, "g", 42, member, 1) == ErrorCode::none);
  }
  world.restart();
  auto& client = world.client();
  for (int i = 0; i < 20; ++i) CHECK(fetch(client, "simple-" + std::to_string(i)).committed_offset == 100 + i);
  CHECK(fetch(client, "g").committed_offset == 42);
  HeartbeatRequest beat;
  beat.group_id = Text("g");
  beat.generation_id = 1;
  beat.member_id = Text(member);
  CHECK(client.call<HeartbeatResponse>(beat, 3).error_code == ErrorCode::none);
  CHECK(commit(world, client, "g", 43, member, 1) == ErrorCode::none);
  CHECK(commit(world, client, "g", 44, member, 2) == ErrorCode::illegal_generation);
  SyncGroupRequest sync;
  sync.group_id = Text("g");
  sync.generation_id = 1;
  sync.member_id = Text(member);
  CHECK(client.call<SyncGroupResponse>(sync, 3).assignment.view() == "all");
  CHECK(client.call<JoinGroupResponse>(join_request("g", member), 3).generation_id == 2);
}

TEST_CASE("members that do not come back after a restart are out after their session") {
  KafkaWorld world;
  world.create_topic("t");
  const std::string gone = alone(world.client(), "g");
  world.restart();
  auto& client = world.client();
  fetch(client, "g");  // the coordinator has read its partitions
  world.world().run_for(12000);
  HeartbeatRequest beat;
  beat.group_id = Text("g");
  beat.generation_id = 1;
  beat.member_id = Text(gone);
  CHECK(client.call<HeartbeatResponse>(beat, 3).error_code == ErrorCode::unknown_member_id);
  CHECK(commit(world, client, "g", 7) == ErrorCode::none);  // nobody is in the group
  world.restart();
  CHECK(commit(world, world.client(), "g", 8, gone, 1) != ErrorCode::none);
}

TEST_CASE("an assignment is handed out only when the generation would survive") {
  KafkaWorld world;
  for (int round = 0; round < 5; ++round) {
    const std::string group = "g" + std::to_string(round);
    auto& now = world.client();
    const auto joined = now.call<JoinGroupResponse>(join_request(group), 3);
    REQUIRE(joined.error_code == ErrorCode::none);
    SyncGroupRequest sync;
    sync.group_id = Text(group);
    sync.generation_id = joined.generation_id;
    sync.member_id = joined.member_id;
    sync.assignments.push_back({joined.member_id, Bytes::copy("kept")});
    REQUIRE(now.call<SyncGroupResponse>(sync, 3).error_code == ErrorCode::none);
    world.restart();
    auto& later = world.client();
    CHECK(fetch(later, group).committed_offset == -1);
    CHECK(later.call<SyncGroupResponse>(sync, 3).assignment.view() == "kept");
  }
}

TEST_CASE("offsets go with their topic, and one of the same name begins without") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  CHECK(commit(world, client, "g", 7) == ErrorCode::none);
  DeleteTopicsRequest remove;
  remove.topic_names = {Text("t")};
  CHECK(client.call<DeleteTopicsResponse>(remove, 5).responses.at(0).error_code == ErrorCode::none);
  world.create_topic("t");
  CHECK(fetch(client, "g").committed_offset == -1);
  CHECK(commit(world, client, "g", 8) == ErrorCode::none);
  world.restart();
  CHECK(fetch(world.client(), "g").committed_offset == 8);
}

TEST_CASE("offsets of a group without members expire, those of a group with members do not") {
  KafkaWorld world([](Settings& settings) { settings.kafka_protocol.offsets_retention_ms = 60000; });
  world.create_topic("t");
  auto& client = world.client();
  CHECK(commit(world, client, "simple", 1) == ErrorCode::none);
  const std::string member = alone(client, "busy");
  CHECK(commit(world, client, "busy", 2, member, 1) == ErrorCode::none);
  HeartbeatRequest beat;
  beat.group_id = Text("busy");
  beat.generation_id = 1;
  beat.member_id = Text(member);
  for (int i = 0; i < 30; ++i) {
    world.world().run_for(5000);
    REQUIRE(client.call<HeartbeatResponse>(beat, 3).error_code == ErrorCode::none);
  }
  CHECK(fetch(client, "simple").committed_offset == -1);
  CHECK(fetch(client, "busy").committed_offset == 2);
  world.world().run_for(40000);  // silent: the session ends, and the time begins
  CHECK(fetch(client, "busy").committed_offset == 2);
  world.world().run_for(90000);
  CHECK(fetch(client, "busy").committed_offset == -1);
}

TEST_CASE("a group that has been empty for long costs no actor, and comes back when asked for") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  const std::string member = alone(client, "g");
  CHECK(commit(world, client, "g", 5, member, 1) == ErrorCode::none);
  LeaveGroupRequest leave;
  leave.group_id = Text("g");
  leave.member_id = Text(member);
  CHECK(client.call<LeaveGroupResponse>(leave, 1).error_code == ErrorCode::none);
  world.world().run_for(200000);
  HeartbeatRequest beat;
  beat.group_id = Text("g");
  beat.member_id = Text(member);
  CHECK(client.call<HeartbeatResponse>(beat, 3).error_code == ErrorCode::unknown_member_id);
  CHECK(fetch(client, "g").committed_offset == 5);
  alone(client, "g");
}

}  // namespace braid::test
