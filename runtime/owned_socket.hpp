// Braid, Apache-2.0.
//
// A connected socket on its way from one thread to another: closed unless somebody takes it.
#pragma once

#include <unistd.h>

#include <utility>

namespace braid {

class OwnedSocket {
 public:
  explicit OwnedSocket(int socket) : socket_(socket) {}
  OwnedSocket(OwnedSocket&& other) noexcept : socket_(other.take()) {}
  OwnedSocket& operator=(OwnedSocket&& other) noexcept {
    std::swap(socket_, other.socket_);
    return *this;
  }
  ~OwnedSocket() {
    if (socket_ >= 0) ::close(socket_);
  }
  int take() { return std::exchange(socket_, -1); }

 private:
  int socket_;
};

}  // namespace braid
