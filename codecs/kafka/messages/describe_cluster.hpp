// Braid, Apache-2.0.
//
// The brokers of the cluster without its topics (KIP-700), and since version 1 its controllers on their own listener
// (KIP-919).
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct DescribeClusterRequest {
  static constexpr MessageInfo info{"DescribeClusterRequest", 60, {0, 2}, 0};

  bool include_cluster_authorized_operations = false;
  std::int8_t endpoint_type = 1;  ///< 1: brokers, 2: controllers
  bool include_fenced_brokers = false;

  template <class V>
  static void describe(V& v) {
    v(&DescribeClusterRequest::include_cluster_authorized_operations, "include_cluster_authorized_operations",
      since(0));
    v(&DescribeClusterRequest::endpoint_type, "endpoint_type", since(1));
    v(&DescribeClusterRequest::include_fenced_brokers, "include_fenced_brokers", since(2));
  }
  friend bool operator==(const DescribeClusterRequest&, const DescribeClusterRequest&) = default;
};

struct DescribeClusterResponse {
  static constexpr MessageInfo info{"DescribeClusterResponse", 60, {0, 2}, 0};

  struct Broker {
    std::int32_t broker_id = 0;
    Text host;
    std::int32_t port = 0;
    std::optional<Text> rack;
    bool is_fenced = false;

    template <class V>
    static void describe(V& v) {
      v(&Broker::broker_id, "broker_id", since(0));
      v(&Broker::host, "host", since(0));
      v(&Broker::port, "port", since(0));
      v(&Broker::rack, "rack", since(0).nullable_since(0));
      v(&Broker::is_fenced, "is_fenced", since(2));
    }
    friend bool operator==(const Broker&, const Broker&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<Text> error_message;
  std::int8_t endpoint_type = 1;
  Text cluster_id;
  std::int32_t controller_id = -1;
  std::vector<Broker> brokers;
  /// Bit set; the minimum when not asked for (KIP-430).
  std::int32_t cluster_authorized_operations = std::numeric_limits<std::int32_t>::min();

  template <class V>
  static void describe(V& v) {
    v(&DescribeClusterResponse::throttle_time_ms, "throttle_time_ms", since(0));
    v(&DescribeClusterResponse::error_code, "error_code", since(0));
    v(&DescribeClusterResponse::error_message, "error_message", since(0).nullable_since(0));
    v(&DescribeClusterResponse::endpoint_type, "endpoint_type", since(1));
    v(&DescribeClusterResponse::cluster_id, "cluster_id", since(0));
    v(&DescribeClusterResponse::controller_id, "controller_id", since(0));
    v(&DescribeClusterResponse::brokers, "brokers", since(0));
    v(&DescribeClusterResponse::cluster_authorized_operations, "cluster_authorized_operations", since(0));
  }
  friend bool operator==(const DescribeClusterResponse&, const DescribeClusterResponse&) = default;
};

}  // namespace braid::kafka
