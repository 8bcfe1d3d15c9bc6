// Braid, Apache-2.0.
//
// Names, filters and what matches what: sections 4.7 and 4.8.2.
#include "codecs/mqtt/topic.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "support/seed.hpp"

using namespace braid::mqtt;
using namespace std::string_view_literals;

TEST_CASE("a topic name has no wildcards, no U+0000 and at least one character [MQTT-4.7.3-1] [MQTT-4.7.3-2]") {
  for (const auto name : {"a"sv, "/"sv, "//"sv, "a/b/c"sv, "$SYS/x"sv, " "sv, "a b"sv, "é/ü"sv, "a/\xEF\xBB\xBFz"sv})
    CHECK(check_topic_name(name) == TopicFault::none);
  CHECK(check_topic_name("") == TopicFault::empty);
  CHECK(check_topic_name("a\0b"sv) == TopicFault::not_utf8);
  CHECK(check_topic_name("long enough for a second word\0b"sv) == TopicFault::not_utf8);
  CHECK(check_topic_name("a\xC0\xAF") == TopicFault::not_utf8);      // overlong
  CHECK(check_topic_name("a\xED\xA0\x80") == TopicFault::not_utf8);  // surrogate
  for (const auto name : {"+"sv, "#"sv, "a/+/b"sv, "a/#"sv, "a+"sv, "aaaaaaaaaaaaaaaaaaaa#"sv})
    CHECK(check_topic_name(name) == TopicFault::wildcard);
}

TEST_CASE("a topic of 65,535 bytes is valid, one more is not [MQTT-4.7.3-3]") {
  CHECK(check_topic_name(std::string(65535, 'x')) == TopicFault::none);
  CHECK(check_topic_name(std::string(65536, 'x')) == TopicFault::too_long);
  CHECK(check_topic_filter(std::string(65535, 'x')) == TopicFault::none);
  CHECK(check_topic_filter(std::string(65536, 'x')) == TopicFault::too_long);
}

TEST_CASE("wildcards in a filter are whole levels, and '#' is the last one [MQTT-4.7.1-1] [MQTT-4.7.1-2]") {
  for (const auto filter : {"#"sv, "+"sv, "a/#"sv, "+/#"sv, "/+"sv, "+/+"sv, "/#"sv, "a/+/b"sv, "a//b"sv, "/"sv})
    CHECK(check_topic_filter(filter) == TopicFault::none);
  for (const auto filter : {"a/#/b"sv, "#/"sv, "a#"sv, "#a"sv, "##"sv, "a/b#"sv, "+#"sv})
    CHECK(check_topic_filter(filter) == TopicFault::misplaced_hash);
  for (const auto filter : {"a+"sv, "+a"sv, "a/+b/c"sv, "++"sv, "a/b+/#"sv})
    CHECK(check_topic_filter(filter) == TopicFault::misplaced_plus);
  CHECK(check_topic_filter("") == TopicFault::empty);
}

TEST_CASE("levels are limited in names and in filters") {
  CHECK(check_topic_name("a/b/c", 3) == TopicFault::none);
  CHECK(check_topic_name("a/b/c/", 3) == TopicFault::too_many_levels);
  CHECK(check_topic_filter("a/+/c", 3) == TopicFault::none);
  CHECK(check_topic_filter("a/+/c/#", 3) == TopicFault::too_many_levels);
  CHECK(check_topic_filter("$share/g/a/b/c", 3) == TopicFault::none);
}

TEST_CASE("a shared subscription has a name and a filter [MQTT-4.8.2-1] [MQTT-4.8.2-2]") {
  const auto shared = split_shared("$share/group/a/+/#");
  REQUIRE(shared);
  CHECK(shared->group == "group");
  CHECK(shared->filter == "a/+/#");
  CHECK(check_topic_filter("$share/group//x") == TopicFault::none);
  CHECK(split_shared("$share/group//x")->filter == "/x");
  for (const auto filter : {"$share//a"sv, "$share/g+/a"sv, "$share/#/a"sv})
    CHECK(check_topic_filter(filter) == TopicFault::bad_share_name);
  for (const auto filter : {"$share"sv, "$share/"sv, "$share/g"sv, "$share/g/"sv})
    CHECK(check_topic_filter(filter) == TopicFault::no_share_filter);
  CHECK(check_topic_filter("$share/g/a/#/b") == TopicFault::misplaced_hash);
  CHECK_FALSE(is_shared("$shared/g/a"));
  CHECK_FALSE(split_shared("share/g/a"));
}

TEST_CASE("names match filters level by level, without any normalisation [MQTT-4.7.3-4]") {
  CHECK(matches("sport/tennis/player1/#", "sport/tennis/player1"));
  CHECK(matches("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"));
  CHECK(matches("sport/#", "sport"));
  CHECK(matches("#", "sport"));
  CHECK(matches("sport/tennis/+", "sport/tennis/player1"));
  CHECK_FALSE(matches("sport/tennis/+", "sport/tennis/player1/ranking"));
  CHECK_FALSE(matches("sport/+", "sport"));
  CHECK(matches("sport/+", "sport/"));
  CHECK(matches("+/+", "/finance"));
  CHECK(matches("/+", "/finance"));
  CHECK_FALSE(matches("+", "/finance"));
  CHECK_FALSE(matches("a", "A"));
  CHECK_FALSE(matches("a", "a/"));
  CHECK_FALSE(matches("/a", "a"));
  CHECK(matches("a//b", "a//b"));
  CHECK_FALSE(matches("a/b", "a//b"));
}

TEST_CASE("wildcards in the first level leave names that begin with '$' alone [MQTT-4.7.2-1]") {
  CHECK_FALSE(matches("#", "$SYS"));
  CHECK_FALSE(matches("#", "$SYS/x"));
  CHECK_FALSE(matches("+/x", "$SYS/x"));
  CHECK(matches("$SYS/#", "$SYS"));
  CHECK(matches("$SYS/#", "$SYS/x"));
  CHECK(matches("$SYS/+", "$SYS/x"));
  CHECK(matches("+/$SYS", "a/$SYS"));
}

TEST_CASE("the levels of a topic come one by one, empty ones included") {
  const auto split = [](std::string_view topic) {
    std::vector<std::string> levels;
    for (TopicLevels at(topic); !at.done(); at.next()) levels.emplace_back(at.level());
    return levels;
  };
  CHECK(split("a/b") == std::vector<std::string>{"a", "b"});
  CHECK(split("/") == std::vector<std::string>{"", ""});
  CHECK(split("a//b/") == std::vector<std::string>{"a", "", "b", ""});
  CHECK(first_level("a/b") == "a");
  CHECK(first_level("/b").empty());
  CHECK(first_level("a") == "a");
}

TEST_CASE("the scan of eight bytes at a time sees what a scan of single bytes sees") {
  const auto seed = braid::test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  constexpr std::string_view alphabet = "ab/+#.*,-\"$0\x01\x7f\0"sv;
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    const bool plain = random() % 2 == 0;
    for (auto length = 1 + random() % 40; length > 0; --length)
      text += plain ? alphabet[random() % 3] : alphabet[random() % alphabet.size()];
    CAPTURE(text);
    auto expected = TopicFault::none;
    const auto separators = static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '/'));
    if (separators >= 10) expected = TopicFault::too_many_levels;
    if (text.find_first_of("+#") != std::string::npos) expected = TopicFault::wildcard;
    if (text.find('\0') != std::string::npos) expected = TopicFault::not_utf8;
    REQUIRE(check_topic_name(text, 10) == expected);
    REQUIRE(count_levels(text) == separators + 1);
  }
}
