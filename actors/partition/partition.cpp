// Braid, Apache-2.0.
#include "actors/partition/partition.hpp"

#include "model/batch_walker.hpp"

namespace braid {

namespace {
/// What a batch may inflate to when a record in it is looked for.
constexpr std::size_t kMaxUncompressedBatchBytes = 256u << 20;
}  // namespace

Partition::Partition(caf::actor_config& config, Loop& loop, Services& services, PartitionHost host, TopicRef topic,
                     PartitionIndex index)
    : Pinned(config, loop),
      services_(services),
      journal_(services.journal_of(topic->partition(index)->shard)),
      host_(std::move(host)),
      topic_(std::move(topic)),
      placement_(*topic_->partition(index)),
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
        return LogDescription{Errc::none, log_start(), high_watermark_, state.end, state.bytes, placement_.epoch};
      },
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
  if (*epoch < placement_.epoch) return Errc::fenced_leader_epoch;
  if (*epoch > placement_.epoch) return Errc::unknown_leader_epoch;
  return Errc::none;
}

// -- append -----------------------------------------------------------------------------------------------------------

Errc Partition::judge(const AppendBatch& request, BatchHeader& header, std::string& reason) const {
  if (request.trusted) {
    auto read = read_batch_header(request.batch.span());
    if (!read) return reason = to_string(read.error()), Errc::corrupt_batch;
    header = *read;
    return Errc::none;
  }
  if (request.batch.size() > static_cast<std::size_t>(topic_->settings.max_message_bytes)) {
    reason = "the batch has " + std::to_string(request.batch.size()) + " bytes, max.message.bytes of the topic is " +
             std::to_string(topic_->settings.max_message_bytes);
    return Errc::batch_too_large;
  }
  BatchLimits limits;
  limits.from_client = !request.internal;
  auto valid = validate_batch(request.batch, limits);
  if (!valid) {
    reason = to_string(valid.error());
    return to_errc(valid.error());
  }
  header = *valid;
  if (!request.internal && header.is_transactional())
    return reason = "transactions are not served", Errc::invalid_record;
  if (header.record_count <= 0) return reason = "the batch is empty", Errc::invalid_record;
  return Errc::none;
}

caf::result<Appended> Partition::append(const AppendBatch& request) {
  ++uses_;
  Appended refused;
  BatchHeader header;
  refused.log_start = log_start();
  refused.error = judge(request, header, refused.reason);
  if (refused.error != Errc::none) return refused;

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
        return Appended{Errc::none, verdict.original.base_offset, Timestamp{-1}, log_start(), {}};
      // The first try is still on its way to the disk: its retry is acknowledged behind it.
      pending.base_offset = verdict.original.base_offset;
      pending.last_offset = verdict.original.last_offset;
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
  }
  pending.base_offset = journal_.state(placement_.id).end;
  pending.last_offset = Offset{pending.base_offset.value + header.last_offset_delta};
  stamp_batch(batch, pending.base_offset, placement_.epoch);

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
  if (header.producer_id.value >= 0)
    journal_.producers(placement_.id)
        .appended(header.producer_id, header.producer_epoch,
                  {header.base_sequence, header.last_sequence(), pending.base_offset, pending.last_offset,
                   header.max_timestamp},
                  loop().wall_clock());
  auto later = pending.promise.later();
  pending_.push_back(std::move(pending));
  return later;
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
  Appended answer{result, pending.base_offset, pending.log_append_time, log_start(), {}};
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

// -- read -------------------------------------------------------------------------------------------------------------

BatchesRead Partition::watermarks(Errc error) const {
  BatchesRead reply;
  reply.error = error;
  reply.high_watermark = high_watermark_;
  reply.last_stable = high_watermark_;
  reply.log_start = log_start();
  return reply;
}

caf::result<BatchesRead> Partition::read(const ReadBatches& request) {
  ++uses_;
  if (const Errc error = check_epoch(request.current_leader_epoch); error != Errc::none) return watermarks(error);
  if (request.from < log_start() || request.from > journal_.state(placement_.id).end)
    return watermarks(Errc::offset_out_of_range);
  if (request.from >= high_watermark_) {
    auto reply = watermarks(Errc::none);
    if (request.park) {
      park(request);
      reply.parked = true;
    }
    return reply;
  }
  auto promise = std::make_shared<Promise<BatchesRead>>(this);
  ++reading_;
  journal_.read({.partition = placement_.id,
                 .from = request.from,
                 .limit = high_watermark_,
                 .max_bytes = request.max_bytes,
                 .at_least_one = request.at_least_one},
                guard([this, promise](ReadResult result) {
                  --reading_;
                  auto reply = watermarks(result.error);
                  reply.batches = std::move(result.batches);
                  reply.bytes = result.bytes;
                  promise->deliver(std::move(reply));
                }));
  return promise->later();
}

