// Braid, Apache-2.0.
//
// Every message at every version: what is encoded is decoded to the same, from a chain of slices as from one block; a
// message cut anywhere is an error and nothing worse. BRAID_SEED replays a run.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>

#include "codecs/kafka/header.hpp"
#include "codecs/kafka/registry.hpp"
#include "unit/codecs/kafka_random.hpp"

namespace braid::kafka {
namespace {

std::uint32_t seed_of_this_run() {
  if (const char* given = std::getenv("BRAID_SEED"))
    return static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10));
  return std::random_device{}();
}

Bytes join(const std::vector<Bytes>& chain) {
  ByteWriter writer;
  for (const Bytes& part : chain) writer.raw(part);
  return writer.finish();
}

template <class Message>
Bytes encoded(const Message& message, std::int16_t version) {
  FrameWriter writer;
  auto outcome = encode(writer, message, version);
  INFO(Message::info.name << " v" << version << " " << print(message, version));
  if (!outcome) FAIL(to_string(outcome.error()));
  return join(writer.finish());
}

template <class F>
void for_each_message(F&& visit) {
  Apis::for_each([&](auto api) {
    using Api = decltype(api);
    visit.template operator()<typename Api::Request>();
    visit.template operator()<typename Api::Response>();
  });
}

TEST_CASE("Every message decodes to what was encoded, at every version") {
  const std::uint32_t seed = seed_of_this_run();
  INFO("BRAID_SEED=" << seed);
  for_each_message([&]<class Message>() {
    for (std::int16_t version = Message::info.versions.first; version <= Message::info.versions.last; ++version) {
      test::RandomMessage random(seed + static_cast<std::uint32_t>(version), version);
      for (int round = 0; round < 20; ++round) {
        const auto message = random.make<Message>();
        const Bytes bytes = encoded(message, version);
        ByteReader reader(bytes);
        const auto again = decode<Message>(reader, version);
        INFO(Message::info.name << " v" << version << " " << print(message, version));
        if (!again) FAIL(to_string(again.error()));
        REQUIRE(reader.remaining() == 0);
        REQUIRE((*again == message));
        REQUIRE(encoded(*again, version) == bytes);
      }
    }
  });
}

TEST_CASE("A message cut at any byte is an error") {
  const std::uint32_t seed = seed_of_this_run();
  INFO("BRAID_SEED=" << seed);
  for_each_message([&]<class Message>() {
    for (std::int16_t version = Message::info.versions.first; version <= Message::info.versions.last; ++version) {
      test::RandomMessage random(seed + static_cast<std::uint32_t>(version), version);
      const Bytes whole = encoded(random.make<Message>(), version);
      const std::size_t step = whole.size() / 400 + 1;
      for (std::size_t size = 0; size < whole.size(); size += step) {
        const auto cut = decode<Message>(Bytes::copy(whole.view().substr(0, size)), version);
        INFO(Message::info.name << " v" << version << " cut to " << size << " of " << whole.size());
        REQUIRE_FALSE(cut.has_value());
        REQUIRE((Message::info.flexible(version) || !cut.error().field.empty()));
      }
    }
  });
}

TEST_CASE("Random changes of a valid message never do worse than fail") {
  const std::uint32_t seed = seed_of_this_run();
  INFO("BRAID_SEED=" << seed);
  std::mt19937 dice(seed);
  for_each_message([&]<class Message>() {
    for (std::int16_t version = Message::info.versions.first; version <= Message::info.versions.last; ++version) {
      test::RandomMessage random(seed + static_cast<std::uint32_t>(version), version);
      std::string bytes = encoded(random.make<Message>(), version).str();
      for (int round = 0; round < 40 && !bytes.empty(); ++round) {
        std::string changed = bytes;
        for (int i = 0; i < 3; ++i) changed[dice() % changed.size()] = static_cast<char>(dice());
        auto decoded = decode<Message>(Bytes::copy(changed), version);
        if (!decoded) continue;
        // What was accepted can be sent on, and means the same again.
        const auto again = decode<Message>(encoded(*decoded, version), version);
        INFO(Message::info.name << " v" << version << " " << print(*decoded, version));
        REQUIRE(again.has_value());
        REQUIRE(print(*again, version) == print(*decoded, version));
      }
    }
  });
}

TEST_CASE("A response travels in a frame under its correlation id") {
  MetadataResponse metadata;
  metadata.cluster_id = Text("braid");
  metadata.brokers.push_back({1, Text("localhost"), 9092, {}});
  for (std::int16_t version = 2; version <= MetadataResponse::info.versions.last; ++version) {
    auto frame = encode_response(metadata, version, 77);
    REQUIRE(frame);
    const Bytes bytes = join(*frame);
    REQUIRE(load_big<std::uint32_t>(bytes.data()) == bytes.size() - 4);
    auto response = decode_response<MetadataResponse>(bytes.slice(4), version);
    REQUIRE(response);
    REQUIRE(response->correlation_id == 77);
    REQUIRE(response->body == metadata);
  }
}

}  // namespace
}  // namespace braid::kafka
