// Braid, Apache-2.0.
//
// The part of a queue that lies on the log: a partition of its own (partition_pool.hpp), records appended at its end
// and read from its front, in order, and dropped behind the reader. What the records mean, and what of the queue is in
// memory, is the owner's business.
//
// A plain class in the hands of one actor; it may be handed to another one, on another loop, while it is `idle`.
// Callbacks run in the context of the actor that called, and must keep the object alive.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "actors/partition/client.hpp"
#include "actors/spill/partition_pool.hpp"
#include "model/batch_walker.hpp"
#include "model/record_batch.hpp"

namespace braid {

class LogFifo {
 public:
  LogFifo(PartitionId partition, Offset start) : partition_(partition), next_(start), kept_(start) {}

  /// Records that are appended, or on their way, and not read.
  std::uint64_t unread() const { return readable_ + appending_; }
  /// Records that a read would find now.
  std::uint64_t stored() const { return readable_; }
  bool readable() const { return readable_ != 0 && !reading_; }
  bool reading() const { return reading_; }
  bool idle() const { return appending_ == 0 && !reading_; }
  PartitionId partition() const { return partition_; }

  /// Batches of one queue are sent one behind the other; `done(Errc)` comes when this one is readable, or failed.
  template <class Self, class Done>
  void append(Self* self, PartitionClient& partitions, Bytes batch, std::uint32_t records, Done done) {
    appending_ += records;
    AppendBatch request;
    request.batch = std::move(batch);
    request.trusted = true;
    request.internal = true;
    partitions.request(self, partition_, std::move(request),
                       [this, records, done = std::move(done)](const Appended& appended) {
                         appending_ -= records;
                         if (appended.error == Errc::none) readable_ += records;
                         done(appended.error);
                       });
  }

  /// The next records, about `max_bytes` of them: `each(const BatchWalker&, const RecordView&)`, then `done(Errc)`.
  template <class Self, class Each, class Done>
  void read(Self* self, PartitionClient& partitions, std::uint32_t max_bytes, Each each, Done done) {
    reading_ = true;
    partitions.request(self, partition_, ReadBatches{.from = next_, .max_bytes = max_bytes},
                       [this, each = std::move(each), done = std::move(done)](const BatchesRead& got) {
                         reading_ = false;
                         end_ = std::max(end_, got.high_watermark);
                         done(got.error != Errc::none ? got.error : walk(got, each));
                       });
  }

  /// Reads again from a record that was read, with the `records` behind it; not below what was trimmed.
  void rewind(Offset to, std::uint64_t records) {
    next_ = to;
    readable_ += records;
  }
  /// Where reading goes on.
  Offset next() const { return next_; }
  /// What cannot be read is given up.
  void skip_to_end() {
    next_ = std::max(next_, end_);
    readable_ = 0;
  }
  /// Space comes back in large steps, or when all was read.
  bool trim_due() const { return kept_ < next_ && (unread() == 0 || read_bytes_ >= kTrimBytes); }
  /// Drops what lies before `before`.
  template <class Self>
  void trim(Self* self, PartitionClient& partitions, Offset before) {
    if (before <= kept_) return;
    kept_ = before;
    read_bytes_ = 0;
    partitions.request(self, partition_, DeleteRecords{before}, [](const RecordsDeleted&) {});
  }

 private:
  static constexpr std::uint64_t kTrimBytes = 4u << 20;

  template <class Each>
  Errc walk(const BatchesRead& got, const Each& each) {
    std::uint64_t records = 0;
    for (const auto& batches : got.batches) {
      read_bytes_ += batches.size();
      BatchSequence sequence(batches);
      while (sequence.next()) {
        auto walker = BatchWalker::open(sequence.batch(), sequence.batch().size());
        if (!walker) return Errc::damaged;
        RecordView record;
        while (walker->next(record)) {
          if (record.offset < next_) continue;
          each(*walker, std::as_const(record));
          ++records;
        }
        if (walker->failed()) return Errc::damaged;
        next_ = sequence.header().next_offset();
      }
      if (sequence.failed()) return Errc::damaged;
    }
    // An append whose outcome was unknown may turn up after all, and one that was counted may be gone.
    readable_ = records == 0 ? 0 : readable_ - std::min(readable_, records);
    return Errc::none;
  }

  PartitionId partition_;
  Offset next_;    ///< to be read
  Offset kept_;    ///< trimmed up to here
  Offset end_{0};  ///< high watermark at the last read
  std::uint64_t readable_ = 0;
  std::uint64_t appending_ = 0;
  std::uint64_t read_bytes_ = 0;  ///< since the last trim
  bool reading_ = false;
};

}  // namespace braid
