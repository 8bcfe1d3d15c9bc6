// Braid, Apache-2.0.
//
// The retained index against a map that is searched with `matches`: what a filter finds, in pages, while other topics
// come and go; and that what does not match is not looked at.
#include "actors/routing/retained_index.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "codecs/mqtt/topic.hpp"
#include "support/seed.hpp"
#include "unit/actors/routing_random.hpp"

using namespace braid;
using namespace braid::routing;
using braid::test::random_filter;
using braid::test::random_level;
using braid::test::random_topic;

namespace {

using Value = std::shared_ptr<const std::string>;
using Index = RetainedIndex<Value>;
using Topics = std::vector<std::string>;

void put(Index& index, const std::string& topic) {
  index.put(topic, std::make_shared<const std::string>(topic), topic.size());
}

Topics find(Index& index, std::string_view filter, const Index::Limits& limits = {}) {
  Topics found;
  std::string position;
  for (int pages = 0;; ++pages) {
    REQUIRE(pages < 100000);
    std::size_t on_page = 0;
    const auto page = index.collect(filter, position, limits, [&](const Value& value) {
      found.push_back(*value);
      ++on_page;
    });
    REQUIRE(on_page <= limits.values);
    if (!page.more) break;
    REQUIRE_FALSE(page.position.empty());
    position = page.position;
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// Nodes that a whole look-up visits: pages of one node each are counted.
std::size_t visits(Index& index, std::string_view filter) {
  std::string position;
  for (std::size_t pages = 0;; ++pages) {
    const auto page = index.collect(filter, position, {1000000, 1}, [](const Value&) {});
    if (!page.more) return pages;
    position = page.position;
  }
}

}  // namespace

TEST_CASE("a filter finds the retained messages of section 4.7 and no others") {
  Index index;
  for (const auto& topic : {"sport", "sport/", "sport/tennis", "sport/tennis/a", "/finance", "$SYS/x", "$SYS", "news"})
    put(index, topic);
  CHECK(find(index, "#") == Topics{"/finance", "news", "sport", "sport/", "sport/tennis", "sport/tennis/a"});
  CHECK(find(index, "+") == Topics{"news", "sport"});
  CHECK(find(index, "sport/#") == Topics{"sport", "sport/", "sport/tennis", "sport/tennis/a"});
  CHECK(find(index, "sport/+") == Topics{"sport/", "sport/tennis"});
  CHECK(find(index, "+/+") == Topics{"/finance", "sport/", "sport/tennis"});
  CHECK(find(index, "+/tennis/#") == Topics{"sport/tennis", "sport/tennis/a"});
  CHECK(find(index, "$SYS/#") == Topics{"$SYS", "$SYS/x"});  // [MQTT-4.7.2-1]
  CHECK(find(index, "+/x").empty());
  CHECK(find(index, "/+") == Topics{"/finance"});
  CHECK(find(index, "news") == Topics{"news"});
  CHECK(find(index, "nothing").empty());
}

TEST_CASE("a retained message replaces the one before, and bytes are accounted for [MQTT-3.3.1-5]") {
  RetainedIndex<int> index;
  CHECK_FALSE(index.put("a/b", 1, 100));
  CHECK(index.put("a/b", 2, 50));
  CHECK_FALSE(index.put("a", 3, 7));
  CHECK(index.size() == 2);
  CHECK(index.bytes() == 57);
  REQUIRE(index.find("a/b"));
  CHECK(*index.find("a/b") == 2);
  CHECK_FALSE(index.find("a/c"));
  CHECK_FALSE(index.find("a/b/c"));
  CHECK(index.erase("a/b"));
  CHECK_FALSE(index.erase("a/b"));
  CHECK_FALSE(index.erase("x"));
  CHECK(index.bytes() == 7);
  CHECK(index.erase("a"));
  CHECK(index.size() == 0);
  CHECK(index.bytes() == 0);
  CHECK(index.memory_bytes() < 4096);
}

TEST_CASE("10,000 random changes leave the index and a plain map of one opinion, whatever the size of a page") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  Index index(seed);
  std::map<std::string, std::size_t> reference;
  for (int operation = 0; operation < 10000; ++operation) {
    const bool growing = (operation / 1000) % 2 == 0;
    const bool add = random() % 10 < (growing ? 8u : 2u);
    std::string topic = random_topic(random);
    if (!add && !reference.empty() && random() % 4 != 0) {
      auto some = reference.lower_bound(topic);
      topic = some == reference.end() ? reference.begin()->first : some->first;
    }
    CAPTURE(operation, topic);
    if (add) {
      const bool replaced = index.put(topic, std::make_shared<const std::string>(topic), operation);
      REQUIRE(replaced == !reference.insert_or_assign(topic, operation).second);
    } else {
      REQUIRE(index.erase(topic) == (reference.erase(topic) == 1));
    }
    REQUIRE(index.size() == reference.size());
    const auto filter = random_filter(random);
    const TopicTree::Limits limits{1 + random() % 10, 1 + random() % 20};
    CAPTURE(filter, limits.values, limits.visited);
    Topics expected;
    std::size_t bytes = 0;
    for (const auto& [name, size] : reference) {
      if (mqtt::matches(filter, name)) expected.push_back(name);
      bytes += size;
    }
    REQUIRE(find(index, filter, limits) == expected);
    REQUIRE(index.bytes() == bytes);
    REQUIRE((index.find(topic) != nullptr) == reference.contains(topic));
  }
}

TEST_CASE("what is there all the time is found exactly once while other topics come and go between pages") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    Index index(random());
    std::set<std::string> stays;
    std::set<std::string> changing;
    for (int topic = 0; topic < 60; ++topic) stays.insert(random_topic(random) + (random() % 2 ? "/x" : ""));
    for (int topic = 0; topic < 60; ++topic) {
      const auto name = random_topic(random);
      if (!stays.contains(name)) changing.insert(name);
    }
    for (const auto& topic : stays) put(index, topic);
    const std::string filters[] = {"#", "+/+", "+/+/x", "+/x/#", "a/#", "+/+/+/#", random_filter(random)};
    const auto& filter = filters[random() % std::size(filters)];
    CAPTURE(round, filter);
    std::multiset<std::string> found;
    for (std::string position;;) {
      const auto page = index.collect(filter, position, {1 + random() % 3, 1 + random() % 5},
                                      [&](const Value& value) { found.insert(*value); });
      if (!page.more) break;
      position = page.position;
      for (const auto& topic : changing) {
        if (random() % 3 != 0) continue;
        if (index.find(topic)) {
          index.erase(topic);
        } else {
          put(index, topic);
        }
      }
    }
    for (const auto& topic : stays) {
      CAPTURE(topic);
      REQUIRE(found.count(topic) == (mqtt::matches(filter, topic) ? 1 : 0));
    }
    for (const auto& topic : found) REQUIRE(mqtt::matches(filter, topic));
  }
}

