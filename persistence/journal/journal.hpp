// Braid, Apache-2.0.
//
// The append-only store of one event loop, shared by all shards and partitions that live there. Thousands of
// partitions make one sequential write stream, and one fdatasync serves everything that waits for it.
//
// Single-threaded: every call and every callback happens on the owning loop. Flushes are pipelined: at most one write
// is in flight; what is appended meanwhile goes with the next. A callback is never run inside the call that took it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/bytes.hpp"
#include "model/errors.hpp"
#include "model/ids.hpp"
#include "model/result.hpp"
#include "model/types.hpp"
#include "persistence/disk.hpp"
#include "persistence/journal/producer_state.hpp"

namespace braid {

struct JournalOptions {
  std::string directory{};
  std::uint64_t file_bytes = 256ull << 20;
  std::uint64_t tail_cache_bytes = 64ull << 20;
  std::uint64_t max_pending_bytes = 256ull << 20;  ///< appended and not yet written; past it appends are refused
  std::uint64_t memory_bytes = 256ull << 20;       ///< batches with durability memory; past it the oldest go
  std::uint64_t index_cache_bytes = 16ull << 20;   ///< indexes of sealed files that were read lately
};

/// What the journal knows of one partition.
struct LogState {
  Offset log_start{0};
  Offset end{0};  ///< offset that the next record gets
  Timestamp max_timestamp{-1};
  std::uint64_t bytes = 0;  ///< live bytes, approximately: batches of dropped prefixes are gone from it
};

struct AppendRequest {
  PartitionId partition;
  ShardId shard;
  Bytes batch;         ///< a whole record batch, base offset and leader epoch stamped already
  Offset base_offset;  ///< must be the partition's end, or less to replace a suffix (Raft; failed appends)
  Offset last_offset;
  Timestamp max_timestamp{-1};
  Durability durability = Durability::sync;
  Term term{0};  ///< of the Raft group, where there is one
  RaftIndex index{0};
  /// Readers get it now, not when it is as durable as asked. So after a failure its offsets stay used, with nothing
  /// there, and in memory it is not among what goes past `memory_bytes`: the caller has to bound it.
  bool visible_at_once = false;
};
/// One batch for the ends of several logs of a shard: a message that is routed to many queues is stored once. Its bytes
/// are the same for all and not written to, so whoever reads these logs asks for the base offsets beside the batches.
struct SharedAppendRequest {
  struct Target {
    PartitionId partition;
    Offset base_offset{0};  ///< filled in
  };
  ShardId shard;
  Bytes batch;
  std::span<Target> targets;  ///< 1 to max_targets, without repetitions
  std::int32_t last_offset_delta = 0;
  Timestamp max_timestamp{-1};
  Durability durability = Durability::sync;
  Term term{0};
  RaftIndex index{0};
  bool visible_at_once = false;  ///< as above

  static constexpr std::size_t max_targets = 256;
};
/// Errc::none when the batch is as durable as asked; storage_failed when it was not written and is out of the log
/// again (with everything behind it in that partition); unknown_outcome after a failed sync (out of the log too, but
/// a restart may find it).
using AppendDone = std::function<void(Errc)>;

struct ReadRequest {
  PartitionId partition;
  Offset from;   ///< the batch that contains it comes first
  Offset limit;  ///< no batch that begins at or behind it (the high watermark)
  std::uint32_t max_bytes = 1 << 20;
  bool at_least_one = true;        ///< the first batch comes whole even if it is larger than max_bytes (KIP-74)
  bool with_base_offsets = false;  ///< fill in ReadResult::base_offsets; shared batches do not bear their offsets
};
struct ReadResult {
  Errc error = Errc::none;     ///< none, offset_out_of_range, damaged, storage_failed
  std::vector<Bytes> batches;  ///< whole batches in order; neighbours on disk may come as one slice
  std::size_t bytes = 0;
  std::vector<Offset> base_offsets;  ///< of the batches, if asked for
};

struct RecoveryReport {
  std::uint64_t files = 0, entries_scanned = 0, bytes_scanned = 0, torn_bytes = 0;
  std::vector<std::string> damages;  ///< one sentence each: file, position, partitions fenced
  std::uint64_t took_us = 0;         ///< filled in by who opens the journal and has a clock
};

class Journal {
 public:
  virtual ~Journal() = default;

