// Braid, Apache-2.0.
//
// Stores how far a group has read. Version 1, older than Kafka's own baseline, is kept for clients that look for it
// before they trust a broker with their groups; it carries a time per partition instead of one retention time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct OffsetCommitRequest {
  static constexpr MessageInfo info{"OffsetCommitRequest", 8, {1, 10}, 8};

  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t committed_offset = 0;
    std::int64_t commit_timestamp = -1;        ///< ms; -1: the time of arrival
    std::int32_t committed_leader_epoch = -1;  ///< of the last record that was read; -1 when not known
    std::optional<Text> committed_metadata{std::in_place};

    template <class V>
    static void describe(V& v) {
      v(&Partition::partition_index, "partition_index", since(0));
      v(&Partition::committed_offset, "committed_offset", since(0));
      v(&Partition::commit_timestamp, "commit_timestamp", between(1, 1).ignorable());
      v(&Partition::committed_leader_epoch, "committed_leader_epoch", since(6).ignorable());
      v(&Partition::committed_metadata, "committed_metadata", since(0).nullable_since(0));
    }
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    Text name;
    TopicId topic_id;
    std::vector<Partition> partitions;

    template <class V>
    static void describe(V& v) {
      v(&Topic::name, "name", between(0, 9).ignorable());
      v(&Topic::topic_id, "topic_id", since(10).ignorable());
      v(&Topic::partitions, "partitions", since(0));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  Text group_id;
  std::int32_t generation_id_or_member_epoch = -1;  ///< -1 from outside of a group
  Text member_id;
  std::optional<Text> group_instance_id;
  std::int64_t retention_time_ms = -1;
  std::vector<Topic> topics;

  template <class V>
  static void describe(V& v) {
    v(&OffsetCommitRequest::group_id, "group_id", since(0));
    v(&OffsetCommitRequest::generation_id_or_member_epoch, "generation_id_or_member_epoch", since(1).ignorable());
    v(&OffsetCommitRequest::member_id, "member_id", since(1).ignorable());
    v(&OffsetCommitRequest::group_instance_id, "group_instance_id", since(7).nullable_since(7));
    v(&OffsetCommitRequest::retention_time_ms, "retention_time_ms", between(2, 4).ignorable());
    v(&OffsetCommitRequest::topics, "topics", since(0));
  }
  friend bool operator==(const OffsetCommitRequest&, const OffsetCommitRequest&) = default;
};

struct OffsetCommitResponse {
  static constexpr MessageInfo info{"OffsetCommitResponse", 8, {1, 10}, 8};

  struct Partition {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;

    template <class V>
    static void describe(V& v) {
      v(&Partition::partition_index, "partition_index", since(0));
      v(&Partition::error_code, "error_code", since(0));
    }
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    Text name;
    TopicId topic_id;
    std::vector<Partition> partitions;

    template <class V>
    static void describe(V& v) {
      v(&Topic::name, "name", between(0, 9).ignorable());
      v(&Topic::topic_id, "topic_id", since(10).ignorable());
      v(&Topic::partitions, "partitions", since(0));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  template <class V>
  static void describe(V& v) {
    v(&OffsetCommitResponse::throttle_time_ms, "throttle_time_ms", since(3).ignorable());
    v(&OffsetCommitResponse::topics, "topics", since(0));
  }
  friend bool operator==(const OffsetCommitResponse&, const OffsetCommitResponse&) = default;
};

}  // namespace braid::kafka
