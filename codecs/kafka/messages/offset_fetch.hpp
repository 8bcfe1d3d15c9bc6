// Braid, Apache-2.0.
//
// How far a group has read. Versions up to 7 ask for one group, at the top; later ones for several, each with its
// topics.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct OffsetFetchRequest {
  static constexpr MessageInfo info{"OffsetFetchRequest", 9, {1, 10}, 6};

  struct Topic {
    Text name;
    std::vector<std::int32_t> partition_indexes;

    template <class V>
    static void describe(V& v) {
      v(&Topic::name, "name", between(0, 7));
      v(&Topic::partition_indexes, "partition_indexes", between(0, 7));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  struct GroupTopic {
    Text name;
    TopicId topic_id;
    std::vector<std::int32_t> partition_indexes;

    template <class V>
    static void describe(V& v) {
      v(&GroupTopic::name, "name", between(8, 9).ignorable());
      v(&GroupTopic::topic_id, "topic_id", since(10).ignorable());
      v(&GroupTopic::partition_indexes, "partition_indexes", since(8));
    }
    friend bool operator==(const GroupTopic&, const GroupTopic&) = default;
  };
  struct Group {
    Text group_id;
    std::optional<Text> member_id;
    std::int32_t member_epoch = -1;
    std::optional<std::vector<GroupTopic>> topics{std::in_place};  ///< null for all

    template <class V>
    static void describe(V& v) {
      v(&Group::group_id, "group_id", since(8));
      v(&Group::member_id, "member_id", since(9).nullable_since(9).ignorable());
      v(&Group::member_epoch, "member_epoch", since(9).ignorable());
      v(&Group::topics, "topics", since(8).nullable_since(8));
    }
    friend bool operator==(const Group&, const Group&) = default;
  };

  Text group_id;
  std::optional<std::vector<Topic>> topics{std::in_place};  ///< null for all
  std::vector<Group> groups;
  bool require_stable = false;  ///< answer with an error while a transaction on the offset is open

  template <class V>
  static void describe(V& v) {
    v(&OffsetFetchRequest::group_id, "group_id", between(0, 7));
    v(&OffsetFetchRequest::topics, "topics", between(0, 7).nullable_between(2, 7));
    v(&OffsetFetchRequest::groups, "groups", since(8));
    v(&OffsetFetchRequest::require_stable, "require_stable", since(7));
  }
  friend bool operator==(const OffsetFetchRequest&, const OffsetFetchRequest&) = default;
};

struct OffsetFetchResponse {
  static constexpr MessageInfo info{"OffsetFetchResponse", 9, {1, 10}, 6};

  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t committed_offset = 0;  ///< -1 when there is none
    std::int32_t committed_leader_epoch = -1;
    std::optional<Text> metadata{std::in_place};
    ErrorCode error_code = ErrorCode::none;

    template <class V>
    static void describe(V& v) {
      v(&Partition::partition_index, "partition_index", between(0, 7));
      v(&Partition::committed_offset, "committed_offset", between(0, 7));
      v(&Partition::committed_leader_epoch, "committed_leader_epoch", between(5, 7).ignorable());
      v(&Partition::metadata, "metadata", between(0, 7).nullable_between(0, 7));
      v(&Partition::error_code, "error_code", between(0, 7));
    }
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    Text name;
    std::vector<Partition> partitions;

    template <class V>
    static void describe(V& v) {
      v(&Topic::name, "name", between(0, 7));
      v(&Topic::partitions, "partitions", between(0, 7));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  struct GroupPartition {
    std::int32_t partition_index = 0;
    std::int64_t committed_offset = 0;  ///< -1 when there is none
    std::int32_t committed_leader_epoch = -1;
    std::optional<Text> metadata{std::in_place};
    ErrorCode error_code = ErrorCode::none;

    template <class V>
    static void describe(V& v) {
      v(&GroupPartition::partition_index, "partition_index", since(8));
      v(&GroupPartition::committed_offset, "committed_offset", since(8));
      v(&GroupPartition::committed_leader_epoch, "committed_leader_epoch", since(8).ignorable());
      v(&GroupPartition::metadata, "metadata", since(8).nullable_since(8));
      v(&GroupPartition::error_code, "error_code", since(8));
    }
    friend bool operator==(const GroupPartition&, const GroupPartition&) = default;
  };
  struct GroupTopic {
    Text name;
    TopicId topic_id;
    std::vector<GroupPartition> partitions;

    template <class V>
    static void describe(V& v) {
      v(&GroupTopic::name, "name", between(8, 9).ignorable());
      v(&GroupTopic::topic_id, "topic_id", since(10).ignorable());
      v(&GroupTopic::partitions, "partitions", since(8));
    }
    friend bool operator==(const GroupTopic&, const GroupTopic&) = default;
  };
  struct Group {
    Text group_id;
    std::vector<GroupTopic> topics;
    ErrorCode error_code = ErrorCode::none;

    template <class V>
    static void describe(V& v) {
      v(&Group::group_id, "group_id", since(8));
      v(&Group::topics, "topics", since(8));
      v(&Group::error_code, "error_code", since(8));
    }
    friend bool operator==(const Group&, const Group&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Group> groups;

  template <class V>
  static void describe(V& v) {
    v(&OffsetFetchResponse::throttle_time_ms, "throttle_time_ms", since(3).ignorable());
    v(&OffsetFetchResponse::topics, "topics", between(0, 7));
    v(&OffsetFetchResponse::error_code, "error_code", between(2, 7).ignorable());
    v(&OffsetFetchResponse::groups, "groups", since(8));
  }
  friend bool operator==(const OffsetFetchResponse&, const OffsetFetchResponse&) = default;
};

}  // namespace braid::kafka
