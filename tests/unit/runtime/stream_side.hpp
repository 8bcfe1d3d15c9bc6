// Braid, Apache-2.0.
//
// One side of a connection, driven by a test: it keeps what arrives and counts what it is told.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>

#include "model/receive_buffer.hpp"
#include "runtime/stream.hpp"

namespace braid::test {

struct Side final : StreamHandler {
  std::unique_ptr<Stream> stream;
  std::string received;
  int reads = 0, drained = 0, closed = 0;
  bool echo = false;
  CloseReason reason;
  std::string problem;  ///< why there is no stream
  std::function<void()> then_on_read;
  std::size_t take_at_most = SIZE_MAX;  ///< what else there is stays in the buffer

  void take(std::unique_ptr<Stream> from) {
    stream = std::move(from);
    stream->start(*this);
  }
  void on_read(ReceiveBuffer& buffer) override {
    ++reads;
    const Bytes bytes = buffer.take(std::min(buffer.size(), take_at_most));
    received += bytes.view();
    if (echo) stream->write(bytes);
    if (then_on_read) then_on_read();
  }
  void on_drained() override { ++drained; }
  void on_closed(CloseReason why) override {
    ++closed;
    reason = why;
  }
};

inline std::string pattern(std::size_t length) {
  std::string text(length, '\0');
  for (std::size_t i = 0; i < length; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

}  // namespace braid::test
