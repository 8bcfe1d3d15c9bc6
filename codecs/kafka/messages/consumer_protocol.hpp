// Braid, Apache-2.0.
//
// What members of a consumer group tell each other through JoinGroup and SyncGroup: what they subscribe to, and what
// they were assigned. A broker passes these bytes on unread; tests, tools and the listing of a group's assignments read
// them. On the wire they follow a version of two bytes; a newer version is read as the newest known, since later ones
// only append.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/codec.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct ConsumerProtocolSubscription {
  static constexpr MessageInfo info{"ConsumerProtocolSubscription", no_key, {0, 3}, never_flexible};

  struct TopicPartition {
    Text topic;
    std::vector<std::int32_t> partitions;

    template <class V>
    static void describe(V& v) {
      v(&TopicPartition::topic, "topic", since(1));
      v(&TopicPartition::partitions, "partitions", since(1));
    }
    friend bool operator==(const TopicPartition&, const TopicPartition&) = default;
  };

  std::vector<Text> topics;
  std::optional<Bytes> user_data;
  std::vector<TopicPartition> owned_partitions;
  std::int32_t generation_id = -1;
  std::optional<Text> rack_id;

  template <class V>
  static void describe(V& v) {
    v(&ConsumerProtocolSubscription::topics, "topics", since(0));
    v(&ConsumerProtocolSubscription::user_data, "user_data", since(0).nullable_since(0));
    v(&ConsumerProtocolSubscription::owned_partitions, "owned_partitions", since(1).ignorable());
    v(&ConsumerProtocolSubscription::generation_id, "generation_id", since(2).ignorable());
    v(&ConsumerProtocolSubscription::rack_id, "rack_id", since(3).nullable_since(3).ignorable());
  }
  friend bool operator==(const ConsumerProtocolSubscription&, const ConsumerProtocolSubscription&) = default;
};

struct ConsumerProtocolAssignment {
  static constexpr MessageInfo info{"ConsumerProtocolAssignment", no_key, {0, 3}, never_flexible};

  struct TopicPartition {
    Text topic;
    std::vector<std::int32_t> partitions;

    template <class V>
    static void describe(V& v) {
      v(&TopicPartition::topic, "topic", since(0));
      v(&TopicPartition::partitions, "partitions", since(0));
    }
    friend bool operator==(const TopicPartition&, const TopicPartition&) = default;
  };

  std::vector<TopicPartition> assigned_partitions;
  std::optional<Bytes> user_data;

  template <class V>
  static void describe(V& v) {
    v(&ConsumerProtocolAssignment::assigned_partitions, "assigned_partitions", since(0));
    v(&ConsumerProtocolAssignment::user_data, "user_data", since(0).nullable_since(0));
  }
  friend bool operator==(const ConsumerProtocolAssignment&, const ConsumerProtocolAssignment&) = default;
};

/// With the version in front.
Result<ConsumerProtocolSubscription, DecodeError> decode_subscription(Bytes metadata);
Result<ConsumerProtocolAssignment, DecodeError> decode_assignment(Bytes assignment);
Bytes encode_subscription(const ConsumerProtocolSubscription&, std::int16_t version);
Bytes encode_assignment(const ConsumerProtocolAssignment&, std::int16_t version);

}  // namespace braid::kafka
