// Braid, Apache-2.0.
//
// What a loop counts. Whoever wants to know asks every loop for a copy and adds them up, so that counting costs an
// addition and nothing else.
#pragma once

#include <cstdint>

namespace braid {

/// Counters of one loop; plain integers, written on the loop.
struct LoopMetrics {
  std::uint64_t connections = 0;
  std::uint64_t connections_accepted = 0;
  std::uint64_t protocol_errors = 0;
  std::uint64_t mqtt_connections = 0;  ///< that have had their CONNACK and live
  std::uint64_t mqtt_packets_received = 0;
  std::uint64_t mqtt_packets_sent = 0;
  std::uint64_t mqtt_bytes_received = 0;
  std::uint64_t mqtt_bytes_sent = 0;
  std::uint64_t mqtt_subscriptions = 0;
  std::uint64_t mqtt_retained = 0;  ///< messages kept; on the loop of their keeper
  std::uint64_t mqtt_retained_bytes = 0;
  std::uint64_t mqtt_published = 0;
  std::uint64_t mqtt_delivered = 0;
  std::uint64_t mqtt_dropped = 0;
  std::uint64_t kafka_requests = 0;
  std::uint64_t amqp_connections = 0;  ///< that are open (connection.open-ok)
  std::uint64_t amqp_channels = 0;
  std::uint64_t amqp_published = 0;
  std::uint64_t amqp_delivered = 0;

  LoopMetrics& operator+=(const LoopMetrics& other) {
    connections += other.connections;
    connections_accepted += other.connections_accepted;
    protocol_errors += other.protocol_errors;
    mqtt_connections += other.mqtt_connections;
    mqtt_packets_received += other.mqtt_packets_received;
    mqtt_packets_sent += other.mqtt_packets_sent;
    mqtt_bytes_received += other.mqtt_bytes_received;
    mqtt_bytes_sent += other.mqtt_bytes_sent;
    mqtt_subscriptions += other.mqtt_subscriptions;
    mqtt_retained += other.mqtt_retained;
    mqtt_retained_bytes += other.mqtt_retained_bytes;
    mqtt_published += other.mqtt_published;
    mqtt_delivered += other.mqtt_delivered;
    mqtt_dropped += other.mqtt_dropped;
    kafka_requests += other.kafka_requests;
    amqp_connections += other.amqp_connections;
    amqp_channels += other.amqp_channels;
    amqp_published += other.amqp_published;
    amqp_delivered += other.amqp_delivered;
    return *this;
  }
};

}  // namespace braid
