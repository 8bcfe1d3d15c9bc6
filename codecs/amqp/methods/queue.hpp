// Braid, Apache-2.0.
//
// Queues and their bindings to exchanges.
#pragma once

#include "codecs/amqp/schema.hpp"

namespace braid::amqp {

struct QueueDeclare {
  static constexpr MethodInfo info{"queue.declare", {50, 10}, MethodKind::synchronous};
  std::uint16_t ticket = 0;
  std::string_view queue;
  bool passive = false;
  bool durable = false;
  bool exclusive = false;
  bool auto_delete = false;
  bool nowait = false;
  Table arguments;
  template <class V>
  static constexpr void describe(V& v) {
    v(&QueueDeclare::ticket, "ticket");
    v(&QueueDeclare::queue, "queue");
    v(&QueueDeclare::passive, "passive");
    v(&QueueDeclare::durable, "durable");
    v(&QueueDeclare::exclusive, "exclusive");
    v(&QueueDeclare::auto_delete, "auto-delete");
    v(&QueueDeclare::nowait, "nowait");
    v(&QueueDeclare::arguments, "arguments");
  }
};

struct QueueDeclareOk {
  static constexpr MethodInfo info{"queue.declare-ok", {50, 11}};
  std::string_view queue;
  std::uint32_t message_count = 0;
  std::uint32_t consumer_count = 0;
  template <class V>
  static constexpr void describe(V& v) {
    v(&QueueDeclareOk::queue, "queue");
    v(&QueueDeclareOk::message_count, "message-count");
    v(&QueueDeclareOk::consumer_count, "consumer-count");
  }
};

struct QueueBind {
  static constexpr MethodInfo info{"queue.bind", {50, 20}, MethodKind::synchronous};
  std::uint16_t ticket = 0;
  std::string_view queue;
  std::string_view exchange;
  std::string_view routing_key;
  bool nowait = false;
  Table arguments;
  template <class V>
  static constexpr void describe(V& v) {
    v(&QueueBind::ticket, "ticket");
    v(&QueueBind::queue, "queue");
    v(&QueueBind::exchange, "exchange");
    v(&QueueBind::routing_key, "routing-key");
    v(&QueueBind::nowait, "nowait");
    v(&QueueBind::arguments, "arguments");
  }
};

struct QueueBindOk {
  static constexpr MethodInfo info{"queue.bind-ok", {50, 21}};
  template <class V>
  static constexpr void describe(V&) {}
};

struct QueuePurge {
  static constexpr MethodInfo info{"queue.purge", {50, 30}, MethodKind::synchronous};
  std::uint16_t ticket = 0;
  std::string_view queue;
  bool nowait = false;
  template <class V>
  static constexpr void describe(V& v) {
    v(&QueuePurge::ticket, "ticket");
    v(&QueuePurge::queue, "queue");
    v(&QueuePurge::nowait, "nowait");
  }
};

struct QueuePurgeOk {
  static constexpr MethodInfo info{"queue.purge-ok", {50, 31}};
  std::uint32_t message_count = 0;
  template <class V>
  static constexpr void describe(V& v) {
    v(&QueuePurgeOk::message_count, "message-count");
  }
};

struct QueueDelete {
  static constexpr MethodInfo info{"queue.delete", {50, 40}, MethodKind::synchronous};
  std::uint16_t ticket = 0;
  std::string_view queue;
  bool if_unused = false;
  bool if_empty = false;
  bool nowait = false;
  template <class V>
  static constexpr void describe(V& v) {
    v(&QueueDelete::ticket, "ticket");
    v(&QueueDelete::queue, "queue");
    v(&QueueDelete::if_unused, "if-unused");
    v(&QueueDelete::if_empty, "if-empty");
    v(&QueueDelete::nowait, "nowait");
  }
};

struct QueueDeleteOk {
  static constexpr MethodInfo info{"queue.delete-ok", {50, 41}};
  std::uint32_t message_count = 0;
  template <class V>
  static constexpr void describe(V& v) {
    v(&QueueDeleteOk::message_count, "message-count");
  }
};

struct QueueUnbind {
  static constexpr MethodInfo info{"queue.unbind", {50, 50}, MethodKind::synchronous};
  std::uint16_t ticket = 0;
  std::string_view queue;
  std::string_view exchange;
  std::string_view routing_key;
  Table arguments;
  template <class V>
  static constexpr void describe(V& v) {
    v(&QueueUnbind::ticket, "ticket");
    v(&QueueUnbind::queue, "queue");
    v(&QueueUnbind::exchange, "exchange");
    v(&QueueUnbind::routing_key, "routing-key");
    v(&QueueUnbind::arguments, "arguments");
  }
};

struct QueueUnbindOk {
  static constexpr MethodInfo info{"queue.unbind-ok", {50, 51}};
  template <class V>
  static constexpr void describe(V&) {}
};

}  // namespace braid::amqp
