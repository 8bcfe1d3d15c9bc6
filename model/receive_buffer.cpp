// Braid, Apache-2.0.
//
// Blocks: when to keep, move and replace them.
#include "model/receive_buffer.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace braid {

std::span<std::uint8_t> ReceiveBuffer::writable(std::size_t min) {
  // The last few bytes of a block are not worth a system call.
  std::size_t room = std::max(min, kMinBlockBytes / 2);
  if (wanted_ > size()) {
    const std::size_t reserve = std::min(wanted_, std::max(kMaxReserveBytes, 4 * size()));
    if (reserve > size()) room = std::max(room, reserve - size());
  }
  if (!block_ || block_->capacity() - end_ < room) make_room(room);
  offered_ = block_->capacity() - end_;
  return {block_->data() + end_, offered_};
}

void ReceiveBuffer::make_room(std::size_t room) {
  const std::size_t kept = size();
  if (block_ && block_->capacity() - kept >= room && block_->unique()) {
    // Nobody has a slice of this block, and only the owner of a slice could make another one.
    std::memmove(block_->data(), block_->data() + begin_, kept);
  } else {
    auto larger = BlockRef::make(std::max(next_block_bytes_, kept + room));
    if (kept > 0) std::memcpy(larger->data(), block_->data() + begin_, kept);
    block_ = std::move(larger);
  }
  begin_ = 0;
  end_ = kept;
}

void ReceiveBuffer::commit(std::size_t n) {
  assert(n <= offered_ && "more was written than there was room for");
  if (n == offered_) {
    next_block_bytes_ = std::min(next_block_bytes_ * 2, kMaxBlockBytes);
    small_reads_ = 0;
  } else if (n < next_block_bytes_ / 4) {
    // One small read says little; a run of them says that large blocks would be wasted.
    if (++small_reads_ == 8) {
      next_block_bytes_ = std::max(next_block_bytes_ / 2, kMinBlockBytes);
      small_reads_ = 0;
    }
  } else {
    small_reads_ = 0;
  }
  offered_ = 0;
  end_ += n;
  if (empty()) release();
}

Bytes ReceiveBuffer::take(std::size_t n) {
  assert(n <= size());
  wanted_ = 0;
  if (n == 0) return {};
  const std::uint8_t* from = data();
  begin_ += n;
  if (!empty()) return {block_, from, n};
  Bytes all(std::move(block_), from, n);
  release();
  return all;
}

void ReceiveBuffer::skip(std::size_t n) {
  assert(n <= size());
  if (n == 0) return;
  wanted_ = 0;
  begin_ += n;
  if (empty()) release();
}

void ReceiveBuffer::clear() {
  begin_ = end_ = 0;
  wanted_ = 0;
  release();
}

void ReceiveBuffer::release() {
  block_ = BlockRef();
  begin_ = end_ = offered_ = 0;
}

}  // namespace braid
