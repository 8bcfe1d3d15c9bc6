// Braid, Apache-2.0.
//
// The real binary in a process of its own, with a data directory of its own, for tests through real clients. Every
// start uses the same ports, so that clients find the broker again.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "e2e/support/ports.hpp"

namespace braid::e2e {

class Broker {
 public:
  /// `settings`: "a.b=c", as for --set. Starts, and waits until it is ready; a failure throws with the broker's log.
  explicit Broker(std::vector<std::string> settings = {});
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  void start();
  /// SIGTERM; waits for the end and returns the exit code.
  int stop();
  /// SIGKILL; waits for the end.
  void kill();
  void restart() {
    stop();
    start();
  }
  bool running() const;

  std::uint16_t mqtt() const { return mqtt_; }
  std::uint16_t kafka() const { return kafka_; }
  std::uint16_t amqp() const { return amqp_; }
  std::uint16_t http() const { return http_; }
  /// Of a listener that the log names so; 0 when there is none.
  std::uint16_t port_of(const std::string& listener) const;
  std::string bootstrap() const { return "127.0.0.1:" + std::to_string(kafka_); }
  const std::string& directory() const { return directory_; }
  pid_t pid() const { return pid_; }
  /// Everything it wrote to standard error so far, over all its starts.
  std::string log() const;
  /// Waits until the log holds `text`; false after `timeout_ms`.
  bool logs(const std::string& text, int timeout_ms = 10000) const;

  /// `braid topic create NAME --partitions N ...` against this broker; fails the test if the command fails.
  void create_topic(const std::string& name, int partitions = 1, const std::vector<std::string>& config = {});

 private:
  void read_ports();

  std::vector<std::string> settings_;
  std::string directory_;
  Ports ports_;
  pid_t pid_ = -1;
  std::uint16_t mqtt_ = 0, kafka_ = 0, amqp_ = 0, http_ = 0;
};

}  // namespace braid::e2e
