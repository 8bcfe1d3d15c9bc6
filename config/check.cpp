// Braid, Apache-2.0.
#include "config/check.hpp"

#include <array>
#include <set>

#include "config/address.hpp"
#include "config/units.hpp"
#include "model/names.hpp"
#include "model/utf8.hpp"

namespace braid {
namespace {

struct NamedListener {
  std::string_view name;
  const ListenerSettings& listener;
};

std::array<NamedListener, 5> listeners_of(const Settings& settings) {
  return {{{"mqtt", settings.mqtt},
           {"mqtt_websocket", settings.mqtt_websocket},
           {"kafka", settings.kafka},
           {"amqp", settings.amqp},
           {"http", settings.http}}};
}

std::string setting_name(std::string_view listener, std::string_view field) {
  return "listeners." + std::string(listener) + "." + std::string(field);
}

void check_exposure(const Settings& settings, std::vector<SettingsConflict>& conflicts) {
  if (settings.security.allow_unauthenticated) return;
  for (const auto& [name, listener] : listeners_of(settings)) {
    if (!listener.enabled || is_loopback(listener.bind)) continue;
    conflicts.push_back({setting_name(name, "bind"),
                         "other machines reach '" + listener.bind +
                             "', and no client is asked who it is. If that is meant, these two lines allow it:\n"
                             "security:\n  allow_unauthenticated: true"});
  }
}

void check_ports(const Settings& settings, std::vector<SettingsConflict>& conflicts) {
  const auto listeners = listeners_of(settings);
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const auto& [later_name, later] = listeners[i];
      const auto& [earlier_name, earlier] = listeners[j];
      if (!later.enabled || !earlier.enabled || later.port == 0 || later.port != earlier.port) continue;
      if (later.bind != earlier.bind && !is_wildcard(later.bind) && !is_wildcard(earlier.bind)) continue;
      conflicts.push_back({setting_name(later_name, "port"), "port " + std::to_string(later.port) + " is taken by " +
                                                                 setting_name(earlier_name, "port")});
    }
  }
}

void check_sizes(const Settings& settings, std::vector<SettingsConflict>& conflicts) {
  const auto& kafka = settings.kafka_protocol;
  if (kafka.group_min_session_timeout_ms > kafka.group_max_session_timeout_ms)
    conflicts.push_back(
        {"kafka.group_min_session_timeout", "expected at most kafka.group_max_session_timeout, which is " +
                                                format_duration(kafka.group_max_session_timeout_ms)});
  auto at_most = [&](std::string_view name, std::uint64_t value, std::string_view limit_name, std::uint64_t limit) {
    if (value <= limit) return;
    conflicts.push_back({std::string(name), "expected at most " + std::string(limit_name) + ", which is " +
                                                format_size(static_cast<std::int64_t>(limit))});
  };
  const auto max_message_bytes = static_cast<std::uint64_t>(settings.topic_defaults.max_message_bytes);
  at_most("topic_defaults.max_message_bytes", max_message_bytes, "kafka.max_request_bytes", kafka.max_request_bytes);
  at_most("topic_defaults.max_message_bytes", max_message_bytes, "storage.file_bytes", settings.storage.file_bytes);
  at_most("mqtt.max_packet_bytes", settings.mqtt_protocol.max_packet_bytes, "limits.max_inflight_bytes",
          settings.limits.max_inflight_bytes);
}

void check_response_information(const Settings& settings, std::vector<SettingsConflict>& conflicts) {
  const auto& text = settings.mqtt_protocol.response_information;
  if (text.size() > 65535 || !is_mqtt_utf8(text))
    conflicts.push_back({"mqtt.response_information", "expected at most 65535 bytes of UTF-8"});
}

void check_routes(const Settings& settings, std::vector<SettingsConflict>& conflicts) {
  std::set<std::string_view> filters;
  for (const auto& route : settings.routes) {
    if (const auto problem = topic_filter_problem(route.filter); !problem.empty())
      conflicts.push_back({"routes", "'" + route.filter + "' is no MQTT topic filter: " + std::string(problem)});
    else if (!filters.insert(route.filter).second)
      conflicts.push_back({"routes", "two routes for the filter '" + route.filter + "'"});
    if (const auto problem = topic_name_problem(route.topic); !problem.empty())
      conflicts.push_back({"routes", "'" + route.topic + "' is no topic name: " + std::string(problem)});
  }
}

}  // namespace

std::string_view topic_filter_problem(std::string_view filter) {
  if (filter.empty()) return "it is empty";
  if (filter.size() > 65535) return "it is longer than 65535 bytes";
  if (filter.find('\0') != std::string_view::npos) return "it holds a zero byte";
  for (std::size_t start = 0; start <= filter.size();) {
    const auto end = std::min(filter.find('/', start), filter.size());
    const auto level = filter.substr(start, end - start);
    if (level.find('#') != std::string_view::npos && (level != "#" || end != filter.size()))
      return "'#' stands alone in the last level";
    if (level.find('+') != std::string_view::npos && level != "+") return "'+' stands alone in a level";
    start = end + 1;
  }
  return {};
}

std::vector<SettingsConflict> check_settings(const Settings& settings) {
  std::vector<SettingsConflict> conflicts;
  check_exposure(settings, conflicts);
  check_ports(settings, conflicts);
  check_sizes(settings, conflicts);
  check_response_information(settings, conflicts);
  check_routes(settings, conflicts);
  return conflicts;
}

}  // namespace braid
