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
  give_up(file, end, std::move(failed));
}

void Writer::fail_unsynced() {
  assert(!writing_);
  sync_failed_ = false;
  std::vector<Failed> failed;
  for (Pending& pending : std::exchange(written_, {})) {
    if (!pending.acknowledged && pending.durability == Durability::sync && pending.kind != Kind::barrier)
      if (Row* row = row_of(pending)) --row->waiting_for_sync;
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
  for (const Salvage& batch : salvage) {
    Pending& pending = place(batch.row, batch.header, batch.body, nullptr);
    pending.durability = Durability::os;
    pending.acknowledged = true;
    --store_.partitions[batch.row].unacknowledged;
  }
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

std::vector<Writer::Salvage> Writer::collect_salvage(const std::vector<Failed>& failed) {
  std::vector<Salvage> salvage;
  for (const Failed& entry : failed) {
    const Pending& pending = entry.pending;
    const Row* row = pending.acknowledged && pending.kind == Kind::batch ? row_of(pending) : nullptr;
    if (!row) continue;
    // Only what is still in the log: it may have been replaced, or the log start may have passed it.
    const auto segment = std::find_if(row->segments.begin(), row->segments.end(), [&](const Segment& candidate) {
      return candidate.file == pending.file && !candidate.is_sealed();
    });
    if (segment == row->segments.end()) continue;
    const BatchIndex& batches = batches_of(store_, *segment);
    const std::size_t at = find_batch(batches, pending.base_offset);
    if (at == batches.size() || batches[at].position != pending.position) continue;
    const Bytes head = store_.tail.find(pending.file, pending.position, kEntryHeaderBytes);
    const auto header = decode_entry_header(head.span(), store_.files.find(pending.file)->seed, pending.position);
    assert(header && "what is not synced stays in the tail cache");
    salvage.push_back({pending.row, *header,
                       store_.tail.find(pending.file, pending.position + kEntryHeaderBytes, header->body_length)});
  }
  return salvage;
}

void Writer::roll_back(const std::vector<Failed>& failed) {
  std::unordered_map<std::uint32_t, Offset> ends;
  for (const Failed& entry : failed) {
    if (entry.pending.kind != Kind::batch && entry.pending.kind != Kind::memory) continue;
    if (!row_of(entry.pending)) continue;
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
    // One that is still being created is removed when it is there.
    if (const auto& info = *store_.files.find(file); info.handle)
      store_.disk.remove_later(info.path, [](Outcome<IoError>) {});
    store_.files.erase(file);
  }
}

}  // namespace braid::journal
