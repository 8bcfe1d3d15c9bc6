// Braid, Apache-2.0.
//
// Groups as administrators see them: listed, described, deleted, and robbed of offsets; in every version.
#include "codecs/kafka/messages/consumer_protocol.hpp"
#include "unit/actors/kafka_group_support.hpp"

namespace braid::test {

namespace {

DescribeGroupsResponse::Group describe(KafkaClient& client, const std::string& group, std::int16_t version = 5) {
  DescribeGroupsRequest request;
  request.groups = {Text(group)};
  return client.call<DescribeGroupsResponse>(request, version).groups.at(0);
}
std::map<std::string, std::string> listed(KafkaClient& client, std::vector<std::string> states = {},
                                          std::vector<std::string> types = {}) {
  ListGroupsRequest request;
  for (const std::string& state : states) request.states_filter.emplace_back(state);
  for (const std::string& type : types) request.types_filter.emplace_back(type);
  const auto response = client.call<ListGroupsResponse>(request, 5);
  REQUIRE(response.error_code == ErrorCode::none);
  std::map<std::string, std::string> groups;
  for (const auto& group : response.groups) {
    groups[group.group_id.str()] = group.group_state.str() + " " + group.protocol_type.str();
    CHECK(group.group_type.view() == "classic");
  }
  CHECK(groups.size() == response.groups.size());
  return groups;
}
ErrorCode remove(KafkaClient& client, const std::string& group, std::int16_t version = 2) {
  DeleteGroupsRequest request;
  request.groups_names = {Text(group)};
  return client.call<DeleteGroupsResponse>(request, version).results.at(0).error_code;
}
OffsetDeleteResponse delete_offsets(KafkaClient& client, const std::string& group, const std::string& topic,
                                    std::vector<std::int32_t> partitions) {
  OffsetDeleteRequest request;
  request.group_id = Text(group);
  request.topics.resize(1);
  request.topics[0].name = Text(topic);
  for (const std::int32_t partition : partitions) request.topics[0].partitions.push_back({partition});
  return client.call<OffsetDeleteResponse>(request, 0);
}
void leave(KafkaClient& client, const std::string& group, const std::string& member) {
  LeaveGroupRequest request;
  request.group_id = Text(group);
  request.member_id = Text(member);
  REQUIRE(client.call<LeaveGroupResponse>(request, 1).error_code == ErrorCode::none);
}
/// A member that subscribes to `topic`, alone in its group.
std::string subscribed(KafkaClient& client, const std::string& group, const std::string& topic) {
  auto request = join_request(group);
  ConsumerProtocolSubscription subscription;
  subscription.topics = {Text(topic)};
  request.protocols[0].metadata = encode_subscription(subscription, 0);
  const auto joined = client.call<JoinGroupResponse>(request, 3);
  REQUIRE(joined.error_code == ErrorCode::none);
  SyncGroupRequest sync;
  sync.group_id = Text(group);
  sync.generation_id = joined.generation_id;
  sync.member_id = joined.member_id;
  REQUIRE(client.call<SyncGroupResponse>(sync, 3).error_code == ErrorCode::none);
  return joined.member_id.str();
}

}  // namespace

TEST_CASE("a group is described with its members in every version") {
  KafkaWorld world;
  auto& client = world.client();
  const std::string member = alone(client, "g");
  for (std::int16_t version = 0; version <= 6; ++version) {
    INFO("DescribeGroups " << version);
    DescribeGroupsRequest request;
    request.groups = {Text("g"), Text("nobody")};
    request.include_authorized_operations = version >= 3;
    const auto groups = client.call<DescribeGroupsResponse>(request, version).groups;
    REQUIRE(groups.size() == 2);
    CHECK(groups[0].error_code == ErrorCode::none);
    CHECK(groups[0].group_state.view() == "Stable");
    CHECK(groups[0].protocol_type.view() == "consumer");
    CHECK(groups[0].protocol_data.view() == "range");
    REQUIRE(groups[0].members.size() == 1);
    CHECK(groups[0].members[0].member_id == Text(member));
    CHECK(groups[0].members[0].client_id.view() == "test-client");
    CHECK(groups[0].members[0].client_host.view().substr(0, 1) == "/");
    CHECK(groups[0].members[0].member_metadata.view() == "topics");
    CHECK(groups[0].members[0].member_assignment.view() == "all");
    CHECK(groups[0].authorized_operations == (version >= 3 ? 3400 : INT32_MIN));
    CHECK(groups[1].group_state.view() == "Dead");
    CHECK(groups[1].error_code == (version >= 6 ? ErrorCode::group_id_not_found : ErrorCode::none));
    CHECK(groups[1].error_message.has_value() == (version >= 6));
  }
}

TEST_CASE("a group is described in each of its states") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  auto& other = world.client();
  const std::string member = alone(client, "g");
  CHECK(commit(world, client, "g", 1, member, 1) == ErrorCode::none);
  const auto waiting = other.send(join_request("g"), 3);
  world.world().run_for(100);
  const auto preparing = describe(client, "g");
  CHECK(preparing.group_state.view() == "PreparingRebalance");
  CHECK(preparing.protocol_data.empty());
  REQUIRE(preparing.members.size() == 2);
  CHECK(preparing.members[0].member_metadata.empty());
  CHECK(client.call<JoinGroupResponse>(join_request("g", member), 3).generation_id == 2);
  CHECK(describe(client, "g").group_state.view() == "CompletingRebalance");
  REQUIRE(other.wait(waiting));
  const std::string second = other.read<JoinGroupResponse>(waiting, 3).member_id.str();
  leave(client, "g", member);
  leave(client, "g", second);
  const auto empty = describe(client, "g");
  CHECK(empty.group_state.view() == "Empty");
  CHECK(empty.protocol_type.view() == "consumer");
  CHECK(empty.members.empty());
  world.world().run_for(200000);  // known by its offset only
  CHECK(describe(client, "g").group_state.view() == "Empty");
  CHECK(describe(client, "g").protocol_type.view() == "consumer");
  world.restart();
  auto& later = world.client();
  CHECK(fetch(later, "g").committed_offset == 1);
  CHECK(describe(later, "g").protocol_type.view() == "consumer");
}

