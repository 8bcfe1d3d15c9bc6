// Braid, Apache-2.0.
#include "persistence/journal/tail_cache.hpp"

#include <algorithm>
#include <cassert>
#include <tuple>

namespace braid::journal {
namespace {

/// A slow consumer of one small batch pins its whole block, so blocks are no larger than what makes a write cheap.
constexpr std::size_t kBlockBytes = 64 * 1024;

}  // namespace

std::uint8_t* TailCache::copy_in(std::uint32_t file, std::uint32_t position, std::uint32_t length) {
  bytes_ += length;
  if (!block_ || block_->capacity() - used_ < length) {
    if (!pieces_.empty()) pieces_.back().grows = false;
    block_ = BlockRef::make(std::max<std::size_t>(kBlockBytes, length));
    used_ = 0;
  }
  std::uint8_t* at = block_->data() + used_;
  const std::size_t to_block_end = block_->capacity() - used_;
  used_ += length;
  if (!pieces_.empty()) {
    Piece& last = pieces_.back();
    if (last.grows && last.file == file && last.position + last.size == position) {
      last.size += length;
      return at;
    }
    last.grows = false;
  }
  pieces_.push_back({file, position, length, true, Bytes(block_, at, to_block_end)});
  return at;
}

void TailCache::refer(std::uint32_t file, std::uint32_t position, Bytes bytes) {
  if (!pieces_.empty()) pieces_.back().grows = false;
  bytes_ += bytes.size();
  const auto size = static_cast<std::uint32_t>(bytes.size());
  pieces_.push_back({file, position, size, false, std::move(bytes)});
}

std::deque<TailCache::Piece>::const_iterator TailCache::locate(std::uint32_t file, std::uint32_t position) const {
  // The last piece that begins at or before the place.
  auto behind = std::partition_point(pieces_.begin(), pieces_.end(), [&](const Piece& piece) {
    return std::tie(piece.file, piece.position) <= std::tie(file, position);
  });
  if (behind == pieces_.begin()) return pieces_.end();
  --behind;
  if (behind->file != file || position - behind->position >= behind->size) return pieces_.end();
  return behind;
}

Bytes TailCache::find(std::uint32_t file, std::uint32_t position, std::uint32_t length) const {
  const auto piece = locate(file, position);
  if (piece == pieces_.end()) return {};
  const std::uint32_t inside = position - piece->position;
  if (length > piece->size - inside) return {};
  return piece->bytes.slice(inside, length);
}

std::vector<Bytes> TailCache::range(std::uint32_t file, std::uint32_t begin, std::uint32_t end) const {
  std::vector<Bytes> chunks;
  auto piece = locate(file, begin);
  while (begin < end) {
    assert(piece != pieces_.end() && piece->file == file && begin >= piece->position);
    const std::uint32_t inside = begin - piece->position;
    const std::uint32_t length = std::min(piece->size - inside, end - begin);
    chunks.push_back(piece->bytes.slice(inside, length));
    begin += length;
    ++piece;
  }
  return chunks;
}

void TailCache::evict(std::uint32_t file, std::uint32_t position) {
  while (bytes_ > limit_bytes_ && !pieces_.empty()) {
    const Piece& first = pieces_.front();
    if (std::make_tuple(first.file, first.position + first.size) > std::make_tuple(file, position)) return;
    bytes_ -= first.size;
    pieces_.pop_front();
  }
}

void TailCache::cut(std::uint32_t file, std::uint32_t position) {
  while (!pieces_.empty()) {
    Piece& last = pieces_.back();
    if (std::make_tuple(last.file, last.position + last.size) <= std::make_tuple(file, position)) break;
    if (last.file == file && last.position < position) {
      const std::uint32_t keep = position - last.position;
      bytes_ -= last.size - keep;
      last.size = keep;
      break;
    }
    bytes_ -= last.size;
    pieces_.pop_back();
  }
  // What follows goes to a new block: readers may hold slices of what was cut.
  if (!pieces_.empty()) pieces_.back().grows = false;
  block_ = BlockRef();
}

}  // namespace braid::journal
