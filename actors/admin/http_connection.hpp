// Braid, Apache-2.0.
//
// One client's socket under a blocking HTTP server, with the limits that the library underneath does not have: on the
// bytes of a request altogether (it limits lines and bodies, but not the number of headers) and on its time altogether
// (its timeout starts again with each byte). Ends at once when the server stops.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace braid {

class HttpConnection {
 public:
  enum class Failure { none, closed, too_large, timed_out, stopping };

  struct Limits {
    std::size_t request_bytes;
    std::int64_t read_timeout_ms;
    std::int64_t write_timeout_ms;
  };
  /// Takes the socket. `stop_event` is a file that becomes readable when the server stops.
  HttpConnection(int socket, int stop_event, Limits limits);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  /// What has come first, without taking it; at least `wanted` bytes unless the connection fails.
  std::string_view peek(std::size_t wanted);
  ssize_t read(char* into, std::size_t size);  ///< like recv(2); -1 with failure() set
  ssize_t write(const char* from, std::size_t size);
  bool wait(short events);  ///< POLLIN or POLLOUT; false with failure() set

  Failure failure() const { return failure_; }
  bool wrote_anything() const { return wrote_; }
  int socket() const { return socket_; }
  /// Gives the socket away, whole; the connection is over here.
  int release();
  void peer(std::string& address, int& port) const;
  void local(std::string& address, int& port) const;

 private:
  bool fill();
  void linger();
  void set_timer(std::int64_t timeout_ms);
  void fail(Failure failure) { failure_ = failure_ == Failure::none ? failure : failure_; }

  int socket_;
  int stop_event_;
  int timer_;
  std::size_t bytes_left_;
  std::int64_t write_timeout_ms_;
  std::string buffer_;
  std::size_t taken_ = 0;  ///< of the buffer
  bool wrote_ = false;
  Failure failure_ = Failure::none;
};

}  // namespace braid