TEST_CASE("a look-up does not visit what cannot match") {
  Index index;
  for (int site = 0; site < 10; ++site)
    for (int device = 0; device < 1000; ++device) {
      const auto prefix = "s" + std::to_string(site) + "/d" + std::to_string(device);
      put(index, prefix + "/state");
      if (device % 500 == 0) put(index, prefix + "/alarm");
    }
  put(index, "elsewhere/alarm");
  CHECK(visits(index, "s3/d7/state") <= 3);
  CHECK(visits(index, "s3/d7/#") <= 3);
  CHECK(visits(index, "s3/+/state") <= 2 * 1000 + 1);
  CHECK(visits(index, "+/+/alarm") <= 30);     // begins at the twenty alarms
  CHECK(visits(index, "s3/+/alarm") <= 30);    // though "s3/+" stands for a thousand
  CHECK(visits(index, "+/d7/#") <= 40);        // ten devices of that name, under eleven sites
  CHECK(visits(index, "+/+/nothing/#") == 0);  // no topic has that level
  CHECK(visits(index, "+/nothing") == 0);
  CHECK(visits(index, "s3/alarm/#") == 0);
  CHECK(find(index, "+/+/alarm").size() == 20);
  CHECK(find(index, "+/alarm") == Topics{"elsewhere/alarm"});
}

TEST_CASE("a position that was made up leads to a wrong page and to nothing worse") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  Index index;
  for (int topic = 0; topic < 300; ++topic) put(index, random_topic(random));
  for (int round = 0; round < 20000; ++round) {
    std::string position(1, static_cast<char>(random() % 4 == 0 ? random() : random() % 5));
    position += random() % 3 == 0 ? random_filter(random) : random_topic(random);
    const auto filter = random_filter(random);
    CAPTURE(filter, position);
    index.collect(filter, position, {5, 20}, [&](const Value& value) { REQUIRE(mqtt::matches(filter, *value)); });
  }
}

TEST_CASE("retained topics that come and go leave no memory behind") {
  Index index;
  std::size_t after_first_round = 0;
  for (int round = 0; round < 10; ++round) {
    for (int topic = 0; topic < 3000; ++topic)
      put(index, "site/" + std::to_string(round) + "-" + std::to_string(topic) + "/state");
    if (round == 0) after_first_round = index.memory_bytes();
    CHECK(index.memory_bytes() <= after_first_round + after_first_round / 10);
    for (int topic = 0; topic < 3000; ++topic)
      REQUIRE(index.erase("site/" + std::to_string(round) + "-" + std::to_string(topic) + "/state"));
    CHECK(index.memory_bytes() < 4096);
  }
}
