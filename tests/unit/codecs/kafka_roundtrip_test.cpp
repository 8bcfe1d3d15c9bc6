// Braid, Apache-2.0.
//
// Every message at every version: what is decoded prints as what was meant and encodes to the same bytes; a message cut
// or changed anywhere is an error and nothing worse. BRAID_SEED replays a run.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>

#include "codecs/kafka/header.hpp"
#include "codecs/kafka/messages/consumer_protocol.hpp"
#include "codecs/kafka/messages/metadata.hpp"
#include "unit/codecs/kafka_messages.hpp"

namespace braid::kafka {
namespace {

using test::MessageUnderTest;

std::uint32_t seed_of_this_run() {
  if (const char* given = std::getenv("BRAID_SEED"))
    return static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10));
  return std::random_device{}();
}

/// Calls `visit(message, version)` for every message at every version.
template <class F>
void for_each_version(F&& visit) {
  for (const MessageUnderTest& message : test::all_messages())
    for (std::int16_t version = message.info.versions.first; version <= message.info.versions.last; ++version)
      visit(message, version);
}

TEST_CASE("Every message of every version is decoded, printed and encoded to the same bytes") {
  const std::uint32_t seed = seed_of_this_run();
  std::mt19937_64 random(seed);
  for_each_version([&](const MessageUnderTest& message, std::int16_t version) {
    for (int round = 0; round < 20; ++round) {
      const test::Sample sample = test::make_sample(message, version, random);
      INFO("BRAID_SEED=" << seed << " " << message.info.name << " v" << version);
      std::string printed;
      const auto again = message.decode_encode(Bytes::copy(sample.bytes), version, printed);
      if (!again) FAIL(to_string(again.error()) + " in " + sample.printed);
      REQUIRE(printed == sample.printed);
      REQUIRE(again->view() == sample.bytes);
    }
  });
}

TEST_CASE("A message cut at any byte is an error") {
  const std::uint32_t seed = seed_of_this_run();
  std::mt19937_64 random(seed);
  for_each_version([&](const MessageUnderTest& message, std::int16_t version) {
    const test::Sample sample = test::make_sample(message, version, random);
    const std::size_t step = sample.bytes.size() / 400 + 1;
    for (std::size_t size = 0; size < sample.bytes.size(); size += step) {
      INFO("BRAID_SEED=" << seed << " " << message.info.name << " v" << version << " cut to " << size);
      std::string printed;
      const auto cut = message.decode_encode(Bytes::copy(sample.bytes.substr(0, size)), version, printed);
      REQUIRE_FALSE(cut.has_value());
      REQUIRE_FALSE(to_string(cut.error()).empty());
    }
  });
}

TEST_CASE("A message changed anywhere either fails or means the same once it is sent on") {
  const std::uint32_t seed = seed_of_this_run();
  std::mt19937_64 random(seed);
  for_each_version([&](const MessageUnderTest& message, std::int16_t version) {
    const std::string bytes = test::make_sample(message, version, random).bytes;
    for (int round = 0; round < 40 && !bytes.empty(); ++round) {
      std::string changed = bytes;
      for (int i = 0; i < 3; ++i) changed[random() % changed.size()] = static_cast<char>(random());
      INFO("BRAID_SEED=" << seed << " " << message.info.name << " v" << version);
      std::string once, twice;
      const auto decoded = message.decode_encode(Bytes::copy(changed), version, once);
      if (!decoded) continue;
      const auto again = message.decode_encode(*decoded, version, twice);
      REQUIRE(again.has_value());
      REQUIRE(once == twice);
      REQUIRE(*again == *decoded);
    }
  });
}

TEST_CASE("Fields that a version lacks keep their defaults") {
  MetadataResponse response;
  response.throttle_time_ms = 9;
  response.cluster_id = Text("braid");
  response.controller_id = 5;
  response.brokers.push_back({1, Text("localhost"), 9092, Text("rack")});
  FrameWriter writer;
  REQUIRE(encode(writer, response, 0));
  const auto decoded = decode<MetadataResponse>(writer.finish().front(), 0);
  REQUIRE(decoded);
  CHECK(decoded->throttle_time_ms == 0);
  CHECK_FALSE(decoded->cluster_id);
  CHECK(decoded->controller_id == -1);
  REQUIRE(decoded->brokers.size() == 1);
  CHECK(decoded->brokers[0].host == "localhost");
  CHECK_FALSE(decoded->brokers[0].rack);
}

TEST_CASE("A response travels in a frame under its correlation id") {
  MetadataResponse metadata;
  metadata.cluster_id = Text("braid");
  metadata.brokers.push_back({1, Text("localhost"), 9092, {}});
  for (std::int16_t version = 2; version <= MetadataResponse::info.versions.last; ++version) {
    const auto frame = encode_response(metadata, version, 77);
    REQUIRE(frame);
    REQUIRE(frame->size() == 1);
    const Bytes& bytes = frame->front();
    REQUIRE(load_big<std::uint32_t>(bytes.data()) == bytes.size() - 4);
    const auto response = decode_response<MetadataResponse>(bytes.slice(4), version);
    REQUIRE(response);
    REQUIRE(response->correlation_id == 77);
    REQUIRE((response->body == metadata));
  }
}

TEST_CASE("A newer version of the consumer protocol is read as the newest known") {
  ConsumerProtocolSubscription subscription;
  subscription.topics = {Text("a"), Text("b")};
  subscription.generation_id = 4;
  const Bytes bytes = encode_subscription(subscription, 3);
  std::string newer = bytes.str() + "appended";
  newer[1] = 9;
  const auto decoded = decode_subscription(Bytes::copy(newer));
  REQUIRE(decoded);
  CHECK((*decoded == subscription));
  CHECK_FALSE(decode_subscription(Bytes::literal("\xff")));
  CHECK_FALSE(decode_assignment(Bytes::literal("\xff\xff")));
  const auto assignment = decode_assignment(encode_assignment({}, 0));
  REQUIRE(assignment);
  CHECK(assignment->assigned_partitions.empty());
}

}  // namespace
}  // namespace braid::kafka
