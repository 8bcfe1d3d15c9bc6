// Braid, Apache-2.0.
//
// Metadata, CreateTopics and DeleteTopics against the catalog of a simulated node.
#include "unit/actors/kafka_world.hpp"

namespace braid::test {

using namespace kafka;

namespace {

MetadataRequest ask_for(const std::vector<std::string>& names, bool create = true) {
  MetadataRequest request;
  for (const std::string& name : names) request.topics->push_back({{}, Text(name)});
  request.allow_auto_topic_creation = create;
  return request;
}
CreateTopicsRequest::Topic topic(const std::string& name, std::int32_t partitions = 1, std::int16_t replicas = 1) {
  CreateTopicsRequest::Topic wanted;
  wanted.name = Text(name);
  wanted.num_partitions = partitions;
  wanted.replication_factor = replicas;
  return wanted;
}
CreateTopicsResponse::Topic create(KafkaClient& client, const CreateTopicsRequest::Topic& wanted,
                                   std::int16_t version = 7) {
  CreateTopicsRequest request;
  request.topics.push_back(wanted);
  return client.call<CreateTopicsResponse>(request, version).topics.at(0);
}

}  // namespace

TEST_CASE("metadata names this node at the address that was dialled") {
  KafkaWorld world;
  auto& client = world.client();
  const auto response = client.call<MetadataResponse>(ask_for({}), 9);
  REQUIRE(response.brokers.size() == 1);
  CHECK(response.brokers[0].node_id == world.settings().node_id);
  CHECK(response.brokers[0].host.view() == "broker");
  CHECK(response.brokers[0].port == world.settings().kafka.port);
  CHECK(response.controller_id == world.settings().node_id);
  REQUIRE(response.cluster_id);
  CHECK_FALSE(response.cluster_id->empty());
  CHECK(response.topics.empty());
}

TEST_CASE("metadata names the advertised address when there is one") {
  KafkaWorld world([](Settings& settings) { settings.kafka_protocol.advertised = "kafka.example.org:19092"; });
  auto& client = world.client();
  const auto response = client.call<MetadataResponse>(ask_for({}), 1);
  CHECK(response.brokers.at(0).host.view() == "kafka.example.org");
  CHECK(response.brokers.at(0).port == 19092);
  FindCoordinatorRequest find;
  find.key = Text("g");
  CHECK(client.call<FindCoordinatorResponse>(find, 0).host.view() == "kafka.example.org");
}

TEST_CASE("a topic that is asked for is created and answered in one go") {
  KafkaWorld world([](Settings& settings) { settings.kafka_protocol.default_partitions = 3; });
  auto& client = world.client();
  for (std::int16_t version = 0; version <= 13; ++version) {
    const std::string name = "made-" + std::to_string(version);
    const auto response = client.call<MetadataResponse>(ask_for({name, name}), version);
    REQUIRE(response.topics.size() == 2);
    for (const auto& found : response.topics) {
      CHECK(found.error_code == ErrorCode::none);
      CHECK(found.name == Text(name));
      REQUIRE(found.partitions.size() == 3);
      CHECK(found.partitions[2].partition_index == 2);
      CHECK(found.partitions[2].leader_id == world.settings().node_id);
      CHECK(found.partitions[2].isr_nodes == std::vector<std::int32_t>{world.settings().node_id});
      if (version >= 10) CHECK_FALSE(found.topic_id.is_zero());
    }
  }
}

TEST_CASE("topics are not created when the client or the settings forbid it") {
  KafkaWorld world;
  auto& client = world.client();
  CHECK(client.call<MetadataResponse>(ask_for({"t"}, false), 4).topics.at(0).error_code ==
        ErrorCode::unknown_topic_or_partition);
  KafkaWorld strict([](Settings& settings) { settings.kafka_protocol.auto_create_topics = false; });
  auto& other = strict.client();
  CHECK(other.call<MetadataResponse>(ask_for({"t"}), 9).topics.at(0).error_code ==
        ErrorCode::unknown_topic_or_partition);
}

TEST_CASE("names that no topic can have are refused, and colliding ones too") {
  KafkaWorld world;
  auto& client = world.client();
  const auto response =
      client.call<MetadataResponse>(ask_for({"a/b", "..", "", std::string(250, 'x'), "good.name"}), 9);
  for (int i = 0; i < 4; ++i)
    CHECK(response.topics.at(static_cast<std::size_t>(i)).error_code == ErrorCode::invalid_topic_exception);
  CHECK(response.topics.at(4).error_code == ErrorCode::none);
  CHECK(client.call<MetadataResponse>(ask_for({"good_name"}), 9).topics.at(0).error_code ==
        ErrorCode::invalid_topic_exception);
}

TEST_CASE("all topics are told apart from none") {
  KafkaWorld world;
  world.create_topic("t", 2);
  auto& client = world.client();
  MetadataRequest all;
  all.topics.reset();
  for (const auto& [request, version, expected] :
       {std::tuple(ask_for({}), std::int16_t{0}, true), std::tuple(ask_for({}), std::int16_t{1}, false),
        std::tuple(all, std::int16_t{1}, true), std::tuple(all, std::int16_t{12}, true)}) {
    const auto response = client.call<MetadataResponse>(request, version);
    bool found = false, offsets = false;
    for (const auto& known : response.topics) {
      found = found || (known.name == Text("t") && !known.is_internal && known.partitions.size() == 2);
      offsets = offsets || (known.name == Text("__consumer_offsets") && (version == 0 || known.is_internal));
    }
    CHECK(found == expected);
    CHECK(offsets == expected);
  }
}

TEST_CASE("topics are found by id") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  MetadataRequest request;
  request.topics->push_back({world.topic_id("t"), std::nullopt});
  TopicId unknown;
  unknown.bytes.fill(1);
  request.topics->push_back({unknown, std::nullopt});
  for (const std::int16_t version : {std::int16_t{10}, std::int16_t{12}, std::int16_t{13}}) {
    const auto response = client.call<MetadataResponse>(request, version);
    CHECK(response.topics.at(0).name == Text("t"));
    CHECK(response.topics.at(0).error_code == ErrorCode::none);
    CHECK(response.topics.at(1).error_code == ErrorCode::unknown_topic_id);
    CHECK(response.topics.at(1).topic_id == unknown);
  }
}

