// Braid, Apache-2.0.
//
// An actor that lives on one loop. CAF would resume it on whatever thread is free; a pinned actor hands itself to its
// loop instead, whoever sends to it, so that it may own sockets, timers and files of that loop without a lock.
//
// Callbacks of the loop (reads, timers, completions) are no messages. They go through `enter`, which makes them look
// like one: the actor's context is set, an exception ends the actor and nothing else, and an actor that quits inside
// one is cleaned up behind it. Everything that may outlive the actor is wrapped in `guard`.
//
// A pinned actor lives until it quits, is told to exit, or fails; unlike other CAF actors it does not vanish when the
// last handle does, because then it would be destroyed on the thread that dropped the handle. What it owns of the loop
// is released in `on_exit` (on the loop); its destructor may run on any thread, later.
#pragma once

#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/make_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "runtime/loop.hpp"
#include "runtime/spelling.hpp"
#include "runtime/thread_sanitizer.hpp"

namespace braid {

/// Handle of a timer that `Pinned::after` started: ends it when destroyed or assigned to. The end of its actor ends it
/// too, so an idle handle may be destroyed on any thread, with its actor.
class Timer {
 public:
  Timer() = default;
  Timer(Timer&& other) noexcept = default;
  Timer& operator=(Timer&& other) noexcept {
    cancel();
    state_ = std::move(other.state_);
    return *this;
  }
  ~Timer() { cancel(); }
  void cancel() {
    if (state_) state_->stop();
    state_.reset();
  }
  bool running() const { return state_ && state_->running(); }
  explicit operator bool() const { return running(); }

  /// A running timer is in the list of its actor.
  struct State {
    Loop* loop = nullptr;  ///< null when not running
    TimerId id;
    State** head = nullptr;
    State* next = nullptr;
    State* previous = nullptr;
    std::function<void()> callback;

    bool running() const { return loop != nullptr; }
    void link(State** list);
    void unlink();
    void stop();
  };
  explicit Timer(std::unique_ptr<State> state) : state_(std::move(state)) {}

 private:
  std::unique_ptr<State> state_;
};

namespace detail {
/// How failures of pinned actors reach the log; outside of the template so that every actor does not compile it anew.
caf::error report_exception(const char* actor, std::uint64_t id, std::exception_ptr thrown);
void report_unexpected_message(const char* actor, std::uint64_t id, const std::string& content);
void report_unexpected_error(const char* actor, std::uint64_t id, const caf::error& reason);
caf::result<caf::message> refuse_message(caf::scheduled_actor* self, caf::message_view& content);
void set_handlers(caf::scheduled_actor& self);
}  // namespace detail

/// `Base` is caf::event_based_actor, caf::typed_event_based_actor<...> or a typed handle's `base`.
template <class Base>
class Pinned : public Base, public PinnedHook {
 public:
  Pinned(caf::actor_config& config, Loop& loop) : Base(config), loop_(loop) { detail::set_handlers(*this); }

  Loop& loop() const { return loop_; }

  /// Runs a callback of the loop as if it were a message handler of this actor. Does nothing when the actor has ended.
  /// From the loop's thread only; may be called from inside a handler of this actor, where it just calls `callback`.
  template <class F>
  void enter(F&& callback) {
    if (running_) {
      std::forward<F>(callback)();
      return;
    }
    const caf::strong_actor_ptr alive_meanwhile(this->ctrl());
    if (this->getf(caf::abstract_actor::is_cleaned_up_flag) || !this->activate(&loop_)) return;
    this->current_mailbox_element(nullptr);
    running_ = true;
    try {
      std::forward<F>(callback)();
    } catch (...) {
      this->quit(detail::report_exception(this->name(), this->id(), std::current_exception()));
    }
    this->finalize();
    running_ = false;
    detail::sanitizer_release(this);
  }

  /// Wraps a callback that something outside will keep (journal, disk, offload): runs it in `enter`, drops it when the
  /// actor has ended meanwhile. Does not keep the actor alive. The result must be called on this actor's loop.
  template <class F>
  auto guard(F callback) {
    return [self = caf::weak_actor_ptr(this->ctrl()), callback = std::move(callback)](auto&&... arguments) mutable {
      const caf::strong_actor_ptr strong = self.lock();
      if (!strong) return;
      static_cast<Pinned*>(strong->get())->enter([&] { callback(std::forward<decltype(arguments)>(arguments)...); });
    };
  }

