// Braid, Apache-2.0.
//
// Where the batches of one partition lie within one file. While the file is open the list is in memory, 32 bytes a
// batch; in the footer of a sealed file it is a section of 6 to 10 bytes a batch, deltas as varints under a checksum.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/byte_io.hpp"
#include "model/bytes.hpp"
#include "model/ids.hpp"

namespace braid::journal {

struct IndexEntry {
  Offset base_offset;
  Timestamp max_timestamp{-1};
  std::uint32_t position = 0;  ///< of the entry's header
  std::uint32_t length = 0;    ///< of the batch; 0: it was there and is lost (recovery found a damaged middle)
  std::uint32_t last_offset_delta = 0;
  std::uint32_t prefix = 0;  ///< between header and batch: the targets of a shared batch

  Offset last_offset() const { return Offset(base_offset.value + last_offset_delta); }
  bool is_lost() const { return length == 0; }
};
/// Ascending, without overlaps; gaps are possible.
using BatchIndex = std::vector<IndexEntry>;

/// First batch whose last offset is `offset` or behind it; size() if there is none.
std::size_t find_batch(const BatchIndex&, Offset offset);

/// Appends the section to `out`.
void encode_section(const BatchIndex&, ByteWriter& out);
/// Nothing if the checksum or any field is wrong. Every position is below `entries_end`.
std::optional<BatchIndex> decode_section(const Bytes& section, std::uint32_t entries_end);

}  // namespace braid::journal
