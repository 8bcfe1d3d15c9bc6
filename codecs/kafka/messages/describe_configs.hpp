// Braid, Apache-2.0.
//
// Settings of topics, brokers and groups, each with where its value comes from. Kafka's names and defaults are what
// tools compare with.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct DescribeConfigsRequest {
  static constexpr MessageInfo info{"DescribeConfigsRequest", 32, {1, 4}, 4};

  struct Resource {
    std::int8_t resource_type = 0;  ///< 2: topic, 4: broker, 8: broker logger, 16: client metrics, 32: group
    Text resource_name;
    std::optional<std::vector<Text>> configuration_keys{std::in_place};  ///< null for all

    template <class V>
    static void describe(V& v) {
      v(&Resource::resource_type, "resource_type", since(0));
      v(&Resource::resource_name, "resource_name", since(0));
      v(&Resource::configuration_keys, "configuration_keys", since(0).nullable_since(0));
    }
    friend bool operator==(const Resource&, const Resource&) = default;
  };

  std::vector<Resource> resources;
  bool include_synonyms = false;
  bool include_documentation = false;

  template <class V>
  static void describe(V& v) {
    v(&DescribeConfigsRequest::resources, "resources", since(0));
    v(&DescribeConfigsRequest::include_synonyms, "include_synonyms", since(1));
    v(&DescribeConfigsRequest::include_documentation, "include_documentation", since(3));
  }
  friend bool operator==(const DescribeConfigsRequest&, const DescribeConfigsRequest&) = default;
};

struct DescribeConfigsResponse {
  static constexpr MessageInfo info{"DescribeConfigsResponse", 32, {1, 4}, 4};

  struct Synonym {
    Text name;
    std::optional<Text> value{std::in_place};
    std::int8_t source = 0;

    template <class V>
    static void describe(V& v) {
      v(&Synonym::name, "name", since(1));
      v(&Synonym::value, "value", since(1).nullable_since(0));
      v(&Synonym::source, "source", since(1));
    }
    friend bool operator==(const Synonym&, const Synonym&) = default;
  };
  struct Config {
    Text name;
    std::optional<Text> value{std::in_place};  ///< null when sensitive
    bool read_only = false;
    /// 1: topic, 2: broker, 3: brokers by default, 4: file, 5: built in, 6: broker logger, 7: client metrics, 8: group.
    std::int8_t config_source = -1;
    bool is_sensitive = false;
    std::vector<Synonym> synonyms;  ///< where the value would come from next
    std::int8_t config_type = 0;
    std::optional<Text> documentation{std::in_place};

    template <class V>
    static void describe(V& v) {
      v(&Config::name, "name", since(0));
      v(&Config::value, "value", since(0).nullable_since(0));
      v(&Config::read_only, "read_only", since(0));
      v(&Config::config_source, "config_source", since(1).ignorable());
      v(&Config::is_sensitive, "is_sensitive", since(0));
      v(&Config::synonyms, "synonyms", since(1).ignorable());
      v(&Config::config_type, "config_type", since(3).ignorable());
      v(&Config::documentation, "documentation", since(3).nullable_since(0).ignorable());
    }
    friend bool operator==(const Config&, const Config&) = default;
  };
  struct Result {
    ErrorCode error_code = ErrorCode::none;
    std::optional<Text> error_message;
    std::int8_t resource_type = 0;
    Text resource_name;
    std::vector<Config> configs;

    template <class V>
    static void describe(V& v) {
      v(&Result::error_code, "error_code", since(0));
      v(&Result::error_message, "error_message", since(0).nullable_since(0));
      v(&Result::resource_type, "resource_type", since(0));
      v(&Result::resource_name, "resource_name", since(0));
      v(&Result::configs, "configs", since(0));
    }
    friend bool operator==(const Result&, const Result&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Result> results;

  template <class V>
  static void describe(V& v) {
    v(&DescribeConfigsResponse::throttle_time_ms, "throttle_time_ms", since(0));
    v(&DescribeConfigsResponse::results, "results", since(0));
  }
  friend bool operator==(const DescribeConfigsResponse&, const DescribeConfigsResponse&) = default;
};

}  // namespace braid::kafka