TEST_CASE("groups are listed in every version, and by state and type") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  CHECK(listed(client).empty());
  for (int i = 0; i < 10; ++i) CHECK(commit(world, client, "simple-" + std::to_string(i), i) == ErrorCode::none);
  const std::string member = alone(client, "busy");
  CHECK(commit(world, client, "busy", 1, member, 1) == ErrorCode::none);
  for (std::int16_t version = 0; version <= 5; ++version) {
    const auto response = client.call<ListGroupsResponse>(ListGroupsRequest{}, version);
    CHECK(response.error_code == ErrorCode::none);
    CHECK(response.groups.size() == 11);
  }
  CHECK(listed(client)["busy"] == "Stable consumer");
  CHECK(listed(client)["simple-3"] == "Empty ");
  CHECK(listed(client, {"stable"}) == std::map<std::string, std::string>{{"busy", "Stable consumer"}});
  CHECK(listed(client, {"Empty", "Dead"}).size() == 10);
  CHECK(listed(client, {}, {"Classic"}).size() == 11);
  CHECK(listed(client, {}, {"consumer", "share"}).empty());
  leave(client, "busy", member);
  CHECK(listed(client)["busy"] == "Empty consumer");
}

TEST_CASE("only a group without members can be deleted, and its offsets go with it") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  for (std::int16_t version = 0; version <= 2; ++version) {
    const std::string group = "g" + std::to_string(version);
    CHECK(remove(client, group, version) == ErrorCode::group_id_not_found);
    CHECK(commit(world, client, group, 1) == ErrorCode::none);
    const std::string member = alone(client, group);
    CHECK(remove(client, group, version) == ErrorCode::non_empty_group);
    CHECK(fetch(client, group).committed_offset == 1);
    leave(client, group, member);
    CHECK(remove(client, group, version) == ErrorCode::none);
    CHECK(remove(client, group, version) == ErrorCode::group_id_not_found);
    CHECK(fetch(client, group).committed_offset == -1);
    CHECK(listed(client).count(group) == 0);
  }
  CHECK(commit(world, client, "kept", 1) == ErrorCode::none);
  CHECK(commit(world, client, "gone", 1) == ErrorCode::none);
  CHECK(remove(client, "gone") == ErrorCode::none);
  world.restart();
  auto& later = world.client();
  CHECK(fetch(later, "kept").committed_offset == 1);
  CHECK(fetch(later, "gone").committed_offset == -1);
  CHECK(listed(later).size() == 1);
  alone(later, "gone");
}

