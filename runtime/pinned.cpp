// Braid, Apache-2.0.
//
// What all pinned actors share: their timers, and where CAF's defaults (printing through `aout`, ending the process'
// peace of mind) are replaced by a line in the log and an orderly end of the one actor.
#include "runtime/pinned.hpp"

#include <caf/actor_system.hpp>
#include <caf/message_view.hpp>
#include <caf/system_messages.hpp>

#include "runtime/log.hpp"

namespace braid {

void Timer::State::link(State** list) {
  head = list;
  next = *list;
  previous = nullptr;
  if (next) next->previous = this;
  *list = this;
}

void Timer::State::unlink() {
  if (!head) return;
  (previous ? previous->next : *head) = next;
  if (next) next->previous = previous;
  head = nullptr;
  next = previous = nullptr;
  loop = nullptr;
}

void Timer::State::stop() {
  if (!loop) return;
  Loop* const at = loop;
  unlink();
  at->cancel(id);
  callback = nullptr;
}

namespace detail {

OpenPromise& OpenPromise::operator=(OpenPromise&& other) noexcept {
  if (this == &other) return *this;
  drop();
  take(other);
  return *this;
}

void OpenPromise::drop() {
  if (promise_.pending()) promise_.deliver(caf::make_error(caf::sec::request_receiver_down));
  forget();
}

void OpenPromise::forget() {
  unlink();
  promise_ = caf::response_promise{};
}

void OpenPromise::link(OpenPromise** list) {
  head_ = list;
  next_ = *list;
  if (next_) next_->previous_ = this;
  *list = this;
}

void OpenPromise::unlink() {
  if (!head_) return;
  (previous_ ? previous_->next_ : *head_) = next_;
  if (next_) next_->previous_ = previous_;
  head_ = nullptr;
  next_ = previous_ = nullptr;
}

void OpenPromise::take(OpenPromise& other) {
  promise_ = std::exchange(other.promise_, caf::response_promise{});
  OpenPromise** const list = other.head_;
  other.unlink();
  if (list) link(list);
}

}  // namespace detail

std::string describe(const caf::error& reason) {
  if (!reason) return "normal";
  if (reason.category() == caf::atom("exit")) return "exit: " + to_string(static_cast<caf::exit_reason>(reason.code()));
  if (reason.category() == caf::atom("system")) {
    std::string text = to_string(static_cast<caf::sec>(reason.code()));
    if (!reason.context().empty()) text += ' ' + to_string(reason.context());
    return text;
  }
  return to_string(reason);
}

namespace detail {

caf::error report_exception(const char* actor, std::uint64_t id, std::exception_ptr thrown) {
  std::string what = "an exception of an unknown type";
  try {
    std::rethrow_exception(std::move(thrown));
  } catch (const std::exception& error) {
    what = error.what();
  } catch (...) {
  }
  BRAID_LOG_LIMITED(error, "runtime", {{"actor", actor}, {"id", id}}, "actor ended by an exception: {}", what);
  return caf::make_error(caf::exit_reason::unhandled_exception);
}

void report_unexpected_message(const char* actor, std::uint64_t id, const std::string& content) {
  BRAID_LOG_LIMITED(error, "runtime", {{"actor", actor}, {"id", id}}, "message dropped that nobody handles: {}",
                    content);
}

void report_unexpected_error(const char* actor, std::uint64_t id, const caf::error& reason) {
  BRAID_LOG_LIMITED(warning, "runtime", {{"actor", actor}, {"id", id}}, "unexpected error message: {}",
                    describe(reason));
}

caf::result<caf::message> refuse_message(caf::scheduled_actor* self, caf::message_view& content) {
  report_unexpected_message(self->name(), self->id(), to_string(content.content()));
  return caf::sec::unexpected_message;
}

void set_handlers(caf::scheduled_actor& self) {
  self.set_default_handler(refuse_message);
  // A monitored actor ended: supervisors install a handler of their own.
  self.set_down_handler([](caf::scheduled_actor* actor, caf::down_msg& down) {
    log::debug("runtime", {{"actor", actor->name()}, {"id", actor->id()}}, "an actor that it watches ended: {}",
               describe(down.reason));
  });
  self.set_exit_handler([](caf::scheduled_actor* actor, caf::exit_msg& exit) {
    if (exit.reason) actor->quit(std::move(exit.reason));
  });
  // CAF's default ends the actor; an error that nobody asked for (an answer to a request that was given up) must not.
  self.set_error_handler([](caf::scheduled_actor* actor, caf::error& reason) {
    report_unexpected_error(actor->name(), actor->id(), reason);
  });
  self.set_exception_handler([](caf::scheduled_actor* actor, std::exception_ptr& thrown) -> caf::error {
    return report_exception(actor->name(), actor->id(), thrown);
  });
}

}  // namespace detail
}  // namespace braid
