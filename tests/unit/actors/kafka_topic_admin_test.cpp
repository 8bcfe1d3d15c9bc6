// Braid, Apache-2.0.
//
// Topics and the cluster as administrators see and change them, beside creation and deletion (kafka_topics_test.cpp).
#include "actors/node.hpp"
#include "unit/actors/kafka_world.hpp"

namespace braid::test {

using namespace kafka;

namespace {

CreatePartitionsRequest::Topic grown(const std::string& name, std::int32_t count) {
  CreatePartitionsRequest::Topic topic;
  topic.name = Text(name);
  topic.count = count;
  topic.assignments.reset();
  return topic;
}

}  // namespace

TEST_CASE("partitions are added in every version, and can be written at once") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  for (std::int16_t version = 0; version <= 3; ++version) {
    CreatePartitionsRequest request;
    request.topics = {grown("t", 3 + version)};
    request.timeout_ms = 10000;
    const auto result = client.call<CreatePartitionsResponse>(request, version).results.at(0);
    CHECK(result.error_code == ErrorCode::none);
    CHECK_FALSE(result.error_message);
    CHECK(world.partitions("t") == static_cast<std::size_t>(3 + version));
  }
  const auto produced = client.call<ProduceResponse>(produce_to("t", 5, make_batch({"in the last one"})), 7);
  CHECK(produced.responses.at(0).partition_responses.at(0).error_code == ErrorCode::none);
  world.restart();
  CHECK(world.partitions("t") == 6);
}

