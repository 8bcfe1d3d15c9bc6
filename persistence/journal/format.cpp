// Braid, Apache-2.0.
//
// Encoding and checked decoding of the journal's fixed-size structures.
#include "persistence/journal/format.hpp"

#include <array>
#include <charconv>
#include <cstring>
#include <limits>

#include "model/byte_io.hpp"
#include "model/crc32c.hpp"

namespace braid::journal {
namespace {

constexpr std::uint16_t kEntryMagic = 0xB7A1;
constexpr std::uint64_t kFileMagic = 0x42524149444a4e4cull;     // "BRAIDJNL"
constexpr std::uint64_t kTrailerMagic = 0x4252414944464f54ull;  // "BRAIDFOT"

constexpr std::uint64_t kGapBit = 1ull << 63;
constexpr std::uint8_t kKnownFlags = EntryHeader::kGapBefore;

std::uint32_t header_checksum(const std::uint8_t* header, std::uint32_t seed, std::uint32_t position) {
  return crc32c(std::span(header + 4, kEntryHeaderBytes - 4), seed ^ position);
}

bool is_intact(std::span<const std::uint8_t> bytes, std::uint32_t seed, std::uint32_t position) {
  return bytes.size() >= kEntryHeaderBytes && load_big<std::uint16_t>(bytes.data() + 14) == kEntryMagic &&
         load_big<std::uint32_t>(bytes.data()) == header_checksum(bytes.data(), seed, position);
}

bool is_known(std::uint8_t kind, std::uint8_t flags) {
  return kind >= static_cast<std::uint8_t>(EntryKind::record_batch) &&
         kind <= static_cast<std::uint8_t>(EntryKind::shared_batch) && (flags & ~kKnownFlags) == 0;
}

std::string hexadecimal(std::string_view before, std::uint64_t value, std::string_view after) {
  std::array<char, 16> digits;
  for (int i = 15; i >= 0; --i, value >>= 4) digits[static_cast<std::size_t>(i)] = "0123456789abcdef"[value & 15];
  return std::string(before).append(digits.data(), digits.size()).append(after);
}

std::optional<std::uint64_t> parse_hexadecimal(std::string_view name, std::string_view before, std::string_view after) {
  if (name.size() != before.size() + 16 + after.size() || !name.starts_with(before) || !name.ends_with(after))
    return std::nullopt;
  const std::string_view digits = name.substr(before.size(), 16);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (hexadecimal(before, value, after) != name) return std::nullopt;  // upper case digits
  return value;
}

}  // namespace

std::uint32_t file_seed(std::uint64_t file_id) {
  std::array<std::uint8_t, 8> bytes;
  store_big(bytes.data(), file_id);
  return crc32c(std::span<const std::uint8_t>(bytes));
}

void encode(const EntryHeader& header, std::uint32_t seed, std::uint32_t position, std::uint8_t* to) {
  store_big(to + 4, header.body_checksum);
  store_big(to + 8, header.body_length);
  to[12] = static_cast<std::uint8_t>(header.kind);
  to[13] = header.flags;
  store_big(to + 14, kEntryMagic);
  store_big(to + 16, header.partition.value);
  store_big(to + 24, header.shard.value);
  store_big(to + 28, header.last_offset_delta);
  store_big(to + 32, header.base_offset.value);
  store_big(to + 40, header.max_timestamp.value);
  store_big(to + 48, header.synced);
  store_big(to + 52, header.targets);
  store_big(to + 56, header.term.value);
  store_big(to + 64, header.index.value);
  store_big(to, header_checksum(to, seed, position));
}

std::optional<EntryHeader> decode_entry_header(std::span<const std::uint8_t> bytes, std::uint32_t seed,
                                               std::uint32_t position) {
  if (!is_intact(bytes, seed, position)) return std::nullopt;
  const std::uint8_t* from = bytes.data();
  if (!is_known(from[12], from[13])) return std::nullopt;
  EntryHeader header;
  header.body_checksum = load_big<std::uint32_t>(from + 4);
  header.body_length = load_big<std::uint32_t>(from + 8);
  header.kind = static_cast<EntryKind>(from[12]);
  header.flags = from[13];
  header.partition = PartitionId(load_big<std::uint64_t>(from + 16));
  header.shard = ShardId(load_big<std::uint32_t>(from + 24));
  header.last_offset_delta = load_big<std::uint32_t>(from + 28);
  header.base_offset = Offset(load_big<std::int64_t>(from + 32));
  header.max_timestamp = Timestamp(load_big<std::int64_t>(from + 40));
  header.synced = load_big<std::uint32_t>(from + 48);
  header.targets = load_big<std::uint32_t>(from + 52);
  header.term = Term(load_big<std::uint64_t>(from + 56));
  header.index = RaftIndex(load_big<std::uint64_t>(from + 64));
  // What a checksum vouches for was written by us, but fuzzers and hostile disks can make a checksum too.
  if (header.body_length > kMaxBodyBytes || header.base_offset.value < 0 || header.synced > position ||
      header.base_offset.value > std::numeric_limits<std::int64_t>::max() - header.last_offset_delta - 1 ||
      (header.kind == EntryKind::record_batch || header.kind == EntryKind::shared_batch) != (header.body_length > 0))
    return std::nullopt;
  if (header.kind != EntryKind::shared_batch)
    header.targets = 0;
  else if (header.targets == 0 || header.targets > kMaxTargets || header.body_length <= targets_bytes(header.targets))
    return std::nullopt;
  return header;
}

bool is_from_later_version(std::span<const std::uint8_t> bytes, std::uint32_t seed, std::uint32_t position) {
  return is_intact(bytes, seed, position) && !is_known(bytes[12], bytes[13]);
}

void encode_targets(std::span<const SharedTarget> targets, std::uint8_t* to) {
  std::uint8_t* at = to;
  for (const SharedTarget& target : targets) {
    store_big(at, target.partition.value);
    store_big(at + 8, static_cast<std::uint64_t>(target.base_offset.value) | (target.gap_before ? kGapBit : 0));
    at += 16;
  }
  store_big(at, crc32c(std::span<const std::uint8_t>(to, at)));
  store_big(at + 4, std::uint32_t{0});
}

std::optional<std::vector<SharedTarget>> decode_targets(const EntryHeader& header, std::span<const std::uint8_t> body) {
  const std::uint32_t length = targets_bytes(header.targets);
  if (header.targets == 0 || body.size() < length) return std::nullopt;
  if (load_big<std::uint32_t>(body.data() + length - 8) != crc32c(body.first(length - 8))) return std::nullopt;
  std::vector<SharedTarget> targets(header.targets);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const std::uint8_t* at = body.data() + 16 * i;
    const auto offset = load_big<std::uint64_t>(at + 8);
    targets[i] = {PartitionId(load_big<std::uint64_t>(at)), Offset(static_cast<std::int64_t>(offset & ~kGapBit)),
                  (offset & kGapBit) != 0};
    if (targets[i].base_offset.value > std::numeric_limits<std::int64_t>::max() - header.last_offset_delta - 1)
      return std::nullopt;
  }
  return targets;
}

