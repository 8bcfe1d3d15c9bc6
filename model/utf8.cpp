// Braid, Apache-2.0.
//
// UTF-8 by the table of well-formed byte sequences in RFC 3629, section 4.
#include "model/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace braid {
namespace {

bool is_continuation(std::uint8_t byte) {
  return (byte & 0xc0) == 0x80;
}

/// Length of the well-formed sequence of several bytes at `at`; 0 if there is none before `end`.
std::size_t multi_byte_sequence(const std::uint8_t* at, const std::uint8_t* end) {
  const auto available = static_cast<std::size_t>(end - at);
  const std::uint8_t lead = at[0];
  if (lead < 0xc2) return 0;  // a continuation byte, or a two-byte form of ASCII
  if (lead < 0xe0) return available >= 2 && is_continuation(at[1]) ? 2 : 0;
  if (lead < 0xf0) {
    if (available < 3 || !is_continuation(at[1]) || !is_continuation(at[2])) return 0;
    if (lead == 0xe0 && at[1] < 0xa0) return 0;   // could be shorter
    if (lead == 0xed && at[1] >= 0xa0) return 0;  // a surrogate
    return 3;
  }
  if (lead > 0xf4 || available < 4) return 0;
  if (!is_continuation(at[1]) || !is_continuation(at[2]) || !is_continuation(at[3])) return 0;
  if (lead == 0xf0 && at[1] < 0x90) return 0;   // could be shorter
  if (lead == 0xf4 && at[1] >= 0x90) return 0;  // behind U+10FFFF
  return 4;
}

template <bool allow_zero>
bool validate(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  const auto* at = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto* const end = at + text.size();
  while (at != end) {
    if (end - at >= 8) {
      std::uint64_t word;
      std::memcpy(&word, at, sizeof word);
      // With all high bits clear, a subtraction borrows into a high bit only where a byte is zero.
      const std::uint64_t suspicious = allow_zero ? word & kHighBits : (word | (word - kOnes)) & kHighBits;
      if (suspicious == 0) {
        at += 8;
        continue;
      }
    }
    if (*at < 0x80) {
      if (!allow_zero && *at == 0) return false;
      ++at;
      continue;
    }
    const std::size_t length = multi_byte_sequence(at, end);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace

bool is_utf8(std::string_view text) {
  return validate<true>(text);
}
bool is_mqtt_utf8(std::string_view text) {
  return validate<false>(text);
}

}  // namespace braid
