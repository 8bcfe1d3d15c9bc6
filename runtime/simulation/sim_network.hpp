// Braid, Apache-2.0.
//
// Sockets of the simulated world. Bytes travel in pieces of random size with random delays and are put in order again
// at the other end, as TCP does; a window bounds what is under way; connections break, are cut, or are held up.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/simulation/sim_core.hpp"
#include "runtime/stream.hpp"

namespace braid {

class SimConnection;
class SimListener;
class SimLoop;

/// What connects the nodes of a world.
class SimSwitch {
 public:
  explicit SimSwitch(SimCore& core) : core_(core) {}

  SimCore& core() { return core_; }
  /// Nodes by name, in the order of the world.
  std::size_t add_node(std::string name) {
    nodes_.push_back(std::move(name));
    return nodes_.size() - 1;
  }
  /// SIZE_MAX when there is none.
  std::size_t node_of(const std::string& host, std::size_t own) const;

  Result<std::unique_ptr<Listener>, std::string> listen(SimLoop& loop, const std::string& bind, std::uint16_t port,
                                                        Network::Accepted accepted);
  void connect(SimLoop& loop, const std::string& host, std::uint16_t port, std::int64_t timeout_ms,
               Network::Connected connected);

  enum class Blocked : std::uint8_t { no, cut, held };
  Blocked blocked(std::size_t a, std::size_t b) const;
  void block(std::size_t a, std::size_t b, Blocked how);
  void unblock(std::size_t a, std::size_t b);
  /// Runs `run` on `to` when a packet from node `from` arrives, unless it is held up or lost on the way.
  void send(std::size_t from, SimLoop& to, SimEvent kind, std::uint64_t detail, std::function<void()> run);

  void remove(SimListener& listener);
  void forget(const SimLoop& loop);

 private:
  friend class SimConnection;
  struct Attempt;
  struct Held {
    std::size_t from;
    SimLoop* to;
    SimEvent kind;
    std::uint64_t detail;
    std::function<void()> run;
  };
  using Pair = std::pair<std::size_t, std::size_t>;
  static Pair pair(std::size_t a, std::size_t b) { return {std::min(a, b), std::max(a, b)}; }
  void arrive(const std::shared_ptr<Attempt>& attempt);

  SimCore& core_;
  std::vector<std::string> nodes_;
  std::map<std::pair<std::size_t, std::uint16_t>, std::vector<SimListener*>> listeners_;
  std::map<Pair, Blocked> blocked_;
  std::map<Pair, std::vector<Held>> held_;
  std::map<std::uint64_t, std::weak_ptr<SimConnection>> connections_;
  std::uint64_t connection_numbers_ = 0;
  std::map<std::size_t, std::uint16_t> next_port_;
};

/// The switch as one loop sees it.
class SimNetwork final : public Network {
 public:
  SimNetwork(SimLoop& loop, SimSwitch& world) : loop_(loop), switch_(world) {}
  Result<std::unique_ptr<Listener>, std::string> listen(const std::string& bind, std::uint16_t port,
                                                        Accepted accepted) override {
    return switch_.listen(loop_, bind, port, std::move(accepted));
  }
  void connect(const std::string& host, std::uint16_t port, std::int64_t timeout_ms, Connected connected) override {
    switch_.connect(loop_, host, port, timeout_ms, std::move(connected));
  }
  void kill() { switch_.forget(loop_); }

 private:
  SimLoop& loop_;
  SimSwitch& switch_;
};

class SimListener final : public Listener {
 public:
  SimListener(SimSwitch& world, SimLoop& loop, Address address, Network::Accepted accepted)
      : switch_(&world), loop_(loop), address_(std::move(address)), accepted_(std::move(accepted)) {}
  ~SimListener() override {
    if (switch_) switch_->remove(*this);
  }
  const Address& address() const override { return address_; }
  void pause() override { paused_ = true; }
  void resume() override;

  SimLoop& loop() { return loop_; }
  /// A connection for it has arrived; on its loop.
  void take(std::unique_ptr<Stream> stream);
  void detach() { switch_ = nullptr; }

 private:
  SimSwitch* switch_;
  SimLoop& loop_;
  const Address address_;
  Network::Accepted accepted_;
  std::vector<std::unique_ptr<Stream>> waiting_;
  bool paused_ = false;
};

}  // namespace braid