TEST_CASE("partitions that cannot be added have their code and leave the others alone") {
  KafkaWorld world;
  world.create_topic("t", 2);
  world.create_topic("more", 2);
  auto& client = world.client();
  CreatePartitionsRequest request;
  request.timeout_ms = 10000;
  request.topics = {grown("t", 2),     grown("unknown", 3), grown("__consumer_offsets", 100),
                    grown("twice", 3), grown("twice", 3),   grown("more", 4)};
  request.topics[5].assignments.emplace();
  request.topics[5].assignments->resize(2);
  for (auto& assignment : *request.topics[5].assignments) assignment.broker_ids = {world.settings().node_id};
  auto results = client.call<CreatePartitionsResponse>(request, 3).results;
  const std::vector<ErrorCode> expected = {ErrorCode::invalid_partitions, ErrorCode::unknown_topic_or_partition,
                                           ErrorCode::invalid_partitions, ErrorCode::invalid_request,
                                           ErrorCode::invalid_request,    ErrorCode::none};
  REQUIRE(results.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(results[i].error_code == expected[i]);
  CHECK(world.partitions("more") == 4);

  request.topics = {grown("t", 1), grown("more", 6)};
  request.topics[1].assignments.emplace();
  request.topics[1].assignments->resize(1);
  results = client.call<CreatePartitionsResponse>(request, 3).results;
  CHECK(results.at(0).error_code == ErrorCode::invalid_partitions);
  CHECK(results.at(1).error_code == ErrorCode::invalid_replica_assignment);
  request.topics[1].assignments->resize(2);
  CHECK(client.call<CreatePartitionsResponse>(request, 3).results.at(1).error_code ==
        ErrorCode::invalid_replica_assignment);
}

TEST_CASE("validating new partitions adds none") {
  KafkaWorld world;
  world.create_topic("t", 2);
  auto& client = world.client();
  CreatePartitionsRequest request;
  request.timeout_ms = 10000;
  request.validate_only = true;
  request.topics = {grown("t", 9)};
  CHECK(client.call<CreatePartitionsResponse>(request, 3).results.at(0).error_code == ErrorCode::none);
  CHECK(world.partitions("t") == 2);
}

TEST_CASE("topics are described page by page, and each partition comes once") {
  KafkaWorld world([](Settings& settings) { settings.kafka_protocol.max_described_partitions = 4; });
  world.create_topic("a", 3);
  world.create_topic("b", 6);
  world.create_topic("c");
  auto& client = world.client();
  for (const std::int32_t limit : {1, 2, 3, 100}) {
    DescribeTopicPartitionsRequest request;
    for (const char* name : {"c", "b", "missing", "a", "a", "bad/name"}) request.topics.push_back({Text(name)});
    request.response_partition_limit = limit;
    std::map<std::string, std::vector<std::int32_t>> seen;
    std::map<std::string, ErrorCode> errors;
    int pages = 0;
    for (;;) {
      const auto page = client.call<DescribeTopicPartitionsResponse>(request, 0);
      ++pages;
      std::size_t partitions = 0;
      for (const auto& topic : page.topics) {
        if (topic.error_code != ErrorCode::none) errors[topic.name->str()] = topic.error_code;
        for (const auto& partition : topic.partitions) {
          seen[topic.name->str()].push_back(partition.partition_index);
          CHECK(partition.leader_id == world.settings().node_id);
          CHECK(partition.eligible_leader_replicas.has_value());
        }
        partitions += topic.partitions.size();
        if (topic.error_code == ErrorCode::none) CHECK_FALSE(topic.topic_id.is_zero());
      }
      CHECK(partitions <= static_cast<std::size_t>(std::min(limit, 4)));
      if (!page.next_cursor) break;
      request.cursor =
          DescribeTopicPartitionsRequest::Cursor{page.next_cursor->topic_name, page.next_cursor->partition_index};
      REQUIRE(pages < 20);
    }
    CHECK(seen["a"] == std::vector<std::int32_t>{0, 1, 2});
    CHECK(seen["b"] == std::vector<std::int32_t>{0, 1, 2, 3, 4, 5});
    CHECK(seen["c"] == std::vector<std::int32_t>{0});
    CHECK(errors["missing"] == ErrorCode::unknown_topic_or_partition);
    CHECK(errors["bad/name"] == ErrorCode::invalid_topic_exception);
  }
  DescribeTopicPartitionsRequest all;
  const auto every = client.call<DescribeTopicPartitionsResponse>(all, 0);
  CHECK(every.topics.at(0).name == Text("__consumer_offsets"));
  CHECK(every.topics.at(0).is_internal);
  DescribeTopicPartitionsRequest wrong;
  wrong.topics.push_back({Text("a")});
  wrong.cursor = DescribeTopicPartitionsRequest::Cursor{Text("b"), 0};
  CHECK(client.call<DescribeTopicPartitionsResponse>(wrong, 0).topics.at(0).error_code == ErrorCode::invalid_request);
  wrong.cursor = DescribeTopicPartitionsRequest::Cursor{Text("a"), -1};
  CHECK(client.call<DescribeTopicPartitionsResponse>(wrong, 0).topics.at(0).error_code == ErrorCode::invalid_request);
}

TEST_CASE("the cluster is described in every version, as brokers only") {
  KafkaWorld world;
  auto& client = world.client();
  for (std::int16_t version = 0; version <= 2; ++version) {
    DescribeClusterRequest request;
    request.include_cluster_authorized_operations = true;
    const auto response = client.call<DescribeClusterResponse>(request, version);
    CHECK(response.error_code == ErrorCode::none);
    CHECK(response.cluster_id == Text(world.node().services(0).cluster_id));
    CHECK(response.controller_id == world.settings().node_id);
    REQUIRE(response.brokers.size() == 1);
    CHECK(response.brokers[0].host.view() == "broker");
    CHECK(response.cluster_authorized_operations == 8096);
  }
  DescribeClusterRequest request;
  CHECK(client.call<DescribeClusterResponse>(request, 1).cluster_authorized_operations == INT32_MIN);
  request.endpoint_type = 2;
  CHECK(client.call<DescribeClusterResponse>(request, 1).error_code == ErrorCode::mismatched_endpoint_type);
  request.endpoint_type = 3;
  CHECK(client.call<DescribeClusterResponse>(request, 1).error_code == ErrorCode::unsupported_endpoint_type);
}

TEST_CASE("no leader needs to be elected, and no partition is being moved") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  for (std::int16_t version = 0; version <= 2; ++version) {
    ElectLeadersRequest request;
    request.topic_partitions->push_back({Text("t"), {0, 1}});
    const auto result = client.call<ElectLeadersResponse>(request, version).replica_election_results.at(0);
    CHECK(result.partition_result.at(0).error_code == ErrorCode::election_not_needed);
    CHECK(result.partition_result.at(1).error_code == ErrorCode::unknown_topic_or_partition);
    request.topic_partitions.reset();
    CHECK(client.call<ElectLeadersResponse>(request, version).replica_election_results.empty());
  }
  ElectLeadersRequest odd;
  odd.election_type = 7;
  CHECK(client.call<ElectLeadersResponse>(odd, 1).error_code == ErrorCode::invalid_request);
  const auto moving = client.call<ListPartitionReassignmentsResponse>(ListPartitionReassignmentsRequest{}, 0);
  CHECK(moving.error_code == ErrorCode::none);
  CHECK(moving.topics.empty());
}

}  // namespace braid::test
