// Braid, Apache-2.0.
//
// Addresses and close reasons as people read them.
#include "runtime/stream.hpp"

#include <cstring>

namespace braid {

std::string Address::text() const {
  const bool v6 = ip.find(':') != std::string::npos;
  return (v6 ? '[' + ip + ']' : ip) + ':' + std::to_string(port);
}

std::string CloseReason::text() const {
  switch (kind) {
    case Kind::peer_closed:
      return "the peer closed the connection";
    case Kind::failed:
      return system_error == 0 ? "the connection broke" : std::strerror(system_error);
    case Kind::closed:
      return "closed";
    case Kind::close_timeout:
      return "closed; the peer did not take everything in time";
    case Kind::aborted:
      return "aborted";
  }
  return "unknown";
}

}  // namespace braid
