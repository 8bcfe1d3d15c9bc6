// Braid, Apache-2.0.
//
// Runs the steps of a shutdown.
#include "runtime/terminator.hpp"

#include <utility>

#include "runtime/log.hpp"

namespace braid {

struct Terminator::State : std::enable_shared_from_this<State> {
  struct Step {
    std::string name;
    std::int64_t deadline_ms;
    std::function<void(Done)> begin;
  };

  explicit State(Loop& at) : loop(at) {}

  Loop& loop;
  std::deque<Step> steps;
  std::function<void(bool)> finished;
  TimerId deadline{};
  std::uint64_t current = 0;  ///< number of the step under way; answers of others are late
  bool running = false, in_time = true;

  void next() {
    ++current;
    if (steps.empty()) {
      running = false;
      if (auto call = std::exchange(finished, nullptr)) call(in_time);
      return;
    }
    Step step = std::move(steps.front());
    steps.pop_front();
    log::debug("runtime", "shutdown: {}", step.name);
    const std::uint64_t mine = current;
    const std::weak_ptr<State> weak = weak_from_this();
    deadline = loop.after(step.deadline_ms, [weak, mine, name = step.name, ms = step.deadline_ms] {
      const auto self = weak.lock();
      if (!self || self->current != mine) return;
      log::warning("runtime", "shutdown: {} was not done after {} ms, going on without", name, ms);
      self->in_time = false;
      self->next();
    });
    step.begin([weak, mine] {
      const auto self = weak.lock();
      if (!self || self->current != mine) return;
      self->loop.cancel(self->deadline);
      // Never inside the step's own call: a long list of steps must not become a deep stack.
      ++self->current;
      self->loop.post([weak] {
        if (const auto again = weak.lock()) again->next();
      });
    });
  }
};

Terminator::Terminator(Loop& loop) : state_(std::make_shared<State>(loop)) {}
Terminator::~Terminator() {
  if (state_->running) state_->loop.cancel(state_->deadline);
}

void Terminator::add(std::string name, std::int64_t deadline_ms, std::function<void(Done)> begin) {
  state_->steps.push_back({std::move(name), deadline_ms, std::move(begin)});
}

void Terminator::run(std::function<void(bool in_time)> finished) {
  if (std::exchange(state_->running, true)) return;
  state_->finished = std::move(finished);
  state_->next();
}

bool Terminator::running() const {
  return state_->running;
}

}  // namespace braid
