// Braid, Apache-2.0.
//
// A blocking TCP client that sends exactly the bytes it is given: for tests of what well-behaved clients never send.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace braid::test {

class RawClient {
 public:
  explicit RawClient(std::uint16_t port, const char* address = "127.0.0.1")
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    inet_pton(AF_INET, address, &to.sin_addr);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }

  /// False when the peer has gone before it took everything.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void finish_sending() { ::shutdown(socket_, SHUT_WR); }

  /// Everything until the peer closes; `closed` is false when it has not within the deadline.
  std::string read_all(int deadline_ms = 20000) {
    std::string all;
    closed = false;
    char buffer[4096];
    for (pollfd file{socket_, POLLIN, 0}; ::poll(&file, 1, deadline_ms) == 1;) {
      const auto got = ::recv(socket_, buffer, sizeof buffer, 0);
      if (got <= 0) {
        closed = true;
        break;
      }
      all.append(buffer, static_cast<std::size_t>(got));
    }
    return all;
  }
  bool closed = false;

 private:
  int socket_;
  bool connected_ = false;
};

}  // namespace braid::test
