// Braid, Apache-2.0.
//
// The hash of the indexes. Clients choose topic names, so the hash has a seed: whoever does not know it cannot make
// names that collide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace braid::routing {

/// 64x64 -> 128 bit product, folded.
inline std::uint64_t fold_multiply(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t hash_text(std::string_view text, std::uint64_t seed) {
  constexpr std::uint64_t k0 = 0x9E3779B97F4A7C15, k1 = 0xD6E8FEB86659FD93;
  std::uint64_t state = seed ^ (text.size() * k0);
  const char* at = text.data();
  std::size_t left = text.size();
  const auto load = [](const char* from, std::size_t length) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, length);
    return word;
  };
  for (; left > 8; at += 8, left -= 8) state = fold_multiply(state ^ load(at, 8), k1);
  if (left == 8) {
    state = fold_multiply(state ^ load(at, 8), k1);
  } else if (left > 0) {
    state = fold_multiply(state ^ load(at, left), k1);
  }
  return fold_multiply(state ^ k0, k1);
}

inline std::uint64_t hash_pair(std::uint32_t a, std::uint32_t b, std::uint64_t seed) {
  return fold_multiply((static_cast<std::uint64_t>(a) << 32 | b) ^ seed, 0x9E3779B97F4A7C15);
}

/// Maps a hash evenly to 0 .. capacity-1, whatever the capacity: tables can grow by less than the double.
inline std::size_t position_of(std::uint32_t hash, std::size_t capacity) {
  return static_cast<std::size_t>((static_cast<std::uint64_t>(hash) * capacity) >> 32);
}

}  // namespace braid::routing
