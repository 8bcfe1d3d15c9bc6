// Braid, Apache-2.0.
//
// Which brokers there are, which topics, and who leads each partition: what a client asks before it can produce or
// fetch. How "all topics" is said changed: an empty array in version 0, null since version 1.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct MetadataRequest {
  static constexpr MessageInfo info{"MetadataRequest", 3, {0, 13}, 9};

  struct Topic {
    TopicId topic_id;
    std::optional<Text> name{std::in_place};

    template <class V>
    static void describe(V& v) {
      v(&Topic::topic_id, "topic_id", since(10).ignorable());
      v(&Topic::name, "name", since(0).nullable_since(10));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  /// Null asks for all of them, from version 1; empty did in version 0.
  std::optional<std::vector<Topic>> topics{std::in_place};
  bool allow_auto_topic_creation = true;
  bool include_cluster_authorized_operations = false;
  bool include_topic_authorized_operations = false;

  template <class V>
  static void describe(V& v) {
    v(&MetadataRequest::topics, "topics", since(0).nullable_since(1));
    v(&MetadataRequest::allow_auto_topic_creation, "allow_auto_topic_creation", since(4));
    v(&MetadataRequest::include_cluster_authorized_operations, "include_cluster_authorized_operations", between(8, 10));
    v(&MetadataRequest::include_topic_authorized_operations, "include_topic_authorized_operations", since(8));
  }
  friend bool operator==(const MetadataRequest&, const MetadataRequest&) = default;
};

struct MetadataResponse {
  static constexpr MessageInfo info{"MetadataResponse", 3, {0, 13}, 9};

  struct Broker {
    std::int32_t node_id = 0;
    Text host;
    std::int32_t port = 0;
    std::optional<Text> rack;

    template <class V>
    static void describe(V& v) {
      v(&Broker::node_id, "node_id", since(0));
      v(&Broker::host, "host", since(0));
      v(&Broker::port, "port", since(0));
      v(&Broker::rack, "rack", since(1).nullable_since(1).ignorable());
    }
    friend bool operator==(const Broker&, const Broker&) = default;
  };
  struct Partition {
    ErrorCode error_code = ErrorCode::none;
    std::int32_t partition_index = 0;
    std::int32_t leader_id = 0;
    std::int32_t leader_epoch = -1;
    std::vector<std::int32_t> replica_nodes;
    std::vector<std::int32_t> isr_nodes;
    std::vector<std::int32_t> offline_replicas;

    template <class V>
    static void describe(V& v) {
      v(&Partition::error_code, "error_code", since(0));
      v(&Partition::partition_index, "partition_index", since(0));
      v(&Partition::leader_id, "leader_id", since(0));
      v(&Partition::leader_epoch, "leader_epoch", since(7).ignorable());
      v(&Partition::replica_nodes, "replica_nodes", since(0));
      v(&Partition::isr_nodes, "isr_nodes", since(0));
      v(&Partition::offline_replicas, "offline_replicas", since(5).ignorable());
    }
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    ErrorCode error_code = ErrorCode::none;
    std::optional<Text> name{std::in_place};  ///< null when asked for by an id that does not exist
    TopicId topic_id;
    bool is_internal = false;
    std::vector<Partition> partitions;
    /// Bit set; the minimum when not asked for (KIP-430).
    std::int32_t topic_authorized_operations = std::numeric_limits<std::int32_t>::min();

    template <class V>
    static void describe(V& v) {
      v(&Topic::error_code, "error_code", since(0));
      v(&Topic::name, "name", since(0).nullable_since(12));
      v(&Topic::topic_id, "topic_id", since(10).ignorable());
      v(&Topic::is_internal, "is_internal", since(1).ignorable());
      v(&Topic::partitions, "partitions", since(0));
      v(&Topic::topic_authorized_operations, "topic_authorized_operations", since(8));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Broker> brokers;
  std::optional<Text> cluster_id;
  std::int32_t controller_id = -1;
  std::vector<Topic> topics;
  std::int32_t cluster_authorized_operations = std::numeric_limits<std::int32_t>::min();
  ErrorCode error_code = ErrorCode::none;

  template <class V>
  static void describe(V& v) {
    v(&MetadataResponse::throttle_time_ms, "throttle_time_ms", since(3).ignorable());
    v(&MetadataResponse::brokers, "brokers", since(0));
    v(&MetadataResponse::cluster_id, "cluster_id", since(2).nullable_since(2).ignorable());
    v(&MetadataResponse::controller_id, "controller_id", since(1).ignorable());
    v(&MetadataResponse::topics, "topics", since(0));
    v(&MetadataResponse::cluster_authorized_operations, "cluster_authorized_operations", between(8, 10));
    v(&MetadataResponse::error_code, "error_code", since(13).ignorable());
  }
  friend bool operator==(const MetadataResponse&, const MetadataResponse&) = default;
};

}  // namespace braid::kafka