  /// Opens or creates; blocks while it recovers.
  static Result<std::unique_ptr<Journal>, std::string> open(Disk& disk, JournalOptions options,
                                                            RecoveryReport* report = nullptr);

  /// A partition is known from its first append or from `create`. Idle partitions cost a table row and no file.
  virtual void create(PartitionId, ShardId) = 0;
  virtual bool knows(PartitionId) const = 0;
  virtual LogState state(PartitionId) const = 0;
  virtual std::vector<PartitionId> partitions() const = 0;

  /// Takes the batch into the log (state().end moves at once) and calls `done` when it is durable or has failed.
  /// Completions of one partition come in append order. Durability::memory never reaches the disk.
  /// Refuses at once, with a return value other than none, when max_pending_bytes is reached or the disk is failing.
  virtual Errc append(AppendRequest, AppendDone done) = 0;

  /// The same for several partitions at once; all of them get the batch, or none. One completion, in the order of the
  /// appends of each of the partitions.
  virtual Errc append_shared(const SharedAppendRequest&, AppendDone done) = 0;

  /// Calls `done` at once when everything asked for is in memory, later otherwise.
  virtual void read(ReadRequest, std::function<void(ReadResult)> done) = 0;

  /// Where to look for the first record with a timestamp >= `at`: base offset of the first batch whose maximum
  /// timestamp is >= `at`; nothing if there is none.
  virtual void batch_for_timestamp(PartitionId, Timestamp at,
                                   std::function<void(Errc, std::optional<Offset>)> done) = 0;
  /// Base offset of the batch that holds the largest timestamp.
  virtual std::optional<Offset> batch_of_max_timestamp(PartitionId) const = 0;

  /// Moves the log start forward (delete-records, retention), at record granularity. In force at once; durable when
  /// `done` says so, and after an error as soon as the disk takes it.
  virtual Errc set_log_start(PartitionId, Offset, AppendDone done) = 0;
  /// Forgets a deleted topic's partition. In force at once; durable as above.
  virtual Errc drop(PartitionId, AppendDone done) = 0;
  /// New log start that time (`now` - retention_ms) and size ask for; -1 disables either. At least the newest batch
  /// stays for size; time may empty the log. Granularity: a file's share of the partition, a batch in the open file.
  virtual Offset retention_start(PartitionId, Timestamp now, std::int64_t retention_ms,
                                 std::int64_t retention_bytes) const = 0;
  /// Removes sealed files in which nothing is live any more.
  virtual void reclaim() = 0;

  /// Idempotent producers of a partition; kept with the log, survives a restart.
  virtual ProducerStates& producers(PartitionId) = 0;
  /// Forgets those of a partition that have been idle for longer than `idle_ms`, if it has any.
  virtual void expire_producers(PartitionId, Timestamp now, std::int64_t idle_ms) = 0;

  /// Syncs what `os` topics have written.
  virtual void sync() = 0;
  /// Writes the table of partitions, so that the next start scans only what comes behind it.
  virtual void checkpoint(std::function<void(Errc)> done) = 0;
  /// Waits for everything in flight, syncs, checkpoints. For shutdown; `done` runs on the loop.
  virtual void close(std::function<void(Errc)> done) = 0;

  struct Statistics {
    std::uint64_t appends = 0, appended_bytes = 0, writes = 0, syncs = 0, failed_writes = 0, tail_hits = 0,
                  disk_reads = 0, files = 0, disk_bytes = 0, memory_bytes = 0;
  };
  virtual Statistics statistics() const = 0;
};

}  // namespace braid
