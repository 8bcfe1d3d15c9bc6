// Braid, Apache-2.0.
//
// What happens when the disk refuses. Three rules: what was acknowledged stays, what was not is out of the log before
// anybody is told so, and no byte that a failed operation may have left behind is ever taken for an entry: the file
// ends before it, and the next file's header says where.
//
// After a failed write the entries before it in the file are still good and get their sync. After a failed sync nothing
// behind the last good one can be trusted, not even if a later sync succeeds, so the file ends there, and so do all
// files behind it.
#include <algorithm>
#include <cassert>
#include <unordered_map>

#include "model/crc32c.hpp"
#include "persistence/journal/log_index.hpp"
#include "persistence/journal/writer.hpp"

namespace braid::journal {

void Writer::fail_queue() {
  assert(!writing_ && !groups_.empty());
  ++store_.statistics.failed_writes;
  const std::uint32_t file = groups_.front().file, end = groups_.front().begin;
  std::vector<Failed> failed;
  for (Group& group : std::exchange(groups_, {}))
    for (Pending& pending : group.entries) failed.push_back({std::move(pending), Errc::storage_failed});
  sync_wanted_ = true;
  held_ = true;
  give_up(file, end, std::move(failed));
}

void Writer::fail_unsynced() {
  assert(!writing_);
  sync_failed_ = false;
  std::vector<Failed> failed;
  for (Pending& pending : std::exchange(written_, {})) {
    if (Row* row = row_of(pending); row && pending.waits_for_sync) --row->waiting_for_sync;
    const Errc error = pending.kind == Kind::memory ? Errc::storage_failed : Errc::unknown_outcome;
    failed.push_back({std::move(pending), error});
  }
  for (Group& group : std::exchange(groups_, {}))
    for (Pending& pending : group.entries) failed.push_back({std::move(pending), Errc::storage_failed});
  sync_waiters_ = 0;
  unsynced_bytes_ = 0;
  const FileInfo* file = store_.files.find(failed_file_);
  give_up(failed_file_, file ? file->synced : 0, std::move(failed));
  // What was acknowledged goes to the next file at once; if that fails, with the next append.
  if (!groups_.empty()) schedule_flush();
}

void Writer::give_up(std::uint32_t file, std::uint32_t end, std::vector<Failed> failed) {
  pending_bytes_ = 0;
  open_ = nullptr;
  const std::vector<Salvage> salvage = collect_salvage(failed);
  roll_back(failed);
  store_.tail.cut(file, end);
  end_files(file, end);
  // All of it goes out with the file's header in one write: the header takes the old copies out of the chain.
  salvaging_ = true;
  for (const Salvage& entry : salvage) {
    Row* row = entry.row == PartitionTable::kNone ? nullptr : &store_.partitions[entry.row];
    EntryHeader header = entry.header;
    if (header.kind == EntryKind::log_start) header.base_offset = std::min(row->log_start, row->end);
    if (header.kind == EntryKind::truncate && header.base_offset > row->end) header.base_offset = row->end;
    Pending& pending = place(entry.row, header, entry.body, nullptr);
    pending.durability = Durability::os;
    pending.acknowledged = true;
    if (row) --row->unacknowledged;
    if (header.kind == EntryKind::record_batch) continue;
    pending.kind = Kind::control;
    pending.entry_kind = header.kind;
    open_->controls.push_back({header.partition, header.shard, header.kind, header.base_offset});
  }
  salvaging_ = false;
  // Of a log whose readers were ahead of the disk the offsets stay used: what comes next is not taken for what failed.
  for (const Failed& entry : failed)
    if (Row* row = row_of(entry.pending); row && !entry.pending.acknowledged)
      row->end = std::max(row->end, entry.pending.used_until);
  Callbacks callbacks;
  for (Failed& entry : failed) {
    if (Row* row = row_of(entry.pending)) {
      row->log_start = std::min(row->log_start, row->end);
      if (row->producers) row->producers->truncate(row->end);
      if (!entry.pending.acknowledged) --row->unacknowledged;
    }
    if (!entry.pending.acknowledged) callbacks.emplace_back(std::move(entry.pending.done), entry.error);
  }
  run(std::move(callbacks));
}

std::vector<Writer::Salvage> Writer::collect_salvage(std::vector<Failed>& failed) {
  std::vector<Salvage> salvage;
  for (Failed& entry : failed) {
    auto saved = salvage_of(entry.pending);
    if (!saved) continue;
    entry.salvaged = saved->header.kind == EntryKind::record_batch;
    salvage.push_back(std::move(*saved));
  }
  return salvage;
}

std::optional<Writer::Salvage> Writer::salvage_of(const Pending& pending) {
  if (pending.kind == Kind::barrier) return std::nullopt;
  const bool control = pending.kind == Kind::control;
  // What a drop, a log start or a replaced suffix did to the log is in force already, whatever its caller is told, so
  // the disk must learn of it.
  if (!pending.acknowledged && !control && !pending.replaces) return std::nullopt;
  Salvage salvage{pending.row, {}, {}};
  EntryHeader& header = salvage.header;
  header.partition = pending.partition;
  const Row* row = row_of(pending);
  if (!row) {
    // The drop itself, or something of a partition that was dropped since, so that it does not come back with a part of
    // what it had.
    salvage.row = PartitionTable::kNone;
    header.kind = EntryKind::drop;
    return salvage;
  }
  header.shard = row->shard;
  header.base_offset = pending.base_offset;
  if (!pending.acknowledged && !control) {
    header.kind = EntryKind::truncate;
  } else if (control) {
    header.kind = pending.entry_kind;
  } else if (auto batch = find_batch_of(pending, *row)) {
    return batch;
  } else if (pending.base_offset < row->log_start) {
    // The log start has passed the batch, but it may not be on the disk either; it is written in the batch's place.
    header.kind = EntryKind::log_start;
  } else {
    return std::nullopt;  // replaced since
  }
  return salvage;
}

std::optional<Writer::Salvage> Writer::find_batch_of(const Pending& pending, const Row& row) {
  if (pending.kind != Kind::batch) return std::nullopt;
  const auto segment = std::find_if(row.segments.begin(), row.segments.end(), [&](const Segment& candidate) {
    return candidate.file == pending.file && !candidate.is_sealed();
  });
  if (segment == row.segments.end()) return std::nullopt;
  const BatchIndex& batches = batches_of(store_, *segment);
  const std::size_t at = find_batch(batches, pending.base_offset);
  if (at == batches.size() || batches[at].position != pending.position) return std::nullopt;
  const Bytes head = store_.tail.find(pending.file, pending.position, kEntryHeaderBytes);
  const auto header = decode_entry_header(head.span(), store_.files.find(pending.file)->seed, pending.position);
  assert(header && "what is not synced stays in the tail cache");
  const std::uint32_t prefix = targets_bytes(header->targets);
  Salvage salvage{
      pending.row, *header,
      store_.tail.find(pending.file, pending.position + kEntryHeaderBytes + prefix, header->body_length - prefix)};
  if (header->kind == EntryKind::shared_batch) {  // written again for each of its partitions
    salvage.header.kind = EntryKind::record_batch;
    salvage.header.targets = 0;
    salvage.header.partition = pending.partition;
    salvage.header.base_offset = pending.base_offset;
    salvage.header.body_checksum = crc32c(salvage.body.span());
  }
  return salvage;
}

void Writer::roll_back(const std::vector<Failed>& failed) {
  std::unordered_map<std::uint32_t, Offset> ends;
  for (const Failed& entry : failed) {
    if (entry.pending.kind != Kind::batch && entry.pending.kind != Kind::memory) continue;
    Row* row = row_of(entry.pending);
    if (!row) continue;
    if (entry.pending.acknowledged && !entry.salvaged) {
      // The log start has passed it. Its offsets stay used, though nothing on the disk will show them.
      row->disk_end = std::min(row->disk_end, entry.pending.base_offset);
      continue;
    }
    const auto [at, first] = ends.try_emplace(entry.pending.row, entry.pending.base_offset);
    if (!first) at->second = std::min(at->second, entry.pending.base_offset);
  }
  for (const auto& [row, end] : ends) truncate(store_, store_.partitions[row], end);
}

void Writer::end_files(std::uint32_t id, std::uint32_t end) {
  // Files behind it hold nothing that counts any more.
  std::vector<std::uint32_t> discarded;
  for (auto at = store_.files.all().upper_bound(id); at != store_.files.all().end(); ++at)
    discarded.push_back(at->first);
  if (FileInfo* file = store_.files.find(id)) {
    if (end > kFileHeaderBytes) {
      file->rolled = true;
      file->end = end;
      file->written = std::min(file->written, end);
      last_id_ = id;
      last_end_ = end;
      snapshot_producers(*file);
      if (file->synced == end) sealable_(*file);
    } else {
      last_id_ = file->previous;
      last_end_ = file->previous_end;
      discarded.push_back(id);
    }
  }
  for (const std::uint32_t file : discarded) {
    // One that is still being created is removed when it is there. One with acknowledged batches goes when these are
    // written again: until then a dying process leaves it to the next.
    if (const auto& info = *store_.files.find(file); info.handle) {
      if (info.written > 0)
        given_up_.push_back(info.path);
      else
        store_.disk.remove_later(info.path, [](Outcome<IoError>) {});
    }
    store_.files.erase(file);
  }
}

void Writer::remove_given_up() {
  for (const std::string& path : std::exchange(given_up_, {})) store_.disk.remove_later(path, [](Outcome<IoError>) {});
}

}  // namespace braid::journal
