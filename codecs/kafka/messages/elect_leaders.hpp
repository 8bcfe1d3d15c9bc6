// Braid, Apache-2.0.
//
// Moves leadership of partitions: to the preferred replica, or, at the price of losing data, to one out of sync
// (KIP-460).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct ElectLeadersRequest {
  static constexpr MessageInfo info{"ElectLeadersRequest", 43, {0, 2}, 2};

  struct Topic {
    Text topic;
    std::vector<std::int32_t> partitions;

    template <class V>
    static void describe(V& v) {
      v(&Topic::topic, "topic", since(0));
      v(&Topic::partitions, "partitions", since(0));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::int8_t election_type = 0;                                      ///< 0: preferred, 1: unclean
  std::optional<std::vector<Topic>> topic_partitions{std::in_place};  ///< null for all
  std::int32_t timeout_ms = 60000;

  template <class V>
  static void describe(V& v) {
    v(&ElectLeadersRequest::election_type, "election_type", since(1));
    v(&ElectLeadersRequest::topic_partitions, "topic_partitions", since(0).nullable_since(0));
    v(&ElectLeadersRequest::timeout_ms, "timeout_ms", since(0));
  }
  friend bool operator==(const ElectLeadersRequest&, const ElectLeadersRequest&) = default;
};

struct ElectLeadersResponse {
  static constexpr MessageInfo info{"ElectLeadersResponse", 43, {0, 2}, 2};

  struct Partition {
    std::int32_t partition_id = 0;
    ErrorCode error_code = ErrorCode::none;
    std::optional<Text> error_message;

    template <class V>
    static void describe(V& v) {
      v(&Partition::partition_id, "partition_id", since(0));
      v(&Partition::error_code, "error_code", since(0));
      v(&Partition::error_message, "error_message", since(0).nullable_since(0));
    }
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    Text topic;
    std::vector<Partition> partition_result;

    template <class V>
    static void describe(V& v) {
      v(&Topic::topic, "topic", since(0));
      v(&Topic::partition_result, "partition_result", since(0));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Topic> replica_election_results;

  template <class V>
  static void describe(V& v) {
    v(&ElectLeadersResponse::throttle_time_ms, "throttle_time_ms", since(0));
    v(&ElectLeadersResponse::error_code, "error_code", since(1));
    v(&ElectLeadersResponse::replica_election_results, "replica_election_results", since(0));
  }
  friend bool operator==(const ElectLeadersResponse&, const ElectLeadersResponse&) = default;
};

}  // namespace braid::kafka
