// Braid, Apache-2.0.
//
// How the real loop turns, sleeps, is woken and ends.
#include "runtime/uv/uv_loop.hpp"

#include <caf/resumable.hpp>
#include <cassert>
#include <chrono>
#include <exception>

#include "runtime/log.hpp"
#include "runtime/uv/uv_disk.hpp"
#include "runtime/uv/uv_network.hpp"

namespace braid {
namespace {

/// Messages that one actor may handle before the next one's turn, and how long and how many actors run before the
/// loop looks at its sockets again.
constexpr std::size_t kMessagesPerResume = 128;
constexpr std::size_t kResumesPerTurn = 512;
constexpr std::int64_t kTurnUs = 2000;
/// Work of the turn's end may ask for more of it; what still asks after so many rounds goes on in the next turn.
constexpr int kEndRounds = 16;
/// What the turn's end sends to actors of the loop goes on before the sockets are looked at, which costs a system call:
/// a message on its way from one connection through a queue to another takes one turn. Not for ever: sockets wait.
constexpr int kTurnRounds = 3;

thread_local const UvLoop* current_loop = nullptr;

std::int64_t monotonic_us() {
  return static_cast<std::int64_t>(uv_hrtime() / 1000);
}

}  // namespace

UvLoop::UvLoop(caf::actor_system& system, LoopIndex index, std::uint64_t seed, std::shared_ptr<ListenTable> listening)
    : Loop(&system), index_(index), random_(seed), wheel_(monotonic_us() / 1000) {
  if (uv_loop_init(&uv_) != 0) throw std::runtime_error("no event loop: libuv cannot start one (open files?)");
  uv_async_init(&uv_, &wake_, [](uv_async_t*) {});
  uv_timer_init(&uv_, &next_timer_);
  network_ = std::make_unique<UvNetwork>(*this, std::move(listening));
  disk_ = std::make_unique<UvDisk>(*this);
}

UvLoop::~UvLoop() {
  request_stop();
  join();
}

void UvLoop::start() {
  started_ = true;
  thread_ = std::thread([this] { run(); });
}

void UvLoop::request_stop() {
  if (std::exchange(asked_to_stop_, true)) return;
  post([this] { stopping_ = true; });
}

void UvLoop::join() {
  if (thread_.joinable()) {
    thread_.join();
  } else if (!stopped()) {
    // Never started: ended by the caller.
    current_loop = this;
    shut_down();
    current_loop = nullptr;
  }
}

std::int64_t UvLoop::now_us() const {
  return monotonic_us();
}

Timestamp UvLoop::wall_clock() const {
  return Timestamp{
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count()};
}

TimerId UvLoop::after(std::int64_t delay_ms, std::function<void()> fire) {
  assert(may_touch());
  if (stopped()) return TimerId{};
  // Rounded up: a timer never fires early.
  const std::int64_t now = monotonic_us();
  const std::int64_t delay = delay_ms < 0 ? 0 : std::min(delay_ms, std::int64_t{1} << 50);
  return wheel_.insert((now + 999) / 1000 + delay, std::move(fire));
}

void UvLoop::cancel(TimerId id) {
  assert(may_touch());
  if (!stopped()) wheel_.cancel(id);
}

Disk& UvLoop::disk() {
  return *disk_;
}
Network& UvLoop::network() {
  return *network_;
}
bool UvLoop::is_current() const {
  return current_loop == this;
}

void UvLoop::post(std::function<void()> work) {
  auto item = std::make_unique<RemoteQueue::Item>();
  item->work = std::move(work);
  push_remote(std::move(item));
}

void UvLoop::exec_later(caf::resumable* job) {
  if (is_current() && !stopped()) {
    jobs_.push_back(job);
    return;
  }
  auto item = std::make_unique<RemoteQueue::Item>();
  item->job = job;
  push_remote(std::move(item));
}

void UvLoop::push_remote(std::unique_ptr<RemoteQueue::Item> item) {
  if (!remote_.push(std::move(item))) return;
  // One bell per sleep: whoever takes the flag rings. The loop raises it before it looks at the queue a last time.
  if (!sleeping_.load(std::memory_order_seq_cst)) return;
  ringing_.fetch_add(1);
  if (sleeping_.exchange(false)) uv_async_send(&wake_);
  ringing_.fetch_sub(1);
}

void UvLoop::offload(std::function<void()> work, std::function<void()> done) {
  struct Request {
    uv_work_t uv{};
    UvLoop* loop;
    std::function<void()> work, done;
  };
  assert(may_touch());
  if (stopped()) return;
  auto request = std::make_unique<Request>();
  request->loop = this;
  request->work = std::move(work);
  request->done = std::move(done);
  request->uv.data = request.get();
  const int error = uv_queue_work(
      &uv_, &request->uv, [](uv_work_t* uv) { static_cast<Request*>(uv->data)->work(); },
      [](uv_work_t* uv, int) {
        const std::unique_ptr<Request> finished(static_cast<Request*>(uv->data));
        if (finished->done && !finished->loop->stopped()) finished->loop->call(finished->done, "completion");
      });
  if (error == 0) request.release();
}

void UvLoop::at_turn_end(std::function<void()> work) {
  turn_end_.push_back(std::move(work));
}

char* UvLoop::scratch() {
  if (!scratch_) scratch_ = std::make_unique<char[]>(kScratchBytes);
  return scratch_.get();
}

void UvLoop::call(const std::function<void()>& work, const char* what) {
  try {
    work();
  } catch (const std::exception& error) {
    BRAID_LOG_LIMITED(error, "runtime", {{"loop", index_.value}}, "a {} of the loop threw: {}", what, error.what());
  } catch (...) {
    BRAID_LOG_LIMITED(error, "runtime", {{"loop", index_.value}}, "a {} of the loop threw something", what);
  }
}

void UvLoop::run() {
  current_loop = this;
  while (!stopping_) turn();
  shut_down();
  current_loop = nullptr;
}

void UvLoop::turn() {
  take_remote();
  if (const auto due = wheel_.next_due_ms(); due && *due <= monotonic_us() / 1000)
    call([this] { wheel_.advance(monotonic_us() / 1000); }, "timer");
  for (int round = 0; round < kTurnRounds && (round == 0 || !jobs_.empty()); ++round) {
    resume_jobs();
    end_turn();
  }
  poll();
}

void UvLoop::take_remote() {
  for (RemoteQueue::Item* item = remote_.take_all(); item;) {
    const std::unique_ptr<RemoteQueue::Item> taken(std::exchange(item, item->next));
    if (taken->job)
      jobs_.push_back(taken->job);
    else
      call(taken->work, "posted function");
  }
}

void UvLoop::resume_jobs() {
  if (jobs_.empty()) return;
  const std::int64_t until = monotonic_us() + kTurnUs;
  for (std::size_t resumed = 1; !jobs_.empty(); ++resumed) {
    caf::resumable* const job = jobs_.front();
    jobs_.pop_front();
    switch (job->resume(this, kMessagesPerResume)) {
      case caf::resumable::resume_later:
        jobs_.push_back(job);
        break;
      case caf::resumable::done:
      case caf::resumable::awaiting_message:
        caf::intrusive_ptr_release(job);
        break;
      case caf::resumable::shutdown_execution_unit:
        break;
    }
    if (resumed >= kResumesPerTurn || (resumed % 32 == 0 && monotonic_us() >= until)) return;
  }
}

void UvLoop::end_turn() {
  for (int round = 0; round < kEndRounds && !turn_end_.empty(); ++round) {
    ending_.swap(turn_end_);
    for (const auto& work : ending_) call(work, "turn's end");
    ending_.clear();
  }
}

void UvLoop::poll() {
  if (!jobs_.empty() || !turn_end_.empty() || stopping_) {
    uv_run(&uv_, UV_RUN_NOWAIT);
    return;
  }
  arm_timer();
  sleeping_.store(true, std::memory_order_seq_cst);
  if (!remote_.empty()) {
    sleeping_.store(false, std::memory_order_relaxed);
    uv_run(&uv_, UV_RUN_NOWAIT);
    return;
  }
  uv_run(&uv_, UV_RUN_ONCE);
  sleeping_.store(false, std::memory_order_relaxed);
}

void UvLoop::arm_timer() {
  const auto due = wheel_.next_due_ms();
  if (!due) {
    if (armed_ms_ >= 0) uv_timer_stop(&next_timer_);
    armed_ms_ = -1;
    return;
  }
  if (armed_ms_ == *due && uv_is_active(reinterpret_cast<uv_handle_t*>(&next_timer_))) return;
  armed_ms_ = *due;
  uv_update_time(&uv_);
  const std::int64_t wait = *due - static_cast<std::int64_t>(uv_now(&uv_));
  // libuv fires timers before it polls as well as behind: one that is due by then must keep it from sleeping.
  uv_timer_start(
      &next_timer_, [](uv_timer_t* timer) { uv_stop(timer->loop); }, wait > 0 ? static_cast<std::uint64_t>(wait) : 0,
      0);
}

void UvLoop::shut_down() {
  // Ending one actor sends messages to others and may even start some: until there is neither.
  for (int round = 0; round < 1000; ++round) {
    take_remote();
    resume_jobs();
    kill_actors();
    end_turn();
    if (jobs_.empty() && !has_actors() && remote_.empty()) break;
  }
  stopped_.store(true);
  remote_.close();
  for (; !jobs_.empty(); jobs_.pop_front()) discard_job(jobs_.front());
  wheel_.clear();
  turn_end_.clear();
  network_->shut_down();
  // Nobody starts to ring any more; who has started must be done before the bell goes.
  while (ringing_.load() != 0) std::this_thread::yield();
  uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&next_timer_), nullptr);
  // Whatever libuv's pool is still working on finishes first; nobody is told.
  uv_run(&uv_, UV_RUN_DEFAULT);
  uv_loop_close(&uv_);
}

}  // namespace braid
