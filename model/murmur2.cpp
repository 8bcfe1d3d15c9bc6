// Braid, Apache-2.0.
//
// Murmur2 after Austin Appleby, over little-endian words on every machine so that the result is the Java client's.
#include "model/murmur2.hpp"

#include <cassert>

namespace braid {

std::uint32_t murmur2(std::string_view key) {
  constexpr std::uint32_t kSeed = 0x9747b28c;
  constexpr std::uint32_t kMultiplier = 0x5bd1e995;
  const auto* at = reinterpret_cast<const std::uint8_t*>(key.data());
  std::size_t left = key.size();
  std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(left);
  for (; left >= 4; at += 4, left -= 4) {
    std::uint32_t word = static_cast<std::uint32_t>(at[0]) | static_cast<std::uint32_t>(at[1]) << 8 |
                         static_cast<std::uint32_t>(at[2]) << 16 | static_cast<std::uint32_t>(at[3]) << 24;
    word *= kMultiplier;
    word ^= word >> 24;
    word *= kMultiplier;
    hash = (hash * kMultiplier) ^ word;
  }
  if (left > 0) {
    for (std::size_t i = 0; i < left; ++i) hash ^= static_cast<std::uint32_t>(at[i]) << (8 * i);
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  hash ^= hash >> 15;
  return hash;
}

PartitionIndex partition_for_key(std::string_view key, std::int32_t partitions) {
  assert(partitions > 0);
  return PartitionIndex(static_cast<std::int32_t>(murmur2(key) & 0x7fffffff) % partitions);
}

}  // namespace braid
