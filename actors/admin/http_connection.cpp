// Braid, Apache-2.0.
#include "actors/admin/http_connection.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace braid {
namespace {

constexpr std::size_t read_bytes = 4096;
constexpr std::int64_t linger_ms = 1000;
constexpr std::size_t linger_bytes = 4u << 20;

void describe(const sockaddr_storage& from, std::string& address, int& port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (from.ss_family == AF_INET) {
    const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(from);
    inet_ntop(AF_INET, &ipv4.sin_addr, text.data(), text.size());
    port = ntohs(ipv4.sin_port);
  } else if (from.ss_family == AF_INET6) {
    const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(from);
    inet_ntop(AF_INET6, &ipv6.sin6_addr, text.data(), text.size());
    port = ntohs(ipv6.sin6_port);
  }
  address = text.data();
}

}  // namespace

HttpConnection::HttpConnection(int socket, int stop_event, Limits limits)
    : socket_(socket),
      stop_event_(stop_event),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      bytes_left_(limits.request_bytes),
      write_timeout_ms_(limits.write_timeout_ms) {
  if (timer_ < 0) fail(Failure::closed);  // out of files: better no answer than one without a limit
  set_timer(limits.read_timeout_ms);
}

HttpConnection::~HttpConnection() {
  if (socket_ >= 0) {
    ::shutdown(socket_, SHUT_WR);
    linger();
    ::close(socket_);
  }
  if (timer_ >= 0) ::close(timer_);
}

int HttpConnection::release() {
  fail(Failure::closed);
  return std::exchange(socket_, -1);
}

// What the peer still sends would turn a close into a reset, which overtakes the answer and destroys it. So it is read
// and thrown away until the peer closes too, for a moment and up to a limit.
void HttpConnection::linger() {
  if (failure_ != Failure::closed && failure_ != Failure::stopping) failure_ = Failure::none;
  set_timer(linger_ms);
  std::array<char, read_bytes> rest;
  std::size_t bytes = 0;
  while (bytes < linger_bytes && wait(POLLIN)) {
    const auto got = ::recv(socket_, rest.data(), rest.size(), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) return;
    bytes += static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  }
}

void HttpConnection::set_timer(std::int64_t timeout_ms) {
  itimerspec in{};
  in.it_value.tv_sec = timeout_ms / 1000;
  in.it_value.tv_nsec = (timeout_ms % 1000) * 1'000'000;
  if (timer_ >= 0 && ::timerfd_settime(timer_, 0, &in, nullptr) != 0) fail(Failure::closed);
}

bool HttpConnection::wait(short events) {
  while (failure_ == Failure::none) {
    std::array<pollfd, 3> files{{{socket_, events, 0}, {timer_, POLLIN, 0}, {stop_event_, POLLIN, 0}}};
    if (::poll(files.data(), files.size(), -1) < 0) {
      if (errno != EINTR) fail(Failure::closed);
      continue;
    }
    if (files[1].revents != 0)
      fail(Failure::timed_out);
    else if (files[2].revents != 0 && events == POLLIN)
      fail(Failure::stopping);
    else if (files[0].revents != 0)
      return true;
  }
  return false;
}

bool HttpConnection::fill() {
  if (bytes_left_ == 0) fail(Failure::too_large);
  buffer_.erase(0, taken_);
  taken_ = 0;
  while (wait(POLLIN)) {
    const auto before = buffer_.size();
    buffer_.resize(before + std::min(read_bytes, bytes_left_));
    const auto got = ::recv(socket_, buffer_.data() + before, buffer_.size() - before, MSG_DONTWAIT);
    buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got > 0) {
      bytes_left_ -= static_cast<std::size_t>(got);
      return true;
    }
    if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) fail(Failure::closed);
  }
  return false;
}

std::string_view HttpConnection::peek(std::size_t wanted) {
  while (buffer_.size() - taken_ < wanted && fill()) {
  }
  return std::string_view(buffer_).substr(taken_);
}

ssize_t HttpConnection::read(char* into, std::size_t size) {
  if (taken_ == buffer_.size() && !fill()) return -1;
  const auto count = std::min(size, buffer_.size() - taken_);
  std::memcpy(into, buffer_.data() + taken_, count);
  taken_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t HttpConnection::write(const char* from, std::size_t size) {
  if (!wrote_ && failure_ == Failure::none) set_timer(write_timeout_ms_);
  while (wait(POLLOUT)) {
    const auto sent = ::send(socket_, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    wrote_ = wrote_ || sent > 0;
    if (sent >= 0) return sent;
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) fail(Failure::closed);
  }
  return -1;
}

void HttpConnection::peer(std::string& address, int& port) const {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  if (::getpeername(socket_, reinterpret_cast<sockaddr*>(&from), &size) == 0) describe(from, address, port);
}

void HttpConnection::local(std::string& address, int& port) const {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  if (::getsockname(socket_, reinterpret_cast<sockaddr*>(&from), &size) == 0) describe(from, address, port);
}

}  // namespace braid
