// Braid, Apache-2.0.
#include "persistence/journal/footer.hpp"

#include <algorithm>

#include "model/crc32c.hpp"

namespace braid::journal {
namespace {

constexpr std::uint8_t kDropped = 1, kGapBefore = 2, kHasBatches = 4, kTruncated = 8;

const Segment* find_segment(const Row& row, std::uint32_t file, std::uint32_t list) {
  // From the end: it is among the newest.
  for (auto segment = row.segments.rbegin(); segment != row.segments.rend(); ++segment)
    if (segment->file == file && !segment->is_sealed() && segment->place == list) return &*segment;
  return nullptr;
}

void encode_entry(const DirectoryEntry& entry, ByteWriter& out) {
  out.varint(entry.partition.value);
  out.varint(entry.shard.value);
  out.u8(static_cast<std::uint8_t>((entry.dropped ? kDropped : 0) | (entry.gap_before ? kGapBefore : 0) |
                                   (entry.segment ? kHasBatches : 0) | (entry.truncated_to ? kTruncated : 0)));
  if (entry.dropped) return;
  out.varint(static_cast<std::uint64_t>(entry.log_start.value));
  if (entry.truncated_to) out.varint(static_cast<std::uint64_t>(entry.truncated_to->value));
  if (entry.segment) {
    encode_segment(*entry.segment, out);
    out.varint(static_cast<std::uint64_t>(entry.end.value - entry.segment->first_offset.value));
  }
  out.varint(entry.producers.size());
  out.raw(entry.producers);
}

bool decode_entry(ByteReader& in, DirectoryEntry& entry) {
  entry.partition = PartitionId(in.varint());
  entry.shard = ShardId(in.varint32());
  const std::uint8_t flags = in.u8();
  if (in.failed() || (flags & ~(kDropped | kGapBefore | kHasBatches | kTruncated)) != 0) return false;
  entry.dropped = flags & kDropped;
  entry.gap_before = flags & kGapBefore;
  if (entry.dropped) return true;
  const std::uint64_t log_start = in.varint();
  if (log_start > INT64_MAX) return false;
  entry.log_start = Offset(static_cast<std::int64_t>(log_start));
  if (flags & kTruncated) {
    const std::uint64_t end = in.varint();
    if (end > INT64_MAX) return false;
    entry.truncated_to = Offset(static_cast<std::int64_t>(end));
  }
  if (flags & kHasBatches) {
    Segment segment;
    if (!decode_segment(in, segment)) return false;
    const std::uint64_t length = in.varint();
    if (length == 0 || length > static_cast<std::uint64_t>(INT64_MAX - segment.first_offset.value)) return false;
    entry.segment = segment;
    entry.end = Offset(segment.first_offset.value + static_cast<std::int64_t>(length));
  }
  entry.producers = in.take(in.varint());
  return !in.failed();
}

}  // namespace

void encode_segment(const Segment& segment, ByteWriter& out) {
  out.varint(segment.place);
  out.varint(segment.section_length);
  out.varint(segment.bytes);
  out.varint(static_cast<std::uint64_t>(segment.first_offset.value));
  out.varint(zigzag(segment.max_timestamp.value));
  out.varint(segment.max_timestamp_distance);
  out.varint(segment.end_distance);
}

bool decode_segment(ByteReader& in, Segment& segment) {
  segment.place = in.varint32();
  segment.section_length = in.varint32();
  segment.bytes = in.varint32();
  const std::uint64_t first = in.varint();
  segment.max_timestamp = Timestamp(in.zigzag64());
  segment.max_timestamp_distance = in.varint32();
  segment.end_distance = in.varint32();
  if (in.failed() || first > INT64_MAX - std::uint64_t{UINT32_MAX}) return false;
  segment.first_offset = Offset(static_cast<std::int64_t>(first));
  return true;
}

Footer build_footer(const FileInfo& file, const PartitionTable& partitions, std::uint32_t position) {
  Footer footer;
  footer.segments.resize(file.lists.size());
  std::vector<DirectoryEntry> entries;
  // What was truncated lies in earlier files; the lists of this one are as truncation left them.
  for (const ControlEntry& control : file.controls) {
    if (control.kind != EntryKind::truncate) continue;
    DirectoryEntry entry;
    entry.partition = control.partition;
    entry.shard = control.shard;
    entry.truncated_to = control.offset;
    entries.push_back(std::move(entry));
  }
  ByteWriter out(4096);
  for (std::size_t i = 0; i < file.lists.size(); ++i) {
    const IndexList& list = file.lists[i];
    const std::uint32_t number = partitions.find(list.partition);
    if (number == PartitionTable::kNone) continue;
    const Row& row = partitions[number];
    DirectoryEntry entry;
    entry.partition = row.partition;
    entry.shard = row.shard;
    entry.log_start = row.log_start;
    entry.gap_before = list.gap_before;
    if (i < file.producers.size()) entry.producers = file.producers[i];
    const Segment* live = list.batches.empty() ? nullptr : find_segment(row, file.id, static_cast<std::uint32_t>(i));
    if (live) {
      Segment segment = *live;
      segment.place = position + static_cast<std::uint32_t>(out.size());
      encode_section(list.batches, out);
      segment.section_length = position + static_cast<std::uint32_t>(out.size()) - segment.place;
      footer.segments[i] = segment;
      entry.segment = segment;
      entry.end = Offset(list.batches.back().last_offset().value + 1);
    }
    entries.push_back(std::move(entry));
  }
  for (const ControlEntry& control : file.controls) {
    if (control.kind == EntryKind::truncate) continue;
    DirectoryEntry entry;
    entry.partition = control.partition;
    entry.shard = control.shard;
    entry.dropped = control.kind == EntryKind::drop;
    entry.log_start = control.offset;
    entries.push_back(std::move(entry));
  }
  FooterTrailer trailer;
  trailer.id = file.id;
  trailer.entries_end = file.end;
  trailer.footer_position = position;
  trailer.directory_position = position + static_cast<std::uint32_t>(out.size());
  const std::size_t directory = out.size();
  out.varint(entries.size());
  for (const DirectoryEntry& entry : entries) encode_entry(entry, out);
  trailer.directory_length = static_cast<std::uint32_t>(out.size() - directory);
  trailer.checksum = crc32c(std::span<const std::uint8_t>(out.data(), out.size()));
  encode(trailer, out.grow(kTrailerBytes));
  footer.bytes = out.finish();
  return footer;
}

std::optional<std::vector<DirectoryEntry>> decode_directory(const Bytes& directory, std::uint32_t file,
                                                            std::uint32_t directory_position) {
  ByteReader in(directory);
  const std::uint64_t count = in.varint();
  if (in.failed() || count > in.remaining() / 3) return std::nullopt;
  std::vector<DirectoryEntry> entries(count);
  for (DirectoryEntry& entry : entries) {
    if (!decode_entry(in, entry)) return std::nullopt;
    if (!entry.segment) continue;
    Segment& segment = *entry.segment;
    segment.file = file;
    if (segment.section_length == 0 || segment.place < kFileHeaderBytes ||
        std::uint64_t{segment.place} + segment.section_length > directory_position)
      return std::nullopt;
  }
  if (in.failed() || in.remaining() != 0) return std::nullopt;
  return entries;
}

}  // namespace braid::journal