TEST_CASE("what may be done is told when asked for") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  auto request = ask_for({"t"});
  CHECK(client.call<MetadataResponse>(request, 8).topics.at(0).topic_authorized_operations == INT32_MIN);
  request.include_topic_authorized_operations = true;
  request.include_cluster_authorized_operations = true;
  const auto response = client.call<MetadataResponse>(request, 8);
  CHECK(response.topics.at(0).topic_authorized_operations == 3576);
  CHECK(response.cluster_authorized_operations == 8096);
}

TEST_CASE("topics are created in every version, and what they are is told") {
  KafkaWorld world;
  auto& client = world.client();
  for (std::int16_t version = 2; version <= 7; ++version) {
    auto wanted = topic("v" + std::to_string(version), 3);
    wanted.configs.push_back({Text("retention.ms"), Text("60000")});
    const auto made = create(client, wanted, version);
    CHECK(made.error_code == ErrorCode::none);
    if (version < 5) continue;
    CHECK(made.num_partitions == 3);
    CHECK(made.replication_factor == 1);
    REQUIRE(made.configs);
    std::map<std::string, std::pair<std::string, int>> configs;
    for (const auto& config : *made.configs) configs[config.name.str()] = {config.value->str(), config.config_source};
    CHECK(configs["retention.ms"] == std::pair(std::string("60000"), 1));
    CHECK(configs["max.message.bytes"].second == 5);
    if (version >= 7) CHECK_FALSE(made.topic_id.is_zero());
  }
  CHECK(client.call<MetadataResponse>(ask_for({"v2"}, false), 9).topics.at(0).partitions.size() == 3);
}

TEST_CASE("what cannot be created has its code and leaves the others alone") {
  KafkaWorld world;
  world.create_topic("there");
  auto& client = world.client();
  CreateTopicsRequest request;
  request.topics = {topic("there"), topic("bad/name"), topic("zero", 0), topic("many", 1, 3),
                    topic("good"),  topic("twice"),    topic("twice"),   topic("__consumer_offsets")};
  auto strange = topic("strange");
  strange.configs.push_back({Text("retention.mss"), Text("1")});
  request.topics.push_back(strange);
  auto null = topic("null");
  null.configs.push_back({Text("retention.ms"), std::nullopt});
  request.topics.push_back(null);
  const auto response = client.call<CreateTopicsResponse>(request, 7);
  const std::vector<ErrorCode> expected = {ErrorCode::topic_already_exists,
                                           ErrorCode::invalid_topic_exception,
                                           ErrorCode::invalid_partitions,
                                           ErrorCode::invalid_replication_factor,
                                           ErrorCode::none,
                                           ErrorCode::invalid_request,
                                           ErrorCode::invalid_request,
                                           ErrorCode::topic_already_exists,
                                           ErrorCode::invalid_config,
                                           ErrorCode::invalid_config};
  REQUIRE(response.topics.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO(response.topics[i].name.view());
    CHECK(response.topics[i].error_code == expected[i]);
    CHECK(response.topics[i].error_message.has_value() == (expected[i] != ErrorCode::none));
  }
}

