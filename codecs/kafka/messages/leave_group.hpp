// Braid, Apache-2.0.
//
// Members leave a consumer group at once, instead of being missed after the session timeout. Since version 3 several at
// a time, by member id or by the name of a static member.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct LeaveGroupRequest {
  static constexpr MessageInfo info{"LeaveGroupRequest", 13, {0, 5}, 4};

  struct Member {
    Text member_id;
    std::optional<Text> group_instance_id;
    std::optional<Text> reason;

    template <class V>
    static void describe(V& v) {
      v(&Member::member_id, "member_id", since(3));
      v(&Member::group_instance_id, "group_instance_id", since(3).nullable_since(3));
      v(&Member::reason, "reason", since(5).nullable_since(5).ignorable());
    }
    friend bool operator==(const Member&, const Member&) = default;
  };

  Text group_id;
  Text member_id;
  std::vector<Member> members;

  template <class V>
  static void describe(V& v) {
    v(&LeaveGroupRequest::group_id, "group_id", since(0));
    v(&LeaveGroupRequest::member_id, "member_id", between(0, 2));
    v(&LeaveGroupRequest::members, "members", since(3));
  }
  friend bool operator==(const LeaveGroupRequest&, const LeaveGroupRequest&) = default;
};

struct LeaveGroupResponse {
  static constexpr MessageInfo info{"LeaveGroupResponse", 13, {0, 5}, 4};

  struct Member {
    Text member_id;
    std::optional<Text> group_instance_id{std::in_place};
    ErrorCode error_code = ErrorCode::none;

    template <class V>
    static void describe(V& v) {
      v(&Member::member_id, "member_id", since(3));
      v(&Member::group_instance_id, "group_instance_id", since(3).nullable_since(3));
      v(&Member::error_code, "error_code", since(3));
    }
    friend bool operator==(const Member&, const Member&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Member> members;

  template <class V>
  static void describe(V& v) {
    v(&LeaveGroupResponse::throttle_time_ms, "throttle_time_ms", since(1).ignorable());
    v(&LeaveGroupResponse::error_code, "error_code", since(0));
    v(&LeaveGroupResponse::members, "members", since(3));
  }
  friend bool operator==(const LeaveGroupResponse&, const LeaveGroupResponse&) = default;
};

}  // namespace braid::kafka
