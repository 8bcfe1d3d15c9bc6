// Braid, Apache-2.0.
//
// A member enters a consumer group, or takes part in its next generation. What a protocol's metadata means is between
// the members; the coordinator picks a protocol that all of them speak and hands the metadata to the leader.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct JoinGroupRequest {
  static constexpr MessageInfo info{"JoinGroupRequest", 11, {0, 9}, 6};

  struct Protocol {
    Text name;
    Bytes metadata;

    template <class V>
    static void describe(V& v) {
      v(&Protocol::name, "name", since(0));
      v(&Protocol::metadata, "metadata", since(0));
    }
    friend bool operator==(const Protocol&, const Protocol&) = default;
  };

  Text group_id;
  std::int32_t session_timeout_ms = 0;
  /// How long others wait for this member; the session timeout in version 0.
  std::int32_t rebalance_timeout_ms = -1;
  Text member_id;                         ///< empty to be given one
  std::optional<Text> group_instance_id;  ///< name of a static member (KIP-345)
  Text protocol_type;
  std::vector<Protocol> protocols;
  std::optional<Text> reason;

  template <class V>
  static void describe(V& v) {
    v(&JoinGroupRequest::group_id, "group_id", since(0));
    v(&JoinGroupRequest::session_timeout_ms, "session_timeout_ms", since(0));
    v(&JoinGroupRequest::rebalance_timeout_ms, "rebalance_timeout_ms", since(1).ignorable());
    v(&JoinGroupRequest::member_id, "member_id", since(0));
    v(&JoinGroupRequest::group_instance_id, "group_instance_id", since(5).nullable_since(5));
    v(&JoinGroupRequest::protocol_type, "protocol_type", since(0));
    v(&JoinGroupRequest::protocols, "protocols", since(0));
    v(&JoinGroupRequest::reason, "reason", since(8).nullable_since(8).ignorable());
  }
  friend bool operator==(const JoinGroupRequest&, const JoinGroupRequest&) = default;
};

struct JoinGroupResponse {
  static constexpr MessageInfo info{"JoinGroupResponse", 11, {0, 9}, 6};

  struct Member {
    Text member_id;
    std::optional<Text> group_instance_id;
    Bytes metadata;

    template <class V>
    static void describe(V& v) {
      v(&Member::member_id, "member_id", since(0));
      v(&Member::group_instance_id, "group_instance_id", since(5).nullable_since(5).ignorable());
      v(&Member::metadata, "metadata", since(0));
    }
    friend bool operator==(const Member&, const Member&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::int32_t generation_id = -1;
  std::optional<Text> protocol_type;
  std::optional<Text> protocol_name{std::in_place};
  Text leader;
  bool skip_assignment = false;  ///< the leader is to keep the assignment as it is
  Text member_id;
  std::vector<Member> members;  ///< for the leader only; empty for the others

  template <class V>
  static void describe(V& v) {
    v(&JoinGroupResponse::throttle_time_ms, "throttle_time_ms", since(2).ignorable());
    v(&JoinGroupResponse::error_code, "error_code", since(0));
    v(&JoinGroupResponse::generation_id, "generation_id", since(0));
    v(&JoinGroupResponse::protocol_type, "protocol_type", since(7).nullable_since(7).ignorable());
    v(&JoinGroupResponse::protocol_name, "protocol_name", since(0).nullable_since(7));
    v(&JoinGroupResponse::leader, "leader", since(0));
    v(&JoinGroupResponse::skip_assignment, "skip_assignment", since(9));
    v(&JoinGroupResponse::member_id, "member_id", since(0));
    v(&JoinGroupResponse::members, "members", since(0));
  }
  friend bool operator==(const JoinGroupResponse&, const JoinGroupResponse&) = default;
};

}  // namespace braid::kafka
