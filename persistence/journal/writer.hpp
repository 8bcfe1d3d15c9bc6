// Braid, Apache-2.0.
//
// The way of an append to the disk. Entries get their place in the file at once and gather in a group; when the turn
// ends, or the write before it completes, the group goes out as one write, and what was written waits for one sync.
// A write and a sync may be under way together; of each kind there is at most one.
//
//   append -> gathering group -> one write -> written, not synced -> one sync -> done
//                                     `os` is acknowledged here^            ^`sync` here
//
// A failure ends the file. Everything that was not acknowledged fails, and is out of the log again. What `os` topics
// were promised is not lost even when a sync fails and the kernel drops the pages: until a sync succeeds the bytes stay
// in the tail cache, and they are written again to the next file. That next file is begun by the next append (or by
// `sync`), so a disk that has recovered is used again without anybody being told; its header says where the file before
// it ends, so what a failed write left there never comes back.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "persistence/journal/store.hpp"

namespace braid::journal {

class Writer {
 public:
  using Callbacks = std::vector<std::pair<AppendDone, Errc>>;

  Writer(Store& store, std::function<void(FileInfo&)> sealable) : store_(store), sealable_(std::move(sealable)) {}

  /// Where recovery ended: the file to go on with, or null; the id after the last; the file that the next one follows.
  void resume(FileInfo* open, std::uint32_t next_id, std::uint32_t last_id, std::uint32_t last_end);

  Errc append(std::uint32_t row, AppendRequest, AppendDone);
  Errc append_shared(const SharedAppendRequest&, AppendDone);
  /// A log start or drop. `row` may be kNone.
  Errc control(std::uint32_t row, ControlEntry, AppendDone);
  /// Done when everything that was appended so far is on the disk.
  void barrier(AppendDone);
  /// Calls `done` at the end of the turn.
  void answer(AppendDone done, Errc);
  /// Has everything written go to the disk, and tries again what failed before.
  void sync();

  struct Position {
    std::uint32_t file = 0;
    std::uint32_t offset = 0;
  };
  /// Where the next entry will lie; everything so far lies before it.
  Position position() const;
  bool idle() const { return groups_.empty() && written_.empty() && !writing_ && !syncing_; }

 private:
  enum class Kind : std::uint8_t { batch, memory, control, barrier };
  struct Pending {
    AppendDone done;
    PartitionId partition;
    Offset base_offset;
    std::uint32_t row = PartitionTable::kNone;
    std::uint32_t file = 0;
    std::uint32_t position = 0;
    std::uint32_t bytes = 0;
    std::uint16_t set = 1;  ///< the first of so many that are settled together: targets of a shared batch
    Kind kind = Kind::batch;
    EntryKind entry_kind = EntryKind::record_batch;
    bool replaces = false;  ///< part of the log had to go for it
    Offset used_until{0};   ///< behind offsets that stay used even if it fails: it was visible at once
    Durability durability = Durability::sync;
    bool acknowledged = false;    ///< only kept until it is synced
    bool waits_for_sync = false;  ///< written; what was promised, or what its partition has before it, needs a sync
  };
  struct Group {
    std::uint32_t file = 0;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::vector<Pending> entries;
  };
  /// An acknowledged batch that must be written again.
  struct Salvage {
    std::uint32_t row;
    EntryHeader header;
    Bytes body;
  };

  Row* row_of(const Pending&);
  FileInfo& file_with_room(std::uint32_t bytes);
  FileInfo& begin_file();
  void roll();
  void snapshot_producers(FileInfo&);
  void prepare_spare();
  void create(std::uint32_t id);
  void created(std::uint32_t id, IoResult<std::shared_ptr<File>> result);
  Group& gathering();
  Pending& place(std::uint32_t row, EntryHeader, const Bytes& body, AppendDone);
  /// Puts an entry at the end of the file's tail; header.body_length counts the targets.
  std::uint32_t lay_out(FileInfo&, const EntryHeader&, std::span<const SharedTarget>, const Bytes& body);
  /// A shared append that is not one entry: for a single partition, or in memory.
  Errc append_each(const SharedAppendRequest&, const std::uint32_t* rows, AppendDone);
  void settle_one(Pending&, bool waits, Callbacks&);
  void schedule_flush();
  void flush();

  void wrote(Outcome<IoError> outcome);
  void settle(std::vector<Pending>& entries, Callbacks&);
  void start_sync();
  void synced(std::uint32_t file, std::uint32_t position, std::size_t covered, Outcome<IoError> outcome);
  void evict();
  void run(Callbacks);

  // Failures: writer_failure.cpp.
  struct Failed {
    Pending pending;
    Errc error;
    bool salvaged = false;
  };
  void fail_queue();
  void fail_unsynced();
  void give_up(std::uint32_t file, std::uint32_t end, std::vector<Failed> failed);
  std::vector<Salvage> collect_salvage(std::vector<Failed>&);
  std::optional<Salvage> salvage_of(const Pending&);
  std::optional<Salvage> find_batch_of(const Pending&, const Row&);
  void roll_back(const std::vector<Failed>&);
  void end_files(std::uint32_t file, std::uint32_t end);
  void remove_given_up();

  Store& store_;
  std::function<void(FileInfo&)> sealable_;

  FileInfo* open_ = nullptr;  ///< takes entries
  std::uint32_t next_id_ = 1;
  std::uint32_t last_id_ = 0;  ///< the file that a new one follows
  std::uint32_t last_end_ = 0;
  struct Spare {
    std::uint32_t id = 0;  ///< 0: none
    std::shared_ptr<File> handle;
  } spare_;  ///< created ahead of its use

  std::deque<Group> groups_;  ///< the first may be on its way to the disk, the last takes entries
  std::uint64_t pending_bytes_ = 0;
  bool writing_ = false;
  std::deque<Pending> written_;  ///< since the last sync, in order
  std::uint64_t unsynced_bytes_ = 0;
  std::size_t sync_waiters_ = 0;
  bool syncing_ = false;
  bool sync_wanted_ = false;
  bool sync_failed_ = false;
  std::uint32_t failed_file_ = 0;
  bool salvaging_ = false;
  bool held_ = false;                  ///< what is left after a failure waits for somebody to ask for something
  std::vector<std::string> given_up_;  ///< files to remove when their content is safe elsewhere
  bool flush_scheduled_ = false;
  Callbacks answers_;
};

}  // namespace braid::journal
