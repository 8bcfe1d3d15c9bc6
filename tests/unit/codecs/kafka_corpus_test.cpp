// Braid, Apache-2.0.
//
// The fuzz target of requests finds its way from its corpus: a message without a seed there would hardly be reached. So
// each message of the registry has seeds, at its first version, its first flexible and its last.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>

#include "codecs/kafka/header.hpp"
#include "codecs/kafka/registry.hpp"
#include "support/source_tree.hpp"
#include "unit/codecs/kafka_messages.hpp"

namespace braid::kafka {
namespace {

const test::MessageUnderTest& message_named(std::string_view name) {
  for (const auto& message : test::all_messages())
    if (message.info.name == name) return message;
  FAIL("no message " << name);
  std::abort();
}

/// A request header and a body: the body is a response's in seeds of responses, which the target reads as one too.
Bytes make_seed(const test::MessageUnderTest& message, const ApiInfo& api, std::int16_t version) {
  std::mt19937_64 random(static_cast<std::uint64_t>(api.key) * 1000 + static_cast<std::uint64_t>(version));
  ByteWriter seed;
  seed.i16(static_cast<std::int16_t>(api.key));
  seed.i16(version);
  seed.i32(7);
  seed.i16(1);
  seed.u8('c');
  if (api.flexible(version)) seed.u8(0);
  seed.raw(test::make_sample(message, version, random).bytes);
  return seed.finish();
}

}  // namespace

TEST_CASE("the corpus has every message of the registry: run with BRAID_WRITE_CORPUS=1 to add what is missing") {
  const auto folder = source_tree() / "tests/fuzz/corpus/kafka_request_fuzz";
  for (const ApiInfo& api : all_apis()) {
    for (const std::string kind : {"Request", "Response"}) {
      const auto& message = message_named(std::string(api.name) + kind);
      std::set<std::int16_t> versions = {api.versions.first, api.versions.last};
      if (api.versions.contains(api.first_flexible)) versions.insert(api.first_flexible);
      for (const std::int16_t version : versions) {
        const auto path =
            folder / (std::string(api.name) + (kind == "Request" ? "_req_" : "_res_") + std::to_string(version));
        INFO(path);
        if (std::getenv("BRAID_WRITE_CORPUS") && !std::filesystem::exists(path)) {
          const Bytes seed = make_seed(message, api, version);
          std::ofstream(path, std::ios::binary) << seed.view();
        }
        std::ifstream file(path, std::ios::binary);
        REQUIRE(file);
        const std::string bytes(std::istreambuf_iterator<char>(file), {});
        const auto request = read_request(Bytes::copy(bytes));
        REQUIRE(request);
        CHECK(request->support == Request::Support::supported);
        CHECK(request->header.api_key() == api.key);
        CHECK(request->header.request_api_version == version);
        std::string printed;
        CHECK(message.decode_encode(request->body, version, printed));
      }
    }
  }
}

}  // namespace braid::kafka
