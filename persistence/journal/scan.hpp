// Braid, Apache-2.0.
//
// Walks over the entries of one file at recovery: reads it in large pieces, tells where a valid entry begins, and finds
// the next one behind bytes that are none. A region that cannot be read is taken for zeros and remembered.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "persistence/disk.hpp"
#include "persistence/journal/format.hpp"

namespace braid::journal {

class FileScan {
 public:
  FileScan(File& file, std::uint32_t id, std::uint32_t size);

  std::uint32_t size() const { return size_; }

  struct Entry {
    EntryHeader header;
    bool body_intact = false;
    Bytes body;
  };
  /// The entry at this place, if its header is valid and it ends at or before `limit`.
  std::optional<Entry> entry_at(std::uint32_t position, std::uint32_t limit);
  /// Place of the first valid header at or behind `position`.
  std::optional<std::uint32_t> next_entry(std::uint32_t position, std::uint32_t limit);
  /// Highest `synced` of the valid entries in this range.
  std::uint32_t highest_synced(std::uint32_t position, std::uint32_t limit);

  bool has_unreadable(std::uint32_t begin, std::uint32_t end) const;
  bool met_later_version() const { return met_later_version_; }
  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  /// `length` bytes at this place, fewer at the end of the file.
  std::span<const std::uint8_t> view(std::uint32_t position, std::uint32_t length);
  Bytes read_tolerantly(std::uint32_t position, std::uint32_t length);

  File& file_;
  std::uint32_t seed_;
  std::uint32_t size_;
  Bytes window_;
  std::uint32_t window_position_ = 0;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> unreadable_;
  bool met_later_version_ = false;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace braid::journal
