// Braid, Apache-2.0.
//
// A bare TCP connection, for what no client library would send.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace braid::e2e {

class RawConnection {
 public:
  explicit RawConnection(std::uint16_t port);
  ~RawConnection();
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  /// False when the peer has closed.
  bool send(std::string_view bytes);
  /// Like send, but false when the peer takes nothing for so long.
  bool send_for(std::string_view bytes, int timeout_ms);
  /// What arrives until the peer closes, `size` bytes are there, or the time is up.
  std::string receive(std::size_t size, int timeout_ms = 5000);
  /// What arrives first, or nothing when the peer closes or the time is up.
  std::string receive_some(int timeout_ms = 5000);
  /// Waits for the peer to close (or reset); what it sent before is dropped.
  bool closed(int timeout_ms = 5000);

 private:
  int socket_ = -1;
};

}  // namespace braid::e2e
