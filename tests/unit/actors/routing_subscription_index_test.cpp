// Braid, Apache-2.0.
//
// The subscription index against a list of filters that is walked with `matches`, and the promises about memory.
#include "actors/routing/subscription_index.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>

#include "codecs/mqtt/topic.hpp"
#include "support/seed.hpp"
#include "unit/actors/routing_random.hpp"

using namespace braid;
using namespace braid::routing;
using braid::test::random_filter;
using braid::test::random_level;
using braid::test::random_topic;

namespace {

using Found = std::vector<std::tuple<std::uint32_t, std::uint8_t, std::uint32_t>>;  // subscriber, QoS, identifier

Found find(SubscriptionIndex& index, std::string_view topic) {
  Found found;
  const auto matched = index.match(topic, [&](std::span<const Posting> postings) {
    for (const Posting& posting : postings)
      found.emplace_back(posting.subscriber(), posting.qos(), posting.subscription_identifier());
  });
  REQUIRE(matched.complete);
  REQUIRE(matched.subscriptions == found.size());
  std::sort(found.begin(), found.end());
  return found;
}

Posting plain(std::uint32_t subscriber) {
  return {subscriber, 0, false, false, 0};
}

std::vector<std::uint32_t> subscribers(SubscriptionIndex& index, std::string_view topic) {
  std::vector<std::uint32_t> ids;
  for (const auto& found : find(index, topic)) ids.push_back(std::get<0>(found));
  return ids;
}

using Ids = std::vector<std::uint32_t>;

struct Reference {
  std::map<std::pair<std::string, std::uint32_t>, Posting> subscriptions;

  Found find(std::string_view topic) const {
    Found found;
    for (const auto& [key, posting] : subscriptions)
      if (mqtt::matches(key.first, topic))
        found.emplace_back(posting.subscriber(), posting.qos(), posting.subscription_identifier());
    std::sort(found.begin(), found.end());
    return found;
  }
  bool interested(std::string_view first_level) const {
    return std::any_of(subscriptions.begin(), subscriptions.end(), [&](const auto& entry) {
      const auto first = mqtt::first_level(entry.first.first);
      return first == first_level || ((first == "+" || first == "#") && !first_level.starts_with('$'));
    });
  }
};

}  // namespace

TEST_CASE("a name meets the filters of section 4.7 and no others") {
  SubscriptionIndex index;
  const std::string_view filters[] = {"sport/tennis/+", "sport/#", "#",      "+",       "+/+", "/+",
                                      "sport",          "sport/+", "$SYS/#", "sport//+"};
  for (std::uint32_t id = 0; id < std::size(filters); ++id) index.subscribe(filters[id], plain(id));
  CHECK(subscribers(index, "sport/tennis/player1") == Ids{0, 1, 2});
  CHECK(subscribers(index, "sport") == Ids{1, 2, 3, 6});  // '#' includes the parent level [MQTT-4.7.1-1]
  CHECK(subscribers(index, "sport/") == Ids{1, 2, 4, 7});
  CHECK(subscribers(index, "/finance") == Ids{2, 4, 5});
  CHECK(subscribers(index, "sport//x") == Ids{1, 2, 9});
  CHECK(subscribers(index, "Sport") == Ids{2, 3});
  CHECK(subscribers(index, "$SYS/broker") == Ids{8});  // [MQTT-4.7.2-1]
  CHECK(subscribers(index, "$SYS") == Ids{8});
}

TEST_CASE("subscribing again replaces the options of a subscription [MQTT-3.8.4-3]") {
  SubscriptionIndex index;
  for (const std::string_view filter : {"a/b", "a/+"}) {
    CHECK_FALSE(index.subscribe(filter, Posting(7, 0, false, false, 0)).replaced);
    CHECK(index.subscribe(filter, Posting(7, 2, true, true, 268435455)).replaced);
  }
  CHECK(index.subscriptions() == 2);
  index.match("a/b", [](std::span<const Posting> postings) {
    REQUIRE(postings.size() == 1);
    CHECK(postings[0] == Posting(7, 2, true, true, 268435455));
    CHECK(postings[0].subscriber() == 7);
    CHECK(postings[0].qos() == 2);
    CHECK(postings[0].no_local());
    CHECK(postings[0].retain_as_published());
    CHECK(postings[0].subscription_identifier() == 268435455);
  });
}

