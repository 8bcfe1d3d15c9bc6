// Braid, Apache-2.0.
//
// Indexes of sealed files come back to memory when old data is read, and leave again when others were used later.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>

#include "persistence/journal/batch_index.hpp"

namespace braid::journal {

class SectionCache {
 public:
  using Section = std::shared_ptr<const BatchIndex>;

  explicit SectionCache(std::uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  Section find(std::uint32_t file, std::uint32_t position) {
    const auto found = entries_.find(key(file, position));
    if (found == entries_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return found->second->section;
  }

  void insert(std::uint32_t file, std::uint32_t position, Section section) {
    if (entries_.contains(key(file, position))) return;
    bytes_ += cost(*section);
    order_.push_front({key(file, position), std::move(section)});
    entries_[order_.front().key] = order_.begin();
    while (bytes_ > limit_bytes_ && order_.size() > 1) {
      bytes_ -= cost(*order_.back().section);
      entries_.erase(order_.back().key);
      order_.pop_back();
    }
  }

  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::uint64_t key;
    Section section;
  };
  static std::uint64_t key(std::uint32_t file, std::uint32_t position) { return std::uint64_t{file} << 32 | position; }
  static std::uint64_t cost(const BatchIndex& index) { return index.size() * sizeof(IndexEntry) + 128; }

  std::uint64_t limit_bytes_;
  std::uint64_t bytes_ = 0;
  std::list<Entry> order_;  // latest used first
  std::unordered_map<std::uint64_t, std::list<Entry>::iterator> entries_;
};

}  // namespace braid::journal
