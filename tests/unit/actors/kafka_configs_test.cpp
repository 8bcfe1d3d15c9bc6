// Braid, Apache-2.0.
//
// Settings of topics and of the cluster over Kafka's protocol: told with their places, changed while clients are at
// work, and refused when nothing would come of them.
#include "config/topic_settings.hpp"
#include "unit/actors/kafka_world.hpp"

namespace braid::test {

using namespace kafka;

namespace {

constexpr std::int8_t kTopic = 2, kBroker = 4, kLogger = 8, kClientMetrics = 16, kGroup = 32;

DescribeConfigsResponse::Result describe(KafkaClient& client, std::int8_t type, const std::string& name,
                                         const std::vector<std::string>& keys = {}, std::int16_t version = 4) {
  DescribeConfigsRequest request;
  DescribeConfigsRequest::Resource resource;
  resource.resource_type = type;
  resource.resource_name = Text(name);
  resource.configuration_keys.reset();
  if (!keys.empty()) {
    resource.configuration_keys.emplace();
    for (const std::string& key : keys) resource.configuration_keys->emplace_back(key);
  }
  request.resources.push_back(resource);
  request.include_synonyms = true;
  request.include_documentation = version >= 3;
  const auto response = client.call<DescribeConfigsResponse>(request, version);
  REQUIRE(response.results.size() == 1);
  CHECK(response.results[0].resource_type == type);
  CHECK(response.results[0].resource_name == Text(name));
  return response.results[0];
}
/// "value/source synonym=value/source ..."
std::string shown(const DescribeConfigsResponse::Result& result, const std::string& name) {
  for (const auto& config : result.configs) {
    if (config.name != Text(name)) continue;
    std::string text = config.value->str() + "/" + std::to_string(config.config_source);
    for (const auto& synonym : config.synonyms)
      text += " " + synonym.name.str() + "=" + synonym.value->str() + "/" + std::to_string(synonym.source);
    return text;
  }
  return "absent";
}
std::string shown(KafkaClient& client, std::int8_t type, const std::string& resource, const std::string& name) {
  return shown(describe(client, type, resource, {name}), name);
}

struct Edit {
  std::string name;
  std::optional<std::string> value;
  std::int8_t operation = 0;
};
IncrementalAlterConfigsResponse::Response edit(KafkaClient& client, std::int8_t type, const std::string& name,
                                               const std::vector<Edit>& edits, bool validate_only = false,
                                               std::int16_t version = 1) {
  IncrementalAlterConfigsRequest request;
  IncrementalAlterConfigsRequest::Resource resource;
  resource.resource_type = type;
  resource.resource_name = Text(name);
  for (const Edit& one : edits)
    resource.configs.push_back(
        {Text(one.name), one.operation, one.value ? std::optional(Text(*one.value)) : std::nullopt});
  request.resources.push_back(resource);
  request.validate_only = validate_only;
  return client.call<IncrementalAlterConfigsResponse>(request, version).responses.at(0);
}
ErrorCode error(KafkaClient& client, std::int8_t type, const std::string& name, const std::vector<Edit>& edits) {
  return edit(client, type, name, edits).error_code;
}
AlterConfigsResponse::Response replace(KafkaClient& client, std::int8_t type, const std::string& name,
                                       const std::map<std::string, std::string>& configs, std::int16_t version = 2) {
  AlterConfigsRequest request;
  AlterConfigsRequest::Resource resource;
  resource.resource_type = type;
  resource.resource_name = Text(name);
  for (const auto& [key, value] : configs) resource.configs.push_back({Text(key), Text(value)});
  request.resources.push_back(resource);
  return client.call<AlterConfigsResponse>(request, version).responses.at(0);
}
ErrorCode produce(KafkaClient& client, const std::string& topic, std::size_t bytes) {
  return client.call<ProduceResponse>(produce_to(topic, 0, make_batch({std::string(bytes, 'x')})), 7)
      .responses.at(0)
      .partition_responses.at(0)
      .error_code;
}

}  // namespace

TEST_CASE("a topic's settings are told in every version, with the place that each comes from") {
  KafkaWorld world([](Settings& settings) { settings.topic_defaults.retention_bytes = 1 << 20; });
  world.create_topic("t", 1, {{"retention.ms", "60000"}});
  auto& client = world.client();
  for (std::int16_t version = 1; version <= 4; ++version) {
    INFO("DescribeConfigs " << version);
    const auto result = describe(client, kTopic, "t", {}, version);
    CHECK(result.error_code == ErrorCode::none);
    CHECK(shown(result, "retention.ms") == "60000/1 retention.ms=60000/1 log.retention.ms=604800000/5");
    CHECK(shown(result, "retention.bytes") == "1048576/4 log.retention.bytes=1048576/4 log.retention.bytes=-1/5");
    CHECK(shown(result, "max.message.bytes") == "1048588/5 message.max.bytes=1048588/5");
    for (const auto& config : result.configs) {
      CHECK_FALSE(config.read_only);
      CHECK_FALSE(config.is_sensitive);
      CHECK((config.config_type != 0) == (version >= 3));
      if (version >= 3) CHECK_FALSE(config.documentation->empty());
    }
  }
  CHECK(describe(client, kTopic, "t", {"retention.ms", "no.such.setting"}).configs.size() == 1);
}

TEST_CASE("what is not asked for is not told: synonyms and documentation") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  DescribeConfigsRequest request;
  DescribeConfigsRequest::Resource resource;
  resource.resource_type = kTopic;
  resource.resource_name = Text("t");
  request.resources = {resource};  // an empty list of keys is all of them
  const auto configs = client.call<DescribeConfigsResponse>(request, 4).results.at(0).configs;
  CHECK(configs.size() >= 8);
  for (const auto& config : configs) {
    CHECK(config.synonyms.empty());
    CHECK_FALSE(config.documentation);
  }
}

