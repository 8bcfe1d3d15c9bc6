// Braid, Apache-2.0.
//
// Listening, accepting and connecting on libuv, for one loop.
#pragma once

#include <uv.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/stream.hpp"
#include "runtime/uv/listen_table.hpp"

namespace braid {

class UvLoop;
class UvConnection;

class UvNetwork final : public Network {
 public:
  UvNetwork(UvLoop& loop, std::shared_ptr<ListenTable> listening) : loop_(loop), listening_(std::move(listening)) {}

  Result<std::unique_ptr<Listener>, std::string> listen(const std::string& bind, std::uint16_t port,
                                                        Accepted accepted) override;
  void connect(const std::string& host, std::uint16_t port, std::int64_t timeout_ms, Connected connected) override;

  /// `connection` has something to send at the turn's end.
  void flush_later(UvConnection& connection);
  /// Closes every socket that is left; their owners hear nothing.
  void shut_down();

 private:
  UvLoop& loop_;
  std::shared_ptr<ListenTable> listening_;
  std::vector<UvConnection*> to_flush_, flushing_;
};

/// "ip:port" of a socket's end; empty when the system does not tell.
Address socket_address(const sockaddr* address);

}  // namespace braid
