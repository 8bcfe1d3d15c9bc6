// Braid, Apache-2.0.
//
// A listening socket. libuv's own accept loop cannot be paused and can be caught in an endless loop when the process
// has run out of files; so the socket is only polled by libuv, and accepting is ours: a bounded number per turn, none
// while paused, and a rest when there is no file left.
#pragma once

#include <uv.h>

#include <memory>
#include <string>

#include "runtime/stream.hpp"
#include "runtime/uv/listen_table.hpp"
#include "runtime/uv/uv_connection.hpp"

namespace braid {

class UvListener final : public Listener {
 public:
  /// Takes a socket that listens already.
  UvListener(UvLoop& loop, int socket, Address address, Network::Accepted accepted, std::shared_ptr<ListenTable> table);
  ~UvListener() override;

  const Address& address() const override { return address_; }
  void pause() override;
  void resume() override;

 private:
  struct Socket;
  Socket* socket_;  ///< null when the loop has ended
  const Address address_;
};

}  // namespace braid
