// Braid, Apache-2.0.
//
// Quotas by user, client id and address (KIP-546).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct DescribeClientQuotasRequest {
  static constexpr MessageInfo info{"DescribeClientQuotasRequest", 48, {0, 1}, 1};

  struct Component {
    Text entity_type;
    std::int8_t match_type = 0;  ///< 0: exactly, 1: the default, 2: any
    std::optional<Text> match{std::in_place};

    template <class V>
    static void describe(V& v) {
      v(&Component::entity_type, "entity_type", since(0));
      v(&Component::match_type, "match_type", since(0));
      v(&Component::match, "match", since(0).nullable_since(0));
    }
    friend bool operator==(const Component&, const Component&) = default;
  };

  std::vector<Component> components;
  bool strict = false;  ///< leave out entities with components that were not asked for

  template <class V>
  static void describe(V& v) {
    v(&DescribeClientQuotasRequest::components, "components", since(0));
    v(&DescribeClientQuotasRequest::strict, "strict", since(0));
  }
  friend bool operator==(const DescribeClientQuotasRequest&, const DescribeClientQuotasRequest&) = default;
};

struct DescribeClientQuotasResponse {
  static constexpr MessageInfo info{"DescribeClientQuotasResponse", 48, {0, 1}, 1};

  struct Entity {
    Text entity_type;
    std::optional<Text> entity_name{std::in_place};  ///< null: the default for that type

    template <class V>
    static void describe(V& v) {
      v(&Entity::entity_type, "entity_type", since(0));
      v(&Entity::entity_name, "entity_name", since(0).nullable_since(0));
    }
    friend bool operator==(const Entity&, const Entity&) = default;
  };
  struct Value {
    Text key;
    double value = 0;

    template <class V>
    static void describe(V& v) {
      v(&Value::key, "key", since(0));
      v(&Value::value, "value", since(0));
    }
    friend bool operator==(const Value&, const Value&) = default;
  };
  struct Entry {
    std::vector<Entity> entity;
    std::vector<Value> values;

    template <class V>
    static void describe(V& v) {
      v(&Entry::entity, "entity", since(0));
      v(&Entry::values, "values", since(0));
    }
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<Text> error_message;
  std::optional<std::vector<Entry>> entries{std::in_place};  ///< null when it failed

  template <class V>
  static void describe(V& v) {
    v(&DescribeClientQuotasResponse::throttle_time_ms, "throttle_time_ms", since(0));
    v(&DescribeClientQuotasResponse::error_code, "error_code", since(0));
    v(&DescribeClientQuotasResponse::error_message, "error_message", since(0).nullable_since(0));
    v(&DescribeClientQuotasResponse::entries, "entries", since(0).nullable_since(0));
  }
  friend bool operator==(const DescribeClientQuotasResponse&, const DescribeClientQuotasResponse&) = default;
};

}  // namespace braid::kafka
