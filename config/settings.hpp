// Braid, Apache-2.0.
//
// The node's settings as the rest of the broker sees them: plain values, checked, in base units (ms, bytes). The table
// in `table.cpp` is the one place that knows names, units, defaults, limits and texts; it fills this struct.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/types.hpp"

namespace braid {

struct ListenerSettings {
  std::string bind = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: any free port
  bool enabled = true;
};

struct KafkaSettings {
  std::string advertised;  ///< "host:port"; empty: the address that the client dialled
  bool auto_create_topics = true;
  std::int32_t default_partitions = 1;
  std::uint64_t max_request_bytes = 100ull << 20;  ///< Kafka's socket.request.max.bytes
  std::uint64_t max_fetch_bytes = 55ull << 20;
  std::int32_t max_described_partitions = 2000;  ///< Kafka's max.request.partition.size.limit
  std::int32_t offsets_partitions = 8;           ///< partitions of __consumer_offsets
  std::int64_t group_initial_rebalance_delay_ms = 3000;
  std::int64_t group_min_session_timeout_ms = 6000;
  std::int64_t group_max_session_timeout_ms = 1800000;
  std::int32_t group_max_size = 10000;
  std::uint32_t offset_metadata_max_bytes = 4096;  ///< beside one committed offset
  std::int64_t offsets_retention_ms = 7ll * 24 * 3600 * 1000;
  std::int64_t quota_window_ms = 10000;
  std::int64_t producer_id_expiration_ms = 24ll * 3600 * 1000;
  std::uint32_t max_producers_per_partition = 100000;  ///< remembered for idempotence
  bool check_compressed_batches = false;               ///< inflate what is produced and check its records
  std::uint32_t fetch_session_slots = 1000;            ///< Kafka's max.incremental.fetch.session.cache.slots
  std::uint32_t fetch_session_partitions = 1000000;    ///< of all fetch sessions together
  std::int64_t fetch_session_idle_ms = 120000;         ///< after which a session may lose its slot to another
};

struct MqttSettings {
  std::uint32_t max_packet_bytes = 1u << 20;
  std::uint16_t receive_maximum = 1024;      ///< QoS 1 publishes that a client may have unacknowledged
  std::uint16_t max_inflight = 1024;         ///< the same towards a client that names no Receive Maximum
  std::uint16_t max_keep_alive_s = 0;        ///< 0: whatever the client asks
  std::uint32_t max_subscriptions = 100000;  ///< per session
  std::uint32_t max_topic_levels = 128;
  std::uint16_t max_user_properties = 128;       ///< per packet
  std::uint64_t max_queued_bytes = 64ull << 20;  ///< towards one client, in memory and on the log
  std::uint64_t max_queued_messages = 100000;
  std::uint64_t queue_memory_bytes = 1ull << 20;  ///< of it in memory
  bool queue_qos0 = false;
  std::uint32_t max_session_expiry_s = 0xFFFFFFFF;
  std::uint64_t max_offline_sessions = 1000000;
  std::uint64_t max_retained_bytes = 1ull << 30;
  std::uint16_t topic_alias_maximum = 64;
  std::string response_information;      ///< what CONNACK answers to Request Response Information; empty: nothing
  std::string websocket_origins;         ///< of pages that may connect, comma between them; "*": all
  std::int64_t sys_interval_ms = 10000;  ///< between the values under $SYS; 0: none are published
};

struct AmqpSettings {
  std::string product = "Braid";           ///< what connection.start calls the broker
  std::uint16_t max_channels = 2047;       ///< of one connection: what connection.tune says; 0: no limit
  std::uint32_t max_frame_bytes = 131072;  ///< frame-max
  std::uint16_t heartbeat_s = 60;          ///< suggested to clients; 0: none
  std::uint64_t max_message_bytes = 16ull << 20;
  std::uint32_t max_consumers = 10000;               ///< of one channel
  std::uint32_t max_unacknowledged = 1000000;        ///< deliveries of one channel
  std::uint64_t delivery_window_bytes = 1ull << 20;  ///< on their way to one consumer
  std::uint32_t max_exchanges = 100000;              ///< of one virtual host
  std::uint32_t max_queues = 1000000;                ///< likewise
  std::uint32_t max_bindings = 10000000;             ///< likewise
  std::int64_t consumer_timeout_ms = 0;              ///< a delivery that is not settled for so long; 0: none
};

struct LimitSettings {
  std::uint32_t max_connections = 100000;
  std::uint32_t max_connections_per_address = 0;      ///< 0: no limit
  std::int64_t handshake_timeout_ms = 10000;          ///< until the first valid request or CONNECT
  std::int64_t idle_timeout_ms = 600000;              ///< Kafka connections without a request
  std::uint64_t max_inflight_bytes = 64ull << 20;     ///< per connection; past it the socket is not read
  std::uint64_t max_send_buffer_bytes = 64ull << 20;  ///< per connection; past it the connection's answers wait
  std::uint64_t memory_budget_bytes = 0;              ///< all connections together; 0: half of the machine's memory
  std::uint64_t disk_free_bytes = 50ull << 20;        ///< with less left AMQP's publishers wait; 0: not looked at
};

struct SecuritySettings {
  bool allow_unauthenticated = false;  ///< listeners may bind addresses that other machines reach
};

struct StorageSettings {
  std::string path;                         ///< one directory holds everything; load_settings() never leaves it empty
  std::uint64_t file_bytes = 256ull << 20;  ///< size of a journal file
  std::uint64_t tail_cache_bytes = 64ull << 20;  ///< per loop: recent batches kept in memory
  std::int64_t sync_interval_ms = 1000;          ///< background sync of `os` topics
  std::int64_t checkpoint_interval_ms = 60000;
  std::int64_t retention_check_interval_ms = 5000;
  std::int64_t idle_partition_timeout_ms = 60000;  ///< a partition actor without work is put to rest
};

/// Defaults for topics; a topic may set its own (see topic_settings.hpp).
struct TopicDefaults {
  Durability durability = Durability::sync;
  std::int64_t retention_ms = 7ll * 24 * 3600 * 1000;  ///< -1: forever
  std::int64_t retention_bytes = -1;                   ///< per partition; -1: no limit
  std::int32_t max_message_bytes = 1048588;
};

/// An MQTT filter and the topic that stores what matches it: beside the rule that a topic's name is the first level.
struct RouteSetting {
  std::string filter;
  std::string topic;
  friend bool operator==(const RouteSetting&, const RouteSetting&) = default;
};

struct Settings {
  std::string cluster_id;  ///< empty: made at the first start and kept
  std::int32_t node_id = 1;
  std::uint16_t loops = 0;  ///< 0: one per core
  ListenerSettings mqtt{.port = 1883};
  ListenerSettings mqtt_websocket{.port = 8083, .enabled = false};
  ListenerSettings kafka{.port = 9092};
  ListenerSettings amqp{.port = 5672};
  ListenerSettings http{.port = 8080};
  KafkaSettings kafka_protocol;
  MqttSettings mqtt_protocol;
  AmqpSettings amqp_protocol;
  LimitSettings limits;
  SecuritySettings security;
  StorageSettings storage;
  TopicDefaults topic_defaults;
  std::vector<RouteSetting> routes;
  std::string log_level = "info";
  std::string log_format = "text";  ///< text or json
};

}  // namespace braid
