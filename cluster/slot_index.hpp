// Braid, Apache-2.0.
//
// A hash index over things that are kept elsewhere under small numbers ("slots"). A node keeps every topic of the
// cluster once per loop and finds it by several keys; `std::unordered_map` takes some 60 bytes per entry and key for
// that, this takes 11 to 22. The keys stay where they are: the caller compares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace braid {

class SlotIndex {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;

  /// The slot of that hash for which `matches(slot)` holds, or none.
  template <class Matches>
  std::uint32_t find(std::size_t hash, Matches matches) const {
    if (entries_.empty()) return none;
    const auto folded = fold(hash);
    for (std::size_t at = folded & mask(); entries_[at].slot != none; at = (at + 1) & mask())
      if (entries_[at].hash == folded && matches(entries_[at].slot)) return entries_[at].slot;
    return none;
  }

  /// The slot must not be in the index.
  void insert(std::size_t hash, std::uint32_t slot) {
    if ((size_ + 1) * 4 > entries_.size() * 3) grow();
    put({fold(hash), slot});
    ++size_;
  }

  /// The slot must have been inserted with that hash.
  void erase(std::size_t hash, std::uint32_t slot) {
    std::size_t hole = fold(hash) & mask();
    while (entries_[hole].slot != slot) hole = (hole + 1) & mask();
    --size_;
    // What follows moves back over the hole unless that would put it in front of where its hash wants it.
    for (std::size_t at = (hole + 1) & mask(); entries_[at].slot != none; at = (at + 1) & mask()) {
      const std::size_t wanted = entries_[at].hash & mask();
      if (((at - wanted) & mask()) < ((at - hole) & mask())) continue;
      entries_[hole] = entries_[at];
      hole = at;
    }
    entries_[hole].slot = none;
  }

  std::size_t size() const { return size_; }
  std::size_t memory_bytes() const { return entries_.capacity() * sizeof(Entry); }

 private:
  struct Entry {
    std::uint32_t hash = 0;
    std::uint32_t slot = none;
  };
  static std::uint32_t fold(std::size_t hash) { return static_cast<std::uint32_t>(hash ^ (hash >> 32)); }
  std::size_t mask() const { return entries_.size() - 1; }
  void put(Entry entry) {
    std::size_t at = entry.hash & mask();
    while (entries_[at].slot != none) at = (at + 1) & mask();
    entries_[at] = entry;
  }
  void grow() {
    std::vector<Entry> smaller(entries_.empty() ? 16 : entries_.size() * 2);
    smaller.swap(entries_);
    for (const auto& entry : smaller)
      if (entry.slot != none) put(entry);
  }

  std::vector<Entry> entries_;  ///< a power of two, at most three quarters in use
  std::size_t size_ = 0;
};

}  // namespace braid
