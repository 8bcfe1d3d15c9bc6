// Braid, Apache-2.0.
//
// The supervisor.
#include "runtime/supervisor.hpp"

#include <caf/system_messages.hpp>
#include <list>

#include "runtime/log.hpp"

namespace braid {
namespace {

class Supervisor final : public Pinned<SupervisorActor::base> {
 public:
  Supervisor(caf::actor_config& config, Loop& loop) : Pinned(config, loop) {
    set_down_handler([this](caf::down_msg& down) { ended(down); });
  }
  const char* name() const override { return "supervisor"; }

  behavior_type make_behavior() override {
    return {
        [this](const Supervise& request) {
          if (stopping_) return;
          auto& child = children_.emplace_back();
          child.spec = request.child;
          child.backoff = Backoff(child.spec->backoff);
          start(child);
        },
        [this](const StopChildren&) {
          stopping_ = true;
          for (auto& child : children_) {
            child.pause.cancel();
            if (child.actor) send_exit(child.actor, caf::exit_reason::user_shutdown);
          }
          children_.remove_if([](const Child& child) { return !child.actor; });
          if (children_.empty()) quit();
        },
    };
  }
  void on_exit() override { children_.clear(); }

 private:
  struct Child {
    std::shared_ptr<const ChildSpec> spec;
    Backoff backoff;
    caf::strong_actor_ptr actor;  ///< null while it waits to be started again
    Timer pause;
  };

  void start(Child& child) {
    try {
      child.actor = child.spec->start();
    } catch (...) {
      detail::report_exception(child.spec->name.c_str(), 0, std::current_exception());
    }
    if (!child.actor) return start_later(child);
    monitor(child.actor);
    if (child.spec->started) child.spec->started(child.actor);
  }

  void start_later(Child& child) {
    const std::int64_t pause_ms = child.backoff.failed(loop().now_ms(), loop().random());
    log::warning("runtime", {{"child", child.spec->name}, {"failures", child.backoff.failures()}},
                 "starting it again in {} ms", pause_ms);
    child.pause = after(pause_ms, [this, &child] { start(child); });
  }

  void ended(const caf::down_msg& down) {
    for (auto child = children_.begin(); child != children_.end(); ++child) {
      if (!child->actor || down.source != child->actor->address()) continue;
      child->actor = nullptr;
      if (child->spec->ended) child->spec->ended(down.reason);
      const bool in_order = !down.reason || down.reason == caf::exit_reason::user_shutdown;
      if (stopping_ || in_order) {
        children_.erase(child);
        if (stopping_ && children_.empty()) quit();
      } else {
        log::warning("runtime", {{"child", child->spec->name}}, "it ended: {}", describe(down.reason));
        start_later(*child);
      }
      return;
    }
  }

  std::list<Child> children_;
  bool stopping_ = false;
};

}  // namespace

SupervisorActor spawn_supervisor(Loop& loop) {
  return spawn_on<Supervisor>(loop);
}

}  // namespace braid
