// Braid, Apache-2.0.
//
// Taking entries and getting them to the disk as long as it works.
#include "persistence/journal/writer.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "model/crc32c.hpp"
#include "persistence/journal/log_index.hpp"
#include "persistence/journal/producer_codec.hpp"

namespace braid::journal {
namespace {

/// Smaller batches are copied into the write block; copying them costs less than another chunk of a vectored write.
constexpr std::size_t kReferBytes = 4096;
/// A write is no larger, so that it does not hold up the ones behind it for long.
constexpr std::uint32_t kGroupBytes = 8u << 20;
/// What may be lost to the process by a failed sync is kept in memory; past this much a sync is due.
constexpr std::uint64_t kUnsyncedBytes = 32u << 20;

}  // namespace

void Writer::resume(FileInfo* open, std::uint32_t next_id, std::uint32_t last_id, std::uint32_t last_end) {
  open_ = open;
  next_id_ = next_id;
  last_id_ = last_id;
  last_end_ = last_end;
}

Writer::Position Writer::position() const {
  if (open_) return {open_->id, open_->end};
  return {spare_.id != 0 ? spare_.id : next_id_, 0};
}

Row* Writer::row_of(const Pending& pending) {
  if (pending.row == PartitionTable::kNone) return nullptr;
  Row& row = store_.partitions[pending.row];
  return row.used && row.partition == pending.partition ? &row : nullptr;
}

Errc Writer::append(std::uint32_t row_number, AppendRequest request, AppendDone done) {
  Row& row = store_.partitions[row_number];
  const std::int64_t delta = request.last_offset.value - request.base_offset.value;
  if (request.batch.empty() || request.batch.size() > kMaxBodyBytes) return Errc::batch_too_large;
  if (request.base_offset.value < 0 || request.base_offset > row.end || delta < 0 || delta >= INT32_MAX ||
      request.base_offset.value > INT64_MAX - delta - 1)
    return Errc::offset_out_of_range;
  if (pending_bytes_ + request.batch.size() > store_.options.max_pending_bytes && pending_bytes_ > 0)
    return Errc::overloaded;
  ++store_.statistics.appends;
  store_.statistics.appended_bytes += request.batch.size();
  const bool replaces = request.base_offset < row.end;
  if (row.producers && replaces) row.producers->truncate(request.base_offset);

  if (request.durability == Durability::memory) {
    add_memory_batch(store_, row,
                     {request.base_offset, request.last_offset, request.max_timestamp, request.batch.compact()},
                     request.visible_at_once);
    if (row.unacknowledged == 0) {
      answer(std::move(done), Errc::none);
      return Errc::none;
    }
    // Behind batches that are on their way to the disk: answered after them.
    Pending& pending = gathering().entries.emplace_back();
    pending.done = std::move(done);
    pending.partition = request.partition;
    pending.base_offset = request.base_offset;
    pending.row = row_number;
    pending.file = groups_.back().file;
    pending.kind = Kind::memory;
    pending.durability = Durability::memory;
    pending.replaces = replaces;
    if (request.visible_at_once) pending.used_until = row.end;
    ++row.unacknowledged;
    schedule_flush();
    return Errc::none;
  }

  EntryHeader header;
  header.partition = request.partition;
  header.shard = row.shard;
  header.base_offset = request.base_offset;
  header.last_offset_delta = static_cast<std::uint32_t>(delta);
  header.max_timestamp = request.max_timestamp;
  header.term = request.term;
  header.index = request.index;
  header.body_checksum = crc32c(request.batch.span());
  Pending& pending = place(row_number, header, request.batch, std::move(done));
  pending.durability = request.durability;
  pending.replaces = replaces;
  if (request.visible_at_once) pending.used_until = row.end;
  schedule_flush();
  return Errc::none;
}

Errc Writer::control(std::uint32_t row, ControlEntry entry, AppendDone done) {
  EntryHeader header;
  header.kind = entry.kind;
  header.partition = entry.partition;
  header.shard = entry.shard;
  header.base_offset = entry.offset;
  Pending& pending = place(row, header, {}, std::move(done));
  pending.kind = Kind::control;
  pending.entry_kind = entry.kind;
  open_->controls.push_back(entry);
  schedule_flush();
  return Errc::none;
}

void Writer::barrier(AppendDone done) {
  Pending& pending = gathering().entries.emplace_back();
  pending.done = std::move(done);
  pending.file = groups_.back().file;
  pending.kind = Kind::barrier;
  schedule_flush();
}

void Writer::answer(AppendDone done, Errc error) {
  answers_.emplace_back(std::move(done), error);
  schedule_flush();
}

Writer::Pending& Writer::place(std::uint32_t row_number, EntryHeader header, const Bytes& body, AppendDone done) {
  header.body_length = static_cast<std::uint32_t>(body.size());
  const std::uint32_t size = entry_bytes(header.body_length);
  FileInfo& file = file_with_room(size);
  const std::uint32_t position = file.end;
  header.synced = file.synced;
  Row* row = row_number == PartitionTable::kNone ? nullptr : &store_.partitions[row_number];
  if (header.kind == EntryKind::record_batch && row->disk_end < header.base_offset)
    header.flags |= EntryHeader::kGapBefore;

  lay_out(file, header, {}, body);
  if (header.kind == EntryKind::record_batch)
    add_batch(store_, *row, file,
              {header.base_offset, header.max_timestamp, position, header.body_length, header.last_offset_delta},
              header.flags & EntryHeader::kGapBefore);
  if (row) ++row->unacknowledged;

  Pending& pending = gathering().entries.emplace_back();
  pending.done = std::move(done);
  pending.partition = header.partition;
  pending.base_offset = header.base_offset;
  pending.row = row_number;
  pending.file = file.id;
  pending.position = position;
  pending.bytes = size;
  return pending;
}

std::uint32_t Writer::lay_out(FileInfo& file, const EntryHeader& header, std::span<const SharedTarget> targets,
                              const Bytes& body) {
  Group& group = gathering();
  const std::uint32_t position = file.end, size = entry_bytes(header.body_length);
  const std::uint32_t head = kEntryHeaderBytes + targets_bytes(static_cast<std::uint32_t>(targets.size()));
  const std::uint32_t body_end = kEntryHeaderBytes + header.body_length;
  // A large batch is written from where it lies, unless it keeps much more memory alive than it shows.
  const bool copied = body.size() < kReferBytes || body.pinned() > 2 * body.size() + 64;
  std::uint8_t* to = store_.tail.copy_in(file.id, position, copied ? size : head);
  encode(header, file.seed, position, to);
  if (!targets.empty()) encode_targets(targets, to + kEntryHeaderBytes);
  if (copied) {
    if (!body.empty()) std::memcpy(to + head, body.data(), body.size());
    std::memset(to + body_end, 0, size - body_end);
  } else {
    store_.tail.refer(file.id, position + head, body);
    if (size > body_end)
      std::memset(store_.tail.copy_in(file.id, position + body_end, size - body_end), 0, size - body_end);
  }
  file.end = position + size;
  group.end = file.end;
  pending_bytes_ += size;
  return position;
}

Writer::Group& Writer::gathering() {
  // Without an open file only what needs no disk is taken; it counts to the file before, to keep the order.
  const std::uint32_t file = open_ ? open_->id : last_id_;
  const bool in_flight = writing_ && groups_.size() == 1;
  if (groups_.empty() || in_flight || groups_.back().file != file ||
      (!salvaging_ && groups_.back().end - groups_.back().begin >= kGroupBytes)) {
    Group group;
    group.file = file;
    group.begin = group.end = open_ ? open_->end : 0;
    groups_.push_back(std::move(group));
  }
  return groups_.back();
}

FileInfo& Writer::file_with_room(std::uint32_t bytes) {
  // A file takes at least one entry, however large.
  if (open_ && !salvaging_ && open_->end > kFileHeaderBytes &&
      open_->end + std::uint64_t{bytes} > store_.options.file_bytes)
    roll();
  return open_ ? *open_ : begin_file();
}

void Writer::roll() {
  open_->rolled = true;
  last_id_ = open_->id;
  last_end_ = open_->end;
  snapshot_producers(*open_);
  if (open_->synced == open_->end) sealable_(*open_);
  sync_wanted_ = true;
  open_ = nullptr;
}

void Writer::snapshot_producers(FileInfo& file) {
  // The states as of the file's end; later they will know of batches that lie in the next file.
  file.producers.clear();
  for (const IndexList& list : file.lists) {
    Bytes encoded;
    const std::uint32_t number = store_.partitions.find(list.partition);
    if (number != PartitionTable::kNone) {
      const Row& row = store_.partitions[number];
      if (row.producers && !row.producers->empty()) {
        ByteWriter out;
        encode_producers(*row.producers, row.end, out);
        encoded = out.finish();
      }
    }
    file.producers.push_back(std::move(encoded));
  }
}

FileInfo& Writer::begin_file() {
  const std::uint32_t id = spare_.id != 0 ? spare_.id : next_id_++;
  FileInfo& file = store_.files.insert(id, store_.options.directory);
  if (spare_.id == id) {
    file.handle = std::move(spare_.handle);
    file.creating = !file.handle;
    spare_ = {};
  }
  FileHeader header;
  header.id = id;
  header.previous = file.previous = last_id_;
  header.previous_end = file.previous_end = last_end_;
  if (const FileInfo* previous = store_.files.find(last_id_))
    header.previous_synced = std::min(previous->synced, last_end_);
  else
    header.previous_synced = last_end_;  // reclaimed, so it was sealed
  open_ = &file;
  Group& group = gathering();
  encode(header, store_.tail.copy_in(id, 0, kFileHeaderBytes));
  file.end = group.end = kFileHeaderBytes;
  pending_bytes_ += kFileHeaderBytes;
  return file;
}

void Writer::prepare_spare() {
  if (spare_.id != 0 || !open_ || open_->end < store_.options.file_bytes / 2) return;
  spare_.id = next_id_++;
  create(spare_.id);
}

void Writer::create(std::uint32_t id) {
  store_.disk.create(
      store_.options.directory + "/" + file_name(id),
      while_alive(store_, [this, id](IoResult<std::shared_ptr<File>> result) { created(id, std::move(result)); }));
}

void Writer::created(std::uint32_t id, IoResult<std::shared_ptr<File>> result) {
  if (spare_.id == id) {
    if (result)
      spare_.handle = std::move(*result);
    else
      spare_ = {};
    return;
  }
  FileInfo* file = store_.files.find(id);
  if (!file) {  // given up meanwhile
    if (result) store_.disk.remove_later(store_.options.directory + "/" + file_name(id), [](Outcome<IoError>) {});
    return;
  }
  if (result)
    file->handle = std::move(*result);
  else
    file->missing = true;
  flush();
}

void Writer::schedule_flush() {
  held_ = false;
  if (flush_scheduled_) return;
  flush_scheduled_ = true;
  store_.disk.at_turn_end(while_alive(store_, [this] {
    flush_scheduled_ = false;
    flush();
  }));
}

void Writer::flush() {
  Callbacks callbacks = std::exchange(answers_, {});
  while (!writing_ && !sync_failed_ && !held_ && !groups_.empty()) {
    Group& group = groups_.front();
    if (group.begin == group.end) {  // nothing of it goes to the disk
      auto entries = std::move(group.entries);
      groups_.pop_front();
      settle(entries, callbacks);
      continue;
    }
    FileInfo& file = *store_.files.find(group.file);
    if (file.missing) {  // it could not be created
      const std::weak_ptr<const bool> alive(store_.alive);
      fail_queue();
      if (alive.expired()) return;
      continue;
    }
    if (!file.handle) {
      if (!std::exchange(file.creating, true)) create(file.id);
      break;
    }
    writing_ = true;
    file.extent = std::max(file.extent, group.end);
    ++store_.statistics.writes;
    file.handle->write(group.begin, store_.tail.range(file.id, group.begin, group.end),
                       while_alive(store_, [this](Outcome<IoError> outcome) { wrote(std::move(outcome)); }));
  }
  start_sync();
  run(std::move(callbacks));
}

void Writer::wrote(Outcome<IoError> outcome) {
  writing_ = false;
  const std::weak_ptr<const bool> alive(store_.alive);
  if (!outcome) {
    fail_queue();
    if (!alive.expired() && sync_failed_) fail_unsynced();
    return;
  }
  Group group = std::move(groups_.front());
  groups_.pop_front();
  FileInfo& file = *store_.files.find(group.file);
  file.written = group.end;
  if (group.begin == 0) remove_given_up();
  file.disk_bytes = std::max<std::uint64_t>(file.disk_bytes, group.end);
  pending_bytes_ -= group.end - group.begin;
  unsynced_bytes_ += group.end - group.begin;
  Callbacks callbacks;
  settle(group.entries, callbacks);
  if (sync_failed_) {
    run(std::move(callbacks));
    if (!alive.expired()) fail_unsynced();
    return;
  }
  prepare_spare();
  run(std::move(callbacks));
  if (!alive.expired()) flush();
}

void Writer::settle(std::vector<Pending>& entries, Callbacks& callbacks) {
  for (std::size_t i = 0; i < entries.size();) {
    const std::size_t behind = i + entries[i].set;
    if (behind == i + 1) {
      const Row* row = entries[i].acknowledged ? nullptr : row_of(entries[i]);
      settle_one(entries[i++], row && row->waiting_for_sync > 0, callbacks);
      continue;
    }
    // One answer for all: it waits for the slowest, so that the order holds in each of the partitions.
    const bool waits =
        std::any_of(entries.begin() + static_cast<std::ptrdiff_t>(i),
                    entries.begin() + static_cast<std::ptrdiff_t>(behind), [this](const Pending& pending) {
                      const Row* row = row_of(pending);
                      return row && row->waiting_for_sync > 0;
                    });
    while (i < behind) settle_one(entries[i++], waits, callbacks);
  }
}

void Writer::settle_one(Pending& pending, bool waits, Callbacks& callbacks) {
  if (pending.acknowledged) {  // written again after a failure
    written_.push_back(std::move(pending));
    return;
  }
  Row* row = row_of(pending);
  pending.waits_for_sync = pending.durability == Durability::sync || waits;
  if (pending.waits_for_sync) {
    ++sync_waiters_;
    if (row) ++row->waiting_for_sync;
  } else {
    callbacks.emplace_back(std::move(pending.done), Errc::none);
    pending.done = nullptr;
    pending.acknowledged = true;
    if (row) --row->unacknowledged;
    if (pending.kind == Kind::memory) return;
  }
  written_.push_back(std::move(pending));
}

void Writer::start_sync() {
  if (!syncing_ && !sync_failed_ && !written_.empty() &&
      (sync_waiters_ > 0 || sync_wanted_ || unsynced_bytes_ > kUnsyncedBytes)) {
    const std::uint32_t id = written_.front().file;
    std::size_t covered = written_.size();
    if (written_.back().file != id)
      covered =
          static_cast<std::size_t>(std::partition_point(written_.begin(), written_.end(),
                                                        [id](const Pending& pending) { return pending.file <= id; }) -
                                   written_.begin());
    if (covered == written_.size()) sync_wanted_ = false;
    FileInfo* file = store_.files.find(id);
    syncing_ = true;
    if (!file || file->synced == file->written) {
      // Barriers, or batches in memory behind them, with nothing left to sync: answered at the end of the turn.
      store_.disk.at_turn_end(while_alive(store_, [this, id, covered] { synced(id, 0, covered, ok); }));
      return;
    }
    ++store_.statistics.syncs;
    file->handle->sync(while_alive(store_, [this, id, position = file->written, covered](Outcome<IoError> outcome) {
      synced(id, position, covered, std::move(outcome));
    }));
  }
}

void Writer::synced(std::uint32_t id, std::uint32_t position, std::size_t covered, Outcome<IoError> outcome) {
  syncing_ = false;
  if (!outcome) {
    sync_failed_ = true;
    failed_file_ = id;
    // A write under way would end in the file that is given up: wait for it.
    if (!writing_) fail_unsynced();
    return;
  }
  Callbacks callbacks;
  for (std::size_t i = 0; i < covered; ++i) {
    Pending& pending = written_.front();
    unsynced_bytes_ -= std::min<std::uint64_t>(unsynced_bytes_, pending.bytes);
    Row* row = row_of(pending);
    if (!pending.acknowledged) {
      --sync_waiters_;
      if (row) {
        --row->waiting_for_sync;
        --row->unacknowledged;
      }
      callbacks.emplace_back(std::move(pending.done), Errc::none);
    }
    written_.pop_front();
  }
  if (written_.empty()) unsynced_bytes_ = 0;
  if (FileInfo* file = store_.files.find(id); file && position > file->synced) {
    file->synced = position;
    if (file->rolled && file->synced == file->end) sealable_(*file);
  }
  evict();
  start_sync();
  run(std::move(callbacks));
}

void Writer::evict() {
  std::uint32_t id = 0;
  if (!written_.empty())
    id = written_.front().file;
  else if (!groups_.empty())
    id = groups_.front().file;
  const FileInfo* file = store_.files.find(id);
  if (file)
    store_.tail.evict(id, file->synced);
  else if (written_.empty() && groups_.empty())
    store_.tail.evict(UINT32_MAX, 0);
}

void Writer::sync() {
  sync_wanted_ = true;
  schedule_flush();
}

void Writer::run(Callbacks callbacks) {
  const std::weak_ptr<const bool> alive(store_.alive);
  for (auto& [done, error] : callbacks) {
    if (alive.expired()) return;
    if (done) done(error);
  }
}

}  // namespace braid::journal