TEST_CASE("what cannot be described has its code and leaves the others alone") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  const std::string node = std::to_string(world.settings().node_id);
  CHECK(describe(client, kTopic, "missing").error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(describe(client, kTopic, "bad/name").error_code == ErrorCode::invalid_topic_exception);
  CHECK(describe(client, kBroker, "4711").error_code == ErrorCode::invalid_request);
  CHECK(describe(client, kBroker, "one").error_code == ErrorCode::invalid_request);
  CHECK(describe(client, kLogger, "").error_code == ErrorCode::invalid_request);
  CHECK(describe(client, kLogger, node).configs.empty());
  CHECK(describe(client, 77, "x").error_code == ErrorCode::invalid_request);
  for (const std::int8_t type : {kClientMetrics, kGroup}) {
    CHECK(describe(client, type, "").error_code == ErrorCode::invalid_request);
    CHECK(describe(client, type, "any").error_code == ErrorCode::none);
    CHECK(describe(client, type, "any").configs.empty());
  }
}

TEST_CASE("a broker tells what its node was started with, and that it cannot be changed") {
  KafkaWorld world([](Settings& settings) { settings.kafka_protocol.default_partitions = 7; });
  auto& client = world.client();
  const std::string node = std::to_string(world.settings().node_id);
  const auto result = describe(client, kBroker, node);
  CHECK(shown(result, "num.partitions") == "7/4 num.partitions=7/4 num.partitions=1/5");
  CHECK(shown(result, "group.max.session.timeout.ms") == "1800000/5 group.max.session.timeout.ms=1800000/5");
  CHECK(shown(result, "log.retention.ms") == "604800000/5 log.retention.ms=604800000/5");
  std::set<std::string> names;
  for (const auto& config : result.configs) {
    CHECK(names.insert(config.name.str()).second);
    CHECK(config.read_only != topic_name_of(config.name.view()).has_value());
    CHECK_FALSE(config.documentation->empty());
  }
  CHECK(error(client, kBroker, node, {{"num.partitions", "3"}}) == ErrorCode::invalid_request);
  CHECK(error(client, kBroker, "", {{"num.partitions", "3"}}) == ErrorCode::invalid_request);
}

