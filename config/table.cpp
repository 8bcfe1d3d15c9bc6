// Braid, Apache-2.0.
#include "config/table.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>

namespace braid {
namespace {

constexpr std::int64_t kib = 1ll << 10;
constexpr std::int64_t mib = 1ll << 20;
constexpr std::int64_t gib = 1ll << 30;
constexpr std::int64_t tib = 1ll << 40;
constexpr std::int64_t second = 1000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;

// A row with the two accessors made from one lambda that names the field.
template <class Value, class Field>
Setting row(std::string_view name, SettingKind kind, Field field, std::string_view text) {
  Setting setting;
  setting.name = name;
  setting.kind = kind;
  setting.text = text;
  setting.get = [field](const Settings& settings) { return SettingValue(static_cast<Value>(field(settings))); };
  setting.set = [field](Settings& settings, const SettingValue& value) {
    auto& target = field(settings);
    target = static_cast<std::remove_reference_t<decltype(target)>>(std::get<Value>(value));
  };
  return setting;
}

template <class Field>
Setting number(std::string_view name, SettingKind kind, Field field, std::int64_t minimum, std::int64_t maximum,
               std::string_view text) {
  auto setting = row<std::int64_t>(name, kind, field, text);
  setting.minimum = minimum;
  setting.maximum = maximum;
  return setting;
}

template <class Field>
Setting boolean(std::string_view name, Field field, std::string_view text) {
  return row<bool>(name, SettingKind::boolean, field, text);
}
template <class Field>
Setting integer(std::string_view name, Field field, std::int64_t minimum, std::int64_t maximum, std::string_view text) {
  return number(name, SettingKind::integer, field, minimum, maximum, text);
}
template <class Field>
Setting size(std::string_view name, Field field, std::int64_t minimum, std::int64_t maximum, std::string_view text) {
  return number(name, SettingKind::size, field, minimum, maximum, text);
}
template <class Field>
Setting duration(std::string_view name, Field field, std::int64_t minimum, std::int64_t maximum,
                 std::string_view text) {
  return number(name, SettingKind::duration, field, minimum, maximum, text);
}

Setting with_special(Setting setting, std::string_view word, std::int64_t value) {
  setting.special = word;
  setting.special_value = value;
  return setting;
}
Setting with_default_text(Setting setting, std::string_view text) {
  setting.default_text = text;
  return setting;
}

template <class Field>
Setting choice(std::string_view name, Field field, std::vector<std::string_view> choices, std::string_view text) {
  auto setting = row<std::string>(name, SettingKind::choice, field, text);
  setting.choices = std::move(choices);
  return setting;
}

/// An enum is its name in the settings.
template <class Field>
Setting enumeration(std::string_view name, Field field, std::vector<std::string_view> choices, std::string_view text) {
  Setting setting;
  setting.name = name;
  setting.kind = SettingKind::choice;
  setting.text = text;
  setting.choices = choices;
  setting.get = [field, choices](const Settings& settings) {
    return SettingValue(std::string(choices.at(static_cast<std::size_t>(field(settings)))));
  };
  setting.set = [field, choices](Settings& settings, const SettingValue& value) {
    auto& target = field(settings);
    const auto at = std::find(choices.begin(), choices.end(), std::get<std::string>(value));
    target = static_cast<std::remove_reference_t<decltype(target)>>(at - choices.begin());
  };
  return setting;
}

template <class Field>
void add_listener(std::vector<Setting>& table, std::array<std::string_view, 3> names, Field field,
                  std::string_view port_text) {
  table.push_back(boolean(
      names[0], [field](auto& s) -> auto& { return field(s).enabled; }, "Whether this listener is started."));
  table.push_back(row<std::string>(
      names[1], SettingKind::ip_address, [field](auto& s) -> auto& { return field(s).bind; },
      "The address of this machine to listen on; `0.0.0.0` or `::` for all of them. An address that other machines "
      "reach needs `security.allow_unauthenticated`."));
  table.push_back(integer(
      names[2], [field](auto& s) -> auto& { return field(s).port; }, 0, 65535, port_text));
}

// Names a field of Settings once, for reading and for writing.
#define BRAID_FIELD(path)       \
  [](auto& settings) -> auto& { \
    return settings.path;       \
  }

void add_node(std::vector<Setting>& t) {
  t.push_back(integer("node.id", BRAID_FIELD(node_id), 0, std::numeric_limits<std::int32_t>::max(),
                      "This node's number, which Kafka clients see as the broker id."));
  t.push_back(with_default_text(row<std::string>("node.cluster_id", SettingKind::text, BRAID_FIELD(cluster_id),
                                                 "The name that Kafka clients see as the cluster id."),
                                "made at the first start and kept"));
  t.push_back(with_special(
      integer("node.loops", BRAID_FIELD(loops), 1, 256, "Event loops: threads that carry connections and partitions."),
      "auto", 0));
  t.back().default_text = "`auto`: one per core that it may run on";
}

void add_listeners(std::vector<Setting>& t) {
  add_listener(t, {"listeners.mqtt.enabled", "listeners.mqtt.bind", "listeners.mqtt.port"}, BRAID_FIELD(mqtt),
               "The port for MQTT clients; 0 takes any free one and logs it.");
  add_listener(
      t, {"listeners.mqtt_websocket.enabled", "listeners.mqtt_websocket.bind", "listeners.mqtt_websocket.port"},
      BRAID_FIELD(mqtt_websocket),
      "A port of its own for MQTT over WebSocket, path `/mqtt` or `/`; 0 takes any free one and logs it. The HTTP "
      "port has it at `/mqtt` anyway, as long as `listeners.mqtt` is enabled.");
  add_listener(t, {"listeners.kafka.enabled", "listeners.kafka.bind", "listeners.kafka.port"}, BRAID_FIELD(kafka),
               "The port for Kafka clients; 0 takes any free one and logs it.");
  add_listener(t, {"listeners.amqp.enabled", "listeners.amqp.bind", "listeners.amqp.port"}, BRAID_FIELD(amqp),
               "The port for AMQP 0-9-1 clients; 0 takes any free one and logs it.");
  add_listener(t, {"listeners.http.enabled", "listeners.http.bind", "listeners.http.port"}, BRAID_FIELD(http),
               "The port of the admin API, which `braid topic` uses; 0 takes any free one and logs it.");
}

void add_security(std::vector<Setting>& t) {
  t.push_back(boolean("security.allow_unauthenticated", BRAID_FIELD(security.allow_unauthenticated),
                      "Lets listeners bind addresses that other machines reach although no client is asked who it is. "
                      "Without it such an address stops the start."));
}

void add_storage(std::vector<Setting>& t) {
  t.push_back(with_default_text(row<std::string>("storage.path", SettingKind::text, BRAID_FIELD(storage.path),
                                                 "The data directory: everything that Braid keeps is in it."),
                                "`$XDG_DATA_HOME/braid`, else `~/.local/share/braid`"));
  t.push_back(size("storage.file_bytes", BRAID_FIELD(storage.file_bytes), mib, gib,
                   "Size of a journal file. Retention frees whole files, so smaller ones give space back sooner."));
  t.push_back(size("storage.tail_cache_bytes", BRAID_FIELD(storage.tail_cache_bytes), 0, tib,
                   "Recent record batches that each event loop keeps in memory for readers at the tail."));
  t.push_back(duration("storage.sync_interval", BRAID_FIELD(storage.sync_interval_ms), 10, hour,
                       "How often topics of durability `os` are synced in the background."));
  t.push_back(duration("storage.checkpoint_interval", BRAID_FIELD(storage.checkpoint_interval_ms), second, day,
                       "How often the journal's state is saved; a restart reads what came after it."));
  t.push_back(duration("storage.retention_check_interval", BRAID_FIELD(storage.retention_check_interval_ms), 100, day,
                       "How often retention looks for records to drop."));
  t.push_back(duration("storage.idle_partition_timeout", BRAID_FIELD(storage.idle_partition_timeout_ms), second, day,
                       "A partition without work for so long gives its memory back until it is used again."));
}

void add_topic_defaults(std::vector<Setting>& t) {
  t.push_back(enumeration("topic_defaults.durability", BRAID_FIELD(topic_defaults.durability), {"memory", "os", "sync"},
                          "When a write is acknowledged: `memory` never touches the disk, `os` once it is written, "
                          "`sync` once it is synced to the disk. A topic's own `durability` goes before."));
  t.push_back(
      with_special(duration("topic_defaults.retention", BRAID_FIELD(topic_defaults.retention_ms), second, 36500 * day,
                            "How long records are kept. A topic's own `retention.ms` goes before."),
                   "forever", -1));
  t.push_back(
      with_special(size("topic_defaults.retention_bytes", BRAID_FIELD(topic_defaults.retention_bytes), 0, 1024 * tib,
                        "How much each partition keeps. A topic's own `retention.bytes` goes before."),
                   "unlimited", -1));
  t.push_back(size("topic_defaults.max_message_bytes", BRAID_FIELD(topic_defaults.max_message_bytes), kib, gib,
                   "The largest record batch, compressed, that a topic takes. A topic's own `max.message.bytes` goes "
                   "before."));
}

void add_kafka(std::vector<Setting>& t) {
  t.push_back(with_default_text(
      row<std::string>("kafka.advertised", SettingKind::host_port, BRAID_FIELD(kafka_protocol.advertised),
                       "The `host:port` that metadata gives to Kafka clients, for those behind a proxy or NAT."),
      "the address that the client dialled"));
  t.push_back(boolean("kafka.auto_create_topics", BRAID_FIELD(kafka_protocol.auto_create_topics),
                      "Whether a topic that a Kafka client asks for is created when the client allows it."));
  t.push_back(integer("kafka.default_partitions", BRAID_FIELD(kafka_protocol.default_partitions), 1, 100000,
                      "Partitions of a topic that is created without a number."));
  t.push_back(size("kafka.max_request_bytes", BRAID_FIELD(kafka_protocol.max_request_bytes), 64 * kib, gib,
                   "The largest request; a larger one closes the connection before it is read."));
  t.push_back(size("kafka.max_fetch_bytes", BRAID_FIELD(kafka_protocol.max_fetch_bytes), 64 * kib, gib,
                   "The most that one fetch answers with, whatever the client asks; the first batch is always whole."));
  t.push_back(integer("kafka.max_described_partitions", BRAID_FIELD(kafka_protocol.max_described_partitions), 1,
                      1000000, "Partitions in one page of the answer to DescribeTopicPartitions."));
  t.push_back(integer("kafka.offsets_partitions", BRAID_FIELD(kafka_protocol.offsets_partitions), 1, 1000,
                      "Partitions of the internal topic that keeps groups and offsets. Fixed at the first start."));
  t.push_back(duration("kafka.group_initial_rebalance_delay",
                       BRAID_FIELD(kafka_protocol.group_initial_rebalance_delay_ms), 0, 5 * minute,
                       "How long a new group waits for more members before its first rebalance."));
  t.push_back(duration("kafka.group_min_session_timeout", BRAID_FIELD(kafka_protocol.group_min_session_timeout_ms), 1,
                       day, "The shortest session timeout that a group's member may ask for."));
  t.push_back(duration("kafka.group_max_session_timeout", BRAID_FIELD(kafka_protocol.group_max_session_timeout_ms), 1,
                       day, "The longest session timeout that a group's member may ask for."));
  t.push_back(
      integer("kafka.group_max_size", BRAID_FIELD(kafka_protocol.group_max_size), 1, 1000000, "Members of one group."));
  t.push_back(size("kafka.offset_metadata_max_bytes", BRAID_FIELD(kafka_protocol.offset_metadata_max_bytes), 0, mib,
                   "What a client may attach to one committed offset."));
  t.push_back(duration("kafka.offsets_retention", BRAID_FIELD(kafka_protocol.offsets_retention_ms), minute, 3650 * day,
                       "How long the offsets of a group without members are kept."));
  t.push_back(duration("kafka.quota_window", BRAID_FIELD(kafka_protocol.quota_window_ms), 0, hour,
                       "A client that was quiet for so long may use up so much of its rate at once."));
  t.push_back(duration("kafka.producer_id_expiration", BRAID_FIELD(kafka_protocol.producer_id_expiration_ms), minute,
                       3650 * day,
                       "How long an idle idempotent producer is remembered (Kafka's "
                       "`producer.id.expiration.ms`)."));
  t.push_back(integer("kafka.max_producers_per_partition", BRAID_FIELD(kafka_protocol.max_producers_per_partition), 5,
                      100000000,
                      "Idempotent producers that a partition remembers; beyond it the ones idle longest are "
                      "forgotten."));
  t.push_back(boolean("kafka.check_compressed_batches", BRAID_FIELD(kafka_protocol.check_compressed_batches),
                      "Whether a compressed batch is inflated when it is produced, and refused when its records are "
                      "damaged. Costs more than all other work on a produce; without it consumers find the damage."));
  t.push_back(integer("kafka.fetch_session_slots", BRAID_FIELD(kafka_protocol.fetch_session_slots), 0, 10000000,
                      "Fetch sessions that are kept (Kafka's `max.incremental.fetch.session.cache.slots`); consumers "
                      "without one send all their partitions with every fetch."));
  t.push_back(integer("kafka.fetch_session_partitions", BRAID_FIELD(kafka_protocol.fetch_session_partitions), 0,
                      100000000, "Partitions of all fetch sessions together, at about 150 bytes each."));
  t.push_back(duration("kafka.fetch_session_idle_timeout", BRAID_FIELD(kafka_protocol.fetch_session_idle_ms), 0, day,
                       "How long a fetch session keeps its slot without a fetch when others want it (Kafka's "
                       "`min.incremental.fetch.session.eviction.ms`)."));
}

void add_mqtt(std::vector<Setting>& t) {
  t.push_back(size("mqtt.max_packet_bytes", BRAID_FIELD(mqtt_protocol.max_packet_bytes), 128, 256 * mib,
                   "The largest packet that a client may send (MQTT's own limit is 256 MiB)."));
  t.push_back(integer("mqtt.receive_maximum", BRAID_FIELD(mqtt_protocol.receive_maximum), 1, 65535,
                      "QoS 1 publishes that a client may have unacknowledged."));
  t.push_back(integer("mqtt.max_inflight", BRAID_FIELD(mqtt_protocol.max_inflight), 1, 65535,
                      "QoS 1 publishes on their way to a client that names no receive maximum."));
  t.push_back(with_special(integer("mqtt.max_keep_alive_s", BRAID_FIELD(mqtt_protocol.max_keep_alive_s), 1, 65535,
                                   "The longest keep alive in seconds; a longer one is lowered, and MQTT 5 clients are "
                                   "told."),
                           "unlimited", 0));
  t.push_back(integer("mqtt.max_subscriptions", BRAID_FIELD(mqtt_protocol.max_subscriptions), 1, 100000000,
                      "Subscriptions of one session."));
  t.push_back(integer("mqtt.max_topic_levels", BRAID_FIELD(mqtt_protocol.max_topic_levels), 1, 65535,
                      "Levels of a topic name or filter."));
  t.push_back(integer("mqtt.max_user_properties", BRAID_FIELD(mqtt_protocol.max_user_properties), 0, 65535,
                      "User properties of one packet."));
  t.push_back(
      size("mqtt.max_queued_bytes", BRAID_FIELD(mqtt_protocol.max_queued_bytes), 64 * kib, tib,
           "What waits for one client at most, in memory and on the log; further messages are dropped for it."));
  t.push_back(integer("mqtt.max_queued_messages", BRAID_FIELD(mqtt_protocol.max_queued_messages), 1, 1000000000,
                      "The same as a number of messages."));
  t.push_back(size("mqtt.queue_memory_bytes", BRAID_FIELD(mqtt_protocol.queue_memory_bytes), 4 * kib, gib,
                   "How much of what waits for one connected client is kept in memory; the rest goes to the log. Also "
                   "the most that is sent and unacknowledged in a session that outlives its connection."));
  t.push_back(boolean("mqtt.queue_qos0", BRAID_FIELD(mqtt_protocol.queue_qos0),
                      "Whether QoS 0 messages wait for a client that is away or does not keep up. Without it they are "
                      "dropped for it."));
  t.push_back(
      with_special(integer("mqtt.max_session_expiry_s", BRAID_FIELD(mqtt_protocol.max_session_expiry_s), 0, 4294967294,
                           "How long in seconds a session is kept without its client at most; a longer expiry "
                           "is lowered, and MQTT 5 clients are told. 0: sessions end with their connection."),
                   "unlimited", 4294967295));
  t.push_back(integer("mqtt.max_offline_sessions", BRAID_FIELD(mqtt_protocol.max_offline_sessions), 0, 100000000,
                      "Sessions that are kept without their client; beyond it a session ends with its connection."));
  t.push_back(size("mqtt.max_retained_bytes", BRAID_FIELD(mqtt_protocol.max_retained_bytes), 0, tib,
                   "All retained messages together; beyond it a new one is refused."));
  t.push_back(integer("mqtt.topic_alias_maximum", BRAID_FIELD(mqtt_protocol.topic_alias_maximum), 0, 65535,
                      "Topic aliases on one connection, in each direction; 0: none are used."));
  t.push_back(with_default_text(
      row<std::string>(
          "mqtt.response_information", SettingKind::text, BRAID_FIELD(mqtt_protocol.response_information),
          "What an MQTT 5 client that asks for response information is told, as a rule the beginning of the "
          "topic names that it may have answers sent to."),
      "nothing is told"));
  t.push_back(with_default_text(
      row<std::string>(
          "mqtt.websocket_origins", SettingKind::text, BRAID_FIELD(mqtt_protocol.websocket_origins),
          "Origins of web pages that may connect over WebSocket, such as `https://panel.example`, with commas "
          "between them; `*` for all. Pages of the host that the broker is reached at always may."),
      "none"));
  t.push_back(with_special(duration("mqtt.sys_interval", BRAID_FIELD(mqtt_protocol.sys_interval_ms), 100, day,
                                    "How often the broker's own figures are published under `$SYS/broker`."),
                           "off", 0));
}

void add_amqp(std::vector<Setting>& t) {
  t.push_back(row<std::string>("amqp.product", SettingKind::text, BRAID_FIELD(amqp_protocol.product),
                               "What the broker calls itself to clients (server property `product`). Some look for "
                               "`RabbitMQ` and do more with it: then `version` is that of the RabbitMQ whose behaviour "
                               "this is."));
  t.push_back(with_special(integer("amqp.max_channels", BRAID_FIELD(amqp_protocol.max_channels), 1, 65535,
                                   "Channels of one connection (channel-max). A client may agree on fewer."),
                           "unlimited", 0));
  t.push_back(size("amqp.max_frame_bytes", BRAID_FIELD(amqp_protocol.max_frame_bytes), 8 * kib, 64 * mib,
                   "The largest frame (frame-max). A client may agree on smaller ones, of 8 KiB at least."));
  t.push_back(with_special(integer("amqp.heartbeat_s", BRAID_FIELD(amqp_protocol.heartbeat_s), 1, 65535,
                                   "The heartbeat in seconds that clients are told; what they answer is kept to. A "
                                   "client that is silent for twice as long is gone."),
                           "off", 0));
  t.push_back(size("amqp.max_message_bytes", BRAID_FIELD(amqp_protocol.max_message_bytes), kib, 128 * mib,
                   "The largest body of a message; a larger one closes its channel."));
  t.push_back(
      integer("amqp.max_consumers", BRAID_FIELD(amqp_protocol.max_consumers), 1, 1000000, "Consumers of one channel."));
  t.push_back(integer("amqp.max_unacknowledged", BRAID_FIELD(amqp_protocol.max_unacknowledged), 1, 100000000,
                      "Deliveries of one channel that are not settled, whatever its prefetch; further ones wait in "
                      "their queues."));
  t.push_back(integer("amqp.max_exchanges", BRAID_FIELD(amqp_protocol.max_exchanges), 0, 10000000,
                      "Exchanges that clients have declared in one virtual host."));
  t.push_back(
      integer("amqp.max_queues", BRAID_FIELD(amqp_protocol.max_queues), 0, 100000000, "Queues of one virtual host."));
  t.push_back(integer("amqp.max_bindings", BRAID_FIELD(amqp_protocol.max_bindings), 0, 100000000,
                      "Bindings of one virtual host, beside those to the default exchange."));
  t.push_back(size("amqp.delivery_window_bytes", BRAID_FIELD(amqp_protocol.delivery_window_bytes), 16 * kib, gib,
                   "What is on its way to one consumer and not yet taken by its socket."));
  t.push_back(
      with_special(duration("amqp.consumer_timeout", BRAID_FIELD(amqp_protocol.consumer_timeout_ms), second, 365 * day,
                            "How long a client may keep a delivery without settling it before its channel is "
                            "closed."),
                   "off", 0));
}

void add_limits(std::vector<Setting>& t) {
  t.push_back(integer("limits.max_connections", BRAID_FIELD(limits.max_connections), 1, 100000000,
                      "Connections of all protocols together."));
  t.push_back(
      with_special(integer("limits.max_connections_per_address", BRAID_FIELD(limits.max_connections_per_address), 1,
                           100000000, "Connections from one address."),
                   "unlimited", 0));
  t.push_back(duration("limits.handshake_timeout", BRAID_FIELD(limits.handshake_timeout_ms), 100, hour,
                       "How long a new connection may take until its first valid request or CONNECT."));
  t.push_back(duration("limits.idle_timeout", BRAID_FIELD(limits.idle_timeout_ms), second, 7 * day,
                       "How long a Kafka connection may be without a request."));
  t.push_back(size("limits.max_inflight_bytes", BRAID_FIELD(limits.max_inflight_bytes), 64 * kib, tib,
                   "Unanswered requests of one connection; beyond it the socket is not read."));
  t.push_back(size("limits.max_send_buffer_bytes", BRAID_FIELD(limits.max_send_buffer_bytes), 64 * kib, tib,
                   "Answers that one connection has not taken; beyond it further ones wait."));
  t.push_back(with_special(size("limits.memory_budget_bytes", BRAID_FIELD(limits.memory_budget_bytes), 16 * mib,
                                1024 * tib, "What all connections together may hold in memory."),
                           "auto", 0));
  t.back().default_text = "`auto`: half of the machine's memory";
  t.push_back(with_special(size("limits.disk_free_bytes", BRAID_FIELD(limits.disk_free_bytes), mib, 1024 * tib,
                                "When the volume of `storage.path` has less left, AMQP's publishers wait until it has "
                                "more (`connection.blocked`)."),
                           "off", 0));
}

void add_rest(std::vector<Setting>& t) {
  t.push_back(row<std::vector<RouteSetting>>(
      "routes", SettingKind::routes, BRAID_FIELD(routes),
      "MQTT filters and the topics that store what matches them, beside the rule that a topic stores what is published "
      "under its name as first level. The first route that matches wins."));
  t.push_back(choice("log.level", BRAID_FIELD(log_level), {"trace", "debug", "info", "warn", "error", "off"},
                     "The least important lines that are logged."));
  t.push_back(choice("log.format", BRAID_FIELD(log_format), {"text", "json"},
                     "Lines for people, or one JSON object per line."));
}

#undef BRAID_FIELD

std::vector<Setting> make_table() {
  std::vector<Setting> table;
  for (auto add : {add_node, add_listeners, add_security, add_storage, add_topic_defaults, add_kafka, add_mqtt,
                   add_amqp, add_limits, add_rest})
    add(table);
  return table;
}

}  // namespace

std::span<const Setting> settings_table() {
  static const std::vector<Setting> table = make_table();
  return table;
}

const Setting* find_setting(std::string_view name) {
  const auto table = settings_table();
  const auto at =
      std::find_if(table.begin(), table.end(), [&](const Setting& setting) { return setting.name == name; });
  return at == table.end() ? nullptr : &*at;
}

bool is_setting_group(std::string_view name) {
  const auto table = settings_table();
  return std::any_of(table.begin(), table.end(), [&](const Setting& setting) {
    return setting.name.size() > name.size() && setting.name.starts_with(name) && setting.name[name.size()] == '.';
  });
}

}  // namespace braid
