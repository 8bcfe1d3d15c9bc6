// Braid, Apache-2.0.
//
// Lists the groups that this broker coordinates, by state and by type where asked for.
#pragma once

#include <cstdint>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct ListGroupsRequest {
  static constexpr MessageInfo info{"ListGroupsRequest", 16, {0, 5}, 3};

  std::vector<Text> states_filter;  ///< empty: any
  std::vector<Text> types_filter;   ///< empty: any; "classic", "consumer", "share"

  template <class V>
  static void describe(V& v) {
    v(&ListGroupsRequest::states_filter, "states_filter", since(4));
    v(&ListGroupsRequest::types_filter, "types_filter", since(5));
  }
  friend bool operator==(const ListGroupsRequest&, const ListGroupsRequest&) = default;
};

struct ListGroupsResponse {
  static constexpr MessageInfo info{"ListGroupsResponse", 16, {0, 5}, 3};

  struct Group {
    Text group_id;
    Text protocol_type;
    Text group_state;
    Text group_type;

    template <class V>
    static void describe(V& v) {
      v(&Group::group_id, "group_id", since(0));
      v(&Group::protocol_type, "protocol_type", since(0));
      v(&Group::group_state, "group_state", since(4).ignorable());
      v(&Group::group_type, "group_type", since(5).ignorable());
    }
    friend bool operator==(const Group&, const Group&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Group> groups;

  template <class V>
  static void describe(V& v) {
    v(&ListGroupsResponse::throttle_time_ms, "throttle_time_ms", since(1).ignorable());
    v(&ListGroupsResponse::error_code, "error_code", since(0));
    v(&ListGroupsResponse::groups, "groups", since(0));
  }
  friend bool operator==(const ListGroupsResponse&, const ListGroupsResponse&) = default;
};

}  // namespace braid::kafka
