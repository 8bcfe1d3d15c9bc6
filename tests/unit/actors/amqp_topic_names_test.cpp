// Braid, Apache-2.0.
//
// MQTT names and AMQP routing keys: each name has a key and comes back from it; filters cover what bindings match.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "actors/topic_bridge/names.hpp"
#include "codecs/mqtt/topic.hpp"
#include "support/seed.hpp"

using namespace braid::amqp;

TEST_CASE("names and keys exchange their separators") {
  CHECK(to_routing_key("sensors/room1/temp") == "sensors.room1.temp");
  CHECK(to_topic_name("sensors.room1.temp") == "sensors/room1/temp");
  CHECK(to_routing_key("a//b/") == "a..b.");
  CHECK(to_topic_name("a..b.") == "a//b/");
  CHECK(to_routing_key("hosts/10.0.0.1") == "hosts.10%2E0%2E0%2E1");
  CHECK(to_routing_key("100%/*") == "100%25.%2A");
  CHECK(to_topic_name("50%.x") == "50%/x");
  CHECK_FALSE(to_topic_name(""));
  CHECK_FALSE(to_topic_name("a/b"));
  CHECK_FALSE(to_topic_name("a.+"));
  CHECK_FALSE(to_topic_name("a.#"));
  CHECK_FALSE(to_topic_name("\xff"));
  CHECK_FALSE(to_routing_key(std::string(256, 'x')));
}

TEST_CASE("the key of any name leads back to it") {
  const auto seed = braid::test_seed();
  CAPTURE(seed);
  std::uint64_t state = seed | 1;
  const std::string_view alphabet = "ab./*%2EA5";
  for (int round = 0; round < 2000; ++round) {
    std::string name;
    for (int i = 0; i < 12; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      name += alphabet[(state >> 33) % alphabet.size()];
    }
    const auto key = to_routing_key(name);
    REQUIRE(key);
    REQUIRE(to_topic_name(*key) == name);
  }
}

TEST_CASE("a binding's filter covers the names that it matches") {
  CHECK(to_topic_filter("sensors.*.temp") == "sensors/+/temp");
  CHECK(to_topic_filter("sensors.#") == "sensors/#");
  CHECK(to_topic_filter("#") == "#");
  CHECK(to_topic_filter("a.#.b") == "a/#");
  CHECK(to_topic_filter("10%2E0.*") == "10.0/+");
  CHECK_FALSE(to_topic_filter("a/b"));
  CHECK_FALSE(to_topic_filter("a.x+"));
  CHECK_FALSE(to_topic_filter("$share.g.x"));
}
