// Braid, Apache-2.0.
//
// Quotas of Kafka clients: which one holds, how they are told and changed, and that who takes too much is answered at
// once and then waits.
#include <thread>

#include "actors/kafka/quotas.hpp"
#include "unit/actors/kafka_world.hpp"

namespace braid::test {

using namespace kafka;

namespace {

using Entity = std::vector<std::pair<std::string, std::optional<std::string>>>;

AlterClientQuotasResponse::Entry alter(KafkaClient& client, const Entity& entity,
                                       const std::map<std::string, std::optional<double>>& values,
                                       bool validate_only = false, std::int16_t version = 1) {
  AlterClientQuotasRequest request;
  AlterClientQuotasRequest::Entry entry;
  for (const auto& [type, name] : entity)
    entry.entity.push_back({Text(type), name ? std::optional(Text(*name)) : std::nullopt});
  for (const auto& [key, value] : values) entry.ops.push_back({Text(key), value.value_or(0), !value});
  request.entries.push_back(entry);
  request.validate_only = validate_only;
  const auto response = client.call<AlterClientQuotasResponse>(request, version);
  CHECK(response.entries.at(0).entity.size() == entity.size());
  return response.entries.at(0);
}
std::vector<std::string> described(KafkaClient& client, std::vector<DescribeClientQuotasRequest::Component> components,
                                   bool strict = false, std::int16_t version = 1) {
  DescribeClientQuotasRequest request;
  request.components = std::move(components);
  request.strict = strict;
  const auto response = client.call<DescribeClientQuotasResponse>(request, version);
  REQUIRE(response.error_code == ErrorCode::none);
  std::vector<std::string> lines;
  for (const auto& entry : *response.entries) {
    std::string line;
    for (const auto& part : entry.entity)
      line += part.entity_type.str() + "=" + (part.entity_name ? part.entity_name->str() : "<default>") + " ";
    for (const auto& value : entry.values) line += value.key.str() + ":" + std::to_string(int(value.value)) + " ";
    lines.push_back(line);
  }
  return lines;
}
ErrorCode describe_error(KafkaClient& client, std::vector<DescribeClientQuotasRequest::Component> components) {
  DescribeClientQuotasRequest request;
  request.components = std::move(components);
  const auto response = client.call<DescribeClientQuotasResponse>(request, 1);
  CHECK_FALSE(response.entries);
  return response.error_code;
}

}  // namespace

TEST_CASE("the quota that names most holds, and its bucket is shared by those that it names") {
  ClientQuotas quotas;
  const auto rate = [&](const char* user, const char* client) {
    const auto choice = choose_quota(quotas, user, client, "producer_byte_rate");
    return choice ? std::to_string(int(choice->rate)) + " " + choice->bucket : "none";
  };
  const auto set = [&](QuotaEntity entity, double value) { set_quota(quotas, entity, "producer_byte_rate", value); };
  CHECK(rate("u", "c") == "none");
  set({{"client-id", std::nullopt}}, 1);
  CHECK(rate("u", "c") == "1 producer_byte_rate client-id=c");
  set({{"client-id", "c"}}, 2);
  CHECK(rate("u", "c") == "2 producer_byte_rate client-id=c");
  CHECK(rate("u", "other") == "1 producer_byte_rate client-id=other");
  set({{"user", std::nullopt}}, 3);
  CHECK(rate("u", "c") == "3 producer_byte_rate user=u");
  set({{"user", std::nullopt}, {"client-id", std::nullopt}}, 4);
  set({{"user", std::nullopt}, {"client-id", "c"}}, 5);
  CHECK(rate("u", "c") == "5 producer_byte_rate client-id=c,user=u");
  CHECK(rate("u", "d") == "4 producer_byte_rate client-id=d,user=u");
  set({{"user", "u"}}, 6);
  CHECK(rate("u", "c") == "6 producer_byte_rate user=u");
  set({{"user", "u"}, {"client-id", std::nullopt}}, 7);
  set({{"user", "u"}, {"client-id", "c"}}, 8);
  CHECK(rate("u", "c") == "8 producer_byte_rate client-id=c,user=u");
  CHECK(rate("u", "d") == "7 producer_byte_rate client-id=d,user=u");
  CHECK(rate("v", "c") == "5 producer_byte_rate client-id=c,user=v");
  CHECK_FALSE(choose_quota(quotas, "u", "c", "consumer_byte_rate"));
}

TEST_CASE("a bucket lets a window pass and then exactly its rate, also from several threads") {
  QuotaBucket bucket(1000, 1'000'000);
  const std::int64_t start_us = 50'000'000;
  CHECK(bucket.draw_us(1000, start_us) == 0);
  CHECK(bucket.draw_us(500, start_us) == 500'000);
  CHECK(bucket.wait_us(start_us + 200'000) == 300'000);
  CHECK(bucket.wait_us(start_us + 500'000) == 0);
  CHECK(bucket.draw_us(100, start_us + 500'000) == 100'000);
  CHECK(bucket.draw_us(1, start_us + 60'000'000) == 0);

  QuotaBucket shared(1000, 0);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) shared.draw_us(1, start_us);
    });
  for (auto& thread : threads) thread.join();
  CHECK(shared.wait_us(start_us) == 4'000'000);
}

TEST_CASE("names of a quota's entity survive their way into the catalog and back") {
  const QuotaEntity entity = {{"client-id", std::string("a,b=c%\0\xff", 8)}, {"user", std::nullopt}};
  CHECK(decode_quota_entity(encode_quota_entity(entity)) == entity);
  CHECK(encode_quota_entity({{"user", "plain.name"}}) == "user=plain.name");
  CHECK_FALSE(decode_quota_entity("user=%4"));
  CHECK_FALSE(decode_quota_entity("user=a,user=b"));
  CHECK_FALSE(decode_quota_entity("us er"));
  for (const double value : {0.1, 1e300, 12345678901.0, 1.0 / 3})
    CHECK(decode_quota_value(encode_quota_value(value)) == value);
}

TEST_CASE("quotas are set, told by component, and removed, in every version and over a restart") {
  KafkaWorld world;
  auto& client = world.client();
  for (std::int16_t version = 0; version <= 1; ++version)
    CHECK(alter(client, {{"client-id", "c"}}, {{"producer_byte_rate", 1000}}, false, version).error_code ==
          ErrorCode::none);
  CHECK(alter(client, {{"client-id", std::nullopt}}, {{"consumer_byte_rate", 5}}).error_code == ErrorCode::none);
  CHECK(alter(client, {{"user", "u"}, {"client-id", "c"}}, {{"controller_mutation_rate", 7}}).error_code ==
        ErrorCode::none);
  CHECK(alter(client, {{"user", "u"}}, {{"consumer_byte_rate", 9}}, true).error_code == ErrorCode::none);
  for (int round = 0; round < 2; ++round) {
    auto& now = world.client();
    for (std::int16_t version = 0; version <= 1; ++version) CHECK(described(now, {}, false, version).size() == 3);
    CHECK(described(now, {}, true).empty());
    CHECK(described(now, {{Text("client-id"), 0, Text("c")}}).size() == 2);
    CHECK(described(now, {{Text("client-id"), 0, Text("c")}}, true) ==
          std::vector<std::string>{"client-id=c producer_byte_rate:1000 "});
    CHECK(described(now, {{Text("client-id"), 1, std::nullopt}}) ==
          std::vector<std::string>{"client-id=<default> consumer_byte_rate:5 "});
    CHECK(described(now, {{Text("client-id"), 2, std::nullopt}}).size() == 3);
    CHECK(described(now, {{Text("client-id"), 2, std::nullopt}, {Text("user"), 2, std::nullopt}}) ==
          std::vector<std::string>{"client-id=c user=u controller_mutation_rate:7 "});
    CHECK(described(now, {{Text("ip"), 2, std::nullopt}}).empty());
    if (round == 0) world.restart();
  }
  auto& later = world.client();
  CHECK(alter(later, {{"client-id", "c"}}, {{"producer_byte_rate", std::nullopt}}).error_code == ErrorCode::none);
  CHECK(described(later, {}).size() == 2);
}

TEST_CASE("quotas that are not enforced or make no sense are refused") {
  KafkaWorld world;
  auto& client = world.client();
  const Entity entity = {{"client-id", "c"}};
  for (const auto& [key, value] : std::map<std::string, double>{{"request_percentage", 50},
                                                                {"connection_creation_rate", 5},
                                                                {"producer_byte_rate", 0},
                                                                {"consumer_byte_rate", 1.5},
                                                                {"controller_mutation_rate", -1},
                                                                {"nonsense", 1}}) {
    INFO(key);
    const auto refused = alter(client, entity, {{key, value}});
    CHECK(refused.error_code == ErrorCode::invalid_request);
    CHECK(refused.error_message);
  }
  CHECK(alter(client, {{"ip", "127.0.0.1"}}, {{"producer_byte_rate", 5}}).error_code == ErrorCode::invalid_request);
  CHECK(alter(client, {}, {{"producer_byte_rate", 5}}).error_code == ErrorCode::invalid_request);
  CHECK(alter(client, {{"user", "a"}, {"user", "b"}}, {{"producer_byte_rate", 5}}).error_code ==
        ErrorCode::invalid_request);
  CHECK(described(client, {}).empty());
  CHECK(describe_error(client, {{Text(""), 2, std::nullopt}}) == ErrorCode::invalid_request);
  CHECK(describe_error(client, {{Text("planet"), 2, std::nullopt}}) == ErrorCode::unsupported_version);
  CHECK(describe_error(client, {{Text("user"), 0, std::nullopt}}) == ErrorCode::invalid_request);
  CHECK(describe_error(client, {{Text("user"), 5, std::nullopt}}) == ErrorCode::invalid_request);
  CHECK(describe_error(client, {{Text("user"), 2, std::nullopt}, {Text("user"), 2, std::nullopt}}) ==
        ErrorCode::invalid_request);
  CHECK(describe_error(client, {{Text("user"), 2, std::nullopt}, {Text("ip"), 2, std::nullopt}}) ==
        ErrorCode::invalid_request);
}

TEST_CASE("a producer beyond its rate is answered at once, told how long, and not read until then") {
  KafkaWorld world([](Settings& settings) { settings.kafka_protocol.quota_window_ms = 1000; });
  world.create_topic("t");
  auto& client = world.client();
  auto& other = world.client();
  REQUIRE(alter(client, {{"client-id", std::nullopt}}, {{"producer_byte_rate", 10000}}).error_code == ErrorCode::none);
  const auto request = produce_to("t", 0, make_batch({std::string(30000, 'x')}));
  const std::int64_t start_ms = world.world().now_us() / 1000;
  const auto first = client.call<ProduceResponse>(request, 7);
  CHECK(world.world().now_us() / 1000 - start_ms < 1000);
  CHECK(first.responses.at(0).partition_responses.at(0).error_code == ErrorCode::none);
  CHECK(first.throttle_time_ms > 1900);
  CHECK(first.throttle_time_ms < 2200);
  // The same client on another connection draws from the same bucket; so it is told to wait even longer.
  CHECK(other.call<ProduceResponse>(request, 7).throttle_time_ms > 4000);
  const auto next = client.send(MetadataRequest{}, 9);
  world.world().run_for(1000);
  CHECK_FALSE(client.answered(next));
  REQUIRE(client.wait(next));
  CHECK(world.world().now_us() / 1000 - start_ms >= 1900);
  CHECK(client.read<MetadataResponse>(next, 9).throttle_time_ms == 0);
}

TEST_CASE("requests that were sent in one piece wait for their turn, and so do those without an answer") {
  for (const std::int16_t acks : {std::int16_t{-1}, std::int16_t{0}}) {
    CAPTURE(acks);
    KafkaWorld world([](Settings& settings) { settings.kafka_protocol.quota_window_ms = 0; });
    world.create_topic("t");
    auto& client = world.client();
    REQUIRE(alter(client, {{"client-id", std::nullopt}}, {{"producer_byte_rate", 10000}}).error_code ==
            ErrorCode::none);
    std::vector<Bytes> pieces;
    for (std::int32_t i = 0; i < 5; ++i) {
      auto frame = kafka::encode_request(produce_to("t", 0, make_batch({std::string(20000, 'x')}), acks), 9, 100 + i,
                                         Text("test-client"));
      REQUIRE(frame);
      for (auto& piece : *frame) pieces.push_back(std::move(piece));
    }
    const std::int64_t start_ms = world.world().now_us() / 1000;
    client.write(std::move(pieces));
    const auto behind = client.send(MetadataRequest{}, 9);
    REQUIRE(client.wait(behind));
    // Five times two seconds; the last two are waited for by what stands behind.
    CHECK(world.world().now_us() / 1000 - start_ms >= 10000);
    if (acks != 0) {
      CHECK(client.order().size() == 7);
      CHECK(client.read<ProduceResponse>(104, 9).throttle_time_ms > 1900);
    }
  }
}

TEST_CASE("a consumer beyond its rate waits, and one without a quota does not") {
  KafkaWorld world([](Settings& settings) { settings.kafka_protocol.quota_window_ms = 0; });
  world.create_topic("t");
  auto& client = world.client();
  REQUIRE(client.call<ProduceResponse>(produce_to("t", 0, make_batch({std::string(20000, 'x')})), 7).throttle_time_ms ==
          0);
  CHECK(client.call<FetchResponse>(fetch_from("t", {{0, 0}}), 11).throttle_time_ms == 0);
  REQUIRE(alter(client, {{"user", "ANONYMOUS"}}, {{"consumer_byte_rate", 10000}}).error_code == ErrorCode::none);
  const auto fetched = client.call<FetchResponse>(fetch_from("t", {{0, 0}}), 11);
  CHECK(values_of(fetched.responses.at(0).partitions.at(0)).size() == 1);
  CHECK(fetched.throttle_time_ms > 1900);
  const std::int64_t start_ms = world.world().now_us() / 1000;
  client.call<MetadataResponse>(MetadataRequest{}, 9);
  CHECK(world.world().now_us() / 1000 - start_ms >= 1800);
  // Nothing fetched, nothing drawn.
  CHECK(client.call<FetchResponse>(fetch_from("t", {{0, 1}}), 11).throttle_time_ms == 0);
}

TEST_CASE("topics are created and deleted at the rate of the quota: newer versions are refused, older ones wait") {
  KafkaWorld world([](Settings& settings) { settings.kafka_protocol.quota_window_ms = 0; });
  auto& client = world.client();
  REQUIRE(alter(client, {{"user", std::nullopt}}, {{"controller_mutation_rate", 10}}).error_code == ErrorCode::none);
  const auto create = [&](const std::string& name, std::int32_t partitions, std::int16_t version) {
    CreateTopicsRequest request;
    CreateTopicsRequest::Topic topic;
    topic.name = Text(name);
    topic.num_partitions = partitions;
    topic.replication_factor = 1;
    request.topics.push_back(topic);
    return client.call<CreateTopicsResponse>(request, version);
  };
  CHECK(create("a", 20, 7).topics.at(0).error_code == ErrorCode::none);
  const auto refused = create("b", 1, 7);
  CHECK(refused.topics.at(0).error_code == ErrorCode::throttling_quota_exceeded);
  CHECK(refused.throttle_time_ms > 1000);
  // By now the connection was muted until there was room again.
  CHECK(create("b", 1, 7).topics.at(0).error_code == ErrorCode::none);
  const auto waits = create("c", 10, 5);
  CHECK(waits.topics.at(0).error_code == ErrorCode::none);
  CHECK(waits.throttle_time_ms > 500);
  DeleteTopicsRequest remove;
  remove.topic_names = {Text("a"), Text("b")};
  const auto removed = client.call<DeleteTopicsResponse>(remove, 5);
  CHECK(removed.responses.at(0).error_code == ErrorCode::none);
  CHECK(removed.responses.at(1).error_code == ErrorCode::throttling_quota_exceeded);
}

}  // namespace braid::test
