// Braid, Apache-2.0.
//
// What a client asks first: which requests, in which versions, the broker serves. Versions that the broker does not
// know are answered too, in version 0 with error 35, so that old brokers and new clients still find each other
// (KIP-511).
#pragma once

#include <cstdint>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct ApiVersionsRequest {
  static constexpr MessageInfo info{"ApiVersionsRequest", 18, {0, 4}, 3};

  Text client_software_name;
  Text client_software_version;

  template <class V>
  static void describe(V& v) {
    v(&ApiVersionsRequest::client_software_name, "client_software_name", since(3).ignorable());
    v(&ApiVersionsRequest::client_software_version, "client_software_version", since(3).ignorable());
  }
  friend bool operator==(const ApiVersionsRequest&, const ApiVersionsRequest&) = default;
};

struct ApiVersionsResponse {
  static constexpr MessageInfo info{"ApiVersionsResponse", 18, {0, 4}, 3};

  struct Api {
    std::int16_t api_key = 0;
    std::int16_t min_version = 0;
    std::int16_t max_version = 0;

    template <class V>
    static void describe(V& v) {
      v(&Api::api_key, "api_key", since(0));
      v(&Api::min_version, "min_version", since(0));
      v(&Api::max_version, "max_version", since(0));
    }
    friend bool operator==(const Api&, const Api&) = default;
  };
  struct SupportedFeature {
    Text name;
    std::int16_t min_version = 0;
    std::int16_t max_version = 0;

    template <class V>
    static void describe(V& v) {
      v(&SupportedFeature::name, "name", since(3));
      v(&SupportedFeature::min_version, "min_version", since(3));
      v(&SupportedFeature::max_version, "max_version", since(3));
    }
    friend bool operator==(const SupportedFeature&, const SupportedFeature&) = default;
  };
  struct FinalizedFeature {
    Text name;
    std::int16_t max_version_level = 0;
    std::int16_t min_version_level = 0;

    template <class V>
    static void describe(V& v) {
      v(&FinalizedFeature::name, "name", since(3));
      v(&FinalizedFeature::max_version_level, "max_version_level", since(3));
      v(&FinalizedFeature::min_version_level, "min_version_level", since(3));
    }
    friend bool operator==(const FinalizedFeature&, const FinalizedFeature&) = default;
  };

  ErrorCode error_code = ErrorCode::none;
  std::vector<Api> api_keys;
  std::int32_t throttle_time_ms = 0;
  std::vector<SupportedFeature> supported_features;
  std::int64_t finalized_features_epoch = -1;  ///< grows with every change; -1 when it is not known
  std::vector<FinalizedFeature> finalized_features;
  bool zk_migration_ready = false;

  template <class V>
  static void describe(V& v) {
    v(&ApiVersionsResponse::error_code, "error_code", since(0));
    v(&ApiVersionsResponse::api_keys, "api_keys", since(0));
    v(&ApiVersionsResponse::throttle_time_ms, "throttle_time_ms", since(1).ignorable());
    v(&ApiVersionsResponse::supported_features, "supported_features", since(3).tagged(0).ignorable());
    v(&ApiVersionsResponse::finalized_features_epoch, "finalized_features_epoch", since(3).tagged(1).ignorable());
    v(&ApiVersionsResponse::finalized_features, "finalized_features", since(3).tagged(2).ignorable());
    v(&ApiVersionsResponse::zk_migration_ready, "zk_migration_ready", since(3).tagged(3).ignorable());
  }
  friend bool operator==(const ApiVersionsResponse&, const ApiVersionsResponse&) = default;
};

}  // namespace braid::kafka
