// Braid, Apache-2.0.
//
// A WebSocket client byte by byte, for frames that no library would send and for seeing exactly what comes back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "e2e/support/raw.hpp"

namespace braid::e2e {

class WebSocketClient {
 public:
  static constexpr unsigned text = 1, binary = 2, close = 8, ping = 9, pong = 10, final = 0x80;
  struct Frame {
    unsigned first = 0;  ///< the first byte: type and flags
    std::string payload;
  };

  /// TCP only.
  explicit WebSocketClient(std::uint16_t port) : connection_(port) {}
  /// A right request for `target`, with more header lines in `extra`; what the server answers, up to the empty line.
  std::string shake_hands(std::string_view target = "/mqtt", std::string_view protocol = "mqtt",
                          std::string_view extra = {});
  /// Any bytes; the head of the answer.
  std::string request(std::string_view bytes);

  bool send(std::string_view bytes) { return connection_.send(bytes); }
  /// Like send, but false when the peer takes nothing for so long.
  bool send_for(std::string_view bytes, int timeout_ms) { return connection_.send_for(bytes, timeout_ms); }
  bool send_frame(unsigned first, std::string_view payload);
  /// Nothing when the connection ends or nothing comes in time.
  std::optional<Frame> read(int timeout_ms = 5000);
  /// The connection ends, and what came before is dropped.
  bool ends(int timeout_ms = 5000) { return connection_.closed(timeout_ms); }

  /// A client's frame: masked.
  static std::string frame(unsigned first, std::string_view payload);

 private:
  RawConnection connection_;
  std::string buffer_;
};

}  // namespace braid::e2e
