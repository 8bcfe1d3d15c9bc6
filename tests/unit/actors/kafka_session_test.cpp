// Braid, Apache-2.0.
//
// What all requests of a connection share: framing, order, versions, limits, deadlines, and the end.
#include "actors/kafka/handlers.hpp"
#include "unit/actors/kafka_world.hpp"

namespace braid::test {

using namespace kafka;

TEST_CASE("ApiVersions tells what the table of handlers serves") {
  KafkaWorld world;
  auto& client = world.client();
  for (std::int16_t version = 0; version <= 4; ++version) {
    ApiVersionsRequest request;
    request.client_software_name = Text("librdkafka");
    request.client_software_version = Text("2.0.2");
    const auto response = client.call<ApiVersionsResponse>(request, version);
    CHECK(response.error_code == ErrorCode::none);
    REQUIRE(response.api_keys.size() == served_apis().size());
    for (std::size_t i = 0; i < response.api_keys.size(); ++i) {
      CHECK(response.api_keys[i].api_key == static_cast<std::int16_t>(served_apis()[i].key));
      CHECK(response.api_keys[i].min_version == served_apis()[i].advertised_from);
      CHECK(response.api_keys[i].max_version == served_apis()[i].versions.last);
    }
  }
}

TEST_CASE(
    "every version that is served can be decoded and encoded, and Produce alone is advertised from further down") {
  for (const ServedApi& served : served_apis()) {
    const ApiInfo* known = find_api(served.key);
    REQUIRE(known);
    CHECK(served.versions.first >= known->versions.first);
    CHECK(served.versions.last <= known->versions.last);
    CHECK(served.handler != nullptr);
    CHECK(served.advertised_from == (served.key == ApiKey::produce ? 0 : served.versions.first));
    CHECK(find_served(served.key) == &served);
  }
  CHECK(find_served(ApiKey::vote) == nullptr);
}

TEST_CASE("ApiVersions of an unknown version is answered in version 0 with its own range") {
  KafkaWorld world;
  auto& client = world.client();
  // Key 18, version 99, correlation id 7, no client id, and a body that nobody knows.
  client.write(std::string_view("\0\0\0\x0e\0\x12\0\x63\0\0\0\x07\xff\xff\x01\x02\x03\x04", 18));
  REQUIRE(client.wait(7));
  const auto response = client.read<ApiVersionsResponse>(7, 0);
  CHECK(response.error_code == ErrorCode::unsupported_version);
  REQUIRE(response.api_keys.size() == 1);
  CHECK(response.api_keys[0].api_key == 18);
  CHECK(response.api_keys[0].max_version == 4);
  CHECK_FALSE(client.is_closed());
  CHECK(client.call<ApiVersionsResponse>(ApiVersionsRequest{}, 0).error_code == ErrorCode::none);
}

TEST_CASE("ApiVersions 3 refuses software names that are none") {
  KafkaWorld world;
  auto& client = world.client();
  ApiVersionsRequest request;
  for (const auto& [name, version, good] :
       {std::tuple("a", "1", true), std::tuple("apache-kafka.java", "4.1.0", true), std::tuple("", "1", false),
        std::tuple("a", "", false), std::tuple("-a", "1", false), std::tuple("a", "1.", false),
        std::tuple("a b", "1", false)}) {
    request.client_software_name = Text(name);
    request.client_software_version = Text(version);
    const auto response = client.call<ApiVersionsResponse>(request, 3);
    INFO(name << " " << version);
    CHECK(response.error_code == (good ? ErrorCode::none : ErrorCode::invalid_request));
  }
}

TEST_CASE("pipelined requests are answered in their order, though the first one waits") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  std::vector<std::int32_t> sent;
  sent.push_back(client.send(fetch_from("t", {{0, 0}}, 500), 11));
  for (int i = 0; i < 20; ++i) sent.push_back(client.send(MetadataRequest{}, 1));
  sent.push_back(client.send(fetch_from("t", {{0, 0}}, 300), 11));
  sent.push_back(client.send(ApiVersionsRequest{}, 0));
  world.world().run_for(400);
  CHECK(client.order().empty());
  REQUIRE(client.wait(sent.back(), 2000));
  CHECK(client.order() == sent);
}

TEST_CASE("a request that is not served, or not in that version, ends the connection behind the answers before it") {
  for (const std::string_view frame : {
           std::string_view("\0\0\0\x0a\0\x34\0\0\0\0\0\x09\xff\xff", 14),    // Vote
           std::string_view("\0\0\0\x0a\x7f\xff\0\0\0\0\0\x09\xff\xff", 14),  // no such key
           std::string_view("\0\0\0\x0a\0\x03\0\x63\0\0\0\x09\xff\xff", 14),  // Metadata 99
           std::string_view("\0\0\0\x0a\0\0\0\x02\0\0\0\x09\xff\xff", 14),    // Produce 2, advertised and refused
           std::string_view("\0\0\0\x0a\0\x03\0\x01\0\0\0\x09\xff\xff", 14),  // Metadata 1 without a body
           std::string_view("\0\0\0\x08\0\x03\0\x01\0\0\0\x09", 12),          // no room for the header's client id
           std::string_view("\0\0\0\x07\0\x03\0\x01\0\0\0", 11),              // shorter than any request
           std::string_view("\xff\xff\xff\xff\0\x03\0\x01\0\0\0\0", 12),      // negative length
       }) {
    KafkaWorld world;
    auto& client = world.client();
    const auto before = client.send(ApiVersionsRequest{}, 0);
    client.write(frame);
    CHECK(client.wait_closed());
    CHECK(client.answered(before));
    CHECK(client.order().size() == 1);
  }
}

