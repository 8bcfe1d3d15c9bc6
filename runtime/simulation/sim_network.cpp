// Braid, Apache-2.0.
//
// Listening, connecting, and the ways between nodes.
#include "runtime/simulation/sim_network.hpp"

#include <algorithm>

#include "runtime/simulation/sim_loop.hpp"
#include "runtime/simulation/sim_stream.hpp"

namespace braid {
namespace {
constexpr std::size_t kNowhere = SIZE_MAX;
constexpr std::uint16_t kFirstFreePort = 20000;
}  // namespace

struct SimSwitch::Attempt {
  SimLoop* loop;
  std::string target;
  std::size_t node;
  Address server, client;
  Network::Connected connected;
  TimerId timeout;

  void finish(Result<std::unique_ptr<Stream>, std::string> result) {
    if (!connected) return;
    loop->cancel(timeout);
    std::exchange(connected, nullptr)(std::move(result));
  }
  void fail(const char* why) { finish(Unexpected{"cannot connect to " + target + ": " + why}); }
};

std::size_t SimSwitch::node_of(const std::string& host, std::size_t own) const {
  if (host == "127.0.0.1" || host == "localhost" || host == "::1") return own;
  const auto found = std::find(nodes_.begin(), nodes_.end(), host);
  return found == nodes_.end() ? kNowhere : static_cast<std::size_t>(found - nodes_.begin());
}

Result<std::unique_ptr<Listener>, std::string> SimSwitch::listen(SimLoop& loop, const std::string& bind,
                                                                 std::uint16_t port, Network::Accepted accepted) {
  const std::size_t node = loop.host().node;
  if (port == 0) {
    auto& next = next_port_.try_emplace(node, kFirstFreePort).first->second;
    while (listeners_.count({node, next}) > 0) ++next;
    port = next++;
  }
  auto& at = listeners_[{node, port}];
  const Address address{bind, port};
  for (SimListener* const other : at)
    if (&other->loop() == &loop) return Unexpected{"address " + address.text() + " is in use"};
  auto listener = std::make_unique<SimListener>(*this, loop, address, std::move(accepted));
  at.push_back(listener.get());
  return std::unique_ptr<Listener>(std::move(listener));
}

void SimSwitch::remove(SimListener& listener) {
  const auto found = listeners_.find({listener.loop().host().node, listener.address().port});
  if (found == listeners_.end()) return;
  std::erase(found->second, &listener);
  if (found->second.empty()) listeners_.erase(found);
}

void SimSwitch::connect(SimLoop& loop, const std::string& host, std::uint16_t port, std::int64_t timeout_ms,
                        Network::Connected connected) {
  const std::size_t own = loop.host().node;
  auto attempt = std::make_shared<Attempt>();
  attempt->loop = &loop;
  attempt->target = Address{host, port}.text();
  attempt->node = node_of(host, own);
  attempt->server = {host, port};
  attempt->client = {loop.host().name, static_cast<std::uint16_t>(40000 + core_.random.below(20000))};
  attempt->connected = std::move(connected);
  attempt->timeout = loop.after(timeout_ms, [attempt] { attempt->fail("no answer in time"); });
  if (attempt->node == kNowhere) {
    core_.in(core_.packet_delay_us(), loop, SimEvent::control, 0, [attempt] { attempt->fail("no such node"); });
    return;
  }
  // Any loop of the target stands for its system, which answers even when no broker runs.
  std::vector<SimLoop*> targets;
  for (SimLoop* const each : core_.loops)
    if (each->host().node == attempt->node) targets.push_back(each);
  if (targets.empty()) return;  // the machine is off: nobody answers
  send(own, *targets.front(), SimEvent::control, port, [this, attempt] { arrive(attempt); });
}

void SimSwitch::arrive(const std::shared_ptr<Attempt>& attempt) {
  const std::pair key{attempt->node, attempt->server.port};
  const auto found = listeners_.find(key);
  if (found == listeners_.end()) {
    send(attempt->node, *attempt->loop, SimEvent::control, 0, [attempt] { attempt->fail("connection refused"); });
    return;
  }
  SimLoop& at = found->second[core_.random.below(found->second.size())]->loop();
  const std::uint64_t number = ++connection_numbers_;
  if (number % 256 == 0) std::erase_if(connections_, [](const auto& entry) { return entry.second.expired(); });
  const auto connection =
      std::make_shared<SimConnection>(*this, number, *attempt->loop, at, attempt->client, attempt->server);
  connections_.emplace(number, connection);
  // Functions must be copyable, so the stream travels in a shared box.
  auto stream = std::make_shared<std::unique_ptr<Stream>>(connection->open(1));
  core_.in(0, at, SimEvent::control, number, [this, key, stream, loop = &at] {
    const auto listeners = listeners_.find(key);
    if (listeners == listeners_.end()) return;  // closed meanwhile: the stream goes, the client hears of it
    for (SimListener* const each : listeners->second)
      if (&each->loop() == loop) return each->take(std::move(*stream));
  });
  send(attempt->node, *attempt->loop, SimEvent::control, number, [attempt, connection] {
    auto opened = connection->open(0);
    if (attempt->connected) attempt->finish(std::move(opened));
  });
}

SimSwitch::Blocked SimSwitch::blocked(std::size_t a, std::size_t b) const {
  const auto found = blocked_.find(pair(a, b));
  return found == blocked_.end() ? Blocked::no : found->second;
}

void SimSwitch::block(std::size_t a, std::size_t b, Blocked how) {
  blocked_[pair(a, b)] = how;
  core_.fold(SimEvent::fault, a << 32 ^ b, static_cast<std::uint64_t>(how));
  if (how != Blocked::cut) return;
  for (const auto& [number, weak] : connections_)
    if (const auto connection = weak.lock())
      if (pair(connection->loop(0).host().node, connection->loop(1).host().node) == pair(a, b)) connection->break_off();
}

void SimSwitch::unblock(std::size_t a, std::size_t b) {
  blocked_.erase(pair(a, b));
  core_.fold(SimEvent::fault, a << 32 ^ b, 0);
  const auto held = held_.extract(pair(a, b));
  if (held.empty()) return;
  for (auto& packet : held.mapped()) send(packet.from, *packet.to, packet.kind, packet.detail, std::move(packet.run));
}

void SimSwitch::send(std::size_t from, SimLoop& to, SimEvent kind, std::uint64_t detail, std::function<void()> run) {
  core_.in(core_.packet_delay_us(), to, kind, detail, [this, from, &to, kind, detail, run = std::move(run)] {
    switch (blocked(from, to.host().node)) {
      case Blocked::no:
        return run();
      case Blocked::cut:
        return;
      case Blocked::held:
        held_[pair(from, to.host().node)].push_back({from, &to, kind, detail, run});
    }
  });
}

void SimSwitch::forget(const SimLoop& loop) {
  for (auto at = listeners_.begin(); at != listeners_.end();) {
    std::erase_if(at->second, [&](SimListener* listener) {
      if (&listener->loop() != &loop) return false;
      listener->detach();
      return true;
    });
    at = at->second.empty() ? listeners_.erase(at) : std::next(at);
  }
  for (auto& [nodes, packets] : held_) std::erase_if(packets, [&](const Held& held) { return held.to == &loop; });
  const auto connections = connections_;
  for (const auto& [number, weak] : connections)
    if (const auto connection = weak.lock())
      for (const int end : {0, 1})
        if (&connection->loop(end) == &loop) connection->lose(end);
}

void SimListener::take(std::unique_ptr<Stream> stream) {
  if (paused_) {
    waiting_.push_back(std::move(stream));
    return;
  }
  const auto call = accepted_;  // it may destroy this listener
  call(std::move(stream));
}

void SimListener::resume() {
  if (!std::exchange(paused_, false) || waiting_.empty()) return;
  auto streams = std::make_shared<std::vector<std::unique_ptr<Stream>>>(std::move(waiting_));
  waiting_.clear();
  loop_.post([call = accepted_, streams] {
    for (auto& stream : *streams) call(std::move(stream));
  });
}

}  // namespace braid
