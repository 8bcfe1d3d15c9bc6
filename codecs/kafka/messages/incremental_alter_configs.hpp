// Braid, Apache-2.0.
//
// Changes single settings of a resource and leaves the others (KIP-339).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct IncrementalAlterConfigsRequest {
  static constexpr MessageInfo info{"IncrementalAlterConfigsRequest", 44, {0, 1}, 1};

  struct Config {
    Text name;
    std::int8_t config_operation = 0;  ///< 0: set, 1: delete, 2: append to a list, 3: subtract from a list
    std::optional<Text> value{std::in_place};

    template <class V>
    static void describe(V& v) {
      v(&Config::name, "name", since(0));
      v(&Config::config_operation, "config_operation", since(0));
      v(&Config::value, "value", since(0).nullable_since(0));
    }
    friend bool operator==(const Config&, const Config&) = default;
  };
  struct Resource {
    std::int8_t resource_type = 0;
    Text resource_name;
    std::vector<Config> configs;

    template <class V>
    static void describe(V& v) {
      v(&Resource::resource_type, "resource_type", since(0));
      v(&Resource::resource_name, "resource_name", since(0));
      v(&Resource::configs, "configs", since(0));
    }
    friend bool operator==(const Resource&, const Resource&) = default;
  };

  std::vector<Resource> resources;
  bool validate_only = false;

  template <class V>
  static void describe(V& v) {
    v(&IncrementalAlterConfigsRequest::resources, "resources", since(0));
    v(&IncrementalAlterConfigsRequest::validate_only, "validate_only", since(0));
  }
  friend bool operator==(const IncrementalAlterConfigsRequest&, const IncrementalAlterConfigsRequest&) = default;
};

struct IncrementalAlterConfigsResponse {
  static constexpr MessageInfo info{"IncrementalAlterConfigsResponse", 44, {0, 1}, 1};

  struct Response {
    ErrorCode error_code = ErrorCode::none;
    std::optional<Text> error_message;
    std::int8_t resource_type = 0;
    Text resource_name;

    template <class V>
    static void describe(V& v) {
      v(&Response::error_code, "error_code", since(0));
      v(&Response::error_message, "error_message", since(0).nullable_since(0));
      v(&Response::resource_type, "resource_type", since(0));
      v(&Response::resource_name, "resource_name", since(0));
    }
    friend bool operator==(const Response&, const Response&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Response> responses;

  template <class V>
  static void describe(V& v) {
    v(&IncrementalAlterConfigsResponse::throttle_time_ms, "throttle_time_ms", since(0));
    v(&IncrementalAlterConfigsResponse::responses, "responses", since(0));
  }
  friend bool operator==(const IncrementalAlterConfigsResponse&, const IncrementalAlterConfigsResponse&) = default;
};

}  // namespace braid::kafka
