// Braid, Apache-2.0.
//
// An event loop as the actors on it see it: the only door to clock, timers, randomness, files, sockets and other
// threads. It has two bodies: the real one on libuv (runtime/uv/) and one in virtual time (runtime/simulation/), so the
// same actors run in production and in a deterministic test.
//
// A loop is also a CAF execution unit: the actors pinned to it (pinned.hpp) are resumed on its thread and no other. A
// turn of the loop: what happened outside (reads, completions, expired timers, work posted by other threads), then the
// actors that got messages from it, then what was asked for the turn's end. The last is where streams are flushed and
// journal writes are grouped: one system call for all that a turn brought.
#pragma once

#include <caf/execution_unit.hpp>
#include <cstdint>
#include <functional>

#include "model/ids.hpp"

namespace braid {

class Disk;
class Network;
class PinnedHook;

/// Names a running timer; never reused while a timer of that number runs. Zero names none.
using TimerId = StrongId<struct TimerIdTag, std::uint64_t>;

class Loop : public caf::execution_unit {
 public:
  using caf::execution_unit::execution_unit;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() override;

  virtual LoopIndex index() const = 0;

  /// Monotonic; its zero means nothing.
  virtual std::int64_t now_us() const = 0;
  std::int64_t now_ms() const { return now_us() / 1000; }
  virtual Timestamp wall_clock() const = 0;
  /// Uniform over all 64 bits. Not for secrets.
  virtual std::uint64_t random() = 0;

  /// Runs `fire` once, on the loop, not before `delay_ms` has passed. From the loop's thread only. Actors use
  /// Pinned::after, which runs in the actor's context and ends with it.
  virtual TimerId after(std::int64_t delay_ms, std::function<void()> fire) = 0;
  /// A timer that has fired or never was is ignored.
  virtual void cancel(TimerId) = 0;

  virtual Disk& disk() = 0;
  virtual Network& network() = 0;

  /// Runs `work` on the loop's thread in one of its next turns. From any thread. Dropped when the loop has stopped.
  virtual void post(std::function<void()> work) = 0;
  /// Is the caller on this loop's thread (or is this loop stopped and its caller the one that stops it)?
  virtual bool is_current() const = 0;
  /// Runs `work`, which may block, elsewhere and then `done` on the loop. From the loop's thread only. `work` must not
  /// throw and must not touch what belongs to the loop.
  virtual void offload(std::function<void()> work, std::function<void()> done) = 0;
  /// Runs `work` once, at the end of the turn that is under way. From the loop's thread only.
  virtual void at_turn_end(std::function<void()> work) = 0;

  /// CAF's entry: the job holds a reference and is resumed on the loop. From any thread.
  void exec_later(caf::resumable* job) override = 0;

 protected:
  friend class PinnedHook;
  /// The living pinned actors of this loop, so that stopping it can end them. On the loop's thread only.
  void enlist(PinnedHook& hook);
  void delist(PinnedHook& hook);
  /// Ends every actor on the loop as if it had been sent exit_reason::kill, without waiting for its mailbox.
  void kill_actors();
  bool has_actors() const { return first_ != nullptr; }

 private:
  PinnedHook* first_ = nullptr;
};

/// How a loop finds the actors on it; the base of Pinned.
class PinnedHook {
 public:
  PinnedHook() = default;
  PinnedHook(const PinnedHook&) = delete;
  PinnedHook& operator=(const PinnedHook&) = delete;

  virtual ~PinnedHook() = default;

  virtual void kill_pinned() = 0;

 protected:
  void enlist_at(Loop& loop) { loop.enlist(*this); }
  void delist_from(Loop& loop) {
    if (enlisted_) loop.delist(*this);
  }

 private:
  friend class Loop;
  PinnedHook* next_ = nullptr;
  PinnedHook* previous_ = nullptr;
  bool enlisted_ = false;
};

/// Drops a job that will never be resumed because its loop has ended. A pinned actor ends with that: one that was
/// launched and never ran would keep itself alive for ever.
void discard_job(caf::resumable* job);

}  // namespace braid
