// Braid, Apache-2.0.
//
// The producers that a partition knows: where each of them is in its sequence, and which have a transaction open
// (KIP-664).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct DescribeProducersRequest {
  static constexpr MessageInfo info{"DescribeProducersRequest", 61, {0, 0}, 0};

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

  std::vector<Topic> topics;

  template <class V>
  static void describe(V& v) {
    v(&DescribeProducersRequest::topics, "topics", since(0));
  }
  friend bool operator==(const DescribeProducersRequest&, const DescribeProducersRequest&) = default;
};

struct DescribeProducersResponse {
  static constexpr MessageInfo info{"DescribeProducersResponse", 61, {0, 0}, 0};

  struct Producer {
    std::int64_t producer_id = 0;
    std::int32_t producer_epoch = 0;
    std::int32_t last_sequence = -1;  ///< -1 when nothing was appended yet
    std::int64_t last_timestamp = -1;
    std::int32_t coordinator_epoch = 0;
    std::int64_t current_txn_start_offset = -1;  ///< -1 when no transaction is open

    template <class V>
    static void describe(V& v) {
      v(&Producer::producer_id, "producer_id", since(0));
      v(&Producer::producer_epoch, "producer_epoch", since(0));
      v(&Producer::last_sequence, "last_sequence", since(0));
      v(&Producer::last_timestamp, "last_timestamp", since(0));
      v(&Producer::coordinator_epoch, "coordinator_epoch", since(0));
      v(&Producer::current_txn_start_offset, "current_txn_start_offset", since(0));
    }
    friend bool operator==(const Producer&, const Producer&) = default;
  };
  struct Partition {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    std::optional<Text> error_message;
    std::vector<Producer> active_producers;

    template <class V>
    static void describe(V& v) {
      v(&Partition::partition_index, "partition_index", since(0));
      v(&Partition::error_code, "error_code", since(0));
      v(&Partition::error_message, "error_message", since(0).nullable_since(0));
      v(&Partition::active_producers, "active_producers", since(0));
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
  std::vector<Topic> topics;

  template <class V>
  static void describe(V& v) {
    v(&DescribeProducersResponse::throttle_time_ms, "throttle_time_ms", since(0));
    v(&DescribeProducersResponse::topics, "topics", since(0));
  }
  friend bool operator==(const DescribeProducersResponse&, const DescribeProducersResponse&) = default;
};

}  // namespace braid::kafka