void encode(const FileHeader& header, std::uint8_t* to) {
  std::memset(to, 0, kFileHeaderBytes);
  store_big(to, kFileMagic);
  store_big(to + 8, kFormatVersion);
  store_big(to + 16, header.id);
  store_big(to + 24, header.previous);
  store_big(to + 32, header.previous_end);
  store_big(to + 36, header.previous_synced);
  store_big(to + 60, crc32c(std::span<const std::uint8_t>(to, 60)));
}

std::optional<FileHeader> decode_file_header(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kFileHeaderBytes) return std::nullopt;
  const std::uint8_t* from = bytes.data();
  if (load_big<std::uint64_t>(from) != kFileMagic || load_big<std::uint32_t>(from + 8) != kFormatVersion ||
      load_big<std::uint32_t>(from + 60) != crc32c(std::span<const std::uint8_t>(from, 60)))
    return std::nullopt;
  FileHeader header;
  header.id = load_big<std::uint64_t>(from + 16);
  header.previous = load_big<std::uint64_t>(from + 24);
  header.previous_end = load_big<std::uint32_t>(from + 32);
  header.previous_synced = load_big<std::uint32_t>(from + 36);
  if (header.previous >= header.id && header.previous != 0) return std::nullopt;
  if (header.previous_synced > header.previous_end) return std::nullopt;
  return header;
}

void encode(const FooterTrailer& trailer, std::uint8_t* to) {
  std::memset(to, 0, kTrailerBytes);
  store_big(to, kTrailerMagic);
  store_big(to + 8, kFormatVersion);
  store_big(to + 16, trailer.id);
  store_big(to + 24, trailer.entries_end);
  store_big(to + 28, trailer.footer_position);
  store_big(to + 32, trailer.directory_position);
  store_big(to + 36, trailer.directory_length);
  store_big(to + 40, trailer.checksum);
  store_big(to + 60, crc32c(std::span<const std::uint8_t>(to, 60)));
}

std::optional<FooterTrailer> decode_trailer(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kTrailerBytes) return std::nullopt;
  const std::uint8_t* from = bytes.data();
  if (load_big<std::uint64_t>(from) != kTrailerMagic || load_big<std::uint32_t>(from + 8) != kFormatVersion ||
      load_big<std::uint32_t>(from + 60) != crc32c(std::span<const std::uint8_t>(from, 60)))
    return std::nullopt;
  FooterTrailer trailer;
  trailer.id = load_big<std::uint64_t>(from + 16);
  trailer.entries_end = load_big<std::uint32_t>(from + 24);
  trailer.footer_position = load_big<std::uint32_t>(from + 28);
  trailer.directory_position = load_big<std::uint32_t>(from + 32);
  trailer.directory_length = load_big<std::uint32_t>(from + 36);
  trailer.checksum = load_big<std::uint32_t>(from + 40);
  if (trailer.entries_end < kFileHeaderBytes || trailer.footer_position < trailer.entries_end ||
      trailer.directory_position < trailer.footer_position)
    return std::nullopt;
  return trailer;
}

std::string file_name(std::uint64_t id) {
  return hexadecimal("", id, ".journal");
}
std::string checkpoint_name(std::uint64_t sequence) {
  return hexadecimal("checkpoint-", sequence, "");
}
std::optional<std::uint64_t> parse_file_name(std::string_view name) {
  return parse_hexadecimal(name, "", ".journal");
}
std::optional<std::uint64_t> parse_checkpoint_name(std::string_view name) {
  return parse_hexadecimal(name, "checkpoint-", "");
}

}  // namespace braid::journal
