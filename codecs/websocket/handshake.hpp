// Braid, Apache-2.0.
//
// The opening of a WebSocket connection (RFC 6455, section 4.2) that is to carry MQTT (section 6 of MQTT 5.0): one HTTP
// request, of a bounded size, that has to be right in every part. The answer is complete either way: 101 and the stream
// begins, or an HTTP error with a sentence that says what is wrong.
//
// A web page of any site can open a WebSocket to this machine, and browsers do not ask leave for it. So a request with
// an Origin is taken only from a page of the same host, or from the origins that the operator names; and on a port that
// only this machine reaches the same host is an address or localhost, since a site can give us a name of its own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace braid::websocket {

struct Policy {
  bool root_path = false;         ///< "/" is as good as "/mqtt"
  bool local_hosts = false;       ///< pages come from an address or from localhost
  std::string_view origins = {};  ///< comma between them; "*" for all
  std::size_t max_bytes = 8192;   ///< of the request
};

struct Handshake {
  enum class Outcome { need_more, accepted, refused };
  Outcome outcome = Outcome::need_more;
  std::size_t bytes = 0;    ///< length of the request, when accepted
  std::string response;     ///< to be sent; empty when the peer does not speak HTTP at all
  std::string reason = {};  ///< a sentence for the log, when refused
};

/// Looks at what has arrived so far.
Handshake shake_hands(std::string_view received, const Policy& policy);

/// What Sec-WebSocket-Accept answers to a key, section 4.2.2.
std::string accept_key(std::string_view key);

/// Whether the request at the front is for MQTT's path, so that another server of the port need not look further: "GET
/// /mqtt" with a query or without.
bool is_for_mqtt(std::string_view received);
/// As many bytes as `is_for_mqtt` needs.
inline constexpr std::size_t path_bytes = 10;

}  // namespace braid::websocket
