// Braid, Apache-2.0.
//
// Exchanges, and RabbitMQ's bindings between them.
#pragma once

#include "codecs/amqp/schema.hpp"

namespace braid::amqp {

struct ExchangeDeclare {
  static constexpr MethodInfo info{"exchange.declare", {40, 10}, MethodKind::synchronous};
  std::uint16_t ticket = 0;
  std::string_view exchange;
  std::string_view type = "direct";
  bool passive = false;
  bool durable = false;
  bool auto_delete = false;
  bool internal = false;
  bool nowait = false;
  Table arguments;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ExchangeDeclare::ticket, "ticket");
    v(&ExchangeDeclare::exchange, "exchange");
    v(&ExchangeDeclare::type, "type");
    v(&ExchangeDeclare::passive, "passive");
    v(&ExchangeDeclare::durable, "durable");
    v(&ExchangeDeclare::auto_delete, "auto-delete");
    v(&ExchangeDeclare::internal, "internal");
    v(&ExchangeDeclare::nowait, "nowait");
    v(&ExchangeDeclare::arguments, "arguments");
  }
};

struct ExchangeDeclareOk {
  static constexpr MethodInfo info{"exchange.declare-ok", {40, 11}};
  template <class V>
  static constexpr void describe(V&) {}
};

struct ExchangeDelete {
  static constexpr MethodInfo info{"exchange.delete", {40, 20}, MethodKind::synchronous};
  std::uint16_t ticket = 0;
  std::string_view exchange;
  bool if_unused = false;
  bool nowait = false;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ExchangeDelete::ticket, "ticket");
    v(&ExchangeDelete::exchange, "exchange");
    v(&ExchangeDelete::if_unused, "if-unused");
    v(&ExchangeDelete::nowait, "nowait");
  }
};

struct ExchangeDeleteOk {
  static constexpr MethodInfo info{"exchange.delete-ok", {40, 21}};
  template <class V>
  static constexpr void describe(V&) {}
};

struct ExchangeBind {
  static constexpr MethodInfo info{"exchange.bind", {40, 30}, MethodKind::synchronous};
  std::uint16_t ticket = 0;
  std::string_view destination;
  std::string_view source;
  std::string_view routing_key;
  bool nowait = false;
  Table arguments;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ExchangeBind::ticket, "ticket");
    v(&ExchangeBind::destination, "destination");
    v(&ExchangeBind::source, "source");
    v(&ExchangeBind::routing_key, "routing-key");
    v(&ExchangeBind::nowait, "nowait");
    v(&ExchangeBind::arguments, "arguments");
  }
};

struct ExchangeBindOk {
  static constexpr MethodInfo info{"exchange.bind-ok", {40, 31}};
  template <class V>
  static constexpr void describe(V&) {}
};

struct ExchangeUnbind {
  static constexpr MethodInfo info{"exchange.unbind", {40, 40}, MethodKind::synchronous};
  std::uint16_t ticket = 0;
  std::string_view destination;
  std::string_view source;
  std::string_view routing_key;
  bool nowait = false;
  Table arguments;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ExchangeUnbind::ticket, "ticket");
    v(&ExchangeUnbind::destination, "destination");
    v(&ExchangeUnbind::source, "source");
    v(&ExchangeUnbind::routing_key, "routing-key");
    v(&ExchangeUnbind::nowait, "nowait");
    v(&ExchangeUnbind::arguments, "arguments");
  }
};

struct ExchangeUnbindOk {
  static constexpr MethodInfo info{"exchange.unbind-ok", {40, 51}};
  template <class V>
  static constexpr void describe(V&) {}
};

}  // namespace braid::amqp
