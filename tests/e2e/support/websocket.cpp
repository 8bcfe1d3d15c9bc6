// Braid, Apache-2.0.
#include "e2e/support/websocket.hpp"

#include <utility>

namespace braid::e2e {

std::string WebSocketClient::shake_hands(std::string_view target, std::string_view protocol, std::string_view extra) {
  return request("GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n" +
                 "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: " + std::string(protocol) + "\r\n" +
                 std::string(extra) + "\r\n");
}

std::string WebSocketClient::request(std::string_view bytes) {
  connection_.send(bytes);
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    const auto more = connection_.receive_some();
    if (more.empty()) return std::exchange(buffer_, {});
    buffer_ += more;
  }
  auto head = buffer_.substr(0, end + 4);
  buffer_.erase(0, end + 4);
  return head;
}

std::string WebSocketClient::frame(unsigned first, std::string_view payload) {
  constexpr std::string_view mask = "\x21\x43\x65\x87";
  std::string bytes(1, static_cast<char>(first));
  const auto number = [&](int count) {
    for (int shift = 8 * (count - 1); shift >= 0; shift -= 8)
      bytes.push_back(static_cast<char>(payload.size() >> shift));
  };
  if (payload.size() < 126) {
    bytes.push_back(static_cast<char>(payload.size() | 0x80));
  } else if (payload.size() < 65536) {
    bytes.push_back(static_cast<char>(126 | 0x80));
    number(2);
  } else {
    bytes.push_back(static_cast<char>(127 | 0x80));
    number(8);
  }
  bytes += mask;
  for (std::size_t i = 0; i < payload.size(); ++i) bytes.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
  return bytes;
}

bool WebSocketClient::send_frame(unsigned first, std::string_view payload) {
  return connection_.send(frame(first, payload));
}

std::optional<WebSocketClient::Frame> WebSocketClient::read(int timeout_ms) {
  for (;;) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(buffer_[at]); };
    if (buffer_.size() >= 2) {
      // A server does not mask.
      const std::size_t length_bytes = byte(1) == 126 ? 2 : byte(1) == 127 ? 8 : 0;
      if (buffer_.size() >= 2 + length_bytes) {
        std::size_t length = length_bytes == 0 ? byte(1) : 0;
        for (std::size_t i = 0; i < length_bytes; ++i) length = length << 8 | byte(2 + i);
        if (buffer_.size() >= 2 + length_bytes + length) {
          Frame frame{byte(0), buffer_.substr(2 + length_bytes, length)};
          buffer_.erase(0, 2 + length_bytes + length);
          return frame;
        }
      }
    }
    const auto more = connection_.receive_some(timeout_ms);
    if (more.empty()) return std::nullopt;
    buffer_ += more;
  }
}

}  // namespace braid::e2e
