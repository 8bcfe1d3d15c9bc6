// Braid, Apache-2.0.
//
// Groups over the wire, in the few lines that most tests of them need.
#pragma once

#include "unit/actors/kafka_world.hpp"

namespace braid::test {

using namespace kafka;

inline JoinGroupRequest join_request(const std::string& group, const std::string& member = "") {
  JoinGroupRequest request;
  request.group_id = Text(group);
  request.member_id = Text(member);
  request.session_timeout_ms = 10000;
  request.rebalance_timeout_ms = 60000;
  request.protocol_type = Text("consumer");
  request.protocols.push_back({Text("range"), Bytes::copy("topics")});
  return request;
}

/// Joins and syncs as the only member; returns its id. The generation is 1.
inline std::string alone(KafkaClient& client, const std::string& group) {
  const auto joined = client.call<JoinGroupResponse>(join_request(group), 3);
  REQUIRE(joined.error_code == ErrorCode::none);
  SyncGroupRequest sync;
  sync.group_id = Text(group);
  sync.generation_id = joined.generation_id;
  sync.member_id = joined.member_id;
  sync.assignments.push_back({joined.member_id, Bytes::copy("all")});
  REQUIRE(client.call<SyncGroupResponse>(sync, 3).error_code == ErrorCode::none);
  return joined.member_id.str();
}

inline OffsetCommitRequest commit_request(KafkaWorld& world, const std::string& group, const std::string& topic,
                                          const std::vector<std::pair<std::int32_t, std::int64_t>>& offsets,
                                          const std::string& member = "", std::int32_t generation = -1) {
  OffsetCommitRequest request;
  request.group_id = Text(group);
  request.member_id = Text(member);
  request.generation_id_or_member_epoch = generation;
  request.topics.resize(1);
  request.topics[0].name = Text(topic);
  request.topics[0].topic_id = world.topic_id(topic);
  for (const auto& [partition, offset] : offsets) {
    OffsetCommitRequest::Partition place;
    place.partition_index = partition;
    place.committed_offset = offset;
    place.committed_metadata = Text("note");
    request.topics[0].partitions.push_back(place);
  }
  return request;
}
inline ErrorCode commit(KafkaWorld& world, KafkaClient& client, const std::string& group, std::int64_t offset,
                        const std::string& member = "", std::int32_t generation = -1) {
  return client.call<OffsetCommitResponse>(commit_request(world, group, "t", {{0, offset}}, member, generation), 7)
      .topics.at(0)
      .partitions.at(0)
      .error_code;
}
inline OffsetFetchResponse::Partition fetch(KafkaClient& client, const std::string& group, std::int32_t partition = 0) {
  OffsetFetchRequest request;
  request.group_id = Text(group);
  request.topics->push_back({Text("t"), {partition}});
  for (int tries = 0; tries < 50; ++tries) {
    const auto response = client.call<OffsetFetchResponse>(request, 5);
    if (response.error_code == ErrorCode::coordinator_load_in_progress) continue;
    REQUIRE(response.error_code == ErrorCode::none);
    return response.topics.at(0).partitions.at(0);
  }
  FAIL("the coordinator does not finish loading");
  return {};
}

}  // namespace braid::test
