// Braid, Apache-2.0.
//
// Frames, headers and bytes as real clients send them.
#include "codecs/kafka/frame.hpp"

#include <catch2/catch.hpp>

#include "codecs/kafka/header.hpp"
#include "codecs/kafka/messages/api_versions.hpp"
#include "codecs/kafka/messages/fetch.hpp"
#include "codecs/kafka/messages/metadata.hpp"
#include "codecs/kafka/messages/produce.hpp"

namespace braid::kafka {
namespace {

using namespace std::string_view_literals;
using Kind = FrameProbe::Kind;

FrameProbe probe(std::string_view received, bool first = true) {
  return probe_frame(received, default_largest_frame_bytes, first);
}
Bytes join(const std::vector<Bytes>& chain) {
  ByteWriter writer;
  for (const Bytes& part : chain) writer.raw(part);
  return writer.finish();
}

// librdkafka 2.0 asks for version 3 first, and falls back to version 0 on error 35.
constexpr auto librdkafka_api_versions_3 =
    "\0\0\0\x24"
    "\0\x12\0\x03\0\0\0\x01\0\x07rdkafka\0"
    "\x0blibrdkafka\x06"
    "2.0.2\0"sv;
constexpr auto librdkafka_api_versions_0 = "\0\0\0\x11\0\x12\0\0\0\0\0\x02\0\x07rdkafka"sv;

TEST_CASE("librdkafka's ApiVersions request version 3 is read") {
  const auto found = probe(librdkafka_api_versions_3);
  REQUIRE(found.kind == Kind::frame);
  REQUIRE(found.bytes == librdkafka_api_versions_3.size());
  const auto request = read_request(Bytes::literal(librdkafka_api_versions_3).slice(4));
  REQUIRE(request);
  CHECK(request->support == Request::Support::supported);
  CHECK(request->header.api_key() == ApiKey::api_versions);
  CHECK(request->header.request_api_version == 3);
  CHECK(request->header.correlation_id == 1);
  REQUIRE(request->header.client_id);
  CHECK(*request->header.client_id == "rdkafka");
  const auto body = decode<ApiVersionsRequest>(request->body, 3);
  REQUIRE(body);
  CHECK(body->client_software_name == "librdkafka");
  CHECK(body->client_software_version == "2.0.2");

  const auto encoded = encode_request(*body, 3, 1, Text("rdkafka"));
  REQUIRE(encoded);
  CHECK(join(*encoded).view() == librdkafka_api_versions_3);
}

TEST_CASE("librdkafka's ApiVersions request version 0 is read") {
  const auto request = read_request(Bytes::literal(librdkafka_api_versions_0).slice(4));
  REQUIRE(request);
  CHECK(request->header.request_api_version == 0);
  CHECK(request->body.empty());
  REQUIRE(decode<ApiVersionsRequest>(request->body, 0));
}

TEST_CASE("An ApiVersions response keeps the old header in every version") {
  ApiVersionsResponse response;
  response.api_keys.push_back({18, 0, 4});
  response.finalized_features_epoch = 7;
  const auto old = encode_response(response, 0, 2);
  REQUIRE(old);
  CHECK(join(*old).view() == "\0\0\0\x10\0\0\0\x02\0\0\0\0\0\x01\0\x12\0\0\0\x04"sv);
  const auto flexible = encode_response(response, 3, 2);
  REQUIRE(flexible);
  CHECK(join(*flexible).view() ==
        "\0\0\0\x1d\0\0\0\x02\0\0\x02\0\x12\0\0\0\x04\0\0\0\0\0"
        "\x01\x01\x08\0\0\0\0\0\0\0\x07"sv);
}

TEST_CASE("A request in a version or of a key that we do not know can still be answered") {
  const auto future = read_request(Bytes::literal("\0\x12\0\x63\0\0\0\x05\0\x01xyz"sv));
  REQUIRE(future);
  CHECK(future->support == Request::Support::unsupported_version);
  CHECK(future->header.correlation_id == 5);
  const auto unknown = read_request(Bytes::literal("\x7f\x12\0\0\0\0\0\x06"sv));
  REQUIRE(unknown);
  CHECK(unknown->support == Request::Support::unknown_key);
  CHECK(unknown->header.correlation_id == 6);
  CHECK_FALSE(read_request(Bytes::literal("\0\x12\0\0\0\0\0"sv)));
  CHECK_FALSE(read_request(Bytes::literal("\0\x12\0\0\0\0\0\x01\0\x09short"sv)));
}

TEST_CASE("Unknown tagged fields are skipped") {
  auto body = decode<ApiVersionsRequest>(Bytes::literal("\x02"
                                                        "a\x02"
                                                        "b\x02\x05\x03xyz\x7f\0"sv),
                                         3);
  REQUIRE(body);
  CHECK(body->client_software_version == "b");
  CHECK_FALSE(decode<ApiVersionsRequest>(Bytes::literal("\x02"
                                                        "a\x02"
                                                        "b\x01\x05\x7fxyz"sv),
                                         3));
}

TEST_CASE("A tagged field that is shorter than it says is an error") {
  // FetchRequest 12, tag 0 (cluster id) of three bytes that holds a string of one.
  FetchRequest request;
  request.cluster_id = Text("x");
  FrameWriter writer;
  REQUIRE(encode(writer, request, 12));
  std::string bytes = join(writer.finish()).str();
  const auto tag = bytes.rfind("\x02\x02x"sv);
  REQUIRE(tag == bytes.size() - 3);
  bytes[tag] = 3;
  bytes += '\0';
  const auto decoded = decode<FetchRequest>(Bytes::copy(bytes), 12);
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().code == DecodeError::Code::tagged_field_size);
}

TEST_CASE("A count beyond what the message can hold is refused before memory is taken") {
  // Metadata 1: two thousand million topics in four bytes; in version 9, as a varint.
  const auto old = decode<MetadataRequest>(Bytes::literal("\x7f\xff\xff\xff"sv), 1);
  REQUIRE_FALSE(old);
  CHECK(old.error().code == DecodeError::Code::count_too_large);
  CHECK(old.error().field == "topics");
  const auto flexible = decode<MetadataRequest>(Bytes::literal("\xff\xff\xff\xff\x0f\0\0\0\0"sv), 9);
  REQUIRE_FALSE(flexible);
  CHECK(flexible.error().code == DecodeError::Code::count_too_large);
}

TEST_CASE("An array that would take more memory than the limit is refused") {
  MetadataRequest request;
  request.topics.emplace(1000);
  for (auto& topic : *request.topics) topic.name = Text();
  FrameWriter writer;
  REQUIRE(encode(writer, request, 9));
  const Bytes bytes = join(writer.finish());
  REQUIRE(decode<MetadataRequest>(bytes, 9));
  const auto limited = decode<MetadataRequest>(bytes, 9, DecodeLimits{1000 * sizeof(MetadataRequest::Topic) - 1});
  REQUIRE_FALSE(limited);
  CHECK(limited.error().code == DecodeError::Code::too_much_memory);
  CHECK(to_string(limited.error()) == "topics: elements would take more memory than the limit");
}

TEST_CASE("Null is refused in versions that do not allow it") {
  const auto topics = decode<MetadataRequest>(Bytes::literal("\xff\xff\xff\xff"sv), 0);
  REQUIRE_FALSE(topics);
  CHECK(topics.error().code == DecodeError::Code::unexpected_null);
  const auto all = decode<MetadataRequest>(Bytes::literal("\xff\xff\xff\xff"sv), 1);
  REQUIRE(all);
  CHECK_FALSE(all->topics);

  MetadataRequest request;
  request.topics.reset();
  FrameWriter writer;
  const auto encoded = encode(writer, request, 0);
  REQUIRE_FALSE(encoded);
  CHECK(encoded.error().code == EncodeError::Code::unexpected_null);
  CHECK_FALSE(decode<MetadataRequest>(Bytes::literal("\x80\0\0\0"sv), 1));
}

TEST_CASE("A value that a version has no field for is dropped when it may be, and an error when it may not") {
  FetchResponse response;
  response.throttle_time_ms = 5;
  response.error_code = ErrorCode::unknown_topic_id;
  FrameWriter writer;
  CHECK(encode(writer, response, 6));
  response.session_id = 9;
  const auto encoded = encode(writer, response, 6);
  REQUIRE_FALSE(encoded);
  CHECK(encoded.error().field == "session_id");
  CHECK(encoded.error().code == EncodeError::Code::field_not_in_version);
  CHECK_FALSE(encode(writer, response, 99));
}

TEST_CASE("Fetch responses share the record batches that they carry") {
  const Bytes first = Bytes::copy(std::string(70'000, 'a'));
  const Bytes second = Bytes::copy(std::string(5'000, 'b'));
  const Bytes small = Bytes::copy(std::string(100, 'c'));
  FetchResponse response;
  auto& topic = response.responses.emplace_back();
  topic.topic = Text("t");
  topic.partitions.resize(2);
  topic.partitions[0].records = Records(std::vector{first, second});
  topic.partitions[1].records = Records(small);
  const auto frame = encode_response(response, 11, 1);
  REQUIRE(frame);
  REQUIRE(frame->size() == 4);
  CHECK((*frame)[1].data() == first.data());
  CHECK((*frame)[2].data() == second.data());
  const auto again = decode_response<FetchResponse>(join(*frame).slice(4), 11);
  REQUIRE(again);
  CHECK((again->body == response));
}

TEST_CASE("Records of a produce request are slices of what was received") {
  ProduceRequest request;
  auto& partition = request.topic_data.emplace_back().partition_data.emplace_back();
  partition.records = Records(Bytes::copy(std::string(3000, 'r')));
  FrameWriter writer;
  REQUIRE(encode(writer, request, 7));
  const Bytes received = join(writer.finish());
  const auto decoded = decode<ProduceRequest>(received, 7);
  REQUIRE(decoded);
  const Bytes records = decoded->topic_data[0].partition_data[0].records->joined();
  CHECK(records.data() > received.data());
  CHECK(records.data() + records.size() <= received.data() + received.size());
}

TEST_CASE("A frame is found once all of it is there") {
  for (std::size_t size = 0; size < librdkafka_api_versions_3.size(); ++size) {
    const auto found = probe(librdkafka_api_versions_3.substr(0, size));
    REQUIRE(found.kind == Kind::need_more);
    REQUIRE(found.bytes > size);
  }
  std::string two(librdkafka_api_versions_3);
  two += librdkafka_api_versions_0;
  CHECK(probe(two).bytes == librdkafka_api_versions_3.size());
}

TEST_CASE("Lengths that no request has are refused") {
  CHECK(probe("\0\0\0\x07"sv, false).kind == Kind::invalid);
  CHECK(probe("\xff\xff\xff\xff"sv, false).kind == Kind::invalid);
  const auto large = probe("\x06\x40\0\x01"sv, false);
  CHECK(large.kind == Kind::too_large);
  CHECK(large.bytes == 0x06400001);
  CHECK(probe("\x06\x40\0\0"sv, false).kind == Kind::need_more);
}

TEST_CASE("Another protocol on the Kafka port is named") {
  const auto speaks = [](std::string_view bytes, WireProtocol protocol) {
    const auto found = probe(bytes);
    CHECK(found.kind == Kind::other_protocol);
    CHECK(found.protocol == protocol);
  };
  speaks("\x10\x0e\0\x04MQTT\x05\x02\0\x3c\0\0\x01x"sv, WireProtocol::mqtt);
  speaks("\x10\x8e\x01\0\x06MQIsdp\x03\x02\0\x3c"sv, WireProtocol::mqtt);
  speaks("AMQP\0\0\x09\x01"sv, WireProtocol::amqp_0_9_1);
  speaks("AMQP\x03\x01\0\0"sv, WireProtocol::amqp_1_0);
  speaks("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"sv, WireProtocol::tls);
  speaks("GET / HTTP/1.1\r\nHost: x\r\n"sv, WireProtocol::http);
  speaks("GET /mqtt HTTP/1.1\r\nUpgrade: websocket\r\n"sv, WireProtocol::websocket);
  speaks("PRI * HTTP/2.0\r\n\r\n"sv, WireProtocol::http2);
  speaks("PROXY TCP4 1.2.3.4"sv, WireProtocol::proxy);
  speaks("SSH-2.0-OpenSSH"sv, WireProtocol::ssh);
  CHECK(probe("\x10\x0e\0\x04"sv).kind == Kind::need_more);  // too little to tell
  CHECK(probe("zzzzzzzzzzzzzzzz"sv).kind == Kind::too_large);
}

TEST_CASE("Kafka is recognised on other ports") {
  CHECK(guess_protocol(librdkafka_api_versions_3) == WireProtocol::kafka);
  CHECK(guess_protocol(librdkafka_api_versions_0) == WireProtocol::kafka);
  CHECK(guess_protocol("") == WireProtocol::unknown);
}

TEST_CASE("What a peer sent is printed escaped and cut short") {
  RequestHeader header;
  header.client_id = Text("a\n\"b" + std::string(100, 'x'));
  const std::string line = print(header, 2);
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.find("a\\x0a\\\"b") != std::string::npos);
  CHECK(line.size() < 250);
  MetadataResponse response;
  response.topics.resize(1000);
  const std::string many = print(response, 0);
  CHECK(many.size() < 5000);
  CHECK(many.find("1000 in all") != std::string::npos);
}

TEST_CASE("Every error of ours has a code of Kafka's") {
  CHECK(to_error_code(Errc::none) == ErrorCode::none);
  for (int i = 1; i <= static_cast<int>(Errc::damaged); ++i) {
    const auto code = to_error_code(static_cast<Errc>(i));
    CHECK(code != ErrorCode::none);
    CHECK(code != ErrorCode::unknown_server_error);
  }
  CHECK(to_string(ErrorCode::fenced_instance_id) == "fenced_instance_id");
  CHECK(to_string(static_cast<ErrorCode>(9999)) == "unknown error code");
}

}  // namespace
}  // namespace braid::kafka
