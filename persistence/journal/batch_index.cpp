// Braid, Apache-2.0.
//
// Look-up in a file's list of batches, and its compact form. A section is a CRC32C of the rest, the number of batches,
// and for each: distance of its base offset from the offset expected next, last offset delta, timestamp's distance from
// the batch before, length of the batch, and, unless it is lost, its position's distance from the end of the entry
// before, in units of the alignment. A distance that is complemented (negative) belongs to a shared batch: the number
// of its targets follows.
#include "persistence/journal/batch_index.hpp"

#include <algorithm>
#include <limits>

#include "model/crc32c.hpp"
#include "persistence/journal/format.hpp"

namespace braid::journal {

std::size_t find_batch(const BatchIndex& index, Offset offset) {
  const auto found = std::partition_point(index.begin(), index.end(),
                                          [offset](const IndexEntry& entry) { return entry.last_offset() < offset; });
  return static_cast<std::size_t>(found - index.begin());
}

void encode_section(const BatchIndex& index, ByteWriter& out) {
  const std::size_t start = out.size();
  out.u32(0);
  out.varint(index.size());
  std::int64_t expected_offset = 0, timestamp = 0;
  std::uint32_t expected_position = 0;
  for (const IndexEntry& entry : index) {
    const std::int64_t distance = entry.base_offset.value - expected_offset;
    const bool shared = entry.prefix != 0 && !entry.is_lost();
    out.varint(zigzag(shared ? ~distance : distance));
    if (shared) out.varint((entry.prefix - targets_bytes(1)) / 16 + 1);
    out.varint(entry.last_offset_delta);
    out.varint(zigzag(static_cast<std::int64_t>(static_cast<std::uint64_t>(entry.max_timestamp.value) -
                                                static_cast<std::uint64_t>(timestamp))));
    out.varint(entry.length);
    if (!entry.is_lost()) {
      out.varint((entry.position - expected_position) / kAlignment);
      expected_position = entry.position + entry_bytes(entry.prefix + entry.length);
    }
    expected_offset = entry.last_offset().value + 1;
    timestamp = entry.max_timestamp.value;
  }
  out.patch(start, crc32c(std::span<const std::uint8_t>(out.data() + start + 4, out.size() - start - 4)));
}

std::optional<BatchIndex> decode_section(const Bytes& section, std::uint32_t entries_end) {
  ByteReader in(section);
  const std::uint32_t checksum = in.u32();
  if (in.failed() || checksum != crc32c(section.span().subspan(4))) return std::nullopt;
  const std::uint64_t count = in.varint();
  if (in.failed() || count > in.remaining() / 4) return std::nullopt;  // a batch takes at least four bytes
  BatchIndex index;
  index.reserve(count);
  std::int64_t expected_offset = 0, timestamp = 0;
  std::uint64_t expected_position = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    IndexEntry entry;
    std::int64_t distance = in.zigzag64();
    if (distance < 0) {
      distance = ~distance;
      const std::uint64_t targets = in.varint();
      if (targets == 0 || targets > kMaxTargets) return std::nullopt;
      entry.prefix = targets_bytes(static_cast<std::uint32_t>(targets));
    }
    entry.last_offset_delta = in.varint32();
    const std::int64_t elapsed = in.zigzag64();
    entry.length = in.varint32();
    if (in.failed() || distance > std::numeric_limits<std::int64_t>::max() - expected_offset ||
        entry.length > kMaxBodyBytes || (entry.prefix != 0 && entry.is_lost()))
      return std::nullopt;
    entry.base_offset = Offset(expected_offset + distance);
    if (entry.base_offset.value > std::numeric_limits<std::int64_t>::max() - entry.last_offset_delta - 1)
      return std::nullopt;
    expected_offset = entry.last_offset().value + 1;
    timestamp = static_cast<std::int64_t>(static_cast<std::uint64_t>(timestamp) + static_cast<std::uint64_t>(elapsed));
    entry.max_timestamp = Timestamp(timestamp);
    if (!entry.is_lost()) {
      const std::uint64_t position = expected_position + std::uint64_t{in.varint32()} * kAlignment;
      if (in.failed() || position < kFileHeaderBytes ||
          position + entry_bytes(entry.prefix + entry.length) > entries_end)
        return std::nullopt;
      entry.position = static_cast<std::uint32_t>(position);
      expected_position = position + entry_bytes(entry.prefix + entry.length);
    }
    index.push_back(entry);
  }
  if (in.failed() || in.remaining() != 0) return std::nullopt;
  return index;
}

}  // namespace braid::journal
