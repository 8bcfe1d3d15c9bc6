// Braid, Apache-2.0.
//
// Creates topics. Each topic of the request is answered on its own; one that fails does not fail the others.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct CreateTopicsRequest {
  static constexpr MessageInfo info{"CreateTopicsRequest", 19, {2, 7}, 5};

  struct Assignment {
    std::int32_t partition_index = 0;
    std::vector<std::int32_t> broker_ids;

    template <class V>
    static void describe(V& v) {
      v(&Assignment::partition_index, "partition_index", since(0));
      v(&Assignment::broker_ids, "broker_ids", since(0));
    }
    friend bool operator==(const Assignment&, const Assignment&) = default;
  };
  struct Config {
    Text name;
    std::optional<Text> value{std::in_place};

    template <class V>
    static void describe(V& v) {
      v(&Config::name, "name", since(0));
      v(&Config::value, "value", since(0).nullable_since(0));
    }
    friend bool operator==(const Config&, const Config&) = default;
  };
  struct Topic {
    Text name;
    std::int32_t num_partitions = 0;      ///< -1 for the default, or when assignments are given
    std::int16_t replication_factor = 0;  ///< -1 for the default, or when assignments are given
    std::vector<Assignment> assignments;
    std::vector<Config> configs;

    template <class V>
    static void describe(V& v) {
      v(&Topic::name, "name", since(0));
      v(&Topic::num_partitions, "num_partitions", since(0));
      v(&Topic::replication_factor, "replication_factor", since(0));
      v(&Topic::assignments, "assignments", since(0));
      v(&Topic::configs, "configs", since(0));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::vector<Topic> topics;
  std::int32_t timeout_ms = 60000;
  bool validate_only = false;  ///< check, but create nothing

  template <class V>
  static void describe(V& v) {
    v(&CreateTopicsRequest::topics, "topics", since(0));
    v(&CreateTopicsRequest::timeout_ms, "timeout_ms", since(0));
    v(&CreateTopicsRequest::validate_only, "validate_only", since(1));
  }
  friend bool operator==(const CreateTopicsRequest&, const CreateTopicsRequest&) = default;
};

struct CreateTopicsResponse {
  static constexpr MessageInfo info{"CreateTopicsResponse", 19, {2, 7}, 5};

  struct Config {
    Text name;
    std::optional<Text> value{std::in_place};
    bool read_only = false;
    std::int8_t config_source = -1;
    bool is_sensitive = false;

    template <class V>
    static void describe(V& v) {
      v(&Config::name, "name", since(5));
      v(&Config::value, "value", since(5).nullable_since(5));
      v(&Config::read_only, "read_only", since(5));
      v(&Config::config_source, "config_source", since(5).ignorable());
      v(&Config::is_sensitive, "is_sensitive", since(5));
    }
    friend bool operator==(const Config&, const Config&) = default;
  };
  struct Topic {
    Text name;
    TopicId topic_id;
    ErrorCode error_code = ErrorCode::none;
    std::optional<Text> error_message;
    ErrorCode topic_config_error_code = ErrorCode::none;  ///< why configs is null
    std::int32_t num_partitions = -1;
    std::int16_t replication_factor = -1;
    std::optional<std::vector<Config>> configs{std::in_place};

    template <class V>
    static void describe(V& v) {
      v(&Topic::name, "name", since(0));
      v(&Topic::topic_id, "topic_id", since(7).ignorable());
      v(&Topic::error_code, "error_code", since(0));
      v(&Topic::error_message, "error_message", since(1).nullable_since(0).ignorable());
      v(&Topic::topic_config_error_code, "topic_config_error_code", since(5).tagged(0).ignorable());
      v(&Topic::num_partitions, "num_partitions", since(5).ignorable());
      v(&Topic::replication_factor, "replication_factor", since(5).ignorable());
      v(&Topic::configs, "configs", since(5).nullable_since(5).ignorable());
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  template <class V>
  static void describe(V& v) {
    v(&CreateTopicsResponse::throttle_time_ms, "throttle_time_ms", since(2).ignorable());
    v(&CreateTopicsResponse::topics, "topics", since(0));
  }
  friend bool operator==(const CreateTopicsResponse&, const CreateTopicsResponse&) = default;
};

}  // namespace braid::kafka
