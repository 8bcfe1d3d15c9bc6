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

namespace detail {
/// A promise in the list of the actor that made it. CAF's promise keeps its actor alive, so an actor that ends with one
/// in its own hands would never be destroyed: the end answers what is left in the list.
class OpenPromise {
 public:
  OpenPromise() = default;
  OpenPromise(caf::response_promise promise, OpenPromise** list) : promise_(std::move(promise)) { link(list); }
  OpenPromise(OpenPromise&& other) noexcept { take(other); }
  OpenPromise& operator=(OpenPromise&& other) noexcept;
  ~OpenPromise() { drop(); }

  caf::response_promise& promise() { return promise_; }
  const caf::response_promise& promise() const { return promise_; }
  /// Answers with an error if nobody has answered yet.
  void drop();
  void forget();

 private:
  void link(OpenPromise** list);
  void unlink();
  void take(OpenPromise& other);

  caf::response_promise promise_;
  OpenPromise** head_ = nullptr;  ///< null when not in a list
  OpenPromise* next_ = nullptr;
  OpenPromise* previous_ = nullptr;
};
}  // namespace detail

/// The answer to the request that is being handled, to be given later. A promise that is dropped, or whose actor ends,
/// answers with an error, where CAF's would leave the asker waiting for ever. Made in a handler of a pinned actor:
/// `Promise<Reply> promise(this); ... return promise.later();` or, in handlers that return nothing, just kept. Deliver
/// on the owner's loop only.
template <class Reply>
class Promise {
 public:
  Promise() = default;
  template <class Self>
  requires requires(Self* self) { self->open_promises(); }
  explicit Promise(Self* self) : open_(self->make_response_promise(), self->open_promises()) {}

  /// What the handler returns: tells CAF that the answer comes later.
  caf::result<Reply> later() const { return caf::result<Reply>(open_.promise()); }
  /// False once answered, and when the message was no request.
  bool pending() const { return open_.promise().pending(); }

  void deliver(Reply reply) {
    if (pending()) open_.promise().deliver(std::move(reply));
    open_.forget();
  }
  void fail(caf::error reason) {
    if (pending()) open_.promise().deliver(std::move(reason));
    open_.forget();
  }

 private:
  detail::OpenPromise open_;
};

/// An error as text for the log ("exit by user_shutdown").
std::string describe(const caf::error& reason);

}  // namespace braid