TEST_CASE("a topic's settings are changed one by one, and hold at once") {
  KafkaWorld world;
  world.create_topic("t", 1, {{"retention.ms", "60000"}});
  auto& client = world.client();
  CHECK(produce(client, "t", 2000) == ErrorCode::none);
  for (std::int16_t version = 0; version <= 1; ++version) {
    const auto changed = edit(client, kTopic, "t", {{"max.message.bytes", "1000"}}, false, version);
    CHECK(changed.error_code == ErrorCode::none);
    CHECK_FALSE(changed.error_message);
  }
  CHECK(produce(client, "t", 2000) == ErrorCode::message_too_large);
  CHECK(shown(client, kTopic, "t", "retention.ms") == "60000/1 retention.ms=60000/1 log.retention.ms=604800000/5");
  CHECK(error(client, kTopic, "t", {{"max.message.bytes", std::nullopt, 1}}) == ErrorCode::none);
  CHECK(produce(client, "t", 2000) == ErrorCode::none);
  CHECK(shown(client, kTopic, "t", "max.message.bytes") == "1048588/5 message.max.bytes=1048588/5");
  world.restart();
  CHECK(shown(world.client(), kTopic, "t", "retention.ms") ==
        "60000/1 retention.ms=60000/1 log.retention.ms=604800000/5");
}

TEST_CASE("lists are appended to and subtracted from, other settings are not") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  CHECK(error(client, kTopic, "t", {{"cleanup.policy", "delete", 2}}) == ErrorCode::none);
  CHECK(shown(client, kTopic, "t", "cleanup.policy").substr(0, 8) == "delete/1");
  // Without any policy nothing would ever be done.
  CHECK(error(client, kTopic, "t", {{"cleanup.policy", "delete", 3}}) == ErrorCode::invalid_config);
  CHECK(error(client, kTopic, "t", {{"retention.ms", "1", 2}}) == ErrorCode::invalid_config);
  CHECK(error(client, kTopic, "t", {{"no.such.list", "1", 2}}) == ErrorCode::invalid_config);
}

TEST_CASE("changes that make no sense are refused and change nothing") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  CHECK(error(client, kTopic, "missing", {{"retention.ms", "1"}}) == ErrorCode::unknown_topic_or_partition);
  CHECK(error(client, kTopic, "t", {{"retention.mss", "1"}}) == ErrorCode::invalid_config);
  CHECK(error(client, kTopic, "t", {{"retention.ms", "soon"}}) == ErrorCode::invalid_config);
  CHECK(error(client, kTopic, "t", {{"retention.ms", std::nullopt}}) == ErrorCode::invalid_request);
  CHECK(error(client, kTopic, "t", {{"retention.ms", "1", 9}}) == ErrorCode::invalid_request);
  CHECK(error(client, kTopic, "t", {{"retention.ms", "1"}, {"retention.ms", "2"}}) == ErrorCode::invalid_request);
  CHECK(error(client, kTopic, "t", {{"retention.ms", "1"}, {"max.message.bytes", "-5"}}) == ErrorCode::invalid_config);
  CHECK(error(client, kTopic, "__consumer_offsets", {{"retention.ms", "1"}}) == ErrorCode::invalid_config);
  CHECK(error(client, kGroup, "g", {{"consumer.session.timeout.ms", "1"}}) == ErrorCode::invalid_request);
  CHECK(error(client, kClientMetrics, "m", {{"interval.ms", "1"}}) == ErrorCode::invalid_request);
  CHECK(shown(client, kTopic, "t", "retention.ms").substr(0, 11) == "604800000/5");
  CHECK(edit(client, kTopic, "t", {{"retention.ms", "5"}}, true).error_code == ErrorCode::none);
  CHECK(edit(client, kTopic, "t", {{"retention.ms", "x"}}, true).error_code == ErrorCode::invalid_config);
  CHECK(shown(client, kTopic, "t", "retention.ms").substr(0, 11) == "604800000/5");

  IncrementalAlterConfigsRequest twice;
  IncrementalAlterConfigsRequest::Resource resource;
  resource.resource_type = kTopic;
  resource.resource_name = Text("t");
  twice.resources = {resource, resource};
  for (const auto& response : client.call<IncrementalAlterConfigsResponse>(twice, 1).responses)
    CHECK(response.error_code == ErrorCode::invalid_request);
}

