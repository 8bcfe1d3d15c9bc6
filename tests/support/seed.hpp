// Braid, Apache-2.0.
//
// Randomized tests differ from run to run, and a failure must replay. Usage:
//
//   const auto seed = test_seed();
//   CAPTURE(seed);                      // Catch2 prints it with a failure; BRAID_TEST_SEED=... brings it back
//   std::mt19937_64 random(seed);
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>

namespace braid {

inline std::uint64_t test_seed() {
  if (const char* text = std::getenv("BRAID_TEST_SEED")) return std::strtoull(text, nullptr, 0);
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

}  // namespace braid
