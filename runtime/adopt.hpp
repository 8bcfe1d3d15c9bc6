// Braid, Apache-2.0.
//
// A connection that somebody else has accepted, on its way to a loop: the HTTP port's threads read the first line of a
// request, and one that asks for MQTT over WebSocket goes on as a stream.
#pragma once

#include <memory>

#include "runtime/loop.hpp"
#include "runtime/owned_socket.hpp"
#include "runtime/stream.hpp"

namespace braid {

/// On a loop of a NodeRuntime. Null when the socket is not one that the loop can serve.
std::unique_ptr<Stream> adopt(Loop& loop, OwnedSocket socket);

}  // namespace braid
