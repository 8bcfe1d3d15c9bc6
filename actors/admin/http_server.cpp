// Braid, Apache-2.0.
//
// The one source of the server side that includes cpp-httplib. The library parses requests and writes answers; the
// sockets, threads and limits are ours, and so is routing, which it would do by regular expressions.
#include "actors/admin/http_server.hpp"

#include <httplib.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "actors/admin/http_connection.hpp"
#include "actors/admin/http_threads.hpp"
#include "actors/admin/rabbitmq_routes.hpp"
#include "actors/admin/routes.hpp"
#include "codecs/protocol_guess.hpp"
#include "codecs/websocket/handshake.hpp"
#include "config/address.hpp"

namespace braid {
namespace {

constexpr std::size_t max_path_bytes = 512;
constexpr const char* json_type = "application/json";

class Stream final : public httplib::Stream {
 public:
  explicit Stream(HttpConnection& connection) : connection_(connection) {}
  bool is_readable() const override { return connection_.wait(POLLIN); }
  bool is_writable() const override { return connection_.wait(POLLOUT); }
  ssize_t read(char* into, std::size_t size) override { return connection_.read(into, size); }
  ssize_t write(const char* from, std::size_t size) override { return connection_.write(from, size); }
  void get_remote_ip_and_port(std::string& address, int& port) const override { connection_.peer(address, port); }
  void get_local_ip_and_port(std::string& address, int& port) const override { connection_.local(address, port); }
  int socket() const override { return connection_.socket(); }

 private:
  HttpConnection& connection_;
};

class Threads final : public httplib::TaskQueue {
 public:
  explicit Threads(std::size_t threads) : threads_(threads, 4 * threads) {}
  void enqueue(std::function<void()> work) override { threads_.add(std::move(work)); }
  void shutdown() override { threads_.stop(); }

 private:
  HttpThreads threads_;
};

void set(httplib::Response& response, const AdminResponse& answer) {
  response.status = answer.status;
  if (!answer.allow.empty()) response.set_header("Allow", answer.allow);
  response.set_header("Cache-Control", "no-store");
  response.set_header("X-Content-Type-Options", "nosniff");
  if (!answer.body.get<std::nullptr_t>()) response.set_content(to_json(answer.body) + "\n", json_type);
}

class Server final : public HttpServer, private httplib::Server {
 public:
  Server(AdminApi& api, HttpServerOptions options)
      : api_(api), options_(std::move(options)), stop_event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

  ~Server() override {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(stop_event_, &one, sizeof one);
    if (thread_.joinable()) {
      httplib::Server::stop();
      thread_.join();
    }
    if (stop_event_ >= 0) ::close(stop_event_);
  }

