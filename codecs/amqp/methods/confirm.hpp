// Braid, Apache-2.0.
//
// Publisher confirms (RabbitMQ).
#pragma once

#include "codecs/amqp/schema.hpp"

namespace braid::amqp {

struct ConfirmSelect {
  static constexpr MethodInfo info{"confirm.select", {85, 10}, MethodKind::synchronous};
  bool nowait = false;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ConfirmSelect::nowait, "nowait");
  }
};

struct ConfirmSelectOk {
  static constexpr MethodInfo info{"confirm.select-ok", {85, 11}};
  template <class V>
  static constexpr void describe(V&) {}
};

}  // namespace braid::amqp
