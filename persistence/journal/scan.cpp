// Braid, Apache-2.0.
#include "persistence/journal/scan.hpp"

#include <algorithm>
#include <cstring>

#include "model/byte_io.hpp"
#include "model/crc32c.hpp"

namespace braid::journal {
namespace {

constexpr std::uint32_t kWindowBytes = 1u << 20;
constexpr std::uint32_t kPageBytes = 4096;

}  // namespace

FileScan::FileScan(File& file, std::uint32_t id, std::uint32_t size) : file_(file), seed_(file_seed(id)), size_(size) {}

std::span<const std::uint8_t> FileScan::view(std::uint32_t position, std::uint32_t length) {
  if (position >= size_) return {};
  length = std::min(length, size_ - position);
  const bool inside = position >= window_position_ && position - window_position_ <= window_.size() &&
                      length <= window_.size() - (position - window_position_);
  if (!inside) {
    window_ = read_tolerantly(position, std::min(std::max(length, kWindowBytes), size_ - position));
    window_position_ = position;
  }
  return window_.span().subspan(position - window_position_, length);
}

Bytes FileScan::read_tolerantly(std::uint32_t position, std::uint32_t length) {
  bytes_read_ += length;
  if (auto read = file_.read_now(position, length); read && read->size() == length) return std::move(*read);
  // A bad sector must not hide what lies around it.
  BlockRef block = BlockRef::make(length);
  std::memset(block->data(), 0, length);
  for (std::uint32_t done = 0; done < length;) {
    const std::uint32_t piece = std::min(length - done, kPageBytes - (position + done) % kPageBytes);
    if (auto read = file_.read_now(position + done, piece); read && read->size() == piece)
      std::memcpy(block->data() + done, read->data(), piece);
    else
      unreadable_.emplace_back(position + done, position + done + piece);
    done += piece;
  }
  const std::uint8_t* data = block->data();
  return {std::move(block), data, length};
}

std::optional<FileScan::Entry> FileScan::entry_at(std::uint32_t position, std::uint32_t limit) {
  if (position > limit || limit - position < kEntryHeaderBytes) return std::nullopt;
  const auto head = view(position, kEntryHeaderBytes);
  const auto header = decode_entry_header(head, seed_, position);
  if (!header) {
    if (is_from_later_version(head, seed_, position)) met_later_version_ = true;
    return std::nullopt;
  }
  if (std::uint64_t{position} + entry_bytes(header->body_length) > limit) return std::nullopt;
  Entry entry;
  entry.header = *header;
  if (header->body_length == 0) {
    entry.body_intact = true;
    return entry;
  }
  const auto body = view(position + kEntryHeaderBytes, header->body_length);
  entry.body_intact = body.size() == header->body_length && crc32c(body) == header->body_checksum;
  entry.body = window_.slice(position + kEntryHeaderBytes - window_position_, header->body_length);
  return entry;
}

std::optional<std::uint32_t> FileScan::next_entry(std::uint32_t position, std::uint32_t limit) {
  limit = std::min(limit, size_);
  for (std::uint32_t at = align_up(position); at < limit && limit - at >= kEntryHeaderBytes; at += kAlignment) {
    const auto head = view(at, kEntryHeaderBytes);
    const auto header = decode_entry_header(head, seed_, at);
    if (header && std::uint64_t{at} + entry_bytes(header->body_length) <= limit) return at;
  }
  return std::nullopt;
}

std::uint32_t FileScan::highest_synced(std::uint32_t position, std::uint32_t limit) {
  std::uint32_t highest = 0;
  for (auto at = next_entry(position, limit); at;) {
    const auto entry = entry_at(*at, limit);
    if (!entry) break;
    highest = std::max(highest, entry->header.synced);
    const std::uint32_t next = *at + entry_bytes(entry->header.body_length);
    at = entry_at(next, limit) ? std::optional(next) : next_entry(next, limit);
  }
  return highest;
}

bool FileScan::has_unreadable(std::uint32_t begin, std::uint32_t end) const {
  return std::any_of(unreadable_.begin(), unreadable_.end(),
                     [&](const auto& region) { return region.first < end && begin < region.second; });
}

}  // namespace braid::journal
