// Braid, Apache-2.0.
//
// Partitions of topics, page by page: what Metadata would answer for a large cluster in one piece is asked for by a
// cursor (KIP-966).
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct DescribeTopicPartitionsRequest {
  static constexpr MessageInfo info{"DescribeTopicPartitionsRequest", 75, {0, 0}, 0};

  struct Topic {
    Text name;

    template <class V>
    static void describe(V& v) {
      v(&Topic::name, "name", since(0));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  struct Cursor {
    Text topic_name;
    std::int32_t partition_index = 0;

    template <class V>
    static void describe(V& v) {
      v(&Cursor::topic_name, "topic_name", since(0));
      v(&Cursor::partition_index, "partition_index", since(0));
    }
    friend bool operator==(const Cursor&, const Cursor&) = default;
  };

  std::vector<Topic> topics;
  std::int32_t response_partition_limit = 2000;
  std::optional<Cursor> cursor;  ///< null for the first page

  template <class V>
  static void describe(V& v) {
    v(&DescribeTopicPartitionsRequest::topics, "topics", since(0));
    v(&DescribeTopicPartitionsRequest::response_partition_limit, "response_partition_limit", since(0));
    v(&DescribeTopicPartitionsRequest::cursor, "cursor", since(0).nullable_since(0));
  }
  friend bool operator==(const DescribeTopicPartitionsRequest&, const DescribeTopicPartitionsRequest&) = default;
};

struct DescribeTopicPartitionsResponse {
  static constexpr MessageInfo info{"DescribeTopicPartitionsResponse", 75, {0, 0}, 0};

  struct Partition {
    ErrorCode error_code = ErrorCode::none;
    std::int32_t partition_index = 0;
    std::int32_t leader_id = 0;
    std::int32_t leader_epoch = -1;
    std::vector<std::int32_t> replica_nodes;
    std::vector<std::int32_t> isr_nodes;
    std::optional<std::vector<std::int32_t>> eligible_leader_replicas;  ///< out of sync, yet safe to elect
    std::optional<std::vector<std::int32_t>> last_known_elr;
    std::vector<std::int32_t> offline_replicas;

    template <class V>
    static void describe(V& v) {
      v(&Partition::error_code, "error_code", since(0));
      v(&Partition::partition_index, "partition_index", since(0));
      v(&Partition::leader_id, "leader_id", since(0));
      v(&Partition::leader_epoch, "leader_epoch", since(0).ignorable());
      v(&Partition::replica_nodes, "replica_nodes", since(0));
      v(&Partition::isr_nodes, "isr_nodes", since(0));
      v(&Partition::eligible_leader_replicas, "eligible_leader_replicas", since(0).nullable_since(0));
      v(&Partition::last_known_elr, "last_known_elr", since(0).nullable_since(0));
      v(&Partition::offline_replicas, "offline_replicas", since(0).ignorable());
    }
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    ErrorCode error_code = ErrorCode::none;
    std::optional<Text> name{std::in_place};
    TopicId topic_id;
    bool is_internal = false;
    std::vector<Partition> partitions;
    /// Bit set; the minimum when not asked for (KIP-430).
    std::int32_t topic_authorized_operations = std::numeric_limits<std::int32_t>::min();

    template <class V>
    static void describe(V& v) {
      v(&Topic::error_code, "error_code", since(0));
      v(&Topic::name, "name", since(0).nullable_since(0));
      v(&Topic::topic_id, "topic_id", since(0).ignorable());
      v(&Topic::is_internal, "is_internal", since(0).ignorable());
      v(&Topic::partitions, "partitions", since(0));
      v(&Topic::topic_authorized_operations, "topic_authorized_operations", since(0));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  struct Cursor {
    Text topic_name;
    std::int32_t partition_index = 0;

    template <class V>
    static void describe(V& v) {
      v(&Cursor::topic_name, "topic_name", since(0));
      v(&Cursor::partition_index, "partition_index", since(0));
    }
    friend bool operator==(const Cursor&, const Cursor&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
  std::optional<Cursor> next_cursor;  ///< null when this was the last page

  template <class V>
  static void describe(V& v) {
    v(&DescribeTopicPartitionsResponse::throttle_time_ms, "throttle_time_ms", since(0).ignorable());
    v(&DescribeTopicPartitionsResponse::topics, "topics", since(0));
    v(&DescribeTopicPartitionsResponse::next_cursor, "next_cursor", since(0).nullable_since(0));
  }
  friend bool operator==(const DescribeTopicPartitionsResponse&, const DescribeTopicPartitionsResponse&) = default;
};

}  // namespace braid::kafka
