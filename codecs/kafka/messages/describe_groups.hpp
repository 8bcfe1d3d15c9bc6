// Braid, Apache-2.0.
//
// State, protocol and members of consumer groups. A group that does not exist is answered as state "Dead", and since
// version 6 with group_id_not_found as well.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct DescribeGroupsRequest {
  static constexpr MessageInfo info{"DescribeGroupsRequest", 15, {0, 6}, 5};

  std::vector<Text> groups;
  bool include_authorized_operations = false;

  template <class V>
  static void describe(V& v) {
    v(&DescribeGroupsRequest::groups, "groups", since(0));
    v(&DescribeGroupsRequest::include_authorized_operations, "include_authorized_operations", since(3));
  }
  friend bool operator==(const DescribeGroupsRequest&, const DescribeGroupsRequest&) = default;
};

struct DescribeGroupsResponse {
  static constexpr MessageInfo info{"DescribeGroupsResponse", 15, {0, 6}, 5};

  struct Member {
    Text member_id;
    std::optional<Text> group_instance_id;
    Text client_id;
    Text client_host;
    Bytes member_metadata;
    Bytes member_assignment;

    template <class V>
    static void describe(V& v) {
      v(&Member::member_id, "member_id", since(0));
      v(&Member::group_instance_id, "group_instance_id", since(4).nullable_since(4).ignorable());
      v(&Member::client_id, "client_id", since(0));
      v(&Member::client_host, "client_host", since(0));
      v(&Member::member_metadata, "member_metadata", since(0));
      v(&Member::member_assignment, "member_assignment", since(0));
    }
    friend bool operator==(const Member&, const Member&) = default;
  };
  struct Group {
    ErrorCode error_code = ErrorCode::none;
    std::optional<Text> error_message;
    Text group_id;
    Text group_state;
    Text protocol_type;
    Text protocol_data;  ///< name of the protocol that the group has picked
    std::vector<Member> members;
    /// Bit set; the minimum when not asked for (KIP-430).
    std::int32_t authorized_operations = std::numeric_limits<std::int32_t>::min();

    template <class V>
    static void describe(V& v) {
      v(&Group::error_code, "error_code", since(0));
      v(&Group::error_message, "error_message", since(6).nullable_since(6));
      v(&Group::group_id, "group_id", since(0));
      v(&Group::group_state, "group_state", since(0));
      v(&Group::protocol_type, "protocol_type", since(0));
      v(&Group::protocol_data, "protocol_data", since(0));
      v(&Group::members, "members", since(0));
      v(&Group::authorized_operations, "authorized_operations", since(3));
    }
    friend bool operator==(const Group&, const Group&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Group> groups;

  template <class V>
  static void describe(V& v) {
    v(&DescribeGroupsResponse::throttle_time_ms, "throttle_time_ms", since(1).ignorable());
    v(&DescribeGroupsResponse::groups, "groups", since(0));
  }
  friend bool operator==(const DescribeGroupsResponse&, const DescribeGroupsResponse&) = default;
};

}  // namespace braid::kafka