TEST_CASE("defaults are -1 in every version, and assignments name this node") {
  KafkaWorld world([](Settings& settings) { settings.kafka_protocol.default_partitions = 5; });
  auto& client = world.client();
  CHECK(create(client, topic("d4", -1, -1), 4).error_code == ErrorCode::none);
  CHECK(create(client, topic("d2", -1, -1), 2).error_code == ErrorCode::none);
  CHECK(create(client, topic("no good name", -1, -1), 3).error_code == ErrorCode::invalid_topic_exception);
  CHECK(create(client, topic("d5", -1, -1), 5).num_partitions == 5);
  const std::int32_t node = world.settings().node_id;
  auto assigned = topic("assigned", -1, -1);
  assigned.assignments = {{1, {node}}, {0, {node}}};
  CHECK(create(client, assigned).num_partitions == 2);
  auto gap = topic("gap", -1, -1);
  gap.assignments = {{0, {node}}, {2, {node}}};
  CHECK(create(client, gap).error_code == ErrorCode::invalid_replica_assignment);
  auto elsewhere = topic("elsewhere", -1, -1);
  elsewhere.assignments = {{0, {node + 1}}};
  CHECK(create(client, elsewhere).error_code == ErrorCode::invalid_replica_assignment);
  auto both = topic("both", 1, 1);
  both.assignments = {{0, {node}}};
  CHECK(create(client, both).error_code == ErrorCode::invalid_request);
}

TEST_CASE("validate only says what would happen and does nothing") {
  KafkaWorld world;
  world.create_topic("there");
  auto& client = world.client();
  CreateTopicsRequest request;
  request.topics = {topic("there"), topic("new", 4)};
  request.validate_only = true;
  const auto response = client.call<CreateTopicsResponse>(request, 7);
  CHECK(response.topics.at(0).error_code == ErrorCode::topic_already_exists);
  CHECK(response.topics.at(1).error_code == ErrorCode::none);
  CHECK(response.topics.at(1).num_partitions == 4);
  CHECK(client.call<MetadataResponse>(ask_for({"new"}, false), 9).topics.at(0).error_code ==
        ErrorCode::unknown_topic_or_partition);
}

TEST_CASE("topics are deleted by name and by id, and come back as others") {
  KafkaWorld world;
  auto& client = world.client();
  world.create_topic("t");
  const TopicId first = world.topic_id("t");
  DeleteTopicsRequest by_name;
  by_name.topic_names = {Text("t"), Text("unknown"), Text("t"), Text("__consumer_offsets")};
  const auto named = client.call<DeleteTopicsResponse>(by_name, 5).responses;
  CHECK(named.at(0).error_code == ErrorCode::none);
  CHECK(named.at(1).error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(named.at(2).error_code == ErrorCode::invalid_request);
  CHECK(named.at(3).error_code == ErrorCode::invalid_topic_exception);

  world.create_topic("t");
  const TopicId second = world.topic_id("t");
  CHECK(second != first);
  DeleteTopicsRequest by_id;
  by_id.topics = {{std::nullopt, first}, {std::nullopt, second}, {Text("t"), second}};
  const auto known = client.call<DeleteTopicsResponse>(by_id, 6).responses;
  CHECK(known.at(0).error_code == ErrorCode::unknown_topic_id);
  CHECK(known.at(1).error_code == ErrorCode::none);
  CHECK(known.at(1).name == Text("t"));
  CHECK(known.at(2).error_code == ErrorCode::invalid_request);
  for (std::int16_t version = 1; version <= 4; ++version) {
    world.create_topic("again");
    DeleteTopicsRequest again;
    again.topic_names = {Text("again")};
    CHECK(client.call<DeleteTopicsResponse>(again, version).responses.at(0).error_code == ErrorCode::none);
  }
}

}  // namespace braid::test
