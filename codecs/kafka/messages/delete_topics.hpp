// Braid, Apache-2.0.
//
// Deletes topics by name or, since version 6, by id: a topic created anew under the same name has another id, so a late
// delete cannot hit the wrong one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct DeleteTopicsRequest {
  static constexpr MessageInfo info{"DeleteTopicsRequest", 20, {1, 6}, 4};

  struct Topic {
    std::optional<Text> name;  ///< null when deleted by id
    TopicId topic_id;

    template <class V>
    static void describe(V& v) {
      v(&Topic::name, "name", since(6).nullable_since(6));
      v(&Topic::topic_id, "topic_id", since(6));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::vector<Topic> topics;
  std::vector<Text> topic_names;
  std::int32_t timeout_ms = 0;

  template <class V>
  static void describe(V& v) {
    v(&DeleteTopicsRequest::topics, "topics", since(6));
    v(&DeleteTopicsRequest::topic_names, "topic_names", between(0, 5).ignorable());
    v(&DeleteTopicsRequest::timeout_ms, "timeout_ms", since(0));
  }
  friend bool operator==(const DeleteTopicsRequest&, const DeleteTopicsRequest&) = default;
};

struct DeleteTopicsResponse {
  static constexpr MessageInfo info{"DeleteTopicsResponse", 20, {1, 6}, 4};

  struct Topic {
    std::optional<Text> name{std::in_place};
    TopicId topic_id;
    ErrorCode error_code = ErrorCode::none;
    std::optional<Text> error_message;

    template <class V>
    static void describe(V& v) {
      v(&Topic::name, "name", since(0).nullable_since(6));
      v(&Topic::topic_id, "topic_id", since(6).ignorable());
      v(&Topic::error_code, "error_code", since(0));
      v(&Topic::error_message, "error_message", since(5).nullable_since(5).ignorable());
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> responses;

  template <class V>
  static void describe(V& v) {
    v(&DeleteTopicsResponse::throttle_time_ms, "throttle_time_ms", since(1).ignorable());
    v(&DeleteTopicsResponse::responses, "responses", since(0));
  }
  friend bool operator==(const DeleteTopicsResponse&, const DeleteTopicsResponse&) = default;
};

}  // namespace braid::kafka
