// Braid, Apache-2.0.
//
// The connection's own methods, on channel 0 only: the handshake (start, secure, tune, open), its end, and RabbitMQ's
// extensions blocked, unblocked and update-secret.
#pragma once

#include "codecs/amqp/schema.hpp"

namespace braid::amqp {

struct ConnectionStart {
  static constexpr MethodInfo info{"connection.start", {10, 10}, MethodKind::synchronous};
  std::uint8_t version_major = 0;
  std::uint8_t version_minor = 9;
  Table server_properties;
  LongString mechanisms{"PLAIN"};
  LongString locales{"en_US"};
  template <class V>
  static constexpr void describe(V& v) {
    v(&ConnectionStart::version_major, "version-major");
    v(&ConnectionStart::version_minor, "version-minor");
    v(&ConnectionStart::server_properties, "server-properties");
    v(&ConnectionStart::mechanisms, "mechanisms");
    v(&ConnectionStart::locales, "locales");
  }
};

struct ConnectionStartOk {
  static constexpr MethodInfo info{"connection.start-ok", {10, 11}};
  Table client_properties;
  std::string_view mechanism = "PLAIN";
  LongString response;
  std::string_view locale = "en_US";
  template <class V>
  static constexpr void describe(V& v) {
    v(&ConnectionStartOk::client_properties, "client-properties");
    v(&ConnectionStartOk::mechanism, "mechanism");
    v(&ConnectionStartOk::response, "response");
    v(&ConnectionStartOk::locale, "locale");
  }
};

struct ConnectionSecure {
  static constexpr MethodInfo info{"connection.secure", {10, 20}, MethodKind::synchronous};
  LongString challenge;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ConnectionSecure::challenge, "challenge");
  }
};

struct ConnectionSecureOk {
  static constexpr MethodInfo info{"connection.secure-ok", {10, 21}};
  LongString response;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ConnectionSecureOk::response, "response");
  }
};

struct ConnectionTune {
  static constexpr MethodInfo info{"connection.tune", {10, 30}, MethodKind::synchronous};
  std::uint16_t channel_max = 0;
  std::uint32_t frame_max = 0;
  std::uint16_t heartbeat = 0;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ConnectionTune::channel_max, "channel-max");
    v(&ConnectionTune::frame_max, "frame-max");
    v(&ConnectionTune::heartbeat, "heartbeat");
  }
};

struct ConnectionTuneOk {
  static constexpr MethodInfo info{"connection.tune-ok", {10, 31}};
  std::uint16_t channel_max = 0;
  std::uint32_t frame_max = 0;
  std::uint16_t heartbeat = 0;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ConnectionTuneOk::channel_max, "channel-max");
    v(&ConnectionTuneOk::frame_max, "frame-max");
    v(&ConnectionTuneOk::heartbeat, "heartbeat");
  }
};

struct ConnectionOpen {
  static constexpr MethodInfo info{"connection.open", {10, 40}, MethodKind::synchronous};
  std::string_view virtual_host = "/";
  std::string_view capabilities;
  bool insist = false;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ConnectionOpen::virtual_host, "virtual-host");
    v(&ConnectionOpen::capabilities, "capabilities");
    v(&ConnectionOpen::insist, "insist");
  }
};

struct ConnectionOpenOk {
  static constexpr MethodInfo info{"connection.open-ok", {10, 41}};
  std::string_view known_hosts;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ConnectionOpenOk::known_hosts, "known-hosts");
  }
};

struct ConnectionClose {
  static constexpr MethodInfo info{"connection.close", {10, 50}, MethodKind::synchronous};
  ReplyCode reply_code = ReplyCode::success;
  std::string_view reply_text;
  std::uint16_t class_id = 0;
  std::uint16_t method_id = 0;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ConnectionClose::reply_code, "reply-code");
    v(&ConnectionClose::reply_text, "reply-text");
    v(&ConnectionClose::class_id, "class-id");
    v(&ConnectionClose::method_id, "method-id");
  }
};

struct ConnectionCloseOk {
  static constexpr MethodInfo info{"connection.close-ok", {10, 51}};
  template <class V>
  static constexpr void describe(V&) {}
};

struct ConnectionBlocked {
  static constexpr MethodInfo info{"connection.blocked", {10, 60}};
  std::string_view reason;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ConnectionBlocked::reason, "reason");
  }
};

struct ConnectionUnblocked {
  static constexpr MethodInfo info{"connection.unblocked", {10, 61}};
  template <class V>
  static constexpr void describe(V&) {}
};

struct ConnectionUpdateSecret {
  static constexpr MethodInfo info{"connection.update-secret", {10, 70}, MethodKind::synchronous};
  LongString new_secret;
  std::string_view reason;
  template <class V>
  static constexpr void describe(V& v) {
    v(&ConnectionUpdateSecret::new_secret, "new-secret");
    v(&ConnectionUpdateSecret::reason, "reason");
  }
};

struct ConnectionUpdateSecretOk {
  static constexpr MethodInfo info{"connection.update-secret-ok", {10, 71}};
  template <class V>
  static constexpr void describe(V&) {}
};

}  // namespace braid::amqp