TEST_CASE("a commit that is overtaken by the deletion of its group leaves nothing behind") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  CHECK(commit(world, client, "g", 1) == ErrorCode::none);
  DeleteGroupsRequest remove_group;
  remove_group.groups_names = {Text("g")};
  const auto committed = client.send(commit_request(world, "g", "t", {{0, 2}}), 7);
  const auto removed = client.send(remove_group, 2);
  REQUIRE(client.wait(removed));
  CHECK(client.read<OffsetCommitResponse>(committed, 7).topics.at(0).partitions.at(0).error_code == ErrorCode::none);
  CHECK(client.read<DeleteGroupsResponse>(removed, 2).results.at(0).error_code == ErrorCode::none);
  CHECK(fetch(client, "g").committed_offset == -1);
  world.restart();
  CHECK(fetch(world.client(), "g").committed_offset == -1);
}

TEST_CASE("offsets are deleted unless a member subscribes to their topic") {
  KafkaWorld world;
  world.create_topic("t", 2);
  world.create_topic("read");
  auto& client = world.client();
  CHECK(delete_offsets(client, "g", "t", {0}).error_code == ErrorCode::group_id_not_found);
  CHECK(client.call<OffsetCommitResponse>(commit_request(world, "g", "t", {{0, 1}, {1, 2}}), 7)
            .topics.at(0)
            .partitions.at(1)
            .error_code == ErrorCode::none);
  const std::string member = subscribed(client, "g", "read");
  CHECK(client.call<OffsetCommitResponse>(commit_request(world, "g", "read", {{0, 3}}, member, 1), 7)
            .topics.at(0)
            .partitions.at(0)
            .error_code == ErrorCode::none);
  const auto deleted = delete_offsets(client, "g", "t", {0, 7});
  CHECK(deleted.error_code == ErrorCode::none);
  CHECK(deleted.topics.at(0).partitions.at(0).error_code == ErrorCode::none);
  CHECK(deleted.topics.at(0).partitions.at(1).error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(fetch(client, "g", 0).committed_offset == -1);
  CHECK(fetch(client, "g", 1).committed_offset == 2);
  CHECK(delete_offsets(client, "g", "read", {0}).topics.at(0).partitions.at(0).error_code ==
        ErrorCode::group_subscribed_to_topic);
  leave(client, "g", member);
  CHECK(delete_offsets(client, "g", "read", {0}).topics.at(0).partitions.at(0).error_code == ErrorCode::none);
  CHECK(delete_offsets(client, "g", "t", {0, 1}).topics.at(0).partitions.at(1).error_code == ErrorCode::none);
  CHECK(fetch(client, "g", 1).committed_offset == -1);
}

TEST_CASE("what members of another kind read is not known, so nothing is taken from them") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  auto request = join_request("connect");
  request.protocol_type = Text("connect");
  CHECK(client.call<JoinGroupResponse>(request, 3).error_code == ErrorCode::none);
  CHECK(delete_offsets(client, "connect", "t", {0}).error_code == ErrorCode::non_empty_group);
  // A consumer whose subscription is no such thing may read everything.
  alone(client, "odd");
  CHECK(delete_offsets(client, "odd", "t", {0}).topics.at(0).partitions.at(0).error_code ==
        ErrorCode::group_subscribed_to_topic);
}

}  // namespace braid::test
