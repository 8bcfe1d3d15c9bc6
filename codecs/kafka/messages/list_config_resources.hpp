// Braid, Apache-2.0.
//
// Names of what has settings of its own (KIP-1142). Version 0 knew client metrics only.
#pragma once

#include <cstdint>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct ListConfigResourcesRequest {
  static constexpr MessageInfo info{"ListConfigResourcesRequest", 74, {0, 1}, 0};

  std::vector<std::int8_t> resource_types;  ///< empty: all

  template <class V>
  static void describe(V& v) {
    v(&ListConfigResourcesRequest::resource_types, "resource_types", since(1));
  }
  friend bool operator==(const ListConfigResourcesRequest&, const ListConfigResourcesRequest&) = default;
};

struct ListConfigResourcesResponse {
  static constexpr MessageInfo info{"ListConfigResourcesResponse", 74, {0, 1}, 0};

  struct ConfigResource {
    Text resource_name;
    std::int8_t resource_type = 16;  ///< 2: topic, 4: broker, 8: broker logger, 16: client metrics, 32: group

    template <class V>
    static void describe(V& v) {
      v(&ConfigResource::resource_name, "resource_name", since(0));
      v(&ConfigResource::resource_type, "resource_type", since(1).ignorable());
    }
    friend bool operator==(const ConfigResource&, const ConfigResource&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<ConfigResource> config_resources;

  template <class V>
  static void describe(V& v) {
    v(&ListConfigResourcesResponse::throttle_time_ms, "throttle_time_ms", since(0));
    v(&ListConfigResourcesResponse::error_code, "error_code", since(0));
    v(&ListConfigResourcesResponse::config_resources, "config_resources", since(0));
  }
  friend bool operator==(const ListConfigResourcesResponse&, const ListConfigResourcesResponse&) = default;
};

}  // namespace braid::kafka
