// Braid, Apache-2.0.
//
// CAF's spellings that change between 0.17, 0.18 and 1.0, in one place, so that a port is a day's work: how a typed
// interface, a message type, a request and a late answer are written. Actors include this file (or pinned.hpp) and no
// CAF header of their own.
#pragma once

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>
#include <caf/exit_reason.hpp>
#include <caf/replies_to.hpp>
#include <caf/response_promise.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/typed_actor.hpp>
#include <string>
#include <utility>

/// Allows a struct as an in-process message; in the global namespace, after the struct.
#define BRAID_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)

namespace braid {

/// A line of a typed interface: `caf::typed_actor<Answers<Append, Appended>, Takes<Wake>>`.
template <class Request, class Reply>
using Answers = typename caf::replies_to<Request>::template with<Reply>;
template <class Message>
using Takes = caf::reacts_to<Message>;

template <class... Lines>
using Interface = caf::typed_actor<Lines...>;

/// Sends `request` and runs `done(const Reply&)` in `self`'s context when the answer comes, or `failed(caf::error)`
/// when the receiver ended, failed or dropped the request. Never times out: CAF would keep an entry and a strong
/// reference until the deadline (CAF.md); whoever needs a deadline sets a timer of its loop.
template <class Self, class Handle, class Request, class Done, class Failed>
void ask(Self* self, const Handle& receiver, Request request, Done done, Failed failed) {
  self->request(receiver, caf::infinite, std::move(request))
      .then(std::move(done), [failed = std::move(failed)](caf::error& reason) mutable { failed(std::move(reason)); });
}

/// Sends a message that has no answer.
template <class Self, class Handle, class Message>
void tell(Self* self, const Handle& receiver, Message message) {
  self->send(receiver, std::move(message));
}
/// The same from code that is no actor (another thread, a callback of the loop).
template <class Handle, class Message>
void tell_from_outside(const Handle& receiver, Message message) {
  caf::anon_send(receiver, std::move(message));
}

/// The answer to the request that is being handled, to be given later. A promise that is dropped answers with an error,
/// where CAF's would leave the asker waiting for ever. Made in a handler: `Promise<Reply> promise(this); ...
/// return promise.pending();` or, in handlers that return nothing, just kept. Deliver on the owner's loop only.
template <class Reply>
class Promise {
 public:
  Promise() = default;
  template <class Self>
  requires requires(Self* self) { self->make_response_promise(); }
  explicit Promise(Self* self) : promise_(self->make_response_promise()) {}
  Promise(Promise&& other) noexcept : promise_(std::exchange(other.promise_, caf::response_promise{})) {}
  Promise& operator=(Promise&& other) noexcept {
    if (this != &other) {
      drop();
      promise_ = std::exchange(other.promise_, caf::response_promise{});
    }
    return *this;
  }
  ~Promise() { drop(); }

  /// What the handler returns: tells CAF that the answer comes later.
  caf::result<Reply> later() const { return caf::result<Reply>(promise_); }
  /// False once answered, and when the message was no request.
  bool pending() const { return promise_.pending(); }

  void deliver(Reply reply) {
    if (promise_.pending()) promise_.deliver(std::move(reply));
    promise_ = caf::response_promise{};
  }
  void fail(caf::error reason) {
    if (promise_.pending()) promise_.deliver(std::move(reason));
    promise_ = caf::response_promise{};
  }

 private:
  void drop() {
    if (promise_.pending()) promise_.deliver(caf::make_error(caf::sec::request_receiver_down));
  }
  caf::response_promise promise_;
};

/// An error as text for the log ("exit by user_shutdown").
std::string describe(const caf::error& reason);

}  // namespace braid
