// Braid, Apache-2.0.
//
// A broker, put together: opens what is stored, spawns the actors of every loop, listens, and ends all of it in order.
// It knows loops by their interface only, so the simulated world runs the same node as production.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/connection_gate.hpp"
#include "actors/internal_topics.hpp"
#include "actors/listener.hpp"
#include "actors/services.hpp"
#include "config/settings.hpp"
#include "model/result.hpp"
#include "persistence/catalog/store.hpp"
#include "persistence/journal/journal.hpp"
#include "runtime/adopt.hpp"
#include "runtime/loop.hpp"
#include "runtime/stream.hpp"
#include "runtime/terminator.hpp"

namespace braid {

/// Where each protocol is listening.
struct NodeAddresses {
  std::vector<std::pair<std::string, Address>> listeners;
};

class Node {
 public:
  /// `loops` outlive the node. `catalog` is open; the node initializes it at the first start.
  Node(const Settings& settings, std::vector<Loop*> loops, std::unique_ptr<CatalogStore> catalog);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Reads catalog and journals, blocking, and spawns the actors. Before the loops run, from one thread. The error is
  /// a sentence.
  Outcome<std::string> open();
  /// Binds the listeners of all loops. `run_on(i, work)` runs work on loop i and waits for it.
  Result<NodeAddresses, std::string> listen(
      const std::function<void(std::size_t, const std::function<void()>&)>& run_on);
  /// On loop 0: stops accepting, lets sessions answer what is in flight, finishes appends, syncs and closes the
  /// journals; then calls `done` on loop 0. Actors still live afterwards; the runtime ends them.
  void stop(std::function<void(bool in_time)> done);

  /// A connection on which somebody has asked for MQTT over WebSocket, with what was read from it. From any thread.
  void take_websocket(OwnedSocket socket, std::string received);

  /// Called, on any thread, when an actor that the node cannot do without has failed: what it knew is gone, and only a
  /// restart brings it back from the log. The process should end; what was acknowledged is safe.
  void on_broken(std::function<void(const std::string&)> broken) { broken_ = std::move(broken); }

  Services& services(std::size_t loop) { return *services_.at(loop); }
  std::size_t loops() const { return loops_.size(); }

 private:
  Outcome<std::string> open_catalog();
  Outcome<std::string> open_journals();
  Outcome<std::string> forget_deleted_partitions();
  /// What queues of an earlier process put on the log belongs to nobody.
  void empty_spill();
  void spawn_actors();
  template <class Handle>
  void guard_against_failure(std::string name, const Handle& actor);

  const Settings& settings_;
  std::vector<Loop*> loops_;
  std::unique_ptr<CatalogStore> catalog_;  ///< until the catalog service has it
  RouteTable routes_;
  MemoryBudget budget_;
  ConnectionGate gate_;
  std::vector<std::unique_ptr<Journal>> journals_;     ///< by shard
  std::vector<std::unique_ptr<Services>> services_;    ///< by loop
  std::vector<std::vector<ListenerActor>> listeners_;  ///< by loop
  std::vector<Definition> definitions_;                ///< until the actor that keeps them has them
  bool first_start_ = false;
  PartitionId next_partition_{0};  ///< the first id that the catalog has never given out
  std::unique_ptr<Terminator> terminator_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::size_t> taken_ = 0;  ///< connections that came by take_websocket
  std::function<void(const std::string&)> broken_;
};

}  // namespace braid
