// Braid, Apache-2.0.
#include "actors/partition/partition.hpp"

#include "actors/partition/batch_check.hpp"

namespace braid {

Partition::Partition(caf::actor_config& config, Loop& loop, Services& services, PartitionHost host, TopicRef topic,
                     PartitionIndex index)
    : Pinned(config, loop),
      services_(services),
      journal_(services.journal_of(topic->partition(index)->shard)),
      host_(std::move(host)),
      topic_(std::move(topic)),
      placement_(*topic_->partition(index)),
      epoch_(services.leader_epoch(placement_)),
      high_watermark_(journal_.state(placement_.id).end) {}

Partition::behavior_type Partition::make_behavior() {
  watch_idleness();
  return {
      [this](const AppendBatch& request) { return append(request); },
      [this](const ReadBatches& request) { return read(request); },
      [this](const Unpark& request) { parked_.erase(request.reader); },
      [this](const FindOffset& request) { return find(request); },
      [this](const DeleteRecords& request) { return delete_records(request); },
      [this](const DescribeLog&) {
        ++uses_;
        const auto state = journal_.state(placement_.id);
        return LogDescription{Errc::none, log_start(), high_watermark_, state.end, state.bytes, epoch_};
      },
      [this](const FindEpochEnd& request) { return epoch_end(request); },
      [this](const DescribeProducers&) { return describe_producers(); },
      [this](const Rest&) { rest(); },
      [this](const DrainPartitions&) {
        Promise<PartitionsDrained> promise(this);
        auto later = promise.later();
        if (pending_.empty())
          promise.deliver(PartitionsDrained{});
        else
          drained_.push_back(std::move(promise));
        return later;
      },
      [this](const TopicRemoved&) { removed(); },
      [this](const TopicChanged& change) { topic_ = change.topic; },
  };
}

Offset Partition::log_start() const {
  return std::min(journal_.state(placement_.id).log_start, high_watermark_);
}

Errc Partition::check_epoch(const std::optional<LeaderEpoch>& epoch) const {
  if (!epoch || epoch->value < 0) return Errc::none;
  if (*epoch < epoch_) return Errc::fenced_leader_epoch;
  if (*epoch > epoch_) return Errc::unknown_leader_epoch;
  return Errc::none;
}

// -- append -----------------------------------------------------------------------------------------------------------

caf::result<Appended> Partition::append(const AppendBatch& request) {
  ++uses_;
  Appended refused;
  refused.log_start = log_start();
  CheckedBatch checked =
      check_batch(request, {.topic = topic_->settings,
                            .now = loop().wall_clock(),
                            .check_compressed = services_.settings.kafka_protocol.check_compressed_batches});
  if (checked.error != Errc::none) {
    refused.error = checked.error;
    refused.reason = std::move(checked.reason);
    refused.faults = std::move(checked.faults);
    return refused;
  }
  BatchHeader& header = checked.header;

  Pending pending;
  if (header.producer_id.value >= 0) {
    const auto last_sequence = header.last_sequence();
    const auto verdict = journal_.producers(placement_.id)
                             .check(header.producer_id, header.producer_epoch, header.base_sequence, last_sequence);
    if (verdict.error != Errc::none) {
      refused.error = verdict.error;
      refused.reason = to_string(verdict.error);
      return refused;
    }
    if (verdict.duplicate) {
      if (verdict.original.last_offset < high_watermark_)
        return Appended{Errc::none, verdict.original.base_offset, append_time_of(verdict.original), log_start(), {},
                        {}};
      // The first try is still on its way to the disk: its retry is acknowledged behind it.
      pending.base_offset = verdict.original.base_offset;
      pending.last_offset = verdict.original.last_offset;
      pending.log_append_time = append_time_of(verdict.original);
      pending.duplicate_of_pending = true;
      pending.promise = Promise<Appended>(this);
      auto later = pending.promise.later();
      pending_.push_back(std::move(pending));
      return later;
    }
  }

  // Not before: a promise that is dropped because the answer is given at once would answer with an error.
  pending.promise = Promise<Appended>(this);
  pending.published = request;
  Bytes& batch = pending.published.batch;
  pending.log_append_time = Timestamp{-1};
  if (topic_->settings.timestamp_type == TimestampType::log_append_time) {
    pending.log_append_time = loop().wall_clock();
    rewrite_to_log_append_time(batch, pending.log_append_time);
    header.max_timestamp = pending.log_append_time;
  } else if (checked.max_timestamp) {
    rewrite_max_timestamp(batch, *checked.max_timestamp);
    header.max_timestamp = *checked.max_timestamp;
  }
  pending.base_offset = journal_.state(placement_.id).end;
  pending.last_offset = Offset{pending.base_offset.value + header.last_offset_delta};
  stamp_batch(batch, pending.base_offset, epoch_);

  const Errc taken = journal_.append({.partition = placement_.id,
                                      .shard = placement_.shard,
                                      .batch = batch,
                                      .base_offset = pending.base_offset,
                                      .last_offset = pending.last_offset,
                                      .max_timestamp = header.max_timestamp,
                                      .durability = topic_->settings.durability},
                                     guard([this](Errc result) { completed(result); }));
  if (taken != Errc::none) {
    refused.error = taken;
    refused.reason = to_string(taken);
    auto later = pending.promise.later();
    pending.promise.deliver(refused);
    return later;
  }
  if (header.producer_id.value >= 0) note_producer(header, pending.base_offset, pending.last_offset);
  auto later = pending.promise.later();
  pending_.push_back(std::move(pending));
  return later;
}

void Partition::note_producer(const BatchHeader& header, Offset base_offset, Offset last_offset) {
  ProducerStates& producers = journal_.producers(placement_.id);
  producers.appended(header.producer_id, header.producer_epoch,
                     {header.base_sequence, header.last_sequence(), base_offset, last_offset, header.max_timestamp},
                     loop().wall_clock());
  producers.keep_at_most(services_.settings.kafka_protocol.max_producers_per_partition);
}

/// What the answer to a batch that came again says of its time.
Timestamp Partition::append_time_of(const ProducerBatch& batch) const {
  return topic_->settings.timestamp_type == TimestampType::log_append_time ? batch.timestamp : Timestamp{-1};
}

void Partition::completed(Errc result) {
  // Retries of a batch wait behind it in the same queue; they share its fate.
  finish_front(result);
  while (!pending_.empty() && pending_.front().duplicate_of_pending) finish_front(result);
  if (result == Errc::none) wake_readers();
  if (pending_.empty())
    for (auto& promise : std::exchange(drained_, {})) promise.deliver(PartitionsDrained{});
}

void Partition::finish_front(Errc result) {
  Pending pending = std::move(pending_.front());
  pending_.pop_front();
  if (result == Errc::none && !pending.duplicate_of_pending) {
    high_watermark_ = Offset{pending.last_offset.value + 1};
    publish(pending);
  }
  Appended answer{result, pending.base_offset, pending.log_append_time, log_start(), {}, {}};
  if (result != Errc::none) {
    answer.base_offset = Offset{-1};
    answer.reason = to_string(result);
  }
  pending.promise.deliver(answer);
}

void Partition::publish(const Pending& pending) {
  if (topic_->internal) return;
  LoopSet loops = services_.interested_loops(*topic_);
  for (std::size_t i = 0; loops != 0; ++i, loops >>= 1) {
    if (loops & 1)
      send(services_.routers[i],
           PublishBatch{topic_, pending.published.batch, pending.published.publish_flags, pending.published.publisher});
  }
}

// -- life -------------------------------------------------------------------------------------------------------------

void Partition::removed() {
  Appended gone;
  gone.error = Errc::unknown_partition;
  for (auto& pending : pending_) pending.promise.deliver(gone);
  pending_.clear();
  // Woken readers ask again and learn that the topic is gone.
  for (auto& [id, parked] : parked_) send(parked.target, Wake{parked.token});
  parked_.clear();
  quit();
}

void Partition::rest() {
  // Whoever had the handle has let go of it before Rest was sent, so nothing new comes. What came before it is finished
  // first; parked readers ask again, and the host starts the partition anew for them when this actor has ended.
  for (auto& [id, parked] : parked_) send(parked.target, Wake{parked.token});
  parked_.clear();
  if (pending_.empty() && reading_ == 0) return quit();
  idle_timer_ = after(5, [this] { rest(); });
}

void Partition::watch_idleness() {
  uses_at_last_look_ = uses_;
  idle_timer_ = after(services_.settings.storage.idle_partition_timeout_ms, [this] {
    const bool idle = uses_ == uses_at_last_look_ && pending_.empty() && parked_.empty() && reading_ == 0;
    if (idle)
      send(host_, PartitionIdle{placement_.id});
    else
      watch_idleness();
  });
}

}  // namespace braid
