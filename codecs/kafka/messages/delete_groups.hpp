// Braid, Apache-2.0.
//
// Deletes groups that have no members, and their offsets with them.
#pragma once

#include <cstdint>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct DeleteGroupsRequest {
  static constexpr MessageInfo info{"DeleteGroupsRequest", 42, {0, 2}, 2};

  std::vector<Text> groups_names;

  template <class V>
  static void describe(V& v) {
    v(&DeleteGroupsRequest::groups_names, "groups_names", since(0));
  }
  friend bool operator==(const DeleteGroupsRequest&, const DeleteGroupsRequest&) = default;
};

struct DeleteGroupsResponse {
  static constexpr MessageInfo info{"DeleteGroupsResponse", 42, {0, 2}, 2};

  struct Result {
    Text group_id;
    ErrorCode error_code = ErrorCode::none;

    template <class V>
    static void describe(V& v) {
      v(&Result::group_id, "group_id", since(0));
      v(&Result::error_code, "error_code", since(0));
    }
    friend bool operator==(const Result&, const Result&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Result> results;

  template <class V>
  static void describe(V& v) {
    v(&DeleteGroupsResponse::throttle_time_ms, "throttle_time_ms", since(0));
    v(&DeleteGroupsResponse::results, "results", since(0));
  }
  friend bool operator==(const DeleteGroupsResponse&, const DeleteGroupsResponse&) = default;
};

}  // namespace braid::kafka
