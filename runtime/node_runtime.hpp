// Braid, Apache-2.0.
//
// The threads of a node: an actor system and its event loops. The node makes one, spawns actors on the loops, and stops
// it when the terminator's steps are done: then all actors that are left are ended and the threads are joined.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/loop.hpp"

namespace braid {

struct NodeRuntimeOptions {
  std::uint16_t loops = 0;  ///< 0: one per core
  std::uint64_t seed = 0;   ///< of the loops' random numbers; 0: from the system
};

class NodeRuntime {
 public:
  /// Ignores SIGPIPE, sizes libuv's pool for the loops, and raises the limit of open files as far as allowed.
  explicit NodeRuntime(NodeRuntimeOptions options = {});
  /// Stops.
  ~NodeRuntime();
  NodeRuntime(const NodeRuntime&) = delete;
  NodeRuntime& operator=(const NodeRuntime&) = delete;

  /// Starts the loops' threads. Actors may be spawned before.
  void start();
  std::size_t loops() const;
  Loop& loop(std::size_t index);
  caf::actor_system& system();

  /// Runs `work` on a loop and waits until it has run. Not from a loop's thread.
  void run_on(std::size_t index, const std::function<void()>& work);

  /// Ends all actors, the loops and their threads. From the thread that made the runtime; again is nothing.
  void stop();

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

}  // namespace braid
