// Braid, Apache-2.0.
//
// CRC32C (Castagnoli), the checksum of Kafka's record batches and of the journal's entries. Kept behind one function
// because the library's convention (the caller inverts at both ends) is easy to get wrong.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace braid {

/// Checksum of `bytes`; `previous` continues the checksum of what came before them.
std::uint32_t crc32c(std::span<const std::uint8_t> bytes, std::uint32_t previous = 0);
std::uint32_t crc32c(std::string_view bytes, std::uint32_t previous = 0);

}  // namespace braid
