// Braid, Apache-2.0.
//
// A partition: the one place where its records get their order. It judges batches, stamps offsets, hands them to the
// journal, and moves the high watermark when the journal says that they are as durable as the topic promises; only
// then are they acknowledged, read, or passed to subscribers.
//
// Lives on the loop of its shard's journal and calls that journal directly. What survives it is in the journal, so it
// may rest when nobody uses it, and start again from there after a failure.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>

#include "actors/partition/interface.hpp"
#include "actors/services.hpp"
#include "model/record_batch.hpp"
#include "runtime/pinned.hpp"

namespace braid {

class Partition : public Pinned<PartitionActor::base> {
 public:
  Partition(caf::actor_config& config, Loop& loop, Services& services, PartitionHost host, TopicRef topic,
            PartitionIndex index);

  const char* name() const override { return "partition"; }

 protected:
  behavior_type make_behavior() override;

 private:
  /// An append that the journal has not finished. Completions come in the order of the appends.
  struct Pending {
    Promise<Appended> promise;
    Offset base_offset, last_offset;
    Timestamp log_append_time;
    AppendBatch published;  ///< for subscribers; the batch is a slice, not a copy
    bool duplicate_of_pending = false;
  };
  struct Parked {
    WakeTarget target;
    std::uint64_t token = 0;
    Offset from;
  };

  caf::result<Appended> append(const AppendBatch& request);
  Timestamp append_time_of(const ProducerBatch& batch) const;
  void note_producer(const BatchHeader& header, Offset base_offset, Offset last_offset);
  void completed(Errc result);
  void finish_front(Errc result);
  void publish(const Pending& pending);
  caf::result<BatchesRead> read(const ReadBatches& request);
  caf::result<BatchesRead> read_in_range(const ReadBatches& request);
  void read_journal(const ReadBatches& request, std::shared_ptr<Promise<BatchesRead>> promise);
  /// Reads where the reader's last record is of an earlier epoch, if the two logs agree so far.
  caf::result<BatchesRead> read_after_epoch(const ReadBatches& request);
  void park(const ReadBatches& request);
  void wake_readers();
  caf::result<OffsetFound> find(const FindOffset& request);
  /// Reads the batch at `base` and answers with its first record at or behind `at`, or with the one that has the
  /// largest timestamp when `at` is kMaxTimestamp.
  void find_in_batch(std::shared_ptr<Promise<OffsetFound>> promise, Offset base, std::int64_t at);
  caf::result<OffsetFound> find_earliest();
  /// Where the records of `epoch` end, among those before `limit`.
  void find_epoch_end(LeaderEpoch epoch, Offset limit, std::function<void(Errc, EpochEnd)> found);
  caf::result<EpochEndFound> epoch_end(const FindEpochEnd& request);
  ProducersDescribed describe_producers();
  caf::result<RecordsDeleted> delete_records(const DeleteRecords& request);
  void removed();
  void rest();
  void watch_idleness();
  Offset log_start() const;
  BatchesRead watermarks(Errc error) const;
  Errc check_epoch(const std::optional<LeaderEpoch>& epoch) const;

  Services& services_;
  Journal& journal_;
  PartitionHost host_;
  TopicRef topic_;
  PartitionPlacement placement_;
  const LeaderEpoch epoch_;
  Offset high_watermark_;
  std::deque<Pending> pending_;
  std::vector<Promise<PartitionsDrained>> drained_;   ///< want to know when nothing is pending
  std::unordered_map<std::uint64_t, Parked> parked_;  ///< by the target's actor id
  std::uint64_t uses_ = 0;  ///< messages handled; tells whether somebody came since the last look
  std::uint64_t uses_at_last_look_ = 0;
  Timer idle_timer_;
  std::uint32_t reading_ = 0;  ///< journal reads under way
};

}  // namespace braid
