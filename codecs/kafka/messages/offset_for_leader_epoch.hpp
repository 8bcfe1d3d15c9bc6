// Braid, Apache-2.0.
//
// Where a leader's epoch ended. A consumer that has read further than that has read what a change of leader took back
// (KIP-320).
#pragma once

#include <cstdint>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct OffsetForLeaderEpochRequest {
  static constexpr MessageInfo info{"OffsetForLeaderEpochRequest", 23, {2, 4}, 4};

  struct Partition {
    std::int32_t partition = 0;
    std::int32_t current_leader_epoch = -1;
    std::int32_t leader_epoch = 0;

    template <class V>
    static void describe(V& v) {
      v(&Partition::partition, "partition", since(0));
      v(&Partition::current_leader_epoch, "current_leader_epoch", since(2).ignorable());
      v(&Partition::leader_epoch, "leader_epoch", since(0));
    }
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    Text topic;
    std::vector<Partition> partitions;

    template <class V>
    static void describe(V& v) {
      v(&Topic::topic, "topic", since(0));
      v(&Topic::partitions, "partitions", since(0));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::int32_t replica_id = -2;  ///< -1 for a consumer, -2 for a debugging one
  std::vector<Topic> topics;

  template <class V>
  static void describe(V& v) {
    v(&OffsetForLeaderEpochRequest::replica_id, "replica_id", since(3).ignorable());
    v(&OffsetForLeaderEpochRequest::topics, "topics", since(0));
  }
  friend bool operator==(const OffsetForLeaderEpochRequest&, const OffsetForLeaderEpochRequest&) = default;
};

struct OffsetForLeaderEpochResponse {
  static constexpr MessageInfo info{"OffsetForLeaderEpochResponse", 23, {2, 4}, 4};

  struct EpochEndOffset {
    ErrorCode error_code = ErrorCode::none;
    std::int32_t partition = 0;
    std::int32_t leader_epoch = -1;  ///< the largest epoch not above the one asked for; -1 when there is none
    std::int64_t end_offset = -1;    ///< -1 when not known

    template <class V>
    static void describe(V& v) {
      v(&EpochEndOffset::error_code, "error_code", since(0));
      v(&EpochEndOffset::partition, "partition", since(0));
      v(&EpochEndOffset::leader_epoch, "leader_epoch", since(1).ignorable());
      v(&EpochEndOffset::end_offset, "end_offset", since(0));
    }
    friend bool operator==(const EpochEndOffset&, const EpochEndOffset&) = default;
  };
  struct Topic {
    Text topic;
    std::vector<EpochEndOffset> partitions;

    template <class V>
    static void describe(V& v) {
      v(&Topic::topic, "topic", since(0));
      v(&Topic::partitions, "partitions", since(0));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  template <class V>
  static void describe(V& v) {
    v(&OffsetForLeaderEpochResponse::throttle_time_ms, "throttle_time_ms", since(2).ignorable());
    v(&OffsetForLeaderEpochResponse::topics, "topics", since(0));
  }
  friend bool operator==(const OffsetForLeaderEpochResponse&, const OffsetForLeaderEpochResponse&) = default;
};

}  // namespace braid::kafka
