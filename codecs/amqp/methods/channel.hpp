// Braid, Apache-2.0.
//
// Methods that open, pause and close one channel.
#pragma once

#include "codecs/amqp/schema.hpp"

namespace braid::amqp {

struct ChannelOpen {
  static constexpr MethodInfo info{"channel.open", {20, 10}, MethodKind::synchronous};
  std::string_view out_of_band;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ChannelOpen::out_of_band, "out-of-band");
  }
};

struct ChannelOpenOk {
  static constexpr MethodInfo info{"channel.open-ok", {20, 11}};
  LongString channel_id;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ChannelOpenOk::channel_id, "channel-id");
  }
};

struct ChannelFlow {
  static constexpr MethodInfo info{"channel.flow", {20, 20}, MethodKind::synchronous};
  bool active = false;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ChannelFlow::active, "active");
  }
};

struct ChannelFlowOk {
  static constexpr MethodInfo info{"channel.flow-ok", {20, 21}};
  bool active = false;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ChannelFlowOk::active, "active");
  }
};

struct ChannelClose {
  static constexpr MethodInfo info{"channel.close", {20, 40}, MethodKind::synchronous};
  ReplyCode reply_code = ReplyCode::success;
  std::string_view reply_text;
  std::uint16_t class_id = 0;
  std::uint16_t method_id = 0;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ChannelClose::reply_code, "reply-code");
    v(&ChannelClose::reply_text, "reply-text");
    v(&ChannelClose::class_id, "class-id");
    v(&ChannelClose::method_id, "method-id");
  }
};

struct ChannelCloseOk {
  static constexpr MethodInfo info{"channel.close-ok", {20, 41}};
  template <class V>
  static constexpr void describe(V&) {}
};

}  // namespace braid::amqp
