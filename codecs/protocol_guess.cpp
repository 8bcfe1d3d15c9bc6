// Braid, Apache-2.0.
#include "codecs/protocol_guess.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "model/byte_io.hpp"

namespace braid {

namespace {

using namespace std::string_view_literals;

const std::uint8_t* at(std::string_view bytes, std::size_t position) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data()) + position;
}

/// CONNECT: type 1 with no flags, remaining length of up to four bytes, then the protocol's name with its length.
bool looks_like_mqtt(std::string_view bytes) {
  if (!bytes.starts_with('\x10')) return false;
  for (std::size_t length_bytes = 1; length_bytes <= 4; ++length_bytes) {
    if (bytes.size() <= length_bytes) return false;
    if (*at(bytes, length_bytes) & 0x80) continue;
    const std::string_view rest = bytes.substr(1 + length_bytes);
    return rest.starts_with("\0\4MQTT"sv) || rest.starts_with("\0\6MQIsdp"sv);
  }
  return false;
}

/// Length, API key, version, correlation id, client id: all within what Kafka has ever used.
bool looks_like_kafka(std::string_view bytes) {
  if (bytes.size() < 14) return false;
  const auto length = load_big<std::int32_t>(at(bytes, 0));
  const auto key = load_big<std::int16_t>(at(bytes, 4));
  const auto version = load_big<std::int16_t>(at(bytes, 6));
  const auto client_id = load_big<std::int16_t>(at(bytes, 12));
  return length >= 10 && length <= (100 << 20) && key >= 0 && key <= 120 && version >= 0 && version <= 32 &&
         client_id >= -1 && client_id <= length - 10;
}

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

}  // namespace

std::string_view to_string(WireProtocol protocol) {
  switch (protocol) {
    case WireProtocol::unknown:
      return "an unknown protocol";
    case WireProtocol::mqtt:
      return "MQTT";
    case WireProtocol::kafka:
      return "Kafka";
    case WireProtocol::amqp_0_9_1:
      return "AMQP 0-9-1";
    case WireProtocol::amqp_1_0:
      return "AMQP 1.0";
    case WireProtocol::tls:
      return "TLS";
    case WireProtocol::http:
      return "HTTP";
    case WireProtocol::http2:
      return "HTTP/2";
    case WireProtocol::websocket:
      return "WebSocket";
    case WireProtocol::proxy:
      return "the PROXY protocol";
    case WireProtocol::ssh:
      return "SSH";
  }
  return "an unknown protocol";
}

WireProtocol guess_protocol(std::string_view bytes) {
  if (bytes.starts_with("AMQP")) {
    // "AMQP", then protocol id 0 and 1.0.0, or SASL (3) or TLS (2) of 1.0; 0-9-1 sends 0 0 9 1, older ones 1 1 x x.
    const bool major_1 = bytes.size() >= 6 && bytes[5] == '\1';
    return major_1 && bytes[4] != '\1' ? WireProtocol::amqp_1_0 : WireProtocol::amqp_0_9_1;
  }
  if (looks_like_mqtt(bytes)) return WireProtocol::mqtt;
  if (bytes.size() >= 3 && bytes.starts_with("\x16\x03"sv) && *at(bytes, 2) <= 4) return WireProtocol::tls;
  if (bytes.starts_with("PRI * HTTP/2")) return WireProtocol::http2;
  if (bytes.starts_with("PROXY ") || bytes.starts_with("\r\n\r\n\0\r\nQUIT\n"sv)) return WireProtocol::proxy;
  if (bytes.starts_with("SSH-")) return WireProtocol::ssh;
  constexpr std::array verbs{"GET /"sv,    "POST /"sv,  "PUT /"sv,    "HEAD /"sv,
                             "DELETE /"sv, "PATCH /"sv, "OPTIONS "sv, "CONNECT "sv};
  if (std::any_of(verbs.begin(), verbs.end(), [&](std::string_view verb) { return bytes.starts_with(verb); }))
    return contains_ignoring_case(bytes, "\r\nupgrade: websocket") ? WireProtocol::websocket : WireProtocol::http;
  if (looks_like_kafka(bytes)) return WireProtocol::kafka;
  return WireProtocol::unknown;
}

}  // namespace braid
