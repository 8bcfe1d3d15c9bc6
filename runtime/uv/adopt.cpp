// Braid, Apache-2.0.
#include "runtime/adopt.hpp"

#include <unistd.h>

#include "runtime/uv/uv_connection.hpp"
#include "runtime/uv/uv_loop.hpp"

namespace braid {

std::unique_ptr<Stream> adopt(Loop& loop, OwnedSocket socket) {
  auto* const connection = new UvConnection(static_cast<UvLoop&>(loop));
  const int descriptor = socket.take();
  if (uv_tcp_open(connection->tcp(), descriptor) == 0) return connection->open();
  ::close(descriptor);
  connection->discard();
  return nullptr;
}

}  // namespace braid
