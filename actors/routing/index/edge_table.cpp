// Braid, Apache-2.0.
//
// See edge_table.hpp.
#include "actors/routing/index/edge_table.hpp"

#include <cassert>

#include "actors/routing/index/open_addressing.hpp"

namespace braid::routing {

std::size_t EdgeTable::home(std::uint32_t parent, std::uint32_t level) const {
  return position_of(static_cast<std::uint32_t>(hash_pair(parent, level, seed_) >> 32), slots_.size());
}

/// Where the edge is, or where it belongs.
std::size_t EdgeTable::locate(std::uint32_t parent, std::uint32_t level) const {
  std::size_t at = home(parent, level);
  while (slots_[at].child != none && (slots_[at].parent != parent || slots_[at].level != level))
    if (++at == slots_.size()) at = 0;
  return at;
}

std::uint32_t EdgeTable::find(std::uint32_t parent, std::uint32_t level) const {
  return slots_.empty() ? none : slots_[locate(parent, level)].child;
}

void EdgeTable::insert(std::uint32_t parent, std::uint32_t level, std::uint32_t child) {
  if (must_grow(used_ + 1, slots_.size())) resize(grown(slots_.size()));
  Slot& slot = slots_[locate(parent, level)];
  assert(slot.child == none);
  slot = {parent, level, child};
  ++used_;
}

void EdgeTable::erase(std::uint32_t parent, std::uint32_t level) {
  const std::size_t position = locate(parent, level);
  assert(slots_[position].child != none);
  close_gap(
      slots_, position, [](const Slot& slot) { return slot.child == none; },
      [this](const Slot& slot) { return home(slot.parent, slot.level); });
  if (must_shrink(--used_, slots_.size())) resize(shrunk(used_));
}

void EdgeTable::resize(std::size_t capacity) {
  std::vector<Slot> old(capacity);
  old.swap(slots_);
  for (const Slot& slot : old)
    if (slot.child != none) slots_[locate(slot.parent, slot.level)] = slot;
}

}  // namespace braid::routing