TEST_CASE("unsubscribing what is not there changes nothing") {
  SubscriptionIndex index;
  CHECK_FALSE(index.unsubscribe("a/+/b", 1).existed);
  index.subscribe("a/+/b", plain(1));
  index.subscribe("x", plain(1));
  for (const std::string_view filter : {"a/+", "a/+/b/#", "a", "+/+/b", "a/+/c", "y"})
    CHECK_FALSE(index.unsubscribe(filter, 1).existed);
  CHECK_FALSE(index.unsubscribe("a/+/b", 2).existed);
  CHECK(index.subscriptions() == 2);
  CHECK(subscribers(index, "a/z/b") == Ids{1});
}

TEST_CASE("the interest in a first level appears with its first subscription and goes with its last") {
  SubscriptionIndex index;
  CHECK_FALSE(index.interested("a"));
  auto change = index.subscribe("a/b", plain(1)).interest;
  CHECK((change.first_level && !change.wildcard_first));
  CHECK_FALSE(index.subscribe("a/b", plain(1)).interest.first_level);
  CHECK_FALSE(index.subscribe("a/+", plain(2)).interest.first_level);
  CHECK(index.interested("a"));
  CHECK_FALSE(index.interested("b"));
  change = index.subscribe("+/b", plain(3)).interest;
  CHECK((!change.first_level && change.wildcard_first));
  CHECK_FALSE(index.subscribe("#", plain(3)).interest.wildcard_first);
  CHECK(index.interested("b"));
  CHECK_FALSE(index.interested("$SYS"));
  CHECK_FALSE(index.unsubscribe("#", 3).interest.wildcard_first);
  CHECK(index.unsubscribe("+/b", 3).interest.wildcard_first);
  CHECK_FALSE(index.unsubscribe("a/b", 1).interest.first_level);
  CHECK(index.unsubscribe("a/+", 2).interest.first_level);
  CHECK_FALSE(index.interested("a"));
}

TEST_CASE("a filter with very many subscribers adds, replaces and removes them one by one") {
  SubscriptionIndex index;
  constexpr std::uint32_t count = 5000;
  for (std::uint32_t id = 0; id < count; ++id) {
    index.subscribe("news/+", plain(id));
    index.subscribe("news/today", plain(id));
  }
  CHECK(find(index, "news/today").size() == 2 * count);
  for (std::uint32_t id = 0; id < count; id += 2)
    CHECK(index.subscribe("news/+", Posting(id, 1, false, false, 9)).replaced);
  for (std::uint32_t id = 0; id < count; ++id) {
    if (id % 100 == 7) continue;
    REQUIRE(index.unsubscribe("news/+", id).existed);
    REQUIRE(index.unsubscribe("news/today", id).existed);
    REQUIRE_FALSE(index.unsubscribe("news/today", id).existed);
  }
  Found expected;
  for (std::uint32_t id = 7; id < count; id += 100) expected.emplace_back(id, 0, 0);
  CHECK(find(index, "news/x") == expected);
  CHECK(find(index, "news/today").size() == 2 * expected.size());
}

