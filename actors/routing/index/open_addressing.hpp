// Braid, Apache-2.0.
//
// What the open-addressing tables of the indexes have in common: linear probing over a flat array whose size grows by
// half, and removal that closes the gap, so that no grave stones pile up however long filters come and go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "actors/routing/index/hash.hpp"

namespace braid::routing {

inline constexpr std::size_t min_table_slots = 16;

/// Five slots in six may be taken.
inline bool must_grow(std::size_t used_after, std::size_t capacity) {
  return used_after * 6 > capacity * 5;
}
inline std::size_t grown(std::size_t capacity) {
  return capacity < min_table_slots ? min_table_slots : capacity + capacity / 2;
}
/// A table that is less than a quarter full gives its memory back.
inline bool must_shrink(std::size_t used_after, std::size_t capacity) {
  return capacity > min_table_slots && used_after * 4 < capacity;
}
inline std::size_t shrunk(std::size_t used) {
  return used == 0 ? 0 : used * 3 / 2 + min_table_slots;
}

/// Empties `slots[position]` and moves back the slots behind it that would no longer be found.
template <class Slot, class IsEmpty, class HomeOf>
void close_gap(std::vector<Slot>& slots, std::size_t position, IsEmpty is_empty, HomeOf home_of) {
  const std::size_t capacity = slots.size();
  const auto after = [capacity](std::size_t at) { return at + 1 == capacity ? 0 : at + 1; };
  std::size_t gap = position;
  for (std::size_t at = after(gap); !is_empty(slots[at]); at = after(at)) {
    const std::size_t home = home_of(slots[at]);
    // Between gap and here, around the end: it is found where it stands, and stays.
    const bool stays = gap <= at ? (gap < home && home <= at) : (gap < home || home <= at);
    if (stays) continue;
    slots[gap] = slots[at];
    gap = at;
  }
  slots[gap] = Slot{};
}

}  // namespace braid::routing
