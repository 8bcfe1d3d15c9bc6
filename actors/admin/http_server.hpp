// Braid, Apache-2.0.
//
// The admin port: HTTP/1.1 on a few threads of its own, away from the event loops, in front of AdminApi.
//
//   GET    /healthz                    200 or 503
//   GET    /api/v1/topics              ?after=NAME&limit=N, sorted by name; "next" when there are more
//   POST   /api/v1/topics              {"name": ..., "partitions": ..., "config": {...}}
//   GET    /api/v1/topics/NAME
//   DELETE /api/v1/topics/NAME
//   GET    /api/vhosts                 and with /VHOST: virtual hosts, as RabbitMQ's management API has them
//   PUT    /api/vhosts/VHOST
//   DELETE /api/vhosts/VHOST
//   GET    /api/policies               and with /VHOST or /VHOST/NAME: policies, as RabbitMQ's management API has them
//   PUT    /api/policies/VHOST/NAME    {"pattern": ..., "definition": {...}, "priority": ..., "apply-to": ...}
//   DELETE /api/policies/VHOST/NAME
//   ...    /api/operator-policies      the same for operator policies
//   GET    /mqtt                       MQTT over WebSocket; the connection goes to an event loop
//
// Answers are JSON; an error is {"error": {"code": ..., "message": ...}}. One request per connection, with limits in
// bytes and in time; as many connections as threads and a short queue, and what comes beyond waits in the kernel. A web
// page in a browser on this machine can reach the port too, so a change needs the content type application/json or a
// method that browsers ask leave for, and while only loopback is bound the Host has to be an address (DNS rebinding).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "actors/admin/admin_api.hpp"
#include "model/result.hpp"
#include "runtime/owned_socket.hpp"

namespace braid {

struct HttpServerOptions {
  std::string bind = "127.0.0.1";
  std::uint16_t port = 0;                      ///< 0: any free one
  std::int64_t read_timeout_ms = 10000;        ///< for the whole request
  std::int64_t write_timeout_ms = 10000;       ///< for the whole answer
  std::size_t max_request_bytes = 256 * 1024;  ///< head and body
  std::size_t threads = 8;
  /// Peers that were refused, and why. Called from the server's threads.
  std::function<void(const std::string& peer, const std::string& reason)> on_refused;
  /// Takes connections whose request is for /mqtt, with what was read of it; without it there is no such path. Called
  /// from the server's threads.
  std::function<void(OwnedSocket socket, std::string received)> take_mqtt;
};

class HttpServer {
 public:
  /// Binds and starts to answer; the error is a sentence that names the address. `api` must outlive the server.
  static Result<std::unique_ptr<HttpServer>, std::string> start(AdminApi& api, HttpServerOptions options);
  /// Stops accepting, ends the connections and joins the threads; a call to the api that is under way is waited for.
  virtual ~HttpServer() = default;
  virtual std::uint16_t port() const = 0;
};

}  // namespace braid
