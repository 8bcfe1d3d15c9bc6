// Braid, Apache-2.0.
//
// Publishing, consuming and acknowledging.
#pragma once

#include "codecs/amqp/schema.hpp"

namespace braid::amqp {

struct BasicQos {
  static constexpr MethodInfo info{"basic.qos", {60, 10}, MethodKind::synchronous};
  std::uint32_t prefetch_size = 0;
  std::uint16_t prefetch_count = 0;
  bool global = false;
  template <class V>
  static constexpr void describe(V& v) {
    v(&BasicQos::prefetch_size, "prefetch-size");
    v(&BasicQos::prefetch_count, "prefetch-count");
    v(&BasicQos::global, "global");
  }
};

struct BasicQosOk {
  static constexpr MethodInfo info{"basic.qos-ok", {60, 11}};
  template <class V>
  static constexpr void describe(V&) {}
};

struct BasicConsume {
  static constexpr MethodInfo info{"basic.consume", {60, 20}, MethodKind::synchronous};
  std::uint16_t ticket = 0;
  std::string_view queue;
  std::string_view consumer_tag;
  bool no_local = false;
  bool no_ack = false;
  bool exclusive = false;
  bool nowait = false;
  Table arguments;
  template <class V>
  static constexpr void describe(V& v) {
    v(&BasicConsume::ticket, "ticket");
    v(&BasicConsume::queue, "queue");
    v(&BasicConsume::consumer_tag, "consumer-tag");
    v(&BasicConsume::no_local, "no-local");
    v(&BasicConsume::no_ack, "no-ack");
    v(&BasicConsume::exclusive, "exclusive");
    v(&BasicConsume::nowait, "nowait");
    v(&BasicConsume::arguments, "arguments");
  }
};

struct BasicConsumeOk {
  static constexpr MethodInfo info{"basic.consume-ok", {60, 21}};
  std::string_view consumer_tag;
  template <class V>
  static constexpr void describe(V& v) {
    v(&BasicConsumeOk::consumer_tag, "consumer-tag");
  }
};

struct BasicCancel {
  static constexpr MethodInfo info{"basic.cancel", {60, 30}, MethodKind::synchronous};
  std::string_view consumer_tag;
  bool nowait = false;
  template <class V>
  static constexpr void describe(V& v) {
    v(&BasicCancel::consumer_tag, "consumer-tag");
    v(&BasicCancel::nowait, "nowait");
  }
};

struct BasicCancelOk {
  static constexpr MethodInfo info{"basic.cancel-ok", {60, 31}};
  std::string_view consumer_tag;
  template <class V>
  static constexpr void describe(V& v) {
    v(&BasicCancelOk::consumer_tag, "consumer-tag");
  }
};

struct BasicPublish {
  static constexpr MethodInfo info{"basic.publish", {60, 40}, MethodKind::content};
  std::uint16_t ticket = 0;
  std::string_view exchange;
  std::string_view routing_key;
  bool mandatory = false;
  bool immediate = false;
  template <class V>
  static constexpr void describe(V& v) {
    v(&BasicPublish::ticket, "ticket");
    v(&BasicPublish::exchange, "exchange");
    v(&BasicPublish::routing_key, "routing-key");
    v(&BasicPublish::mandatory, "mandatory");
    v(&BasicPublish::immediate, "immediate");
  }
};

struct BasicReturn {
  static constexpr MethodInfo info{"basic.return", {60, 50}, MethodKind::content};
  ReplyCode reply_code = ReplyCode::success;
  std::string_view reply_text;
  std::string_view exchange;
  std::string_view routing_key;
  template <class V>
  static constexpr void describe(V& v) {
    v(&BasicReturn::reply_code, "reply-code");
    v(&BasicReturn::reply_text, "reply-text");
    v(&BasicReturn::exchange, "exchange");
    v(&BasicReturn::routing_key, "routing-key");
  }
};

struct BasicDeliver {
  static constexpr MethodInfo info{"basic.deliver", {60, 60}, MethodKind::content};
  std::string_view consumer_tag;
  DeliveryTag delivery_tag;
  bool redelivered = false;
  std::string_view exchange;
  std::string_view routing_key;
  template <class V>
  static constexpr void describe(V& v) {
    v(&BasicDeliver::consumer_tag, "consumer-tag");
    v(&BasicDeliver::delivery_tag, "delivery-tag");
    v(&BasicDeliver::redelivered, "redelivered");
    v(&BasicDeliver::exchange, "exchange");
    v(&BasicDeliver::routing_key, "routing-key");
  }
};

struct BasicGet {
  static constexpr MethodInfo info{"basic.get", {60, 70}, MethodKind::synchronous};
  std::uint16_t ticket = 0;
  std::string_view queue;
  bool no_ack = false;
  template <class V>
  static constexpr void describe(V& v) {
    v(&BasicGet::ticket, "ticket");
    v(&BasicGet::queue, "queue");
    v(&BasicGet::no_ack, "no-ack");
  }
};

struct BasicGetOk {
  static constexpr MethodInfo info{"basic.get-ok", {60, 71}, MethodKind::content};
  DeliveryTag delivery_tag;
  bool redelivered = false;
  std::string_view exchange;
  std::string_view routing_key;
  std::uint32_t message_count = 0;
  template <class V>
  static constexpr void describe(V& v) {
    v(&BasicGetOk::delivery_tag, "delivery-tag");
    v(&BasicGetOk::redelivered, "redelivered");
    v(&BasicGetOk::exchange, "exchange");
    v(&BasicGetOk::routing_key, "routing-key");
    v(&BasicGetOk::message_count, "message-count");
  }
};

struct BasicGetEmpty {
  static constexpr MethodInfo info{"basic.get-empty", {60, 72}};
  std::string_view cluster_id;
  template <class V>
  static constexpr void describe(V& v) {
    v(&BasicGetEmpty::cluster_id, "cluster-id");
  }
};

struct BasicAck {
  static constexpr MethodInfo info{"basic.ack", {60, 80}};
  DeliveryTag delivery_tag;
  bool multiple = false;
  template <class V>
  static constexpr void describe(V& v) {
    v(&BasicAck::delivery_tag, "delivery-tag");
    v(&BasicAck::multiple, "multiple");
  }
};

struct BasicReject {
  static constexpr MethodInfo info{"basic.reject", {60, 90}};
  DeliveryTag delivery_tag;
  bool requeue = true;
  template <class V>
  static constexpr void describe(V& v) {
    v(&BasicReject::delivery_tag, "delivery-tag");
    v(&BasicReject::requeue, "requeue");
  }
};

struct BasicRecoverAsync {
  static constexpr MethodInfo info{"basic.recover-async", {60, 100}};
  bool requeue = false;
  template <class V>
  static constexpr void describe(V& v) {
    v(&BasicRecoverAsync::requeue, "requeue");
  }
};

struct BasicRecover {
  static constexpr MethodInfo info{"basic.recover", {60, 110}, MethodKind::synchronous};
  bool requeue = false;
  template <class V>
  static constexpr void describe(V& v) {
    v(&BasicRecover::requeue, "requeue");
  }
};

struct BasicRecoverOk {
  static constexpr MethodInfo info{"basic.recover-ok", {60, 111}};
  template <class V>
  static constexpr void describe(V&) {}
};

struct BasicNack {
  static constexpr MethodInfo info{"basic.nack", {60, 120}};
  DeliveryTag delivery_tag;
  bool multiple = false;
  bool requeue = true;
  template <class V>
  static constexpr void describe(V& v) {
    v(&BasicNack::delivery_tag, "delivery-tag");
    v(&BasicNack::multiple, "multiple");
    v(&BasicNack::requeue, "requeue");
  }
};

}  // namespace braid::amqp
