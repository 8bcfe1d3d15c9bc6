// Braid, Apache-2.0.
//
// What a connection has received and not yet understood. Frames are handed on as slices of the very block that the
// socket was read into, so a block must never be written where a slice may look: writing only ever goes behind what was
// received, and a block that is full is replaced unless nobody else holds it.
//
// A connection with nothing to decode holds no block at all: a hundred thousand idle devices cost no buffers. The size
// of the next block follows what recent reads brought, because a small frame that somebody keeps pins its whole block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "model/bytes.hpp"

namespace braid {

class ReceiveBuffer {
 public:
  static constexpr std::size_t kMinBlockBytes = 2 << 10;
  static constexpr std::size_t kMaxBlockBytes = 64 << 10;   ///< unless a frame needs more
  static constexpr std::size_t kMaxReserveBytes = 1 << 20;  ///< taken on a frame's mere announcement

  /// Room of at least `min` bytes for the next read, until the next call of a non-const member.
  std::span<std::uint8_t> writable(std::size_t min = 1);
  /// `n` bytes were read into what `writable` returned. With 0 (nothing to read after all) an empty buffer lets go of
  /// its block.
  void commit(std::size_t n);

  /// Everything received and not taken, in one piece.
  std::string_view readable() const { return {reinterpret_cast<const char*>(data()), size()}; }
  /// The same as a slice that may be kept.
  Bytes shared() const { return size() == 0 ? Bytes{} : Bytes(block_, data(), size()); }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }

  /// Takes the first `n` <= size() bytes out, without copying them.
  Bytes take(std::size_t n);
  /// Drops the first `n` <= size() bytes.
  void skip(std::size_t n);

  /// The decoder knows that the frame at the front of readable() has `total` bytes (checked against its limit):
  /// the next block will hold it in one piece. A very long frame gets its room in a few steps as its bytes arrive, so
  /// that announcing one costs a peer something.
  void want(std::size_t total) { wanted_ = total; }

  void clear();
  /// Memory held by the buffer itself; blocks kept alive by slices alone are not counted.
  std::size_t memory_bytes() const { return block_ ? block_->capacity() : 0; }

 private:
  const std::uint8_t* data() const { return block_ ? block_->data() + begin_ : nullptr; }
  void release();
  void make_room(std::size_t room);

  BlockRef block_;
  std::size_t begin_ = 0;    ///< first byte not taken
  std::size_t end_ = 0;      ///< behind the last byte received
  std::size_t offered_ = 0;  ///< room given out by the last writable()
  std::size_t wanted_ = 0;   ///< size of the frame at the front, 0 if not known
  std::size_t next_block_bytes_ = kMinBlockBytes;
  std::uint8_t small_reads_ = 0;
};

}  // namespace braid
