// Braid, Apache-2.0.
//
// The ordered set against std::set, through growth, shrinking and every way of joining and sharing nodes.
#include "actors/routing/index/ordered_set.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <vector>

#include "support/seed.hpp"

using namespace braid;
using braid::routing::OrderedSet;

namespace {

struct Key {
  std::uint32_t a;
  std::uint32_t b;
  friend auto operator<=>(const Key&, const Key&) = default;
};

void compare(const OrderedSet<Key>& set, const std::set<Key>& reference) {
  REQUIRE(set.size() == reference.size());
  auto at = set.seek({0, 0});
  for (const Key& key : reference) {
    REQUIRE_FALSE(at.done());
    REQUIRE(at.key() == key);
    at.next();
  }
  REQUIRE(at.done());
}

}  // namespace

TEST_CASE("an ordered set finds, walks and forgets what std::set does") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  OrderedSet<Key> set;
  std::set<Key> reference;
  for (int operation = 0; operation < 200000; ++operation) {
    const bool growing = (operation / 25000) % 2 == 0;
    const bool add = random() % 10 < (growing ? 8u : 1u);
    Key key{static_cast<std::uint32_t>(random() % 64), static_cast<std::uint32_t>(random() % 2048)};
    if (!add && !reference.empty() && random() % 4 != 0) {
      const auto some = reference.lower_bound(key);
      key = some == reference.end() ? *reference.begin() : *some;
    }
    if (add) {
      REQUIRE(set.insert(key) == reference.insert(key).second);
    } else {
      REQUIRE(set.erase(key) == (reference.erase(key) == 1));
    }
    if (operation % 10000 == 0) compare(set, reference);
    const Key wanted{static_cast<std::uint32_t>(random() % 64), static_cast<std::uint32_t>(random() % 2048)};
    const auto found = set.seek(wanted);
    const auto expected = reference.lower_bound(wanted);
    REQUIRE(found.done() == (expected == reference.end()));
    if (!found.done()) REQUIRE(found.key() == *expected);
  }
  compare(set, reference);
}

TEST_CASE("an ordered set that is emptied in any order gives all of its memory back") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int order = 0; order < 3; ++order) {
    OrderedSet<Key> set;
    std::vector<Key> keys;
    for (std::uint32_t index = 0; index < 50000; ++index) keys.push_back({index / 100, index % 100});
    for (const Key& key : keys) REQUIRE(set.insert(key));
    // Keys that came in order fill their leaves.
    CHECK(set.memory_bytes() < keys.size() * sizeof(Key) * 6 / 5);
    if (order == 1) std::reverse(keys.begin(), keys.end());
    if (order == 2) std::shuffle(keys.begin(), keys.end(), random);
    for (std::size_t index = 0; index < keys.size(); ++index) {
      REQUIRE(set.erase(keys[index]));
      if (index == keys.size() * 9 / 10) CHECK(set.memory_bytes() < keys.size() / 10 * sizeof(Key) * 6);
    }
    CHECK(set.memory_bytes() == 0);
    CHECK(set.seek({0, 0}).done());
  }
}
