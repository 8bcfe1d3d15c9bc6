// Braid, Apache-2.0.
//
// MQTT over WebSocket, section 6: a stream in front of the TCP connection that shakes hands, takes frames apart and
// puts what is written into frames, so that the session behind it does not know. The session's handshake time-out
// covers the WebSocket's handshake as well, since no CONNECT can come before it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "codecs/websocket/handshake.hpp"
#include "runtime/loop.hpp"
#include "runtime/stream.hpp"

namespace braid::mqtt {

/// `received` was read from the connection before it came here. What `policy` refers to outlives the stream.
std::unique_ptr<Stream> open_websocket(Loop& loop, std::unique_ptr<Stream> tcp, websocket::Policy policy,
                                       std::string received = {});

}  // namespace braid::mqtt
