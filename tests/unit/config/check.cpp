// Braid, Apache-2.0.
#include "config/check.hpp"

#include <catch2/catch.hpp>

#include "config/load.hpp"

using namespace braid;

namespace {

std::string conflicts_of(const Settings& settings) {
  std::string text;
  for (const auto& conflict : check_settings(settings)) text += conflict.setting + ": " + conflict.text + "\n";
  return text;
}

}  // namespace

TEST_CASE("the defaults have no conflict") {
  CHECK(conflicts_of(Settings{}).empty());
}

TEST_CASE("an address that others reach stops the start, is shown, and two lines allow it") {
  SettingsSources sources;
  sources.file = SettingsFile{"braid.yaml", "listeners:\n  mqtt:\n    bind: 0.0.0.0\n"};
  const auto loaded = load_settings(sources);
  REQUIRE_FALSE(loaded);
  REQUIRE(loaded.error().size() == 1);
  CHECK(
      format_mistake(loaded.error()[0]) ==
      "braid.yaml:3:11: listeners.mqtt.bind: other machines reach '0.0.0.0', and no client is asked who it is. If that "
      "is meant, these two lines allow it:\n"
      "  3 |     bind: 0.0.0.0\n"
      "    |           ^\n"
      "    security:\n"
      "      allow_unauthenticated: true");
  // The two lines, as they were printed.
  sources.file->text += "security:\n  allow_unauthenticated: true\n";
  CHECK(load_settings(sources));
}

TEST_CASE("each listener is checked, except those that are not started") {
  Settings settings;
  settings.mqtt_websocket.enabled = true;
  for (auto* listener : {&settings.mqtt, &settings.mqtt_websocket, &settings.kafka, &settings.amqp, &settings.http}) {
    listener->bind = "192.0.2.1";
    CHECK(check_settings(settings).size() == 1);
    listener->enabled = false;
    CHECK(check_settings(settings).empty());
    listener->bind = "::1";
    listener->enabled = true;
  }
  CHECK(check_settings(settings).empty());
}

TEST_CASE("two listeners do not share a port, unless their addresses differ or any free one is taken") {
  Settings settings;
  settings.kafka.port = 1883;
  CHECK(conflicts_of(settings) == "listeners.kafka.port: port 1883 is taken by listeners.mqtt.port\n");
  settings.kafka.bind = "127.0.0.2";
  CHECK(conflicts_of(settings).empty());
  settings.security.allow_unauthenticated = true;
  settings.mqtt.bind = "0.0.0.0";
  CHECK(conflicts_of(settings) == "listeners.kafka.port: port 1883 is taken by listeners.mqtt.port\n");
  settings.mqtt.enabled = false;
  CHECK(conflicts_of(settings).empty());
  for (auto* listener : {&settings.mqtt, &settings.kafka, &settings.amqp, &settings.http}) listener->port = 0;
  settings.mqtt.enabled = true;
  CHECK(conflicts_of(settings).empty());
}

TEST_CASE("limits that contradict each other are told") {
  Settings settings;
  settings.kafka_protocol.group_min_session_timeout_ms = 3'600'000;
  CHECK(conflicts_of(settings) ==
        "kafka.group_min_session_timeout: expected at most kafka.group_max_session_timeout, which is 30m\n");
  settings = {};
  settings.topic_defaults.max_message_bytes = 300 << 20;
  CHECK(conflicts_of(settings) ==
        "topic_defaults.max_message_bytes: expected at most kafka.max_request_bytes, which is 100MiB\n"
        "topic_defaults.max_message_bytes: expected at most storage.file_bytes, which is 256MiB\n");
  settings = {};
  settings.mqtt_protocol.max_packet_bytes = 65u << 20;
  CHECK(conflicts_of(settings) ==
        "mqtt.max_packet_bytes: expected at most limits.max_inflight_bytes, which is 64MiB\n");
}

TEST_CASE("response information is what a packet can carry") {
  Settings settings;
  settings.mqtt_protocol.response_information = std::string(65535, 'x');
  CHECK(conflicts_of(settings).empty());
  for (const auto& bad : {std::string(65536, 'x'), std::string("\xff"), std::string("a\0b", 3)}) {
    settings.mqtt_protocol.response_information = bad;
    CHECK(conflicts_of(settings) == "mqtt.response_information: expected at most 65535 bytes of UTF-8\n");
  }
}

TEST_CASE("a route has a valid filter, a valid topic, and a filter of its own") {
  Settings settings;
  settings.routes = {{"a/+", "t"}, {"a/+", "u"}, {"a#", "t"}, {"b", "no topic"}};
  const auto conflicts = check_settings(settings);
  REQUIRE(conflicts.size() == 3);
  CHECK(conflicts[0].text == "two routes for the filter 'a/+'");
  CHECK(conflicts[1].text == "'a#' is no MQTT topic filter: '#' stands alone in the last level");
  CHECK(conflicts[2].text.starts_with("'no topic' is no topic name: "));
}

TEST_CASE("topic filters are judged as MQTT does") {
  for (const auto* valid : {"#", "+", "a", "/", "a/", "/a", "a/#", "+/+/#", "a/+/b", "$SYS/#", "a//b"}) {
    CAPTURE(valid);
    CHECK(topic_filter_problem(valid).empty());
  }
  CHECK(topic_filter_problem("") == "it is empty");
  CHECK(topic_filter_problem("a/#/b") == "'#' stands alone in the last level");
  CHECK(topic_filter_problem("#/a") == "'#' stands alone in the last level");
  CHECK(topic_filter_problem("a+") == "'+' stands alone in a level");
  CHECK(topic_filter_problem("a/b+/c") == "'+' stands alone in a level");
  CHECK(topic_filter_problem(std::string(65536, 'a')) == "it is longer than 65535 bytes");
  CHECK(topic_filter_problem(std::string_view("a\0b", 3)) == "it holds a zero byte");
}
