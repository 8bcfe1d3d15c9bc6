// Braid, Apache-2.0.
#include "actors/mqtt/sys_values.hpp"

#include <catch2/catch.hpp>
#include <map>

using namespace braid;
using namespace braid::mqtt;

namespace {

std::map<std::string, std::string> by_name(const std::vector<SysValues::Value>& values) {
  return {values.begin(), values.end()};
}

}  // namespace

TEST_CASE("the names of the broker's own tree are told from those that only look like it") {
  CHECK(is_broker_topic("$SYS"));
  CHECK(is_broker_topic("$SYS/broker/uptime"));
  CHECK(is_broker_topic("$SYS/"));
  CHECK_FALSE(is_broker_topic("$SYSTEM"));
  CHECK_FALSE(is_broker_topic("$sys/x"));
  CHECK_FALSE(is_broker_topic("SYS/x"));
  CHECK_FALSE(is_broker_topic("/$SYS"));
  CHECK_FALSE(is_broker_topic(""));
}

TEST_CASE("all values are said the first time, and later those that have changed") {
  SysValues values;
  LoopMetrics totals;
  totals.mqtt_connections = 3;
  auto first = by_name(values.update(totals, 1000));
  CHECK(first.size() == 43);
  CHECK(first.at("$SYS/broker/version").starts_with("braid "));
  CHECK(first.at("$SYS/broker/uptime") == "0 seconds");
  CHECK(first.at("$SYS/broker/clients/connected") == "3");
  CHECK(values.update(totals, 1999).empty());
  totals.mqtt_connections = 2;
  const auto next = by_name(values.update(totals, 2500));
  CHECK(next.size() == 2);
  CHECK(next.at("$SYS/broker/uptime") == "1 seconds");
  CHECK(next.at("$SYS/broker/clients/connected") == "2");
  totals.mqtt_connections = 9;
  CHECK(by_name(values.update(totals, 2501)).at("$SYS/broker/clients/maximum") == "9");
}

TEST_CASE("what Kafka and AMQP clients do is told beside MQTT's") {
  SysValues values;
  LoopMetrics one, totals;
  one.connections = 1;
  one.connections_accepted = 2;
  one.protocol_errors = 4;
  one.kafka_requests = 5;
  one.amqp_connections = 6;
  one.amqp_channels = 7;
  one.amqp_published = 8;
  one.amqp_delivered = 9;
  totals += one;
  totals += one;
  const auto said = by_name(values.update(totals, 0));
  const std::map<std::string, std::string> expected{{"connections/count", "2"},           {"connections/accepted", "4"},
                                                    {"connections/protocol errors", "8"}, {"kafka/requests", "10"},
                                                    {"amqp/connections", "12"},           {"amqp/channels", "14"},
                                                    {"amqp/messages/received", "16"},     {"amqp/messages/sent", "18"}};
  for (const auto& [name, text] : expected) CHECK(said.at("$SYS/broker/" + name) == text);
}

TEST_CASE("a steady load becomes the average, sooner over a minute than over a quarter of an hour") {
  SysValues values;
  LoopMetrics totals;
  std::map<std::string, std::string> said;
  const auto at = [&](const std::string& span) {
    return std::stod(said.at("$SYS/broker/load/publish/received/" + span));
  };
  values.update(totals, 0);
  for (int i = 1; i <= 60; ++i) {
    totals.mqtt_published += 10;  // every ten seconds: 60 a minute
    for (auto& [name, text] : values.update(totals, i * 10000)) said[name] = text;
    if (i == 6) {
      CHECK(at("1min") == Approx(60 * 0.632).margin(0.1));  // 1 - 1/e
      CHECK(at("5min") < at("1min"));
      CHECK(at("15min") < at("5min"));
    }
  }
  CHECK(at("1min") == Approx(60).margin(0.1));
  CHECK(at("15min") == Approx(60 * 0.4866).margin(0.1));
}

TEST_CASE("the sum of the loops' counters is that of each") {
  LoopMetrics one, two;
  one.connections = 1;
  one.mqtt_bytes_sent = 5;
  one.mqtt_retained = 2;
  two.connections = 2;
  two.mqtt_bytes_sent = 6;
  two.kafka_requests = 4;
  one += two;
  CHECK(one.connections == 3);
  CHECK(one.mqtt_bytes_sent == 11);
  CHECK(one.mqtt_retained == 2);
  CHECK(one.kafka_requests == 4);
}
