// Braid, Apache-2.0.
#include "actors/groups/member_id.hpp"

#include <fmt/format.h>

namespace braid {

std::string make_member_id(std::string_view prefix, std::uint64_t random_high, std::uint64_t random_low) {
  constexpr std::size_t kLongestPrefix = 255;
  constexpr std::uint64_t kVersion4 = 0x4000, kVariant = 0x8000;
  return fmt::format("{}-{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", prefix.substr(0, kLongestPrefix), random_high >> 32,
                     random_high >> 16 & 0xffff, kVersion4 | (random_high & 0x0fff),
                     kVariant | (random_low >> 48 & 0x3fff), random_low & 0xffffffffffff);
}

}  // namespace braid
