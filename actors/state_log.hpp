// Braid, Apache-2.0.
//
// State that is not a log, kept in one: a table of keys and values over an internal partition. A change is a record;
// at start the owner replays the partition; when the log has grown to a multiple of what is live, all live keys are
// written again and the log before them goes. Consumer offsets and retained messages are kept this way, on one node
// and on many alike.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "actors/partition/client.hpp"
#include "model/batch_builder.hpp"
#include "model/batch_walker.hpp"
#include "model/bytes.hpp"
#include "model/errors.hpp"
#include "model/record_batch.hpp"

namespace braid {

struct StateChange {
  Bytes key;
  std::optional<Bytes> value;  ///< nothing: the key goes
};

/// Batches of at most `batch_bytes`, in the order of the changes.
std::vector<Bytes> encode_state(const std::vector<StateChange>& changes, Timestamp now, std::size_t batch_bytes);

/// Owned by one Pinned actor, in whose context all callbacks run; must live as long as that actor.
class StateLog {
 public:
  using Apply = std::function<void(const Bytes& key, const std::optional<Bytes>& value)>;
  using Done = std::function<void(Errc)>;
  struct Limits {
    std::uint64_t snapshot_at_least_bytes = 4u << 20;
    std::uint64_t snapshot_factor = 4;  ///< log bytes over the bytes of the last snapshot
    std::size_t batch_bytes = 512u << 10;
  };

  StateLog(PartitionClient& partitions, PartitionId partition, Limits limits)
      : partitions_(partitions), partition_(partition), limits_(limits) {}

  /// Replays the partition from its log start to its end.
  template <class Self>
  void recover(Self* self, Apply apply, Done done) {
    read_on(self, Offset{0}, std::move(apply), std::move(done));
  }

  /// Appends the changes; `done` when they are durable. The owner applies them to its table when it likes (at once, or
  /// when they are durable); the log has them in the order of these calls.
  template <class Self>
  void put(Self* self, std::vector<StateChange> changes, Timestamp now, Done done) {
    auto batches = encode_state(changes, now, limits_.batch_bytes);
    in_flight_.push_back(std::move(changes));
    append(self, std::move(batches), [this, done = std::move(done)](Errc error, Offset) {
      in_flight_.pop_front();
      done(error);
    });
  }

  bool snapshot_due() const {
    return !snapshotting_ && bytes_since_snapshot_ > limits_.snapshot_at_least_bytes &&
           bytes_since_snapshot_ > limits_.snapshot_factor * snapshot_bytes_;
  }
  /// Writes `live`, everything that is in the table now, and drops the log before it. Changes that are on their way
  /// lie in the part that is dropped, and the table may not have them yet: they are written once more behind it.
  template <class Self>
  void snapshot(Self* self, std::vector<StateChange> live, Timestamp now) {
    snapshotting_ = true;
    for (const auto& changes : in_flight_) live.insert(live.end(), changes.begin(), changes.end());
    auto batches = encode_state(live, now, limits_.batch_bytes);
    std::uint64_t bytes = 0;
    for (const auto& batch : batches) bytes += batch.size();
    append(self, std::move(batches), [this, self, bytes](Errc error, Offset first) {
      snapshotting_ = false;
      bytes_since_snapshot_ = 0;
      if (error != Errc::none || first.value < 0) return;
      snapshot_bytes_ = bytes;
      partitions_.request(self, partition_, DeleteRecords{first}, [](const RecordsDeleted&) {});
    });
  }

 private:
  template <class Self>
  void read_on(Self* self, Offset from, Apply apply, Done done) {
    partitions_.request(self, partition_, ReadBatches{.from = from, .max_bytes = 4u << 20},
                        [this, self, from, apply = std::move(apply), done = std::move(done)](const BatchesRead& read) {
                          if (read.error == Errc::offset_out_of_range && from < read.log_start)
                            return read_on(self, read.log_start, apply, done);
                          if (read.error != Errc::none) return done(read.error);
                          if (read.batches.empty()) return done(Errc::none);
                          Offset next = from;
                          for (const auto& batches : read.batches)
                            if (!replay(batches, next, apply)) return done(Errc::damaged);
                          read_on(self, next, apply, done);
                        });
  }
  /// Applies the records of a run of batches at or behind `next`, and moves `next` past them.
  bool replay(const Bytes& batches, Offset& next, const Apply& apply);

  /// Appends batch after batch, keeping their order; reports the first one's offset. All are sent at once, so that
  /// nothing of the same owner comes between them.
  template <class Self>
  void append(Self* self, std::vector<Bytes> batches, std::function<void(Errc, Offset)> done) {
    if (batches.empty()) return done(Errc::none, Offset{-1});
    struct Progress {
      std::size_t left;
      Errc error = Errc::none;
      Offset first{-1};
    };
    auto progress = std::make_shared<Progress>(Progress{batches.size()});
    for (std::size_t i = 0; i < batches.size(); ++i) {
      bytes_since_snapshot_ += batches[i].size();
      AppendBatch request;
      request.batch = std::move(batches[i]);
      request.trusted = true;
      request.internal = true;
      partitions_.request(self, partition_, std::move(request), [progress, i, done](const Appended& appended) {
        if (appended.error != Errc::none) progress->error = appended.error;
        if (i == 0) progress->first = appended.base_offset;
        if (--progress->left == 0) done(progress->error, progress->first);
      });
    }
  }

  PartitionClient& partitions_;
  PartitionId partition_;
  Limits limits_;
  std::deque<std::vector<StateChange>> in_flight_;  ///< put and not yet finished; requests finish in order
  std::uint64_t bytes_since_snapshot_ = 0;
  std::uint64_t snapshot_bytes_ = 0;
  bool snapshotting_ = false;
};

}  // namespace braid
