// Braid, Apache-2.0.
//
// Guesses which protocol a client speaks from the first bytes that it sends. The commonest mistake with a broker of
// several ports is the wrong port; "frame of 272629760 bytes is too large" does not tell anybody so. Sessions ask only
// when the first bytes make no sense to them, so a guess never refuses a client that is right.
#pragma once

#include <cstdint>
#include <string_view>

namespace braid {

enum class WireProtocol : std::uint8_t {
  unknown,
  mqtt,
  kafka,
  amqp_0_9_1,  ///< and its predecessors
  amqp_1_0,
  tls,
  http,
  http2,
  websocket,  ///< an HTTP request that asks for an upgrade
  proxy,      ///< HAProxy's PROXY header, versions 1 and 2
  ssh,
};

/// To be put after "the client speaks".
std::string_view to_string(WireProtocol);

/// Needs about a dozen bytes; fewer may be `unknown`.
WireProtocol guess_protocol(std::string_view first_bytes);

}  // namespace braid
