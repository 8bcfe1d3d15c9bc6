// Braid, Apache-2.0.
//
// A loop in virtual time. It owns no thread: the core gives it turns. Which of its actors goes first, and how many
// messages it handles at once, is chosen by the seed; functions that were posted keep their order, as on a real loop.
#pragma once

#include <memory>
#include <vector>

#include "persistence/disk.hpp"
#include "runtime/loop.hpp"
#include "runtime/simulation/sim_core.hpp"
#include "runtime/simulation/sim_network.hpp"
#include "runtime/timer_wheel.hpp"

namespace braid {

class SimDisk;

class SimLoop final : public Loop {
 public:
  struct Host {  ///< what the loops of a node share
    std::size_t node = 0;
    std::string name;
    bool paused = false;
    std::int64_t clock_offset_ms = 0;
  };

  SimLoop(caf::actor_system& system, SimCore& core, SimSwitch& network, Host& host, LoopIndex index,
          std::uint64_t number, SimDisk& disk);
  ~SimLoop() override;

  LoopIndex index() const override { return index_; }
  std::int64_t now_us() const override { return core_.now_us; }
  Timestamp wall_clock() const override;
  std::uint64_t random() override { return random_.next(); }
  TimerId after(std::int64_t delay_ms, std::function<void()> fire) override;
  void cancel(TimerId id) override;
  Disk& disk() override { return *disk_; }
  Network& network() override { return network_; }
  void post(std::function<void()> work) override;
  bool is_current() const override { return core_.current == this; }
  void offload(std::function<void()> work, std::function<void()> done) override;
  void at_turn_end(std::function<void()> work) override;
  void exec_later(caf::resumable* job) override;

  std::uint64_t number() const { return number_; }
  const Host& host() const { return host_; }
  bool paused() const { return host_.paused; }
  bool alive() const { return alive_; }
  bool ready() const { return !jobs_.empty() || !posted_.empty() || !turn_end_.empty(); }
  /// INT64_MAX when there is none.
  std::int64_t next_timer_us() const;

  void turn();
  void fire_timers();
  /// Runs `work` as what came from outside, and the turn's end behind it.
  void run_turn(const std::function<void()>& work);
  /// The machine is off: actors end, nothing that was under way ever completes.
  void kill();

 private:
  class Turn;
  void call(const std::function<void()>& work);

  SimCore& core_;
  Host& host_;
  const LoopIndex index_;
  const std::uint64_t number_;
  Random random_;
  TimerWheel wheel_;
  std::vector<caf::resumable*> jobs_;
  std::vector<std::function<void()>> posted_, turn_end_;
  SimNetwork network_;
  std::unique_ptr<Disk> disk_;
  bool alive_ = true;
};

}  // namespace braid
