// Braid, Apache-2.0.
//
// Partitions that are on their way to other replicas (KIP-455).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct ListPartitionReassignmentsRequest {
  static constexpr MessageInfo info{"ListPartitionReassignmentsRequest", 46, {0, 0}, 0};

  struct Topic {
    Text name;
    std::vector<std::int32_t> partition_indexes;

    template <class V>
    static void describe(V& v) {
      v(&Topic::name, "name", since(0));
      v(&Topic::partition_indexes, "partition_indexes", since(0));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::int32_t timeout_ms = 60000;
  std::optional<std::vector<Topic>> topics;  ///< null for all

  template <class V>
  static void describe(V& v) {
    v(&ListPartitionReassignmentsRequest::timeout_ms, "timeout_ms", since(0));
    v(&ListPartitionReassignmentsRequest::topics, "topics", since(0).nullable_since(0));
  }
  friend bool operator==(const ListPartitionReassignmentsRequest&, const ListPartitionReassignmentsRequest&) = default;
};

struct ListPartitionReassignmentsResponse {
  static constexpr MessageInfo info{"ListPartitionReassignmentsResponse", 46, {0, 0}, 0};

  struct Partition {
    std::int32_t partition_index = 0;
    std::vector<std::int32_t> replicas;
    std::vector<std::int32_t> adding_replicas;
    std::vector<std::int32_t> removing_replicas;

    template <class V>
    static void describe(V& v) {
      v(&Partition::partition_index, "partition_index", since(0));
      v(&Partition::replicas, "replicas", since(0));
      v(&Partition::adding_replicas, "adding_replicas", since(0));
      v(&Partition::removing_replicas, "removing_replicas", since(0));
    }
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    Text name;
    std::vector<Partition> partitions;

    template <class V>
    static void describe(V& v) {
      v(&Topic::name, "name", since(0));
      v(&Topic::partitions, "partitions", since(0));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<Text> error_message;
  std::vector<Topic> topics;

  template <class V>
  static void describe(V& v) {
    v(&ListPartitionReassignmentsResponse::throttle_time_ms, "throttle_time_ms", since(0));
    v(&ListPartitionReassignmentsResponse::error_code, "error_code", since(0));
    v(&ListPartitionReassignmentsResponse::error_message, "error_message", since(0).nullable_since(0));
    v(&ListPartitionReassignmentsResponse::topics, "topics", since(0));
  }
  friend bool operator==(const ListPartitionReassignmentsResponse&,
                         const ListPartitionReassignmentsResponse&) = default;
};

}  // namespace braid::kafka
