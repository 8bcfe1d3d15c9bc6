// Braid, Apache-2.0.
//
// What the journal writes, byte by byte. All integers are big-endian, as in record batches.
//
// A journal is a chain of files `0000000000000007.journal` (the id in hexadecimal, growing, never reused):
//
//     0   file header, 64 bytes       magic, version, id; which file came before, and where that one ends
//    64   entry | entry | entry ...   each a 72-byte header, a body, zeros up to a multiple of 8
//     e   section | section ...       footer, once the file is sealed: per partition its batches, delta-encoded
//     d   directory                   per partition what the file did to it, and where its section lies
//   n-64  trailer                     where the entries end and the directory lies; the last bytes of the file
//
// Worked example: file 7 follows file 6, which ended at 1,048,000. Partition 5 (shard 1) appends a batch of 200 bytes
// with offsets 40 to 44, the first entry of the file:
//
//    64  header checksum u32   CRC32C of bytes 68 to 135, seeded with (7, 64): the same bytes copied to another place
//                              or left over from another file are no entry
//    68  body checksum u32     CRC32C of the 200 bytes
//    72  body length u32       200
//    76  kind u8               1, a record batch
//    77  flags u8              0; bit 0: what came before offset 40 was never on disk (durability memory)
//    78  magic u16             0xB7A1
//    80  partition u64         5
//    88  shard u32             1
//    92  last offset delta u32 4
//    96  base offset i64       40
//   104  maximum timestamp i64
//   112  synced u32            how far this file was known to be on the disk when the entry was written; 0 here
//   116  targets u32           0; how many partitions share the batch, see below
//   120  raft term u64
//   128  raft index u64
//   136  body, 200 bytes
//   336  the next entry (336 is a multiple of 8)
//
// A batch that goes to several partitions at once (a message routed to many queues) is stored once, kind 6. Its body
// begins with where it belongs; the batch's own bytes are the same for all and bear none of these offsets:
//
//     0   partition u64, base offset i64      of the first target, as in the header; the offset's sign bit is the gap
//    16   partition u64, base offset i64      flag of this target
//   ...
//  16 n   checksum u32                        of these n targets, so that a damaged batch still tells whose it was
//         zero u32
//  16n+8  the record batch
//
// The header's field at 116, zero in other kinds, holds n (1 to 256); last offset delta and timestamp are the batch's
// and the same for all targets. The body checksum covers all of it. Each partition's index points at the entry.
//
// The `synced` field tells damage from a torn tail: unreadable bytes below a position that a later entry calls synced
// were acknowledged and are damage; above it nobody was promised anything, and the tail is cut there.
//
// Place for what comes later: more kinds (Raft's hard state), key compaction and rewriting of live
// remainders (an entry states its offsets itself, gaps are allowed where a later copy says so by its flags), files in
// an object tier (a directory entry needs only the file's id). A reader that meets a kind or version it does not know
// refuses the file rather than guess.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/ids.hpp"

namespace braid::journal {

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::uint32_t kFileHeaderBytes = 64;
inline constexpr std::uint32_t kEntryHeaderBytes = 72;
inline constexpr std::uint32_t kTrailerBytes = 64;
inline constexpr std::uint32_t kAlignment = 8;
/// Positions are 32 bits: a file takes its last entry even if that makes it larger than asked.
inline constexpr std::uint64_t kMaxFileBytes = 1ull << 30;
inline constexpr std::uint64_t kMaxBodyBytes = 512ull << 20;

constexpr std::uint32_t align_up(std::uint32_t position) {
  return (position + kAlignment - 1) & ~(kAlignment - 1);
}
/// Targets of one shared batch.
inline constexpr std::uint32_t kMaxTargets = 256;
/// What lies between the header of a shared batch and the batch.
constexpr std::uint32_t targets_bytes(std::uint32_t targets) {
  return targets == 0 ? 0 : 16 * targets + 8;
}
/// Bytes that an entry with a body of this length takes.
constexpr std::uint32_t entry_bytes(std::uint32_t body_length) {
  return align_up(kEntryHeaderBytes + body_length);
}

enum class EntryKind : std::uint8_t {
  record_batch = 1,
  log_start = 2,     ///< base offset: the partition's new log start; no body
  drop = 3,          ///< the partition is gone; no body
  note = 4,          ///< says nothing but how far the file is synced; no body
  truncate = 5,      ///< base offset: the partition's new end; no body
  shared_batch = 6,  ///< a record batch of several partitions
};

struct EntryHeader {
  static constexpr std::uint8_t kGapBefore = 1;

  std::uint32_t body_checksum = 0;
  std::uint32_t body_length = 0;
  EntryKind kind = EntryKind::record_batch;
  std::uint8_t flags = 0;
  PartitionId partition;
  ShardId shard;
  std::uint32_t last_offset_delta = 0;
  Offset base_offset;
  Timestamp max_timestamp{-1};
  std::uint32_t synced = 0;
  std::uint32_t targets = 0;  ///< of a shared batch
  Term term;
  RaftIndex index;

  Offset last_offset() const { return Offset(base_offset.value + last_offset_delta); }
};

/// Whose a shared batch is.
struct SharedTarget {
  PartitionId partition;
  Offset base_offset;
  bool gap_before = false;
};

struct FileHeader {
  std::uint64_t id = 0;
  std::uint64_t previous = 0;         ///< 0: the first file
  std::uint32_t previous_end = 0;     ///< what lies behind it in the previous file failed and never counted
  std::uint32_t previous_synced = 0;  ///< as much of it was known to be on the disk
};

struct FooterTrailer {
  std::uint64_t id = 0;
  std::uint32_t entries_end = 0;
  std::uint32_t footer_position = 0;  ///< behind entries_end, with what a failed write left in between
  std::uint32_t directory_position = 0;
  std::uint32_t directory_length = 0;
  std::uint32_t checksum = 0;  ///< of sections and directory: a crash may leave the trailer and lose what is before it
};

/// Seed of the checksums in a file; see the header checksum above.
std::uint32_t file_seed(std::uint64_t file_id);

void encode(const EntryHeader&, std::uint32_t seed, std::uint32_t position, std::uint8_t* to);
/// Nothing unless the checksum holds for this file and position and the fields are possible.
std::optional<EntryHeader> decode_entry_header(std::span<const std::uint8_t> bytes, std::uint32_t seed,
                                               std::uint32_t position);
/// Whether decode_entry_header refused only a kind or flag of a later version.
bool is_from_later_version(std::span<const std::uint8_t> bytes, std::uint32_t seed, std::uint32_t position);

/// Writes targets_bytes(targets.size()) bytes.
void encode_targets(std::span<const SharedTarget> targets, std::uint8_t* to);
/// The targets of a shared batch from the beginning of its body; nothing if they are damaged or impossible.
std::optional<std::vector<SharedTarget>> decode_targets(const EntryHeader&, std::span<const std::uint8_t> body);

void encode(const FileHeader&, std::uint8_t* to);
std::optional<FileHeader> decode_file_header(std::span<const std::uint8_t> bytes);
void encode(const FooterTrailer&, std::uint8_t* to);
std::optional<FooterTrailer> decode_trailer(std::span<const std::uint8_t> bytes);

std::string file_name(std::uint64_t id);
std::string checkpoint_name(std::uint64_t sequence);
/// Id of a journal file, sequence of a checkpoint; nothing for other names.
std::optional<std::uint64_t> parse_file_name(std::string_view name);
std::optional<std::uint64_t> parse_checkpoint_name(std::string_view name);

}  // namespace braid::journal
