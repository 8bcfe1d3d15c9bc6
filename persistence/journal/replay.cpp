// Braid, Apache-2.0.
#include "persistence/journal/replay.hpp"

#include <algorithm>

#include "model/record_batch.hpp"
#include "persistence/journal/producer_codec.hpp"

namespace braid::journal {
namespace {

ProducerStates& producers_of(Row& row) {
  if (!row.producers) row.producers = std::make_unique<ProducerStates>();
  return *row.producers;
}

void note_producer(Row& row, const EntryHeader& header, const Bytes& body) {
  const auto batch = read_batch_header(body);
  if (!batch || !batch->has_producer() || batch->base_sequence < 0) return;
  producers_of(row).appended(
      batch->producer_id, batch->producer_epoch,
      {batch->base_sequence, batch->last_sequence(), header.base_offset, header.last_offset(), header.max_timestamp},
      Timestamp(-1));
}

}  // namespace

void Replay::expect(Row& row, FileInfo& file, Offset base_offset, bool gap_before) {
  if (base_offset <= row.end || gap_before || base_offset <= row.log_start) return;
  if (!from_checkpoint_ && row.end.value == 0) {
    // Files before were reclaimed, and no checkpoint says what they held.
    row.log_start = row.end = base_offset;
    return;
  }
  gaps_.push_back({row.partition, row.end, Offset(base_offset.value - 1)});
  IndexEntry lost;
  lost.base_offset = row.end;
  lost.last_offset_delta =
      static_cast<std::uint32_t>(std::min<std::int64_t>(base_offset.value - row.end.value, UINT32_MAX) - 1);
  add_batch(store_, row, file, lost, false);
}

void Replay::cut(Row& row, Offset end) {
  truncate(store_, row, end);
  if (row.producers) row.producers->truncate(end);
}

Row& Replay::add(FileInfo& file, const EntryHeader& header, const SharedTarget& target, std::uint32_t position) {
  Row& row = store_.partitions[store_.partitions.find_or_insert(target.partition, header.shard)];
  expect(row, file, target.base_offset, target.gap_before);
  if (row.producers && target.base_offset < row.end) row.producers->truncate(target.base_offset);
  const std::uint32_t prefix = targets_bytes(header.targets);
  add_batch(store_, row, file,
            {target.base_offset, header.max_timestamp, position, header.body_length - prefix, header.last_offset_delta,
             prefix},
            target.gap_before);
  return row;
}

void Replay::batch(FileInfo& file, std::uint32_t position, const FileScan::Entry& entry) {
  const EntryHeader& header = entry.header;
  const bool gap_before = header.flags & EntryHeader::kGapBefore;
  Row& row = add(file, header, {header.partition, header.base_offset, gap_before}, position);
  if (entry.body_intact) note_producer(row, header, entry.body);
}

void Replay::shared_batch(FileInfo& file, std::uint32_t position, const FileScan::Entry& entry) {
  if (const auto targets = decode_targets(entry.header, entry.body.span())) {
    for (const SharedTarget& target : *targets) add(file, entry.header, target, position);
    return;
  }
  // The list is damaged as well: only the first target is known, from the header. Whether something was before it does
  // not matter to the fence that reads will find.
  add(file, entry.header, {entry.header.partition, entry.header.base_offset, true}, position);
}

void Replay::entry(FileInfo& file, std::uint32_t position, const FileScan::Entry& entry) {
  const EntryHeader& header = entry.header;
  switch (header.kind) {
    case EntryKind::record_batch:
      batch(file, position, entry);
      break;
    case EntryKind::shared_batch:
      shared_batch(file, position, entry);
      break;
    case EntryKind::log_start: {
      Row& row = store_.partitions[store_.partitions.find_or_insert(header.partition, header.shard)];
      move_start(store_, row, header.base_offset);
      file.controls.push_back({header.partition, header.shard, header.kind, header.base_offset});
      break;
    }
    case EntryKind::drop:
      if (const std::uint32_t row = store_.partitions.find(header.partition); row != PartitionTable::kNone)
        drop_partition(store_, row);
      file.controls.push_back({header.partition, header.shard, header.kind, header.base_offset});
      break;
    case EntryKind::truncate:
      if (const std::uint32_t row = store_.partitions.find(header.partition); row != PartitionTable::kNone)
        cut(store_.partitions[row], header.base_offset);
      file.controls.push_back({header.partition, header.shard, header.kind, header.base_offset});
      break;
    case EntryKind::note:
      break;
  }
}

bool Replay::footer(FileInfo& file, const FooterTrailer& trailer, const Bytes& directory) {
  const auto entries = decode_directory(directory, file.id, trailer.directory_position);
  if (!entries) return false;
  for (const DirectoryEntry& entry : *entries) {
    if (entry.dropped) {
      if (const std::uint32_t row = store_.partitions.find(entry.partition); row != PartitionTable::kNone)
        drop_partition(store_, row);
      continue;
    }
    Row& row = store_.partitions[store_.partitions.find_or_insert(entry.partition, entry.shard)];
    if (entry.truncated_to) cut(row, *entry.truncated_to);
    if (entry.segment) {
      const Offset first = entry.segment->first_offset;
      expect(row, file, first, entry.gap_before || first <= entry.log_start);
      if (row.producers && first < row.end) row.producers->truncate(first);
      add_segment(store_, row, *entry.segment, entry.end);
    }
    move_start(store_, row, entry.log_start);
    if (!entry.producers.empty()) {
      ByteReader in(entry.producers);
      ProducerStates states;
      if (decode_producers(in, states))
        for (const auto& [id, producer] : states.all()) producers_of(row).restore(id, producer);
    }
  }
  return true;
}

bool Replay::is_missing(const Row& row, Offset offset) {
  for (const Segment& segment : row.segments) {
    if (segment.is_sealed() || segment.is_memory()) continue;
    const BatchIndex& batches = batches_of(store_, segment);
    const std::size_t at = find_batch(batches, offset);
    if (at < batches.size() && batches[at].is_lost() && batches[at].base_offset <= offset) return true;
  }
  return false;
}

void Replay::finish() {
  // A footer leaves out what a later entry dropped or replaced or a later log start passed: only what is still missing
  // in the end was lost.
  for (const Gap& gap : gaps_) {
    const std::uint32_t row = store_.partitions.find(gap.partition);
    if (row == PartitionTable::kNone || !is_missing(store_.partitions[row], gap.first)) continue;
    damages_.push_back("partition " + std::to_string(gap.partition.value) + ": offsets " +
                       std::to_string(gap.first.value) + " to " + std::to_string(gap.last.value) +
                       " are lost; reading them fails");
  }
  for (std::uint32_t number = 0; number < store_.partitions.row_limit(); ++number) {
    Row& row = store_.partitions[number];
    if (!row.used) continue;
    if (row.producers) row.producers->truncate(row.end);
    // Batches with durability memory are gone, and what lies before the first that is left with them.
    move_start(store_, row, row.segments.empty() ? row.end : std::min(row.segments.front().first_offset, row.end));
    row.log_start = std::min(row.log_start, row.end);
  }
}

}  // namespace braid::journal
