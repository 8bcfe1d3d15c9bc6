// Braid, Apache-2.0.
#pragma once

#include "unit/runtime/stream_side.hpp"
#include "unit/runtime/support.hpp"

namespace braid::test {

/// A loop that listens, and the first connection it accepts.
struct Server {
  NodeRuntime runtime{options(1)};
  std::unique_ptr<Listener> listener;
  Side side;
  std::uint16_t port = 0;

  explicit Server(bool start_stream = true) {
    runtime.start();
    runtime.run_on(0, [&] {
      auto result = runtime.loop(0).network().listen("127.0.0.1", 0, [this, start_stream](std::unique_ptr<Stream> s) {
        side.stream = std::move(s);
        if (start_stream) side.stream->start(side);
      });
      if (!result) return;
      listener = std::move(*result);
      port = listener->address().port;
    });
  }
  ~Server() {
    on([&] {
      side.stream.reset();
      listener.reset();
    });
  }
  void on(const std::function<void()>& work) { runtime.run_on(0, work); }
  bool eventually(const std::function<bool()>& condition) { return test::eventually(runtime, 0, condition); }
  bool accepted() {
    return eventually([&] { return side.stream != nullptr; });
  }
};

}  // namespace braid::test
