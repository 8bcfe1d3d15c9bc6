// Braid, Apache-2.0.
//
// Which broker coordinates a consumer group or a transactional id. Since version 4 several keys are asked for at once.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct FindCoordinatorRequest {
  static constexpr MessageInfo info{"FindCoordinatorRequest", 10, {0, 6}, 3};

  Text key;
  std::int8_t key_type = 0;  ///< 0: group, 1: transactional id, 2: share group
  std::vector<Text> coordinator_keys;

  template <class V>
  static void describe(V& v) {
    v(&FindCoordinatorRequest::key, "key", between(0, 3));
    v(&FindCoordinatorRequest::key_type, "key_type", since(1));
    v(&FindCoordinatorRequest::coordinator_keys, "coordinator_keys", since(4));
  }
  friend bool operator==(const FindCoordinatorRequest&, const FindCoordinatorRequest&) = default;
};

struct FindCoordinatorResponse {
  static constexpr MessageInfo info{"FindCoordinatorResponse", 10, {0, 6}, 3};

  struct Coordinator {
    Text key;
    std::int32_t node_id = 0;
    Text host;
    std::int32_t port = 0;
    ErrorCode error_code = ErrorCode::none;
    std::optional<Text> error_message;

    template <class V>
    static void describe(V& v) {
      v(&Coordinator::key, "key", since(4));
      v(&Coordinator::node_id, "node_id", since(4));
      v(&Coordinator::host, "host", since(4));
      v(&Coordinator::port, "port", since(4));
      v(&Coordinator::error_code, "error_code", since(4));
      v(&Coordinator::error_message, "error_message", since(4).nullable_since(4).ignorable());
    }
    friend bool operator==(const Coordinator&, const Coordinator&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<Text> error_message;
  std::int32_t node_id = 0;
  Text host;
  std::int32_t port = 0;
  std::vector<Coordinator> coordinators;

  template <class V>
  static void describe(V& v) {
    v(&FindCoordinatorResponse::throttle_time_ms, "throttle_time_ms", since(1).ignorable());
    v(&FindCoordinatorResponse::error_code, "error_code", between(0, 3));
    v(&FindCoordinatorResponse::error_message, "error_message", between(1, 3).nullable_between(1, 3).ignorable());
    v(&FindCoordinatorResponse::node_id, "node_id", between(0, 3));
    v(&FindCoordinatorResponse::host, "host", between(0, 3));
    v(&FindCoordinatorResponse::port, "port", between(0, 3));
    v(&FindCoordinatorResponse::coordinators, "coordinators", since(4));
  }
  friend bool operator==(const FindCoordinatorResponse&, const FindCoordinatorResponse&) = default;
};

}  // namespace braid::kafka
