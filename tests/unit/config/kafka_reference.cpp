// Braid, Apache-2.0.
//
// docs/kafka.md has the tables of the settings that Kafka's clients see, between two lines that name them.
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <set>

#include "config/broker_config.hpp"
#include "config/table.hpp"
#include "support/source_tree.hpp"

using namespace braid;

namespace {

const auto kafka_table_path = source_tree() / "docs/kafka.md";
const std::string begin = "<!-- settings: written by test_config \"[.docs]\" -->\n", end = "<!-- end of settings -->\n";

std::string read_page() {
  std::ifstream file(kafka_table_path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("docs/kafka.md lists the settings that clients see: run test_config \"[.docs]\"") {
  const std::string page = read_page();
  const auto from = page.find(begin), to = page.find(end);
  REQUIRE(from != std::string::npos);
  REQUIRE(to != std::string::npos);
  CHECK(page.substr(from + begin.size(), to - from - begin.size()) == kafka_config_reference());
}

TEST_CASE("docs/kafka.md, its settings", "[.docs]") {
  std::string page = read_page();
  const auto from = page.find(begin) + begin.size();
  page.replace(from, page.find(end) - from, kafka_config_reference());
  std::ofstream(kafka_table_path) << page;
  SUCCEED();
}

TEST_CASE("every setting of a broker names a setting of the node, or says what it is") {
  std::set<std::string_view> names;
  for (const BrokerConfigInfo& info : broker_config_table()) {
    INFO(info.name);
    CHECK(names.insert(info.name).second);
    CHECK_FALSE(topic_name_of(info.name));
    CHECK((find_setting(info.setting) != nullptr) == info.text.empty());
    CHECK_FALSE(broker_config_text(info).empty());
  }
}

TEST_CASE("the broker's name of a topic's default leads back to it") {
  std::set<std::string_view> names;
  for (const TopicConfigInfo& info : topic_config_table()) {
    INFO(info.name);
    CHECK(names.insert(broker_name_of(info.name)).second);
    CHECK(topic_name_of(broker_name_of(info.name)) == info.name);
  }
  CHECK(broker_name_of("retention.ms") == "log.retention.ms");
  CHECK(broker_name_of("compression.type") == "compression.type");
  CHECK_FALSE(topic_name_of("retention.ms"));
}