TEST_CASE("replacing a topic's settings puts those that are not named back") {
  KafkaWorld world;
  auto& client = world.client();
  for (std::int16_t version = 0; version <= 2; ++version) {
    const std::string topic = "t" + std::to_string(version);
    world.create_topic(topic, 1, {{"retention.ms", "60000"}, {"retention.bytes", "5000"}});
    CHECK(replace(client, kTopic, topic, {{"retention.ms", "1000"}}, version).error_code == ErrorCode::none);
    CHECK(shown(client, kTopic, topic, "retention.ms").substr(0, 6) == "1000/1");
    CHECK(shown(client, kTopic, topic, "retention.bytes").substr(0, 4) == "-1/5");
    CHECK(replace(client, kTopic, topic, {{"retention.ms", "x"}}, version).error_code == ErrorCode::invalid_config);
    CHECK(replace(client, kTopic, topic, {}, version).error_code == ErrorCode::none);
    CHECK(shown(client, kTopic, topic, "retention.ms").substr(0, 11) == "604800000/5");
  }
}

TEST_CASE("defaults of the whole cluster are set while it runs, and hold for topics that say nothing") {
  KafkaWorld world;
  world.create_topic("says.nothing");
  world.create_topic("says.so", 1, {{"max.message.bytes", "100000"}});
  auto& client = world.client();
  CHECK(describe(client, kBroker, "").configs.empty());
  CHECK(error(client, kBroker, "", {{"message.max.bytes", "1000"}}) == ErrorCode::none);
  CHECK(produce(client, "says.nothing", 2000) == ErrorCode::message_too_large);
  CHECK(produce(client, "says.so", 2000) == ErrorCode::none);
  CHECK(shown(client, kTopic, "says.nothing", "max.message.bytes") ==
        "1000/3 message.max.bytes=1000/3 message.max.bytes=1048588/5");
  CHECK(shown(client, kBroker, "", "message.max.bytes") == "1000/3 message.max.bytes=1000/3");
  CHECK(shown(client, kBroker, std::to_string(world.settings().node_id), "message.max.bytes") ==
        "1000/3 message.max.bytes=1000/3 message.max.bytes=1048588/5");
  world.create_topic("later");
  CHECK(produce(client, "later", 2000) == ErrorCode::message_too_large);
  world.restart();
  auto& again = world.client();
  CHECK(produce(again, "says.nothing", 2000) == ErrorCode::message_too_large);
  CHECK(error(again, kBroker, "", {{"message.max.bytes", "x"}}) == ErrorCode::invalid_config);
  CHECK(error(again, kBroker, "", {{"no.such.setting", "1"}}) == ErrorCode::invalid_config);
  CHECK(replace(again, kBroker, "", {{"log.retention.ms", "1000"}}).error_code == ErrorCode::none);
  CHECK(produce(again, "says.nothing", 2000) == ErrorCode::none);
  CHECK(shown(again, kTopic, "says.nothing", "retention.ms").substr(0, 6) == "1000/3");
  CHECK(error(again, kBroker, "", {{"log.retention.ms", std::nullopt, 1}}) == ErrorCode::none);
  CHECK(describe(again, kBroker, "").configs.empty());
}

TEST_CASE("what has settings is listed by its kind") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  CHECK(client.call<ListConfigResourcesResponse>(ListConfigResourcesRequest{}, 0).config_resources.empty());
  ListConfigResourcesRequest request;
  std::map<int, std::set<std::string>> all;
  for (const auto& resource : client.call<ListConfigResourcesResponse>(request, 1).config_resources)
    all[resource.resource_type].insert(resource.resource_name.str());
  CHECK(all[kTopic].count("t") == 1);
  CHECK(all[kBroker] == std::set<std::string>{std::to_string(world.settings().node_id)});
  request.resource_types = {kGroup, kClientMetrics};
  CHECK(client.call<ListConfigResourcesResponse>(request, 1).config_resources.empty());
  request.resource_types = {kTopic, 77};
  CHECK(client.call<ListConfigResourcesResponse>(request, 1).error_code == ErrorCode::unsupported_version);
}

}  // namespace braid::test
