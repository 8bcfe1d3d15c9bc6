// Braid, Apache-2.0.
//
// Transactions of one channel.
#pragma once

#include "codecs/amqp/schema.hpp"

namespace braid::amqp {

struct TxSelect {
  static constexpr MethodInfo info{"tx.select", {90, 10}, MethodKind::synchronous};
  template <class V>
  static constexpr void describe(V&) {}
};

struct TxSelectOk {
  static constexpr MethodInfo info{"tx.select-ok", {90, 11}};
  template <class V>
  static constexpr void describe(V&) {}
};

struct TxCommit {
  static constexpr MethodInfo info{"tx.commit", {90, 20}, MethodKind::synchronous};
  template <class V>
  static constexpr void describe(V&) {}
};

struct TxCommitOk {
  static constexpr MethodInfo info{"tx.commit-ok", {90, 21}};
  template <class V>
  static constexpr void describe(V&) {}
};

struct TxRollback {
  static constexpr MethodInfo info{"tx.rollback", {90, 30}, MethodKind::synchronous};
  template <class V>
  static constexpr void describe(V&) {}
};

struct TxRollbackOk {
  static constexpr MethodInfo info{"tx.rollback-ok", {90, 31}};
  template <class V>
  static constexpr void describe(V&) {}
};

}  // namespace braid::amqp
