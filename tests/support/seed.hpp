// Braid, Apache-2.0.
//
// Randomized tests differ from run to run, and a failure must replay: each seed that is drawn is printed, and
// BRAID_TEST_SEED=... brings it back.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace braid {

inline std::uint64_t test_seed() {
  if (const char* text = std::getenv("BRAID_TEST_SEED")) return std::strtoull(text, nullptr, 0);
  std::random_device device;
  const std::uint64_t seed = static_cast<std::uint64_t>(device()) << 32 | device();
  std::fprintf(stderr, "BRAID_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace braid
