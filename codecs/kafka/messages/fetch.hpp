// Braid, Apache-2.0.
//
// Reads record batches. The records of a response are slices of the log's own buffers. Version 7 brings sessions
// (KIP-227), version 12 epoch validation, version 13 topic ids in place of names.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct FetchRequest {
  static constexpr MessageInfo info{"FetchRequest", 1, {4, 18}, 12};

  struct ReplicaState {
    std::int32_t replica_id = -1;
    std::int64_t replica_epoch = -1;

    template <class V>
    static void describe(V& v) {
      v(&ReplicaState::replica_id, "replica_id", since(15));
      v(&ReplicaState::replica_epoch, "replica_epoch", since(15));
    }
    friend bool operator==(const ReplicaState&, const ReplicaState&) = default;
  };
  struct Partition {
    std::int32_t partition = 0;
    std::int32_t current_leader_epoch = -1;
    std::int64_t fetch_offset = 0;
    std::int32_t last_fetched_epoch = -1;
    std::int64_t log_start_offset = -1;
    std::int32_t partition_max_bytes = 0;  ///< exceeded by the first batch when that is larger (KIP-74)
    Uuid replica_directory_id{};
    std::int64_t high_watermark = std::numeric_limits<std::int64_t>::max();

    template <class V>
    static void describe(V& v) {
      v(&Partition::partition, "partition", since(0));
      v(&Partition::current_leader_epoch, "current_leader_epoch", since(9).ignorable());
      v(&Partition::fetch_offset, "fetch_offset", since(0));
      v(&Partition::last_fetched_epoch, "last_fetched_epoch", since(12));
      v(&Partition::log_start_offset, "log_start_offset", since(5).ignorable());
      v(&Partition::partition_max_bytes, "partition_max_bytes", since(0));
      v(&Partition::replica_directory_id, "replica_directory_id", since(17).tagged(0).ignorable());
      v(&Partition::high_watermark, "high_watermark", since(18).tagged(1).ignorable());
    }
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    Text topic;
    TopicId topic_id;
    std::vector<Partition> partitions;

    template <class V>
    static void describe(V& v) {
      v(&Topic::topic, "topic", between(0, 12).ignorable());
      v(&Topic::topic_id, "topic_id", since(13).ignorable());
      v(&Topic::partitions, "partitions", since(0));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  struct ForgottenTopic {
    Text topic;
    TopicId topic_id;
    std::vector<std::int32_t> partitions;

    template <class V>
    static void describe(V& v) {
      v(&ForgottenTopic::topic, "topic", between(7, 12).ignorable());
      v(&ForgottenTopic::topic_id, "topic_id", since(13).ignorable());
      v(&ForgottenTopic::partitions, "partitions", since(7));
    }
    friend bool operator==(const ForgottenTopic&, const ForgottenTopic&) = default;
  };

  std::optional<Text> cluster_id;
  std::int32_t replica_id = -1;
  ReplicaState replica_state;
  std::int32_t max_wait_ms = 0;
  std::int32_t min_bytes = 0;
  std::int32_t max_bytes = std::numeric_limits<std::int32_t>::max();
  std::int8_t isolation_level = 0;  ///< 0: read uncommitted, 1: read committed
  std::int32_t session_id = 0;
  std::int32_t session_epoch = -1;  ///< -1: no session; 0: a new one
  std::vector<Topic> topics;
  std::vector<ForgottenTopic> forgotten_topics_data;
  Text rack_id;

  template <class V>
  static void describe(V& v) {
    v(&FetchRequest::cluster_id, "cluster_id", since(12).nullable_since(12).tagged(0).ignorable());
    v(&FetchRequest::replica_id, "replica_id", between(0, 14));
    v(&FetchRequest::replica_state, "replica_state", since(15).tagged(1));
    v(&FetchRequest::max_wait_ms, "max_wait_ms", since(0));
    v(&FetchRequest::min_bytes, "min_bytes", since(0));
    v(&FetchRequest::max_bytes, "max_bytes", since(3).ignorable());
    v(&FetchRequest::isolation_level, "isolation_level", since(4).ignorable());
    v(&FetchRequest::session_id, "session_id", since(7).ignorable());
    v(&FetchRequest::session_epoch, "session_epoch", since(7).ignorable());
    v(&FetchRequest::topics, "topics", since(0));
    v(&FetchRequest::forgotten_topics_data, "forgotten_topics_data", since(7));
    v(&FetchRequest::rack_id, "rack_id", since(11).ignorable());
  }
  friend bool operator==(const FetchRequest&, const FetchRequest&) = default;
};

struct FetchResponse {
  static constexpr MessageInfo info{"FetchResponse", 1, {4, 18}, 12};

  struct EpochEndOffset {
    std::int32_t epoch = -1;
    std::int64_t end_offset = -1;

    template <class V>
    static void describe(V& v) {
      v(&EpochEndOffset::epoch, "epoch", since(12));
      v(&EpochEndOffset::end_offset, "end_offset", since(12));
    }
    friend bool operator==(const EpochEndOffset&, const EpochEndOffset&) = default;
  };
  struct Leader {
    std::int32_t leader_id = -1;
    std::int32_t leader_epoch = -1;

    template <class V>
    static void describe(V& v) {
      v(&Leader::leader_id, "leader_id", since(12));
      v(&Leader::leader_epoch, "leader_epoch", since(12));
    }
    friend bool operator==(const Leader&, const Leader&) = default;
  };
  struct SnapshotId {
    std::int64_t end_offset = -1;
    std::int32_t epoch = -1;

    template <class V>
    static void describe(V& v) {
      v(&SnapshotId::end_offset, "end_offset", since(0));
      v(&SnapshotId::epoch, "epoch", since(0));
    }
    friend bool operator==(const SnapshotId&, const SnapshotId&) = default;
  };
  struct AbortedTransaction {
    std::int64_t producer_id = 0;
    std::int64_t first_offset = 0;

    template <class V>
    static void describe(V& v) {
      v(&AbortedTransaction::producer_id, "producer_id", since(4));
      v(&AbortedTransaction::first_offset, "first_offset", since(4));
    }
    friend bool operator==(const AbortedTransaction&, const AbortedTransaction&) = default;
  };
  struct Partition {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    std::int64_t high_watermark = 0;
    std::int64_t last_stable_offset = -1;
    std::int64_t log_start_offset = -1;
    EpochEndOffset diverging_epoch;
    Leader current_leader;
    SnapshotId snapshot_id;
    /// Null unless read committed was asked for.
    std::optional<std::vector<AbortedTransaction>> aborted_transactions{std::in_place};
    std::int32_t preferred_read_replica = -1;
    std::optional<Records> records{std::in_place};

    template <class V>
    static void describe(V& v) {
      v(&Partition::partition_index, "partition_index", since(0));
      v(&Partition::error_code, "error_code", since(0));
      v(&Partition::high_watermark, "high_watermark", since(0));
      v(&Partition::last_stable_offset, "last_stable_offset", since(4).ignorable());
      v(&Partition::log_start_offset, "log_start_offset", since(5).ignorable());
      v(&Partition::diverging_epoch, "diverging_epoch", since(12).tagged(0));
      v(&Partition::current_leader, "current_leader", since(12).tagged(1));
      v(&Partition::snapshot_id, "snapshot_id", since(12).tagged(2));
      v(&Partition::aborted_transactions, "aborted_transactions", since(4).nullable_since(4).ignorable());
      v(&Partition::preferred_read_replica, "preferred_read_replica", since(11));
      v(&Partition::records, "records", since(0).nullable_since(0));
    }
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    Text topic;
    TopicId topic_id;
    std::vector<Partition> partitions;

    template <class V>
    static void describe(V& v) {
      v(&Topic::topic, "topic", between(0, 12).ignorable());
      v(&Topic::topic_id, "topic_id", since(13).ignorable());
      v(&Topic::partitions, "partitions", since(0));
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
      v(&NodeEndpoint::node_id, "node_id", since(16));
      v(&NodeEndpoint::host, "host", since(16));
      v(&NodeEndpoint::port, "port", since(16));
      v(&NodeEndpoint::rack, "rack", since(16).nullable_since(16));
    }
    friend bool operator==(const NodeEndpoint&, const NodeEndpoint&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::int32_t session_id = 0;
  std::vector<Topic> responses;
  std::vector<NodeEndpoint> node_endpoints;

  template <class V>
  static void describe(V& v) {
    v(&FetchResponse::throttle_time_ms, "throttle_time_ms", since(1).ignorable());
    v(&FetchResponse::error_code, "error_code", since(7).ignorable());
    v(&FetchResponse::session_id, "session_id", since(7));
    v(&FetchResponse::responses, "responses", since(0));
    v(&FetchResponse::node_endpoints, "node_endpoints", since(16).tagged(0));
  }
  friend bool operator==(const FetchResponse&, const FetchResponse&) = default;
};

}  // namespace braid::kafka
