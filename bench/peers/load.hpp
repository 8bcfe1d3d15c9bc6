// Braid, Apache-2.0.
//
// The load that message brokers are put under, apart from the protocol: many connections on one thread, publishers that
// keep a window full (closed loop: how much is possible) or send on a schedule (open loop: how long it takes), and
// subscribers that read the time of sending from each payload.
//
// A closed loop never has more than `window` messages of a publisher unacknowledged or undelivered, so that no broker
// is measured by what it drops.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "figures.hpp"
#include "options.hpp"

namespace braid::bench {

/// The first bytes of every payload.
struct Stamp {
  std::uint64_t intended_ns;
  std::uint32_t publisher;
  std::uint32_t number;
};
static_assert(sizeof(Stamp) == 16);

struct Plan {
  explicit Plan(Options& options);

  std::string host;
  std::uint16_t port;
  std::size_t publishers, subscribers, topics, idle;
  std::size_t payload_bytes, window;
  double rate, warmup_s, seconds;
  /// How many subscribers get each message.
  std::size_t fan;
};

class Load;

/// One connection. A protocol says how it publishes and what it makes of what came.
class Client {
 public:
  /// Takes a connected socket.
  Client(Load& load, int socket);
  virtual ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  virtual void publish(std::uint64_t intended_ns) = 0;
  /// Takes the whole frames at the front of `data` and says how many bytes those were.
  virtual std::size_t take(const char* data, std::size_t size) = 0;
  /// Everything that one read brought was taken: the place for acknowledgements of many.
  virtual void taken() {}

  /// Sends what `write` gathered, as far as the socket takes it.
  void flush();
  void receive();
  int socket() const { return socket_; }

 protected:
  void write(const char* data, std::size_t size);
  void write(const std::string& text) { write(text.data(), text.size()); }
  Stamp stamp(std::uint64_t intended_ns) { return {intended_ns, index_, number_++}; }
  Load& load() { return load_; }

 private:
  friend class Load;
  Load& load_;
  int socket_;
  std::string in_, out_;
  bool dirty_ = false, waits_to_write_ = false;
  // As a publisher.
  std::uint32_t index_ = 0, number_ = 0;
  std::size_t unacknowledged_ = 0, undelivered_ = 0;
  bool eager_ = false;
  std::deque<std::uint64_t> late_;
};

class Load {
 public:
  explicit Load(const Plan& plan);
  ~Load();

  Client& add_publisher(std::unique_ptr<Client> client);
  Client& add(std::unique_ptr<Client> client);
  /// Serves all connections until `done`; throws after `limit_s`, naming `what` was waited for.
  void serve(const std::string& what, const std::function<bool()>& done, double limit_s = 120);
  /// Warm-up, window, drain; tells the harness. `acknowledges`: the protocol acknowledges publishes.
  void run(bool acknowledges);
  /// Nothing but waiting, with a window for the harness to measure in.
  void idle();

  void delivered(const char* payload);
  void acknowledged(Client& publisher, std::size_t count = 1);
  const Plan& plan() const { return plan_; }
  std::uint64_t now() const { return now_ns_; }
  /// For what comes in lots, of which each has a time of its own.
  void look_at_the_clock();

 private:
  friend class Client;
  void turn(std::uint64_t wait_ns);
  void publish_what_may_be();
  void publish_what_is_due();
  bool may_publish(const Client& publisher) const;
  void publish(Client& publisher, std::uint64_t intended_ns);
  void flush_all();
  std::uint64_t wait_ns() const;
  bool finished() const;

  Plan plan_;
  int poller_;
  Figures figures_;
  Schedule schedule_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<Client*> publishers_, eager_, dirty_;
  std::vector<char> block_;
  bool acknowledges_ = false, publishing_ = false;
  std::size_t turn_of_ = 0, late_ = 0;
  std::uint64_t now_ns_ = 0, expected_ = 0;
};

/// A connected TCP socket with TCP_NODELAY; throws when nobody listens.
int connect_to(const std::string& host, std::uint16_t port, std::size_t number = 0);

}  // namespace braid::bench
