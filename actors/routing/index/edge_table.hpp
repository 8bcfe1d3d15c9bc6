// Braid, Apache-2.0.
//
// All edges of a trie in one hash table: (parent node, level) -> child node, twelve bytes a slot. A node needs no map
// of its own, which is what makes other brokers' tries cost a kilobyte per subscription.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace braid::routing {

class EdgeTable {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;
  explicit EdgeTable(std::uint64_t seed) : seed_(seed) {}

  std::uint32_t find(std::uint32_t parent, std::uint32_t level) const;
  /// The edge must not exist.
  void insert(std::uint32_t parent, std::uint32_t level, std::uint32_t child);
  /// The edge must exist.
  void erase(std::uint32_t parent, std::uint32_t level);

  std::size_t size() const { return used_; }
  std::size_t memory_bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    std::uint32_t parent = 0;
    std::uint32_t level = 0;
    std::uint32_t child = none;
  };
  std::size_t home(std::uint32_t parent, std::uint32_t level) const;
  std::size_t locate(std::uint32_t parent, std::uint32_t level) const;
  void resize(std::size_t capacity);

  std::uint64_t seed_;
  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

}  // namespace braid::routing