TEST_CASE("10,000 random changes leave the index and a plain list of filters of one opinion") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  SubscriptionIndex index(seed);
  Reference reference;
  std::set<std::string> levels;
  for (int operation = 0; operation < 10000; ++operation) {
    // Swings between growing and shrinking, so that nodes and lists come and go.
    const bool growing = (operation / 1000) % 2 == 0;
    const bool add = random() % 10 < (growing ? 8u : 2u);
    std::string filter = random_filter(random);
    auto subscriber = static_cast<std::uint32_t>(random() % (operation % 3 == 0 ? 4 : 200));
    if (!add && !reference.subscriptions.empty() && random() % 4 != 0) {
      auto some = reference.subscriptions.lower_bound({filter, subscriber});
      if (some == reference.subscriptions.end()) some = reference.subscriptions.begin();
      std::tie(filter, subscriber) = some->first;
    }
    CAPTURE(operation, filter, subscriber);
    const std::string first(mqtt::first_level(filter));
    const bool wildcard_first = first == "+" || first == "#";
    const bool interest_before = wildcard_first ? reference.interested("zzz") : index.has_first_level(first);
    if (add) {
      const Posting posting(subscriber, static_cast<std::uint8_t>(random() % 3), random() % 2, random() % 2,
                            static_cast<std::uint32_t>(random() % 5));
      const auto result = index.subscribe(filter, posting);
      const bool inserted = reference.subscriptions.insert_or_assign({filter, subscriber}, posting).second;
      REQUIRE(result.replaced == !inserted);
      REQUIRE((result.interest.first_level || result.interest.wildcard_first) == !interest_before);
    } else {
      const auto result = index.unsubscribe(filter, subscriber);
      REQUIRE(result.existed == (reference.subscriptions.erase({filter, subscriber}) == 1));
      const bool interest_after = wildcard_first ? reference.interested("zzz") : index.has_first_level(first);
      REQUIRE((result.interest.first_level || result.interest.wildcard_first) == (interest_before && !interest_after));
    }
    REQUIRE(index.subscriptions() == reference.subscriptions.size());
    const auto topic = random_topic(random);
    CAPTURE(topic);
    REQUIRE(find(index, topic) == reference.find(topic));
    REQUIRE(index.interested(mqtt::first_level(topic)) == reference.interested(mqtt::first_level(topic)));
  }
  for (const auto& [key, posting] : reference.subscriptions) REQUIRE(index.unsubscribe(key.first, key.second).existed);
  CHECK(index.subscriptions() == 0);
  CHECK_FALSE(index.interested("a"));
}

TEST_CASE("filters that come and go leave no memory behind") {
  SubscriptionIndex index;
  std::size_t after_first_round = 0;
  for (std::uint32_t round = 0; round < 20; ++round) {
    for (std::uint32_t id = 0; id < 2000; ++id) {
      const auto name = std::to_string(round) + "-" + std::to_string(id);
      index.subscribe("site/" + name + "/+/cmd", plain(id));
      index.subscribe("site/" + name + "/a name of more than sixteen bytes", plain(id));
    }
    if (round == 0) after_first_round = index.memory_bytes();
    CHECK(index.memory_bytes() <= after_first_round + after_first_round / 10);
    for (std::uint32_t id = 0; id < 2000; ++id) {
      const auto name = std::to_string(round) + "-" + std::to_string(id);
      REQUIRE(index.unsubscribe("site/" + name + "/+/cmd", id).existed);
      REQUIRE(index.unsubscribe("site/" + name + "/a name of more than sixteen bytes", id).existed);
    }
    CHECK(index.subscriptions() == 0);
    CHECK(index.memory_bytes() < 4096);
  }
}

TEST_CASE("a match stops at its limit of nodes and says so") {
  SubscriptionIndex index;
  // Every mixture of 'a' and '+' over ten levels: a name of ten 'a' reaches two to the power of ten leaves.
  for (std::uint32_t mask = 0; mask < 1024; ++mask) {
    std::string filter;
    for (int level = 0; level < 10; ++level) {
      if (level > 0) filter += '/';
      filter += (mask >> level) & 1 ? "+" : "a";
    }
    index.subscribe(filter, plain(mask));
  }
  const auto count = [&](std::uint32_t limit) {
    return index.match(
        "a/a/a/a/a/a/a/a/a/a", [](std::span<const Posting>) {}, limit);
  };
  CHECK(count(SubscriptionIndex::default_max_visited).complete);
  CHECK(count(SubscriptionIndex::default_max_visited).subscriptions == 1024);
  CHECK_FALSE(count(100).complete);
  CHECK(count(100).subscriptions < 100);
}

TEST_CASE("all first levels can be listed, for a publisher that asks late") {
  SubscriptionIndex index;
  for (const std::string_view filter : {"a/b", "a/c", "b", "/x", "+/c", "#"}) index.subscribe(filter, plain(1));
  std::set<std::string> levels;
  index.each_first_level([&](std::string_view level) { levels.emplace(level); });
  CHECK(levels == std::set<std::string>{"", "a", "b"});
  CHECK(index.has_wildcard_first());
}
