// Braid, Apache-2.0.
//
// The leader of a consumer group hands in what each member is assigned, and every member receives its part.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct SyncGroupRequest {
  static constexpr MessageInfo info{"SyncGroupRequest", 14, {0, 5}, 4};

  struct Assignment {
    Text member_id;
    Bytes assignment;

    template <class V>
    static void describe(V& v) {
      v(&Assignment::member_id, "member_id", since(0));
      v(&Assignment::assignment, "assignment", since(0));
    }
    friend bool operator==(const Assignment&, const Assignment&) = default;
  };

  Text group_id;
  std::int32_t generation_id = 0;
  Text member_id;
  std::optional<Text> group_instance_id;
  std::optional<Text> protocol_type;
  std::optional<Text> protocol_name;
  std::vector<Assignment> assignments;  ///< from the leader only

  template <class V>
  static void describe(V& v) {
    v(&SyncGroupRequest::group_id, "group_id", since(0));
    v(&SyncGroupRequest::generation_id, "generation_id", since(0));
    v(&SyncGroupRequest::member_id, "member_id", since(0));
    v(&SyncGroupRequest::group_instance_id, "group_instance_id", since(3).nullable_since(3));
    v(&SyncGroupRequest::protocol_type, "protocol_type", since(5).nullable_since(5).ignorable());
    v(&SyncGroupRequest::protocol_name, "protocol_name", since(5).nullable_since(5).ignorable());
    v(&SyncGroupRequest::assignments, "assignments", since(0));
  }
  friend bool operator==(const SyncGroupRequest&, const SyncGroupRequest&) = default;
};

struct SyncGroupResponse {
  static constexpr MessageInfo info{"SyncGroupResponse", 14, {0, 5}, 4};

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<Text> protocol_type;
  std::optional<Text> protocol_name;
  Bytes assignment;

  template <class V>
  static void describe(V& v) {
    v(&SyncGroupResponse::throttle_time_ms, "throttle_time_ms", since(1).ignorable());
    v(&SyncGroupResponse::error_code, "error_code", since(0));
    v(&SyncGroupResponse::protocol_type, "protocol_type", since(5).nullable_since(5).ignorable());
    v(&SyncGroupResponse::protocol_name, "protocol_name", since(5).nullable_since(5).ignorable());
    v(&SyncGroupResponse::assignment, "assignment", since(0));
  }
  friend bool operator==(const SyncGroupResponse&, const SyncGroupResponse&) = default;
};

}  // namespace braid::kafka
