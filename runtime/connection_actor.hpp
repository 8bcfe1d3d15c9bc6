// Braid, Apache-2.0.
//
// The base of every session: a pinned actor that owns one stream. Callbacks of the stream become calls in the actor's
// context; the actor's end is the connection's end (an error aborts it, an orderly end lets it send what is written),
// and the connection's end reaches the actor once, in `closed`, which ends the actor unless it is overridden.
#pragma once

#include <memory>
#include <utility>

#include "model/receive_buffer.hpp"
#include "runtime/pinned.hpp"
#include "runtime/stream.hpp"

namespace braid {

template <class Base>
class ConnectionActor : public Pinned<Base>, private StreamHandler {
 public:
  ConnectionActor(caf::actor_config& config, Loop& loop, std::unique_ptr<Stream> stream)
      : Pinned<Base>(config, loop), stream_(std::move(stream)) {}

  void initialize() override {
    Pinned<Base>::initialize();
    if (stream_) stream_->start(*this);
  }
  void on_exit() override {
    if (stream_ && !this->fail_state()) stream_->close_and_forget();
    stream_.reset();
    Pinned<Base>::on_exit();
  }

 protected:
  virtual void received(ReceiveBuffer& buffer) = 0;
  virtual void drained() {}
  virtual void closed(CloseReason) { this->quit(); }

  /// Null when the actor has ended.
  Stream& stream() { return *stream_; }
  bool has_stream() const { return stream_ != nullptr; }

 private:
  void on_read(ReceiveBuffer& buffer) final {
    this->enter([&] { received(buffer); });
  }
  void on_drained() final {
    this->enter([&] { drained(); });
  }
  void on_closed(CloseReason reason) final {
    this->enter([&] { closed(std::move(reason)); });
  }
  std::unique_ptr<Stream> stream_;
};

}  // namespace braid
