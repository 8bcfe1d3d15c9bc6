// Braid, Apache-2.0.
#include "actors/mqtt/sys_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "config/version.hpp"

namespace braid::mqtt {

namespace {
constexpr std::string_view root = "$SYS/broker/";
constexpr std::array<std::pair<std::string_view, double>, 3> spans = {{{"1min", 1}, {"5min", 5}, {"15min", 15}}};
}  // namespace

void SysValues::set(std::vector<Value>& changed, std::string name, std::string text) {
  auto& said = said_[name];
  if (said == text) return;
  said = text;
  changed.emplace_back(std::string(root) + name, std::move(text));
}

void SysValues::set_load(std::vector<Value>& changed, const std::string& name, std::uint64_t total,
                         std::int64_t passed_ms) {
  auto& load = loads_[name];
  const double minutes = static_cast<double>(passed_ms) / 60000;
  if (minutes > 0) {
    const double rate = static_cast<double>(total - load.last) / minutes;
    for (std::size_t i = 0; i < spans.size(); ++i) {
      const double kept = std::exp(-minutes / spans[i].second);
      load.averages[i] = rate + kept * (load.averages[i] - rate);
    }
    load.last = total;
  }
  for (std::size_t i = 0; i < spans.size(); ++i)
    set(changed, fmt::format("load/{}/{}", name, spans[i].first), fmt::format("{:.2f}", load.averages[i]));
}

std::vector<SysValues::Value> SysValues::update(const LoopMetrics& totals, std::int64_t now_ms) {
  if (started_ms_ < 0) started_ms_ = last_ms_ = now_ms;
  const auto passed_ms = std::max<std::int64_t>(0, now_ms - std::exchange(last_ms_, now_ms));
  most_connections_ = std::max(most_connections_, totals.mqtt_connections);
  std::vector<Value> changed;
  const auto number = [&](std::string_view name, std::uint64_t value) {
    set(changed, std::string(name), std::to_string(value));
  };
  set(changed, "version", fmt::format("braid {}", version));
  set(changed, "uptime", fmt::format("{} seconds", (now_ms - started_ms_) / 1000));
  number("connections/count", totals.connections);
  number("connections/accepted", totals.connections_accepted);
  number("connections/protocol errors", totals.protocol_errors);
  number("kafka/requests", totals.kafka_requests);
  number("amqp/connections", totals.amqp_connections);
  number("amqp/channels", totals.amqp_channels);
  number("amqp/messages/received", totals.amqp_published);
  number("amqp/messages/sent", totals.amqp_delivered);
  number("clients/connected", totals.mqtt_connections);
  number("clients/maximum", most_connections_);
  number("messages/received", totals.mqtt_packets_received);
  number("messages/sent", totals.mqtt_packets_sent);
  number("publish/messages/received", totals.mqtt_published);
  number("publish/messages/sent", totals.mqtt_delivered);
  number("publish/messages/dropped", totals.mqtt_dropped);
  number("bytes/received", totals.mqtt_bytes_received);
  number("bytes/sent", totals.mqtt_bytes_sent);
  number("subscriptions/count", totals.mqtt_subscriptions);
  number("retained messages/count", totals.mqtt_retained);
  number("store/messages/bytes", totals.mqtt_retained_bytes);
  set_load(changed, "messages/received", totals.mqtt_packets_received, passed_ms);
  set_load(changed, "messages/sent", totals.mqtt_packets_sent, passed_ms);
  set_load(changed, "publish/received", totals.mqtt_published, passed_ms);
  set_load(changed, "publish/sent", totals.mqtt_delivered, passed_ms);
  set_load(changed, "publish/dropped", totals.mqtt_dropped, passed_ms);
  set_load(changed, "bytes/received", totals.mqtt_bytes_received, passed_ms);
  set_load(changed, "bytes/sent", totals.mqtt_bytes_sent, passed_ms);
  return changed;
}

}  // namespace braid::mqtt