void Partition::park(const ReadBatches& request) {
  parked_.insert_or_assign(request.park.id(), Parked{request.park, request.token, request.from});
}

void Partition::wake_readers() {
  for (auto at = parked_.begin(); at != parked_.end();) {
    if (at->second.from < high_watermark_) {
      send(at->second.target, Wake{at->second.token});
      at = parked_.erase(at);
    } else {
      ++at;
    }
  }
}

// -- offsets ----------------------------------------------------------------------------------------------------------

caf::result<OffsetFound> Partition::find(const FindOffset& request) {
  ++uses_;
  OffsetFound found;
  found.error = check_epoch(request.current_leader_epoch);
  if (found.error != Errc::none) return found;
  found.leader_epoch = placement_.epoch;
  switch (request.timestamp) {
    case kLatestTimestamp:
      found.offset = high_watermark_;
      return found;
    case kEarliestTimestamp:
      found.offset = log_start();
      return found;
    case kMaxTimestamp: {
      const auto base = journal_.batch_of_max_timestamp(placement_.id);
      if (!base || *base >= high_watermark_) return found;
      auto promise = std::make_shared<Promise<OffsetFound>>(this);
      find_in_batch(promise, *base, kMaxTimestamp);
      return promise->later();
    }
    default:
      break;
  }
  auto promise = std::make_shared<Promise<OffsetFound>>(this);
  ++reading_;
  journal_.batch_for_timestamp(placement_.id, Timestamp{request.timestamp},
                               guard([this, promise, at = request.timestamp](Errc error, std::optional<Offset> base) {
                                 --reading_;
                                 if (error == Errc::none && base && *base < high_watermark_)
                                   return find_in_batch(promise, *base, at);
                                 OffsetFound none;
                                 none.error = error;
                                 none.leader_epoch = placement_.epoch;
                                 promise->deliver(none);
                               }));
  return promise->later();
}

void Partition::find_in_batch(std::shared_ptr<Promise<OffsetFound>> promise, Offset base, std::int64_t at) {
  ++reading_;
  journal_.read(
      {.partition = placement_.id, .from = base, .limit = high_watermark_, .max_bytes = 1, .at_least_one = true},
      guard([this, promise, at](ReadResult result) {
        --reading_;
        OffsetFound found;
        found.error = result.error;
        found.leader_epoch = placement_.epoch;
        if (result.error == Errc::none && !result.batches.empty()) {
          auto walker = BatchWalker::open(result.batches.front(), kMaxUncompressedBatchBytes);
          RecordView record;
          while (walker && walker->next(record)) {
            if (record.offset < log_start() || record.timestamp.value < at) continue;
            if (at != kMaxTimestamp) {
              found.offset = record.offset;
              found.timestamp = record.timestamp;
              break;
            }
            if (record.timestamp > found.timestamp) {
              found.offset = record.offset;
              found.timestamp = record.timestamp;
            }
          }
          if (!walker || walker->failed()) found.error = Errc::damaged;
        }
        promise->deliver(found);
      }));
}

caf::result<RecordsDeleted> Partition::delete_records(const DeleteRecords& request) {
  ++uses_;
  const Offset before = request.before.value == -1 ? high_watermark_ : request.before;
  if (before > high_watermark_ || before.value < 0) return RecordsDeleted{Errc::offset_out_of_range, Offset{-1}};
  if (before <= log_start()) return RecordsDeleted{Errc::none, log_start()};
  auto promise = std::make_shared<Promise<RecordsDeleted>>(this);
  ++reading_;
  const Errc taken = journal_.set_log_start(placement_.id, before, guard([this, promise](Errc result) {
                                              --reading_;
                                              promise->deliver(RecordsDeleted{result, log_start()});
                                            }));
  if (taken != Errc::none) {
    --reading_;
    promise->deliver(RecordsDeleted{taken, Offset{-1}});
  }
  return promise->later();
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
    if (!journal_.producers(placement_.id).empty())
      journal_.producers(placement_.id)
          .expire(Timestamp{loop().wall_clock().value - services_.settings.kafka_protocol.producer_id_expiration_ms});
    if (idle)
      send(host_, PartitionIdle{placement_.id});
    else
      watch_idleness();
  });
}

}  // namespace braid
