// Braid, Apache-2.0.
//
// CRC32C by ISA-L, which chooses the processor's fastest way at run time.
#include "model/crc32c.hpp"

#include <isa-l/crc.h>

#include <algorithm>

namespace braid {

std::uint32_t crc32c(std::span<const std::uint8_t> bytes, std::uint32_t previous) {
  // ISA-L works on the bare shift register: the standard's inversion before and after is ours to do. Its buffer
  // parameter lacks a const and its length is an int; longer input goes in pieces.
  constexpr std::size_t kPieceBytes = 1u << 30;
  std::uint32_t state = ~previous;
  while (!bytes.empty()) {
    const std::size_t piece = std::min(bytes.size(), kPieceBytes);
    state = ::crc32_iscsi(const_cast<unsigned char*>(bytes.data()), static_cast<int>(piece), state);
    bytes = bytes.subspan(piece);
  }
  return ~state;
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t previous) {
  return crc32c(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()), previous);
}

}  // namespace braid
