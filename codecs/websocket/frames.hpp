// Braid, Apache-2.0.
//
// The frames of a WebSocket connection, server's side, as a plain byte machine: what arrived goes in, the payload of
// binary messages comes out as one stream of bytes (frames and packets are not aligned [MQTT-6.0.0-2]), and what the
// protocol itself has to say (pongs, the closing frame) comes out to be sent. Nothing of a message is kept, so it may
// be of any length, in any number of fragments. libwslay parses; a text frame ends the connection [MQTT-6.0.0-1].
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "model/receive_buffer.hpp"

struct wslay_event_context;

namespace braid::websocket {

class Frames {
 public:
  Frames();
  ~Frames();
  Frames(const Frames&) = delete;
  Frames& operator=(const Frames&) = delete;

  /// Takes all of `received` and adds what it carries to `payload`. After the connection's end was decided, what comes
  /// is dropped.
  void feed(std::string_view received, ReceiveBuffer& payload);
  /// What is to be sent because of what was fed; empties.
  std::string take_output();

  enum class End : std::uint8_t {
    none,
    closed,   ///< the peer sent a closing frame, and the answer is in the output
    refused,  ///< the peer broke the protocol; the closing frame that says so is in the output
  };
  End end() const { return end_; }
  /// The reason of `refused`, for the log.
  std::string_view reason() const { return reason_; }

 private:
  struct Callbacks;
  void refuse(std::uint16_t status, std::string_view reason);

  wslay_event_context* context_ = nullptr;
  std::string_view input_;
  ReceiveBuffer* payload_ = nullptr;
  std::string output_;
  bool in_control_ = false;  ///< the frame under way is a ping, a pong or the closing one
  End end_ = End::none;
  std::string_view reason_;
};

/// The header of a binary frame with `payload_bytes` behind it, as a server sends it.
std::string binary_header(std::size_t payload_bytes);
/// A closing frame, as a server sends it.
std::string close_frame(std::uint16_t status);

inline constexpr std::uint16_t status_normal = 1000, status_going_away = 1001, status_protocol_error = 1002,
                               status_unsupported = 1003;

}  // namespace braid::websocket
