// Braid, Apache-2.0.
//
// Opening sockets: to listen, and to somebody else.
#include "runtime/uv/uv_network.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/uv/uv_connection.hpp"
#include "runtime/uv/uv_listener.hpp"
#include "runtime/uv/uv_loop.hpp"

namespace braid {
namespace {

constexpr int kBacklog = 4096;  ///< the system may allow fewer

bool parse_address(const std::string& text, std::uint16_t port, sockaddr_storage& to) {
  to = {};
  auto& v4 = reinterpret_cast<sockaddr_in&>(to);
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    return true;
  }
  to = {};
  auto& v6 = reinterpret_cast<sockaddr_in6&>(to);
  if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    return true;
  }
  return false;
}

socklen_t address_size(const sockaddr_storage& address) {
  return address.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

std::string listen_problem(const std::string& address, int error) {
  switch (error) {
    case EADDRINUSE:
      return "address " + address + " is in use";
    case EADDRNOTAVAIL:
      return "address " + address + " does not belong to this machine";
    case EACCES:
      return "address " + address + " needs privileges: this user may not listen at that port";
    default:
      return "cannot listen at address " + address + ": " + std::strerror(error);
  }
}

/// One connect: addresses of a name are tried one after the other until one answers or the time is over.
struct Attempt : std::enable_shared_from_this<Attempt> {
  UvLoop& loop;
  std::string target;
  std::uint16_t port;
  Network::Connected connected;
  TimerId timeout{};
  std::vector<sockaddr_storage> addresses;
  std::size_t next = 0;
  UvConnection* connection = nullptr;
  std::string problem = "no address";

  Attempt(UvLoop& at, std::string to, std::uint16_t to_port, Network::Connected then)
      : loop(at), target(std::move(to)), port(to_port), connected(std::move(then)) {}

  void finish(Result<std::unique_ptr<Stream>, std::string> result) {
    if (!connected) return;
    if (timeout.value != 0) loop.cancel(std::exchange(timeout, TimerId{}));
    const auto call = std::exchange(connected, nullptr);
    loop.call([&] { call(std::move(result)); }, "connect");
  }
  void fail(const std::string& why) { finish(Unexpected{"cannot connect to " + target + ": " + why}); }

  void try_next() {
    if (!connected) return;
    if (next == addresses.size()) return fail(problem);
    const sockaddr_storage address = addresses[next++];
    struct Request {
      uv_connect_t uv{};
      std::shared_ptr<Attempt> attempt;
      UvConnection* connection;
    };
    auto request = std::make_unique<Request>();
    connection = new UvConnection(loop);
    request->uv.data = request.get();
    request->attempt = shared_from_this();
    request->connection = connection;
    const int error = uv_tcp_connect(&request->uv, connection->tcp(), reinterpret_cast<const sockaddr*>(&address),
                                     [](uv_connect_t* uv, int status) {
                                       const std::unique_ptr<Request> done(static_cast<Request*>(uv->data));
                                       done->attempt->answered(done->connection, status);
                                     });
    if (error == 0) {
      request.release();
      return;
    }
    problem = uv_strerror(error);
    std::exchange(connection, nullptr)->discard();
    try_next();
  }
  void answered(UvConnection* which, int status) {
    if (loop.stopped() || which != connection) return;  // given up meanwhile
    connection = nullptr;
    if (status == 0) return finish(which->open());
    problem = uv_strerror(status);
    which->discard();
    try_next();
  }
  void give_up() {
    timeout = TimerId{};
    if (connection) std::exchange(connection, nullptr)->discard();
    fail("no answer in time");
  }
  void resolved(int status, const addrinfo* found) {
    if (loop.stopped() || !connected) return;
    if (status != 0) return fail(uv_strerror(status));
    for (; found; found = found->ai_next) {
      if (found->ai_family != AF_INET && found->ai_family != AF_INET6) continue;
      sockaddr_storage address{};
      std::memcpy(&address, found->ai_addr, found->ai_addrlen);
      if (found->ai_family == AF_INET6)
        reinterpret_cast<sockaddr_in6&>(address).sin6_port = htons(port);
      else
        reinterpret_cast<sockaddr_in&>(address).sin_port = htons(port);
      addresses.push_back(address);
    }
    try_next();
  }
};

}  // namespace

