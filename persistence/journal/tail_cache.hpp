// Braid, Apache-2.0.
//
// The newest part of the journal as it lies in memory: the very buffers that were appended and written. Consumers that
// keep up are served from here, without a copy and without a disk read.
//
// Small entries are copied once into blocks that are contiguous in memory and in the file; a large batch is referred to
// where it lies. So the cache is a queue of pieces, ascending by file and position, and what a write needs is a range
// of it. What is not yet known to be on the disk is never evicted, whatever the limit says.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "model/bytes.hpp"

namespace braid::journal {

class TailCache {
 public:
  explicit TailCache(std::uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  /// Room for `length` bytes at this place, contiguous in memory; the caller fills it before anything else happens.
  std::uint8_t* copy_in(std::uint32_t file, std::uint32_t position, std::uint32_t length);
  /// `bytes` at this place, by reference.
  void refer(std::uint32_t file, std::uint32_t position, Bytes bytes);

  /// The bytes of a place, or none if they are not (any more, wholly) here. One appended piece is always whole.
  Bytes find(std::uint32_t file, std::uint32_t position, std::uint32_t length) const;
  /// Everything of a file from `begin` to `end`, which must be here, for a write.
  std::vector<Bytes> range(std::uint32_t file, std::uint32_t begin, std::uint32_t end) const;

  /// What lies before this place is on the disk and may be evicted.
  void evict(std::uint32_t file, std::uint32_t position);
  /// Forgets what lies at or behind this place: it failed to be written.
  void cut(std::uint32_t file, std::uint32_t position);

  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Piece {
    std::uint32_t file = 0;
    std::uint32_t position = 0;
    std::uint32_t size = 0;
    bool grows = false;  ///< lies at the end of the current block
    Bytes bytes;         ///< reaches to the end of its block while the piece grows
  };
  std::deque<Piece>::const_iterator locate(std::uint32_t file, std::uint32_t position) const;

  std::uint64_t limit_bytes_;
  std::uint64_t bytes_ = 0;
  std::deque<Piece> pieces_;
  BlockRef block_;
  std::size_t used_ = 0;
};

}  // namespace braid::journal
