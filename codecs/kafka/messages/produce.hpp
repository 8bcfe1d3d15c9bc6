// Braid, Apache-2.0.
//
// Appends record batches to partitions. The records stay slices of the received block. Versions 0 to 2 carry message
// formats that nobody produces any more; they are advertised for librdkafka's sake and refused (KAFKA-18659).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct ProduceRequest {
  static constexpr MessageInfo info{"ProduceRequest", 0, {3, 13}, 9};

  struct Partition {
    std::int32_t index = 0;
    std::optional<Records> records{std::in_place};

    template <class V>
    static void describe(V& v) {
      v(&Partition::index, "index", since(0));
      v(&Partition::records, "records", since(0).nullable_since(0));
    }
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    Text name;
    TopicId topic_id;
    std::vector<Partition> partition_data;

    template <class V>
    static void describe(V& v) {
      v(&Topic::name, "name", between(0, 12).ignorable());
      v(&Topic::topic_id, "topic_id", since(13).ignorable());
      v(&Topic::partition_data, "partition_data", since(0));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::optional<Text> transactional_id;
  std::int16_t acks = 0;  ///< 0: no response at all; 1: the leader has it; -1: all in-sync replicas have it
  std::int32_t timeout_ms = 0;
  std::vector<Topic> topic_data;

  template <class V>
  static void describe(V& v) {
    v(&ProduceRequest::transactional_id, "transactional_id", since(3).nullable_since(3));
    v(&ProduceRequest::acks, "acks", since(0));
    v(&ProduceRequest::timeout_ms, "timeout_ms", since(0));
    v(&ProduceRequest::topic_data, "topic_data", since(0));
  }
  friend bool operator==(const ProduceRequest&, const ProduceRequest&) = default;
};

struct ProduceResponse {
  static constexpr MessageInfo info{"ProduceResponse", 0, {3, 13}, 9};

  struct RecordError {
    std::int32_t batch_index = 0;
    std::optional<Text> batch_index_error_message;

    template <class V>
    static void describe(V& v) {
      v(&RecordError::batch_index, "batch_index", since(8));
      v(&RecordError::batch_index_error_message, "batch_index_error_message", since(8).nullable_since(8));
    }
    friend bool operator==(const RecordError&, const RecordError&) = default;
  };
  struct Leader {
    std::int32_t leader_id = -1;
    std::int32_t leader_epoch = -1;

    template <class V>
    static void describe(V& v) {
      v(&Leader::leader_id, "leader_id", since(10));
      v(&Leader::leader_epoch, "leader_epoch", since(10));
    }
    friend bool operator==(const Leader&, const Leader&) = default;
  };
  struct Partition {
    std::int32_t index = 0;
    ErrorCode error_code = ErrorCode::none;
    std::int64_t base_offset = 0;
    std::int64_t log_append_time_ms = -1;  ///< -1 when the topic keeps the time that the producer set
    std::int64_t log_start_offset = -1;
    std::vector<RecordError> record_errors;  ///< which records of the batch are at fault (KIP-467)
    std::optional<Text> error_message;
    Leader current_leader;  ///< for not_leader_or_follower: where to go instead (KIP-951)

    template <class V>
    static void describe(V& v) {
      v(&Partition::index, "index", since(0));
      v(&Partition::error_code, "error_code", since(0));
      v(&Partition::base_offset, "base_offset", since(0));
      v(&Partition::log_append_time_ms, "log_append_time_ms", since(2).ignorable());
      v(&Partition::log_start_offset, "log_start_offset", since(5).ignorable());
      v(&Partition::record_errors, "record_errors", since(8).ignorable());
      v(&Partition::error_message, "error_message", since(8).nullable_since(8).ignorable());
      v(&Partition::current_leader, "current_leader", since(10).tagged(0));
    }
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    Text name;
    TopicId topic_id;
    std::vector<Partition> partition_responses;

    template <class V>
    static void describe(V& v) {
      v(&Topic::name, "name", between(0, 12).ignorable());
      v(&Topic::topic_id, "topic_id", since(13).ignorable());
      v(&Topic::partition_responses, "partition_responses", since(0));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  struct NodeEndpoint {
    std::int32_t node_id = 0;
    Text host;
    std::int32_t port = 0;
    std::optional<Text> rack;

    template <class V>
    static void describe(V& v) {
      v(&NodeEndpoint::node_id, "node_id", since(10));
      v(&NodeEndpoint::host, "host", since(10));
      v(&NodeEndpoint::port, "port", since(10));
      v(&NodeEndpoint::rack, "rack", since(10).nullable_since(10));
    }
    friend bool operator==(const NodeEndpoint&, const NodeEndpoint&) = default;
  };

  std::vector<Topic> responses;
  std::int32_t throttle_time_ms = 0;
  std::vector<NodeEndpoint> node_endpoints;

  template <class V>
  static void describe(V& v) {
    v(&ProduceResponse::responses, "responses", since(0));
    v(&ProduceResponse::throttle_time_ms, "throttle_time_ms", since(1).ignorable());
    v(&ProduceResponse::node_endpoints, "node_endpoints", since(10).tagged(0));
  }
  friend bool operator==(const ProduceResponse&, const ProduceResponse&) = default;
};

}  // namespace braid::kafka
