// Braid, Apache-2.0.
//
// A member of a consumer group says that it is alive, and learns that the group is being rebalanced.
#pragma once

#include <cstdint>
#include <optional>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct HeartbeatRequest {
  static constexpr MessageInfo info{"HeartbeatRequest", 12, {0, 4}, 4};

  Text group_id;
  std::int32_t generation_id = 0;
  Text member_id;
  std::optional<Text> group_instance_id;

  template <class V>
  static void describe(V& v) {
    v(&HeartbeatRequest::group_id, "group_id", since(0));
    v(&HeartbeatRequest::generation_id, "generation_id", since(0));
    v(&HeartbeatRequest::member_id, "member_id", since(0));
    v(&HeartbeatRequest::group_instance_id, "group_instance_id", since(3).nullable_since(3));
  }
  friend bool operator==(const HeartbeatRequest&, const HeartbeatRequest&) = default;
};

struct HeartbeatResponse {
  static constexpr MessageInfo info{"HeartbeatResponse", 12, {0, 4}, 4};

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;

  template <class V>
  static void describe(V& v) {
    v(&HeartbeatResponse::throttle_time_ms, "throttle_time_ms", since(1).ignorable());
    v(&HeartbeatResponse::error_code, "error_code", since(0));
  }
  friend bool operator==(const HeartbeatResponse&, const HeartbeatResponse&) = default;
};

}  // namespace braid::kafka
