// Braid, Apache-2.0.
//
// The list of pinned actors that each loop keeps, so that its end is theirs, and what becomes of jobs at that end.
#include "runtime/loop.hpp"

#include <caf/resumable.hpp>

namespace braid {

Loop::~Loop() = default;

void Loop::enlist(PinnedHook& hook) {
  if (hook.enlisted_) return;
  hook.enlisted_ = true;
  hook.previous_ = nullptr;
  hook.next_ = first_;
  if (first_) first_->previous_ = &hook;
  first_ = &hook;
}

void Loop::delist(PinnedHook& hook) {
  if (!hook.enlisted_) return;
  hook.enlisted_ = false;
  (hook.previous_ ? hook.previous_->next_ : first_) = hook.next_;
  if (hook.next_) hook.next_->previous_ = hook.previous_;
  hook.next_ = hook.previous_ = nullptr;
}

void Loop::kill_actors() {
  while (first_) {
    PinnedHook* const hook = first_;
    hook->kill_pinned();
    // Ended, it is off the list and may be destroyed. One whose on_exit gave it a new behaviour has not ended; it is
    // left out rather than asked for ever.
    if (first_ == hook) delist(*hook);
  }
}

void discard_job(caf::resumable* job) {
  if (auto* const hook = dynamic_cast<PinnedHook*>(job)) hook->kill_pinned();
  caf::intrusive_ptr_release(job);
}

}  // namespace braid
