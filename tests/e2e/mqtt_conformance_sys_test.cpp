// Braid, Apache-2.0.
//
// What the broker says of itself under $SYS, and that nobody else says it.
#include <map>

#include "e2e/support/conformance.hpp"

using namespace braid::e2e;
using namespace braid::e2e::conformance;
using namespace braid::e2e::wire;

namespace {

const bool kSettings = [] {
  settings() = {"mqtt.sys_interval=100ms"};
  return true;
}();

/// Watches a part of the tree until `enough` says so; fails when it never does.
template <class Enough>
std::map<std::string, std::string> watch(const std::string& filter, Enough enough) {
  auto client = connected(5);
  client.subscribe(filter, 1);
  std::map<std::string, std::string> values;
  for (int i = 0; i < 10000 && !enough(values); ++i) {
    const auto message = client.expect_publish();
    values[message.topic] = message.payload;
    if (message.qos == 1) client.send(acknowledge(PUBACK, message.id));
  }
  REQUIRE(enough(values));
  return values;
}
std::uint64_t number_of(std::map<std::string, std::string>& values, const std::string& name) {
  const auto& text = values["$SYS/broker/" + name];
  return text.empty() ? 0 : std::stoull(text);
}

}  // namespace

TEST_CASE("a new subscriber gets the whole tree at once, retained, and then what changes") {
  // Until the first figures are there.
  watch("$SYS/broker/version", [](auto& values) { return !values.empty(); });
  auto client = connected(5);
  client.subscribe("$SYS/broker/version", 0);
  const auto version = client.expect_publish();
  CHECK(version.retain);
  CHECK(version.payload.starts_with("braid "));
  auto values = watch("$SYS/#", [](auto& all) { return all.size() >= 43; });
  for (const auto* name : {"uptime",
                           "clients/connected",
                           "clients/maximum",
                           "messages/received",
                           "messages/sent",
                           "bytes/received",
                           "bytes/sent",
                           "publish/messages/received",
                           "publish/messages/sent",
                           "publish/messages/dropped",
                           "subscriptions/count",
                           "retained messages/count",
                           "store/messages/bytes",
                           "connections/count",
                           "kafka/requests",
                           "amqp/connections",
                           "amqp/channels",
                           "amqp/messages/received",
                           "amqp/messages/sent",
                           "load/messages/received/1min",
                           "load/bytes/sent/15min"})
    CHECK(values.count(std::string("$SYS/broker/") + name) == 1);
  CHECK(values["$SYS/broker/uptime"].ends_with(" seconds"));
  // A version does not change, so it is not said again, while time goes on.
  const auto uptime = watch("$SYS/broker/uptime", [first = std::string()](auto& all) mutable {
    if (all.empty()) return false;
    if (first.empty()) first = all.begin()->second;
    return all.begin()->second != first;
  });
  CHECK(uptime.size() == 1);
}

TEST_CASE("the figures follow what happens") {
  const auto topic = unique("counted/");
  std::vector<Client> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(connected(5));
    clients.back().subscribe(topic, 0);
  }
  auto publisher = connected(5);
  for (int i = 0; i < 10; ++i) publisher.publish({.topic = topic, .payload = "x", .qos = 1, .retain = i == 0});
  for (auto& client : clients)
    for (int i = 0; i < 10; ++i) client.expect_publish();
  auto values = watch("$SYS/broker/#", [](auto& all) {
    return number_of(all, "clients/connected") >= 7 && number_of(all, "publish/messages/received") >= 10 &&
           number_of(all, "publish/messages/sent") >= 50 && number_of(all, "subscriptions/count") >= 6 &&
           number_of(all, "retained messages/count") >= 1 && number_of(all, "bytes/received") > 0 &&
           number_of(all, "bytes/sent") > 0 && number_of(all, "messages/sent") >= 60;
  });
  CHECK(number_of(values, "clients/maximum") >= number_of(values, "clients/connected"));
  clients.clear();
  watch("$SYS/broker/#", [](auto& all) {
    const auto connected = number_of(all, "clients/connected");
    return connected != 0 && connected <= 3 && all.count("$SYS/broker/subscriptions/count") &&
           number_of(all, "subscriptions/count") <= 3;
  });
}

TEST_CASE("a filter that begins with a wildcard does not bring the broker's figures", "[5.0 MQTT-4.7.2-1]") {
  auto client = connected(5), witness = connected(5);
  constexpr unsigned nothing_retained = 0x20;
  client.subscribe("#", nothing_retained);
  client.subscribe("+/broker/uptime", nothing_retained);
  witness.subscribe("$SYS/broker/uptime", 0);
  for (int i = 0; i < 2; ++i) witness.expect_publish();
  CHECK(client.ping().empty());
}

TEST_CASE("clients do not publish under $SYS: MQTT 5 is told, before it the message is acknowledged and dropped",
          "[3.1.1 MQTT-3.3.5-2][5.0 MQTT-4.3.3-9]") {
  const auto name = unique("$SYS/mine");
  auto watcher = connected(5);
  watcher.subscribe(name);
  const auto allowed = unique("allowed/");
  watcher.subscribe(allowed);
  for (const int level : levels) {
    auto client = connected(level);
    CHECK(client.publish({.topic = name, .payload = "x", .qos = 0}) == 0);
    CHECK(client.publish({.topic = name, .payload = "x", .qos = 1, .retain = true}) == (level == 5 ? 0x87u : 0u));
    CHECK(client.publish({.topic = name, .payload = "x", .qos = 2, .id = 9}) == (level == 5 ? 0x87u : 0u));
    // An identifier whose message was refused stands for a new one.
    CHECK(client.publish({.topic = allowed, .payload = "new", .qos = 2, .id = 9}) < 0x80);
    CHECK(watcher.expect_publish().payload == "new");
    const auto refused =
        refusal_of(encode(Connect{.level = level, .client_id = unique("w"), .will = Will{.topic = name + "/will"}}));
    CHECK(refused == (level == 5 ? 0x87 : 5));
  }
  // Names that only look like it are free.
  auto client = connected(5);
  CHECK(client.publish({.topic = "$SYSTEM/x", .payload = "x", .qos = 1}) < 0x80);
  CHECK(client.publish({.topic = "SYS/x", .payload = "x", .qos = 1}) < 0x80);
}

TEST_CASE("an interval of off publishes nothing") {
  Broker silent({"mqtt.sys_interval=off"});
  Client client(silent.mqtt(), Connect{.client_id = "listener"});
  client.subscribe("$SYS/#", 0);
  client.subscribe("x", 0);
  Client(silent.mqtt(), Connect{.client_id = "speaker"}).publish({.topic = "x", .payload = "end", .qos = 1});
  CHECK(client.expect_publish().payload == "end");
}
