// Braid, Apache-2.0.
//
// Sets and removes quotas by user, client id and address (KIP-546).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct AlterClientQuotasRequest {
  static constexpr MessageInfo info{"AlterClientQuotasRequest", 49, {0, 1}, 1};

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
  struct Operation {
    Text key;
    double value = 0;
    bool remove = false;

    template <class V>
    static void describe(V& v) {
      v(&Operation::key, "key", since(0));
      v(&Operation::value, "value", since(0));
      v(&Operation::remove, "remove", since(0));
    }
    friend bool operator==(const Operation&, const Operation&) = default;
  };
  struct Entry {
    std::vector<Entity> entity;
    std::vector<Operation> ops;

    template <class V>
    static void describe(V& v) {
      v(&Entry::entity, "entity", since(0));
      v(&Entry::ops, "ops", since(0));
    }
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  std::vector<Entry> entries;
  bool validate_only = false;  ///< check, but change nothing

  template <class V>
  static void describe(V& v) {
    v(&AlterClientQuotasRequest::entries, "entries", since(0));
    v(&AlterClientQuotasRequest::validate_only, "validate_only", since(0));
  }
  friend bool operator==(const AlterClientQuotasRequest&, const AlterClientQuotasRequest&) = default;
};

struct AlterClientQuotasResponse {
  static constexpr MessageInfo info{"AlterClientQuotasResponse", 49, {0, 1}, 1};

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
  struct Entry {
    ErrorCode error_code = ErrorCode::none;
    std::optional<Text> error_message;
    std::vector<Entity> entity;

    template <class V>
    static void describe(V& v) {
      v(&Entry::error_code, "error_code", since(0));
      v(&Entry::error_message, "error_message", since(0).nullable_since(0));
      v(&Entry::entity, "entity", since(0));
    }
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Entry> entries;

  template <class V>
  static void describe(V& v) {
    v(&AlterClientQuotasResponse::throttle_time_ms, "throttle_time_ms", since(0));
    v(&AlterClientQuotasResponse::entries, "entries", since(0));
  }
  friend bool operator==(const AlterClientQuotasResponse&, const AlterClientQuotasResponse&) = default;
};

}  // namespace braid::kafka
