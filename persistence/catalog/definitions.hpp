// Braid, Apache-2.0.
//
// What protocols define and want back after a restart, beside topics: AMQP's virtual hosts, exchanges, bindings and
// policies. The catalog keeps each as a key and a value that are the protocol's own, in the order in which they were
// first defined.
#pragma once

#include <cstdint>
#include <optional>

#include "model/bytes.hpp"

namespace braid {

/// Stored and replicated: numbers are never used again. They are loaded in this order.
enum class DefinitionKind : std::uint8_t {
  amqp_vhost = 0,
  amqp_exchange = 1,
  amqp_binding = 2,
  amqp_policy = 3,
  amqp_operator_policy = 4,
};
inline constexpr std::uint8_t kDefinitionKinds = 5;

struct DefinitionEdit {
  DefinitionKind kind = DefinitionKind::amqp_vhost;
  Bytes key;
  std::optional<Bytes> value;  ///< nothing: it goes, if it is there
};

struct Definition {
  DefinitionKind kind = DefinitionKind::amqp_vhost;
  Bytes key, value;
};

}  // namespace braid