Address socket_address(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    return {text, ntohs(v4->sin_port)};
  }
  if (address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
      inet_ntop(AF_INET, reinterpret_cast<const char*>(&v6->sin6_addr) + 12, text, sizeof text);
    else
      inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
    return {text, ntohs(v6->sin6_port)};
  }
  return {};
}

Result<std::unique_ptr<Listener>, std::string> UvNetwork::listen(const std::string& bind, std::uint16_t port,
                                                                 Accepted accepted) {
  const std::string host = bind == "localhost" ? "127.0.0.1" : bind;
  const std::string wanted = Address{host, port}.text();
  sockaddr_storage address{};
  if (!parse_address(host, port, address)) return Unexpected{"'" + bind + "' is not an IP address to listen at"};

  const int socket = ::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return Unexpected{listen_problem(wanted, errno)};
  const auto failed = [&](int error) {
    ::close(socket);
    return Unexpected{listen_problem(wanted, error)};
  };
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);

  const std::lock_guard lock(listening_->mutex());
  const bool joins = port != 0 && listening_->has(wanted);
  const auto share = [&] { return ::setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on); };
  if (joins && share() != 0) return failed(errno);
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), address_size(address)) != 0) return failed(errno);
  if (!joins && share() != 0) return failed(errno);
  if (::listen(socket, kBacklog) != 0) return failed(errno);

  socklen_t length = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) return failed(errno);
  Address bound{host, socket_address(reinterpret_cast<const sockaddr*>(&address)).port};
  listening_->add(bound.text());
  return std::unique_ptr<Listener>(
      std::make_unique<UvListener>(loop_, socket, std::move(bound), std::move(accepted), listening_));
}

void UvNetwork::connect(const std::string& host, std::uint16_t port, std::int64_t timeout_ms, Connected connected) {
  auto attempt = std::make_shared<Attempt>(loop_, Address{host, port}.text(), port, std::move(connected));
  attempt->timeout = loop_.after(timeout_ms, [attempt] { attempt->give_up(); });
  sockaddr_storage address{};
  if (parse_address(host, port, address)) {
    attempt->addresses.push_back(address);
    loop_.post([attempt] { attempt->try_next(); });
    return;
  }
  struct Request {
    uv_getaddrinfo_t uv{};
    std::shared_ptr<Attempt> attempt;
  };
  auto request = std::make_unique<Request>();
  request->uv.data = request.get();
  request->attempt = attempt;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  const int error = uv_getaddrinfo(
      loop_.uv(), &request->uv,
      [](uv_getaddrinfo_t* uv, int status, addrinfo* found) {
        const std::unique_ptr<Request> done(static_cast<Request*>(uv->data));
        done->attempt->resolved(status, found);
        uv_freeaddrinfo(found);
      },
      host.c_str(), nullptr, &hints);
  if (error != 0) {
    loop_.post([attempt, why = std::string(uv_strerror(error))] { attempt->fail(why); });
    return;
  }
  request.release();
}

void UvNetwork::flush_later(UvConnection& connection) {
  if (to_flush_.empty())
    loop_.at_turn_end([this] {
      flushing_.swap(to_flush_);
      for (UvConnection* const each : flushing_) each->flush();
      flushing_.clear();
    });
  to_flush_.push_back(&connection);
}

void UvNetwork::shut_down() {
  for (UvConnection* const connection : std::exchange(to_flush_, {})) {
    connection->flush_requested_ = false;
    if (connection->dead_) delete connection;
  }
  uv_walk(
      loop_.uv(),
      [](uv_handle_t* handle, void*) {
        if (uv_is_closing(handle)) return;
        if (handle->type == UV_TCP || handle->type == UV_POLL || handle->type == UV_SIGNAL)
          static_cast<UvHandleOwner*>(handle->data)->abandon();
      },
      nullptr);
}

}  // namespace braid