TEST_CASE("a client of another protocol is sent away") {
  for (const std::string_view greeting :
       {std::string_view("\x10\x10\0\x04MQTT\x04\x02\0\x3c\0\x04test", 18), std::string_view("AMQP\0\0\x09\x01", 8),
        std::string_view("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        std::string_view("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\0\0\0\0", 15)}) {
    KafkaWorld world;
    auto& client = world.client();
    client.write(greeting);
    CHECK(client.wait_closed(5000));
    CHECK(client.order().empty());
  }
}

TEST_CASE("a request beyond the limit is refused from its length alone") {
  KafkaWorld world([](Settings& settings) { settings.kafka_protocol.max_request_bytes = 1 << 20; });
  auto& client = world.client();
  CHECK(client.call<ApiVersionsResponse>(ApiVersionsRequest{}, 0).error_code == ErrorCode::none);
  client.write(std::string_view("\0\x10\0\x01", 4));
  CHECK(client.wait_closed(5000));
}

TEST_CASE("a connection without a first request ends with the handshake's time, a silent one with the idle time") {
  KafkaWorld world([](Settings& settings) {
    settings.limits.handshake_timeout_ms = 1000;
    settings.limits.idle_timeout_ms = 60000;
  });
  auto& mute = world.client();
  auto& silent = world.client();
  CHECK(silent.call<ApiVersionsResponse>(ApiVersionsRequest{}, 0).error_code == ErrorCode::none);
  CHECK(mute.wait_closed(2000));
  world.world().run_for(55000);
  CHECK_FALSE(silent.is_closed());
  CHECK(silent.wait_closed(10000));
}

TEST_CASE("a connection that waits for an answer is not idle") {
  KafkaWorld world([](Settings& settings) { settings.limits.idle_timeout_ms = 1000; });
  world.create_topic("t");
  auto& client = world.client();
  const auto id = client.send(fetch_from("t", {{0, 0}}, 10000), 11);
  REQUIRE(client.wait(id, 20000));
  CHECK_FALSE(client.is_closed());
}

TEST_CASE("requests beyond the connection's limit wait in the socket and are all answered") {
  KafkaWorld world([](Settings& settings) { settings.limits.max_inflight_bytes = 20000; });
  world.create_topic("t");
  auto& client = world.client();
  std::vector<std::int32_t> sent;
  const std::string value(1000, 'x');
  sent.push_back(client.send(fetch_from("t", {{0, 1'000}}, 0), 11));
  for (int i = 0; i < 200; ++i) sent.push_back(client.send(produce_to("t", 0, make_batch({value})), 7));
  REQUIRE(client.wait(sent.back(), 60000));
  CHECK(client.order() == sent);
  for (int i = 0; i < 200; ++i) {
    const auto response = client.read<ProduceResponse>(sent[static_cast<std::size_t>(i) + 1], 7);
    CHECK(response.responses.at(0).partition_responses.at(0).base_offset == i);
  }
}

TEST_CASE("a client that does not read its answers is not read either, and gets them all when it does") {
  KafkaWorld world([](Settings& settings) { settings.limits.max_send_buffer_bytes = 256 << 10; });
  world.create_topic("t");
  auto& client = world.client();
  const std::string value(100'000, 'x');
  for (int i = 0; i < 10; ++i)
    REQUIRE(client.call<ProduceResponse>(produce_to("t", 0, make_batch({value})), 7)
                .responses.at(0)
                .partition_responses.at(0)
                .error_code == ErrorCode::none);
  client.pause(true);
  std::vector<std::int32_t> sent;
  for (int i = 0; i < 30; ++i) sent.push_back(client.send(fetch_from("t", {{0, 0}}), 11));
  world.world().run_for(5000);
  CHECK_FALSE(client.answered(sent.back()));
  CHECK_FALSE(client.is_closed());
  client.pause(false);
  REQUIRE(client.wait(sent.back(), 60000));
  for (const std::int32_t id : sent)
    CHECK(values_of(client.read<FetchResponse>(id, 11).responses.at(0).partitions.at(0)).size() == 10);
}

TEST_CASE("an ordered end answers what waits for data and does not wait for groups") {
  KafkaWorld world;
  world.create_topic("t");
  auto& fetching = world.client();
  auto& joining = world.client();
  const auto fetch_id = fetching.send(fetch_from("t", {{0, 0}}, 600000), 11);
  JoinGroupRequest join;
  join.group_id = Text("g");
  join.session_timeout_ms = 30000;
  join.rebalance_timeout_ms = 300000;
  join.protocol_type = Text("consumer");
  join.protocols.push_back({Text("range"), Bytes::copy("topics")});
  const auto first = joining.call<JoinGroupResponse>(join, 3);
  REQUIRE(first.error_code == ErrorCode::none);
  auto& late = world.client();
  const auto late_id = late.send(join, 3);  // waits for the first member to join again
  world.world().run_for(1000);
  REQUIRE_FALSE(late.answered(late_id));
  CHECK(world.stop());
  CHECK(fetching.answered(fetch_id));
  CHECK(fetching.wait_closed());
  CHECK(late.wait_closed());
}

TEST_CASE("frames cut anywhere are put together again") {
  KafkaWorld world;
  auto& client = world.client();
  auto frame = encode_request(MetadataRequest{}, 9, 77, Text("test-client"));
  REQUIRE(frame);
  std::string bytes;
  for (const Bytes& chunk : *frame) bytes += chunk.view();
  for (const char byte : bytes) {
    client.write(std::string_view(&byte, 1));
    world.world().run_for(3);
  }
  REQUIRE(client.wait(77));
  CHECK(client.read<MetadataResponse>(77, 9).brokers.size() == 1);
}

}  // namespace braid::test
