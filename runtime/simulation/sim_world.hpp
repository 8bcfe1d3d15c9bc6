// Braid, Apache-2.0.
//
// A cluster in one thread, in virtual time, by one seed. Nodes with loops, disks and a network between them run the
// very actors of production; what happens next is chosen by a seeded generator among everything that could: which loop
// goes on, which timer, packet or completion comes first. The choices and events are folded into a hash: the same seed
// gives the same hash, so a failing seed replays.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/loop.hpp"
#include "runtime/stream.hpp"

namespace braid {

class SimDisk;

struct SimOptions {
  std::uint64_t seed = 1;
  /// Network: a chunk's way takes this long, with as much again by chance; each connection keeps its order.
  std::int64_t delay_min_us = 50;
  std::int64_t delay_max_us = 2000;
  /// Chance per chunk, in millionths, that its connection breaks instead.
  std::uint32_t break_per_million = 0;
  /// Bytes in one direction that are under way before the sender's unsent_bytes grows.
  std::size_t window_bytes = 256 << 10;
  /// Longest piece that arrives at once; pieces are cut at random.
  std::size_t chunk_max_bytes = 16 << 10;
  /// Completions of disk and offload.
  std::int64_t io_min_us = 20;
  std::int64_t io_max_us = 3000;
  std::int64_t start_wall_clock_ms = 1'700'000'000'000;
};

/// A machine of the world. Its address is its name; listeners bound to any address are reached under it.
class SimNode {
 public:
  SimNode(const SimNode&) = delete;
  SimNode& operator=(const SimNode&) = delete;
  virtual ~SimNode() = default;

  virtual const std::string& name() const = 0;
  virtual std::size_t loops() const = 0;
  /// Another object after a restart. Those of before stay valid until the world ends, and do nothing.
  virtual Loop& loop(std::size_t index = 0) = 0;
  virtual SimDisk& disk() = 0;
  virtual bool running() const = 0;

  /// Power failure: actors are killed, their connections break, the disk loses what it may lose. Not from a turn.
  virtual void crash() = 0;
  /// kill -9: as crash, but what was handed to the operating system survives.
  virtual void kill() = 0;
  /// New loops on the surviving disk.
  virtual void restart() = 0;
  /// While paused nothing of the node runs; the rest of the world goes on.
  virtual void pause(bool paused) = 0;
  /// Moves the wall clock, not the monotonic one.
  virtual void jump_clock(std::int64_t ms) = 0;

 protected:
  SimNode() = default;
};

class SimWorld {
 public:
  explicit SimWorld(SimOptions options);
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  SimNode& add_node(std::string name, std::size_t loops = 1);
  caf::actor_system& system();

  /// Runs `work` at once as a turn of `loop`: for what must be done on the loop's thread.
  void on(Loop& loop, const std::function<void()>& work);

  /// Cuts all connections between two nodes, and lets none be made until healed.
  void cut(const SimNode& a, const SimNode& b);
  /// Connections stay, but nothing gets through until healed; then all of it.
  void hold(const SimNode& a, const SimNode& b);
  void heal(const SimNode& a, const SimNode& b);

  std::int64_t now_us() const;
  /// One choice; false when nothing will ever happen any more.
  bool step();
  /// Goes on until `condition` holds (true), or until `at_most_ms` of virtual time have passed or nothing is left to
  /// happen (false).
  bool run_until(const std::function<bool()>& condition, std::int64_t at_most_ms);
  /// Lets so much time pass.
  void run_for(std::int64_t ms);

  /// Of everything that was chosen and happened so far.
  std::uint64_t trace_hash() const;
  std::uint64_t steps() const;
  /// For tests that want chance of their own which replays with the seed.
  std::uint64_t random();
  /// Adds something that a test saw to the hash.
  void note(std::string_view text);

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

}  // namespace braid
