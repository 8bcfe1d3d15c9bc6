// Braid, Apache-2.0.
//
// The worlds that a test plays: thirty of them, or the one that BRAID_SEED names.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace braid::test {

inline std::uint64_t base_seed() {
  const char* const given = std::getenv("BRAID_SEED");
  return given ? std::strtoull(given, nullptr, 10) : 1;
}
inline std::uint64_t seeds() {
  return std::getenv("BRAID_SEED") ? 1 : 30;
}

}  // namespace braid::test
