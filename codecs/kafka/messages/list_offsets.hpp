// Braid, Apache-2.0.
//
// Looks up offsets: the first, the last, or the first at or after a time. Consumers ask it when they have no committed
// offset, tools when they compute lag.
#pragma once

#include <cstdint>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct ListOffsetsRequest {
  static constexpr MessageInfo info{"ListOffsetsRequest", 2, {1, 11}, 6};

  struct Partition {
    std::int32_t partition_index = 0;
    std::int32_t current_leader_epoch = -1;
    /// Ms, or -1 latest, -2 earliest, -3 largest timestamp, -4 earliest local, -5 latest tiered.
    std::int64_t timestamp = 0;

    template <class V>
    static void describe(V& v) {
      v(&Partition::partition_index, "partition_index", since(0));
      v(&Partition::current_leader_epoch, "current_leader_epoch", since(4).ignorable());
      v(&Partition::timestamp, "timestamp", since(0));
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

  std::int32_t replica_id = 0;      ///< -1 for a consumer
  std::int8_t isolation_level = 0;  ///< 0: read uncommitted, 1: read committed
  std::vector<Topic> topics;
  std::int32_t timeout_ms = 0;

  template <class V>
  static void describe(V& v) {
    v(&ListOffsetsRequest::replica_id, "replica_id", since(0));
    v(&ListOffsetsRequest::isolation_level, "isolation_level", since(2));
    v(&ListOffsetsRequest::topics, "topics", since(0));
    v(&ListOffsetsRequest::timeout_ms, "timeout_ms", since(10).ignorable());
  }
  friend bool operator==(const ListOffsetsRequest&, const ListOffsetsRequest&) = default;
};

struct ListOffsetsResponse {
  static constexpr MessageInfo info{"ListOffsetsResponse", 2, {1, 11}, 6};

  struct Partition {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    std::int64_t timestamp = -1;  ///< of the record at the offset; -1 for earliest and latest
    std::int64_t offset = -1;     ///< -1 when nothing is that young
    std::int32_t leader_epoch = -1;

    template <class V>
    static void describe(V& v) {
      v(&Partition::partition_index, "partition_index", since(0));
      v(&Partition::error_code, "error_code", since(0));
      v(&Partition::timestamp, "timestamp", since(1));
      v(&Partition::offset, "offset", since(1));
      v(&Partition::leader_epoch, "leader_epoch", since(4));
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
    v(&ListOffsetsResponse::throttle_time_ms, "throttle_time_ms", since(2).ignorable());
    v(&ListOffsetsResponse::topics, "topics", since(0));
  }
  friend bool operator==(const ListOffsetsResponse&, const ListOffsetsResponse&) = default;
};

}  // namespace braid::kafka