  Outcome<std::string> start() {
    const auto place = options_.bind + ":" + std::to_string(options_.port);
    if (stop_event_ < 0) return Unexpected{"cannot open the admin port " + place + ": " + std::strerror(errno)};
    new_task_queue = [threads = options_.threads] { return new Threads(threads); };
    set_address_family(options_.bind.find(':') == std::string::npos ? AF_INET : AF_INET6);
    // The library's own choice, SO_REUSEPORT, would let two brokers share the port without a word.
    set_socket_options([](int socket) {
      const int on = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    set_payload_max_length(options_.max_request_bytes);
    set_pre_routing_handler([this](const auto& request, auto& response) { return before_body(request, response); });
    Post(".*", [this](const auto& request, auto& response) { answer_with_body(request, response); });
    Put(".*", [this](const auto& request, auto& response) { answer_with_body(request, response); });
    set_error_handler(httplib::Server::HandlerWithResponse([](const auto&, auto& response) {
      if (response.body.empty())
        set(response, error_response(response.status, "bad_request", "the request is not one that can be answered"));
      return HandlerResponse::Handled;
    }));
    set_exception_handler([](const auto&, auto& response, std::exception_ptr) {
      set(response, error_response(500, "internal", "the request failed inside the broker"));
    });
    errno = 0;
    if (!bind_to_port(options_.bind, options_.port))
      return Unexpected{"cannot listen on " + place + " for the admin API: " +
                        (errno ? std::strerror(errno) : "the address is not one of this machine's")};
    read_port();
    thread_ = std::thread([this] { listen_after_bind(); });
    // stop() has no effect before the library has marked itself as running.
    while (!is_running()) std::this_thread::yield();
    return ok;
  }

  std::uint16_t port() const override { return port_; }

 private:
  void read_port() {
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    if (::getsockname(svr_sock_, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return;
    port_ = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                                              : reinterpret_cast<sockaddr_in&>(bound).sin_port);
  }

  /// What the library calls for each accepted connection, on one of the threads.
  bool process_and_close_socket(int socket) override {
    HttpConnection connection(socket, stop_event_,
                              {options_.max_request_bytes, options_.read_timeout_ms, options_.write_timeout_ms});
    const auto first = connection.peek(1);
    if (!first.empty() && !is_http(connection)) return false;
    if (options_.take_mqtt && websocket::is_for_mqtt(connection.peek(websocket::path_bytes))) {
      std::string received(connection.peek(websocket::path_bytes));
      options_.take_mqtt(OwnedSocket(connection.release()), std::move(received));
      return true;
    }
    Stream stream(connection);
    bool closed = false;
    process_request(stream, true, closed, nullptr);
    using Failure = HttpConnection::Failure;
    if (connection.failure() == Failure::too_large)
      refuse(connection, 413, "too_large",
             "the request is larger than " + std::to_string(options_.max_request_bytes) + " bytes");
    if (connection.failure() == Failure::timed_out) refuse(connection, 408, "timed_out", "the request took too long");
    return true;
  }

  /// Methods are upper case letters; whatever begins otherwise is some other protocol's client on the wrong port.
  bool is_http(HttpConnection& connection) {
    const auto first = connection.peek(1);
    if (first.front() >= 'A' && first.front() <= 'Z' &&
        guess_protocol(connection.peek(4)) != WireProtocol::amqp_0_9_1 &&
        guess_protocol(connection.peek(4)) != WireProtocol::amqp_1_0)
      return true;
    const auto protocol = guess_protocol(connection.peek(12));
    report(connection, protocol == WireProtocol::unknown
                           ? "this is the HTTP port; what the client sent is not HTTP"
                           : "this is the HTTP port; the client speaks " + std::string(to_string(protocol)));
    return false;
  }

  void report(const HttpConnection& connection, const std::string& reason) {
    if (!options_.on_refused) return;
    std::string address;
    int port = 0;
    connection.peer(address, port);
    options_.on_refused(
        (address.find(':') == std::string::npos ? address : "[" + address + "]") + ":" + std::to_string(port), reason);
  }

  /// An answer of our own where the library has given up without one.
  void refuse(HttpConnection& connection, int status, std::string_view code, const std::string& message) {
    report(connection, message);
    if (connection.wrote_anything()) return;
    const auto body = to_json(error_response(status, code, message).body) + "\n";
    const auto text = "HTTP/1.1 " + std::to_string(status) + " Refused\r\nContent-Type: application/json\r\n" +
                      "Connection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    // The connection has failed, so its own write would refuse; this one either goes out at once or not at all.
    [[maybe_unused]] const auto sent =
        ::send(connection.socket(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  /// Everything but the requests that have a body to be read is answered here.
  HandlerResponse before_body(const httplib::Request& request, httplib::Response& response) {
    auto done = [&](const AdminResponse& answer) {
      set(response, answer);
      return HandlerResponse::Handled;
    };
    if (request.path.size() > max_path_bytes)
      return done(
          error_response(414, "path_too_long", "the path is longer than " + std::to_string(max_path_bytes) + " bytes"));
    if (!is_addressed_to_us(request.get_header_value("Host")))
      return done(
          error_response(421, "wrong_host", "this port answers to an address or to localhost, not to other names"));
    const bool has_body = request.has_header("Content-Length") || request.has_header("Transfer-Encoding");
    if ((request.method == "POST" && request.path == topics_path) ||
        (request.method == "PUT" && is_rabbitmq_path(request.path) && (has_body || !may_lack_body(request.path)))) {
      if (!has_json_type(request) || request.has_header("Content-Encoding"))
        return done(
            error_response(415, "wrong_content_type", "the content type has to be application/json, uncompressed"));
      if (!has_body) return done(error_response(411, "length_required", "the request has no length"));
      return HandlerResponse::Unhandled;
    }
    return done(answer(api_, to_admin_request(request)));
  }

  void answer_with_body(const httplib::Request& request, httplib::Response& response) {
    set(response, answer(api_, to_admin_request(request)));
  }

  static bool has_json_type(const httplib::Request& request) {
    const auto type = request.get_header_value("Content-Type");
    return type.substr(0, type.find(';')) == json_type;
  }

  static AdminRequest to_admin_request(const httplib::Request& request) {
    return {request.method,
            request.path,
            {request.params.begin(), request.params.end()},
            request.body,
            request.target.substr(0, request.target.find('?'))};
  }

  bool is_addressed_to_us(const std::string& host) const {
    if (!is_loopback(options_.bind) || host.empty()) return true;
    auto name = host;
    if (name.front() == '[') {
      name = name.substr(1, name.find(']') - 1);
    } else {
      name = name.substr(0, name.find(':'));
    }
    return name == "localhost" || is_ip_address(name);
  }

  AdminApi& api_;
  const HttpServerOptions options_;
  const int stop_event_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>, std::string> HttpServer::start(AdminApi& api, HttpServerOptions options) {
  auto server = std::make_unique<Server>(api, std::move(options));
  if (auto started = server->start(); !started) return Unexpected{started.error()};
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace braid
