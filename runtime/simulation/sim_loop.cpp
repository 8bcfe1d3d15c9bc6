// Braid, Apache-2.0.
//
// Turns of a simulated loop, and its sudden end.
#include "runtime/simulation/sim_loop.hpp"

#include <algorithm>
#include <caf/resumable.hpp>
#include <exception>

#include "persistence/testing/sim_disk.hpp"
#include "runtime/log.hpp"

namespace braid {
namespace {
constexpr std::uint64_t kMostMessagesPerResume = 32;
}

/// Marks whose turn it is; a turn within a turn (a test that acts on a loop from a callback) gives it back.
class SimLoop::Turn {
 public:
  explicit Turn(SimLoop& loop) : core_(loop.core_), before_(std::exchange(loop.core_.current, &loop)) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { core_.current = before_; }

 private:
  SimCore& core_;
  SimLoop* before_;
};

SimLoop::SimLoop(caf::actor_system& system, SimCore& core, SimSwitch& network, Host& host, LoopIndex index,
                 std::uint64_t number, SimDisk& disk)
    : Loop(&system),
      core_(core),
      host_(host),
      index_(index),
      number_(number),
      random_(core.random.next()),
      wheel_(core.now_us / 1000),
      network_(*this, network) {
  disk_ = disk.attach(
      [this](std::function<void()> task) {
        if (alive_) core_.in(core_.io_delay_us(), *this, SimEvent::completion, 0, std::move(task));
      },
      [this](std::function<void()> task) { at_turn_end(std::move(task)); });
}

SimLoop::~SimLoop() {
  kill();
}

Timestamp SimLoop::wall_clock() const {
  return Timestamp{core_.options.start_wall_clock_ms + core_.now_us / 1000 + host_.clock_offset_ms};
}

TimerId SimLoop::after(std::int64_t delay_ms, std::function<void()> fire) {
  if (!alive_) return TimerId{};
  const std::int64_t delay = std::clamp<std::int64_t>(delay_ms, 0, std::int64_t{1} << 50);
  return wheel_.insert((core_.now_us + 999) / 1000 + delay, std::move(fire));
}

void SimLoop::cancel(TimerId id) {
  if (alive_) wheel_.cancel(id);
}

void SimLoop::post(std::function<void()> work) {
  if (alive_) posted_.push_back(std::move(work));
}

void SimLoop::offload(std::function<void()> work, std::function<void()> done) {
  if (!alive_) return;
  core_.in(core_.io_delay_us(), *this, SimEvent::offload, 0, [work = std::move(work), done = std::move(done)] {
    work();
    if (done) done();
  });
}

void SimLoop::at_turn_end(std::function<void()> work) {
  if (alive_) turn_end_.push_back(std::move(work));
}

void SimLoop::exec_later(caf::resumable* job) {
  if (alive_)
    jobs_.push_back(job);
  else
    discard_job(job);
}

std::int64_t SimLoop::next_timer_us() const {
  const auto due = wheel_.next_due_ms();
  return due ? *due * 1000 : INT64_MAX;
}

void SimLoop::call(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& error) {
    log::error("simulation", {{"node", host_.name}, {"loop", index_.value}}, "a callback of the loop threw: {}",
               error.what());
  }
}

void SimLoop::turn() {
  run_turn([this] {
    for (const auto& work : std::exchange(posted_, {})) call(work);
    for (std::uint64_t resumes = jobs_.empty() ? 0 : 1 + core_.random.below(jobs_.size());
         resumes > 0 && !jobs_.empty(); --resumes) {
      const auto chosen = jobs_.begin() + static_cast<std::ptrdiff_t>(core_.random.below(jobs_.size()));
      caf::resumable* const job = *chosen;
      jobs_.erase(chosen);
      switch (job->resume(this, 1 + core_.random.below(kMostMessagesPerResume))) {
        case caf::resumable::resume_later:
          exec_later(job);
          break;
        case caf::resumable::done:
        case caf::resumable::awaiting_message:
          caf::intrusive_ptr_release(job);
          break;
        case caf::resumable::shutdown_execution_unit:
          break;
      }
    }
  });
}

void SimLoop::fire_timers() {
  run_turn([this] { wheel_.advance(core_.now_us / 1000); });
}

void SimLoop::run_turn(const std::function<void()>& work) {
  const Turn turn(*this);
  call(work);
  while (!turn_end_.empty())
    for (const auto& each : std::exchange(turn_end_, {})) call(each);
}

void SimLoop::kill() {
  if (!std::exchange(alive_, false)) return;
  const Turn turn(*this);
  network_.kill();
  kill_actors();
  for (caf::resumable* const job : std::exchange(jobs_, {})) discard_job(job);
  core_.purge(*this);
  posted_.clear();
  turn_end_.clear();
  wheel_.clear();
}

}  // namespace braid
