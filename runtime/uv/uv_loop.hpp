// Braid, Apache-2.0.
//
// The real loop: a thread, libuv's poller, and a run queue of actors. A turn polls once (without waiting when actors
// are ready), takes what other threads sent, fires timers, resumes actors for a while, and does the work of the turn's
// end. An idle loop sleeps in the poller until the next timer is due or another thread rings: it never wakes to look.
#pragma once

#include <uv.h>

#include <atomic>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "runtime/loop.hpp"
#include "runtime/random.hpp"
#include "runtime/remote_queue.hpp"
#include "runtime/timer_wheel.hpp"
#include "runtime/uv/listen_table.hpp"

namespace braid {

class UvDisk;
class UvNetwork;

class UvLoop final : public Loop {
 public:
  UvLoop(caf::actor_system& system, LoopIndex index, std::uint64_t seed, std::shared_ptr<ListenTable> listening);
  ~UvLoop() override;

  void start();
  /// Two steps, so that loops end side by side: actors are ended, sockets closed, the thread joined.
  void request_stop();
  void join();

  LoopIndex index() const override { return index_; }
  std::int64_t now_us() const override;
  Timestamp wall_clock() const override;
  std::uint64_t random() override { return random_.next(); }
  TimerId after(std::int64_t delay_ms, std::function<void()> fire) override;
  void cancel(TimerId id) override;
  Disk& disk() override;
  Network& network() override;
  void post(std::function<void()> work) override;
  bool is_current() const override;
  void offload(std::function<void()> work, std::function<void()> done) override;
  void at_turn_end(std::function<void()> work) override;
  void exec_later(caf::resumable* job) override;

  // For the bodies of network and disk.
  uv_loop_t* uv() { return &uv_; }
  /// Is this the thread that what belongs to the loop may be touched on? Before the start and after the end it is the
  /// owner's.
  bool may_touch() const { return is_current() || !started_ || stopped(); }
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }
  /// Runs a function that is no actor's; what it throws ends in the log, not in libuv, which is C.
  void call(const std::function<void()>& work, const char* what);
  /// A block that reads of nobody's interest go to.
  static constexpr std::size_t kScratchBytes = 64 << 10;
  char* scratch();

 private:
  void run();
  void turn();
  void take_remote();
  void resume_jobs();
  void end_turn();
  void poll();
  void arm_timer();
  void shut_down();
  void push_remote(std::unique_ptr<RemoteQueue::Item> item);

  const LoopIndex index_;
  Random random_;
  uv_loop_t uv_{};
  uv_async_t wake_{};
  uv_timer_t next_timer_{};
  std::int64_t armed_ms_ = -1;  ///< what next_timer_ is set to
  TimerWheel wheel_;
  std::deque<caf::resumable*> jobs_;
  std::vector<std::function<void()>> turn_end_, ending_;
  RemoteQueue remote_;
  std::atomic<bool> sleeping_{false};
  std::atomic<int> ringing_{0};       ///< threads between deciding to ring and having rung
  bool started_ = false;              ///< the owner's, set before there is a thread
  bool asked_to_stop_ = false;        ///< the owner's
  bool stopping_ = false;             ///< the loop's
  std::atomic<bool> stopped_{false};  ///< callbacks of the outside are dropped from now on
  std::unique_ptr<char[]> scratch_;
  std::unique_ptr<UvNetwork> network_;
  std::unique_ptr<UvDisk> disk_;
  std::thread thread_;
};

}  // namespace braid
