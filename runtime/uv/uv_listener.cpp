// Braid, Apache-2.0.
//
// Accepting connections.
#include "runtime/uv/uv_listener.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>

#include "runtime/log.hpp"
#include "runtime/uv/uv_loop.hpp"

namespace braid {
namespace {
constexpr int kAcceptsPerTurn = 64;
/// How long no connection is accepted when the process or the system has no file left.
constexpr std::int64_t kRestMs = 100;
}  // namespace

struct UvListener::Socket final : UvHandleOwner {
  uv_poll_t poll{};
  UvLoop& loop;
  int socket;
  Address address;
  Network::Accepted accepted;
  std::shared_ptr<ListenTable> table;
  UvListener* facade;
  TimerId rest;
  bool paused = false;
  bool closing = false;

  Socket(UvLoop& at, int descriptor, Address where, Network::Accepted then, std::shared_ptr<ListenTable> listening,
         UvListener* listener)
      : loop(at),
        socket(descriptor),
        address(std::move(where)),
        accepted(std::move(then)),
        table(std::move(listening)),
        facade(listener) {
    uv_poll_init(loop.uv(), &poll, socket);
    poll.data = static_cast<UvHandleOwner*>(this);
    watch();
  }

  void watch() {
    if (closing || paused || rest.value != 0) return;
    uv_poll_start(&poll, UV_READABLE, [](uv_poll_t* uv, int, int) {
      static_cast<Socket*>(static_cast<UvHandleOwner*>(uv->data))->accept();
    });
  }

  void accept() {
    for (int i = 0; i < kAcceptsPerTurn && !closing && !paused; ++i) {
      const int taken = ::accept4(socket, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (taken < 0) {
        if (errno == EINTR || errno == ECONNABORTED) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return;
        return take_a_rest(errno);
      }
      auto* const connection = new UvConnection(loop);
      if (uv_tcp_open(connection->tcp(), taken) != 0) {
        ::close(taken);
        connection->discard();
        continue;
      }
      auto stream = connection->open();
      loop.call([&] { accepted(std::move(stream)); }, "listener");
    }
  }

  void take_a_rest(int error) {
    BRAID_LOG_LIMITED(warning, "runtime", {{"address", address.text()}}, "cannot accept connections for the moment: {}",
                      std::strerror(error));
    uv_poll_stop(&poll);
    rest = loop.after(kRestMs, [this] {
      rest = TimerId{};
      watch();
    });
  }

  void close() {
    if (closing) return;
    closing = true;
    if (rest.value != 0) loop.cancel(rest);
    uv_close(reinterpret_cast<uv_handle_t*>(&poll),
             [](uv_handle_t* uv) { delete static_cast<Socket*>(static_cast<UvHandleOwner*>(uv->data)); });
    // The port is free from here on, not a turn later.
    ::close(socket);
    table->remove(address.text());
  }
  void abandon() override {
    if (facade) std::exchange(facade, nullptr)->socket_ = nullptr;
    close();
  }
};

UvListener::UvListener(UvLoop& loop, int socket, Address address, Network::Accepted accepted,
                       std::shared_ptr<ListenTable> table)
    : socket_(new Socket(loop, socket, address, std::move(accepted), std::move(table), this)),
      address_(std::move(address)) {}

UvListener::~UvListener() {
  if (!socket_) return;
  assert(socket_->loop.may_touch());
  socket_->facade = nullptr;
  socket_->close();
}

void UvListener::pause() {
  if (!socket_ || socket_->paused) return;
  socket_->paused = true;
  uv_poll_stop(&socket_->poll);
}

void UvListener::resume() {
  if (!socket_ || !std::exchange(socket_->paused, false)) return;
  socket_->watch();
}

}  // namespace braid
