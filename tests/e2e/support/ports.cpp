// Braid, Apache-2.0.
#include "e2e/support/ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>

namespace braid::e2e {

namespace {

/// Below those that outgoing connections get: none of them may hold one while the broker is down.
constexpr int lowest_port = 10000;
constexpr int blocks = 5000;

/// The socket that holds the name of this block; -1 when another process holds it.
int hold_block(int first_port) {
  const std::string name = "braid-test-ports-" + std::to_string(first_port);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(name.begin(), name.end(), address.sun_path + 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0) return fd;
  ::close(fd);
  return -1;
}

/// No program that is not a test of ours listens there.
bool is_free(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool bound = ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  return bound;
}

}  // namespace

Ports::Ports() {
  static std::mt19937 random(std::random_device{}());
  for (;;) {
    first_ = lowest_port + count * static_cast<int>(random() % blocks);
    name_ = hold_block(first_);
    if (name_ < 0) continue;
    int free = 0;
    while (free < count && is_free(first_ + free)) ++free;
    if (free == count) return;
    ::close(name_);
  }
}

Ports::~Ports() {
  ::close(name_);
}

}  // namespace braid::e2e
