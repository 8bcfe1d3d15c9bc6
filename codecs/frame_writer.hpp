// Braid, Apache-2.0.
//
// Collects a frame as a chain of slices. A Fetch response of Kafka is a few hundred bytes of headers around megabytes
// of record batches that lie in the journal's tail already; copying them into one buffer would be the most expensive
// thing the broker does. So the small pieces are written into one block, large slices are remembered by where they
// belong, and `finish` cuts the block around them: what a socket's gathering write takes.
#pragma once

#include <cstdint>
#include <vector>

#include "model/byte_io.hpp"
#include "model/bytes.hpp"
#include "model/result.hpp"

namespace braid {

class FrameWriter {
 public:
  /// Slices below this are copied: an entry in a gathering write costs about as much.
  static constexpr std::size_t share_from_bytes = 1024;

  explicit FrameWriter(std::size_t capacity = 512) : block_(capacity) {}

  /// For everything small. Do not truncate below what was there before a `slice`.
  ByteWriter& bytes() { return block_; }
  /// Appends payload, sharing it when it is large.
  void slice(const Bytes& payload) {
    if (payload.size() < share_from_bytes || shift_depth_ > 0) return block_.raw(payload);
    shared_.push_back({block_.size(), payload});
    shared_bytes_ += payload.size();
  }
  std::size_t size() const { return block_.size() + shared_bytes_; }

  /// Writes what `write` writes behind its own length as an unsigned varint: a tagged field. Payload in it is copied,
  /// since the bytes move once the length is known.
  template <class F>
  void with_length(F&& write) {
    const std::size_t start = block_.size();
    ++shift_depth_;
    write();
    --shift_depth_;
    const std::size_t length = block_.size() - start;
    const std::size_t prefix = varint_size(length);
    block_.grow(prefix);
    std::memmove(block_.data() + start + prefix, block_.data() + start, length);
    block_.truncate(start);
    block_.varint(length);
    block_.grow(length);
  }

  /// The chain, in order; the writer must not be used afterwards.
  std::vector<Bytes> finish();

 private:
  struct Shared {
    std::size_t position;  ///< in the block
    Bytes payload;
  };
  ByteWriter block_;
  std::vector<Shared> shared_;
  std::size_t shared_bytes_ = 0;
  int shift_depth_ = 0;
};

}  // namespace braid