  /// Runs `callback` in `enter` when `delay_ms` has passed, unless the Timer or the actor has ended before.
  [[nodiscard]] Timer after(std::int64_t delay_ms, std::function<void()> callback) {
    auto state = std::make_unique<Timer::State>();
    state->callback = std::move(callback);
    state->loop = &loop_;
    state->link(&timers_);
    state->id = loop_.after(delay_ms, [this, fired = state.get()] {
      fired->unlink();
      // The callback may well start its timer anew, which destroys the state that it came from.
      const std::function<void()> call = std::move(fired->callback);
      enter(call);
    });
    return Timer(std::move(state));
  }

  /// For Promise.
  detail::OpenPromise** open_promises() { return &promises_; }

  // What follows overrides CAF; actors have no business with it, except `on_exit`, which they may override and which
  // runs on the loop.

  void enqueue(caf::strong_actor_ptr from, caf::message_id id, caf::message content, caf::execution_unit*) override {
    detail::sanitizer_release(this);
    Base::enqueue(caf::make_mailbox_element(std::move(from), id, {}, std::move(content)), &loop_);
  }
  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) override {
    detail::sanitizer_release(this);
    Base::enqueue(std::move(element), &loop_);
  }
  void launch(caf::execution_unit*, bool, bool hide) override {
    self_ = caf::strong_actor_ptr(this->ctrl());
    Base::launch(&loop_, false, hide);
  }
  caf::resumable::resume_result resume(caf::execution_unit* unit, std::size_t throughput) override {
    running_ = true;
    const auto result = Base::resume(unit, throughput);
    running_ = false;
    detail::sanitizer_release(this);
    return result;
  }
#ifdef BRAID_THREAD_SANITIZER
  caf::invoke_message_result consume(caf::mailbox_element& element) override {
    detail::sanitizer_acquire(this);
    return Base::consume(element);
  }
  void intrusive_ptr_release_impl() override {
    detail::sanitizer_release(this);
    Base::intrusive_ptr_release_impl();
  }
  void on_destroy() override {
    detail::sanitizer_acquire(this);
    Base::on_destroy();
  }
#endif
  void initialize() override {
    this->enlist_at(loop_);
    Base::initialize();
  }
  bool cleanup(caf::error&& reason, caf::execution_unit* unit) override {
    this->delist_from(loop_);
    while (timers_) timers_->stop();
    while (promises_) promises_->drop();
    const caf::strong_actor_ptr last = std::move(self_);
    return Base::cleanup(std::move(reason), unit);
  }
  void kill_pinned() final {
    const caf::strong_actor_ptr alive_meanwhile(this->ctrl());
    this->context(&loop_);
    this->quit(caf::make_error(caf::exit_reason::kill));
    this->finalize();
    detail::sanitizer_release(this);
  }

 private:
  Loop& loop_;
  caf::strong_actor_ptr self_;  ///< from launch to cleanup
  Timer::State* timers_ = nullptr;
  detail::OpenPromise* promises_ = nullptr;
  bool running_ = false;  ///< inside a handler or `enter`; the loop's thread only
};

/// Makes an actor on `loop`; its constructor gets (actor_config&, Loop&, arguments...) and runs on the calling thread,
/// `make_behavior` runs on the loop. From any thread. The handle is typed if the class is.
template <class Actor, class... Arguments>
auto spawn_on(Loop& loop, Arguments&&... arguments) {
  auto& system = loop.system();
  caf::actor_config config(&loop);
  using Handle = caf::infer_handle_from_class_t<Actor>;
  auto handle = caf::make_actor<Actor, Handle>(system.next_actor_id(), system.node(), &system, config, loop,
                                               std::forward<Arguments>(arguments)...);
  static_cast<Actor*>(caf::actor_cast<caf::abstract_actor*>(handle))->launch(&loop, false, false);
  return handle;
}

}  // namespace braid
