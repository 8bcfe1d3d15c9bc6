// Braid, Apache-2.0.
#include "config/broker_config.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "config/table.hpp"

namespace braid {
namespace {

constexpr std::int64_t minute_ms = 60'000;

template <class Number>
std::string number(Number value) {
  return std::to_string(value);
}
/// Kafka has int32 where we have more.
std::string clamped(std::uint64_t value) {
  return std::to_string(std::min<std::uint64_t>(value, std::numeric_limits<std::int32_t>::max()));
}
std::string listener(const ListenerSettings& settings) {
  return settings.enabled ? "PLAINTEXT://" + settings.bind + ":" + std::to_string(settings.port) : std::string();
}

// By name.
constexpr std::array broker_configs{
    BrokerConfigInfo{"advertised.listeners",
                     ConfigType::text,
                     "kafka.advertised",
                     {},
                     [](const Settings& s) {
                       return s.kafka_protocol.advertised.empty() ? std::string()
                                                                  : "PLAINTEXT://" + s.kafka_protocol.advertised;
                     }},
    BrokerConfigInfo{
        "auto.create.topics.enable",
        ConfigType::boolean,
        "kafka.auto_create_topics",
        {},
        [](const Settings& s) { return std::string(s.kafka_protocol.auto_create_topics ? "true" : "false"); }},
    BrokerConfigInfo{
        "broker.id", ConfigType::int32, "node.id", {}, [](const Settings& s) { return number(s.node_id); }},
    BrokerConfigInfo{"connections.max.idle.ms",
                     ConfigType::int64,
                     "limits.idle_timeout",
                     {},
                     [](const Settings& s) { return number(s.limits.idle_timeout_ms); }},
    BrokerConfigInfo{"default.replication.factor",
                     ConfigType::int32,
                     {},
                     "A partition has one replica.",
                     [](const Settings&) { return number(1); }},
    BrokerConfigInfo{"delete.topic.enable",
                     ConfigType::boolean,
                     {},
                     "Topics can be deleted.",
                     [](const Settings&) { return std::string("true"); }},
    BrokerConfigInfo{"fetch.max.bytes",
                     ConfigType::int32,
                     "kafka.max_fetch_bytes",
                     {},
                     [](const Settings& s) { return clamped(s.kafka_protocol.max_fetch_bytes); }},
    BrokerConfigInfo{"group.initial.rebalance.delay.ms",
                     ConfigType::int32,
                     "kafka.group_initial_rebalance_delay",
                     {},
                     [](const Settings& s) { return number(s.kafka_protocol.group_initial_rebalance_delay_ms); }},
    BrokerConfigInfo{"group.max.session.timeout.ms",
                     ConfigType::int32,
                     "kafka.group_max_session_timeout",
                     {},
                     [](const Settings& s) { return number(s.kafka_protocol.group_max_session_timeout_ms); }},
    BrokerConfigInfo{"group.max.size",
                     ConfigType::int32,
                     "kafka.group_max_size",
                     {},
                     [](const Settings& s) { return number(s.kafka_protocol.group_max_size); }},
    BrokerConfigInfo{"group.min.session.timeout.ms",
                     ConfigType::int32,
                     "kafka.group_min_session_timeout",
                     {},
                     [](const Settings& s) { return number(s.kafka_protocol.group_min_session_timeout_ms); }},
    BrokerConfigInfo{
        "listeners", ConfigType::list, "listeners.kafka.port", {}, [](const Settings& s) { return listener(s.kafka); }},
    BrokerConfigInfo{
        "log.dirs", ConfigType::text, "storage.path", {}, [](const Settings& s) { return s.storage.path; }},
    BrokerConfigInfo{"log.retention.check.interval.ms",
                     ConfigType::int64,
                     "storage.retention_check_interval",
                     {},
                     [](const Settings& s) { return number(s.storage.retention_check_interval_ms); }},
    BrokerConfigInfo{"max.connections",
                     ConfigType::int32,
                     "limits.max_connections",
                     {},
                     [](const Settings& s) { return clamped(s.limits.max_connections); }},
    BrokerConfigInfo{"max.connections.per.ip",
                     ConfigType::int32,
                     "limits.max_connections_per_address",
                     {},
                     [](const Settings& s) {
                       const auto limit = s.limits.max_connections_per_address;
                       return clamped(limit == 0 ? std::numeric_limits<std::int32_t>::max() : limit);
                     }},
    BrokerConfigInfo{"max.request.partition.size.limit",
                     ConfigType::int32,
                     "kafka.max_described_partitions",
                     {},
                     [](const Settings& s) { return number(s.kafka_protocol.max_described_partitions); }},
    BrokerConfigInfo{"node.id", ConfigType::int32, "node.id", {}, [](const Settings& s) { return number(s.node_id); }},
    BrokerConfigInfo{"num.partitions",
                     ConfigType::int32,
                     "kafka.default_partitions",
                     {},
                     [](const Settings& s) { return number(s.kafka_protocol.default_partitions); }},
    BrokerConfigInfo{"offset.metadata.max.bytes",
                     ConfigType::int32,
                     "kafka.offset_metadata_max_bytes",
                     {},
                     [](const Settings& s) { return clamped(s.kafka_protocol.offset_metadata_max_bytes); }},
    BrokerConfigInfo{"offsets.retention.minutes",
                     ConfigType::int32,
                     "kafka.offsets_retention",
                     {},
                     [](const Settings& s) { return number(s.kafka_protocol.offsets_retention_ms / minute_ms); }},
    BrokerConfigInfo{"offsets.topic.num.partitions",
                     ConfigType::int32,
                     "kafka.offsets_partitions",
                     {},
                     [](const Settings& s) { return number(s.kafka_protocol.offsets_partitions); }},
    BrokerConfigInfo{"offsets.topic.replication.factor",
                     ConfigType::int16,
                     {},
                     "A partition has one replica.",
                     [](const Settings&) { return number(1); }},
    BrokerConfigInfo{"producer.id.expiration.ms",
                     ConfigType::int32,
                     "kafka.producer_id_expiration",
                     {},
                     [](const Settings& s) {
                       return clamped(static_cast<std::uint64_t>(s.kafka_protocol.producer_id_expiration_ms));
                     }},
    BrokerConfigInfo{"socket.request.max.bytes",
                     ConfigType::int32,
                     "kafka.max_request_bytes",
                     {},
                     [](const Settings& s) { return clamped(s.kafka_protocol.max_request_bytes); }},
};

}  // namespace

std::span<const BrokerConfigInfo> broker_config_table() {
  return broker_configs;
}

std::string broker_config_text(const BrokerConfigInfo& info) {
  const Setting* setting = info.setting.empty() ? nullptr : find_setting(info.setting);
  if (!setting) return std::string(info.text);
  return std::string(setting->text) + " The node's setting " + std::string(setting->name) + ".";
}

}  // namespace braid
