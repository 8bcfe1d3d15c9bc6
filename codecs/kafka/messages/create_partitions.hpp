// Braid, Apache-2.0.
//
// Adds partitions to topics. Keys move between partitions when it is done, so it is never done by itself.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct CreatePartitionsRequest {
  static constexpr MessageInfo info{"CreatePartitionsRequest", 37, {0, 3}, 2};

  struct Assignment {
    std::vector<std::int32_t> broker_ids;

    template <class V>
    static void describe(V& v) {
      v(&Assignment::broker_ids, "broker_ids", since(0));
    }
    friend bool operator==(const Assignment&, const Assignment&) = default;
  };
  struct Topic {
    Text name;
    std::int32_t count = 0;  ///< that the topic is to have, not how many to add
    std::optional<std::vector<Assignment>> assignments{std::in_place};  ///< null to let the broker choose

    template <class V>
    static void describe(V& v) {
      v(&Topic::name, "name", since(0));
      v(&Topic::count, "count", since(0));
      v(&Topic::assignments, "assignments", since(0).nullable_since(0));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::vector<Topic> topics;
  std::int32_t timeout_ms = 0;
  bool validate_only = false;  ///< check, but create nothing

  template <class V>
  static void describe(V& v) {
    v(&CreatePartitionsRequest::topics, "topics", since(0));
    v(&CreatePartitionsRequest::timeout_ms, "timeout_ms", since(0));
    v(&CreatePartitionsRequest::validate_only, "validate_only", since(0));
  }
  friend bool operator==(const CreatePartitionsRequest&, const CreatePartitionsRequest&) = default;
};

struct CreatePartitionsResponse {
  static constexpr MessageInfo info{"CreatePartitionsResponse", 37, {0, 3}, 2};

  struct Result {
    Text name;
    ErrorCode error_code = ErrorCode::none;
    std::optional<Text> error_message;

    template <class V>
    static void describe(V& v) {
      v(&Result::name, "name", since(0));
      v(&Result::error_code, "error_code", since(0));
      v(&Result::error_message, "error_message", since(0).nullable_since(0));
    }
    friend bool operator==(const Result&, const Result&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Result> results;

  template <class V>
  static void describe(V& v) {
    v(&CreatePartitionsResponse::throttle_time_ms, "throttle_time_ms", since(0));
    v(&CreatePartitionsResponse::results, "results", since(0));
  }
  friend bool operator==(const CreatePartitionsResponse&, const CreatePartitionsResponse&) = default;
};

}  // namespace braid::kafka
