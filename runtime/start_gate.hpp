// Braid, Apache-2.0.
//
// Requests that reach an actor before it has read what it answers from: they wait here, in their order, until the actor
// opens the gate. A request that waits when the actor ends is answered with an error (Promise).
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/spelling.hpp"

namespace braid {

class StartGate {
 public:
  bool is_open() const { return open_; }
  void open() {
    open_ = true;
    for (const auto& work : std::exchange(waiting_, {})) work();
  }
  /// Drops what waits: for an actor's end.
  void clear() { waiting_.clear(); }

  /// In a handler: `return gate_.when_open(this, request, &Keeper::declare);`
  template <class Request, class Reply, class Self>
  caf::result<Reply> when_open(Self* self, const Request& request, void (Self::*work)(const Request&, Promise<Reply>)) {
    Promise<Reply> promise(self);
    auto later = promise.later();
    if (open_) {
      (self->*work)(request, std::move(promise));
    } else {
      waiting_.push_back([self, request, work, held = std::make_shared<Promise<Reply>>(std::move(promise))] {
        (self->*work)(request, std::move(*held));
      });
    }
    return later;
  }
  /// The same for a message that has no answer.
  template <class Message, class Self>
  void when_open(Self* self, const Message& message, void (Self::*work)(const Message&)) {
    if (open_)
      (self->*work)(message);
    else
      waiting_.push_back([self, message, work] { (self->*work)(message); });
  }

 private:
  bool open_ = false;
  std::vector<std::function<void()>> waiting_;
};

}  // namespace braid
