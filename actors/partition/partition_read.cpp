// Braid, Apache-2.0.
//
// What a partition tells those who read it: batches, offsets by time, the ends of epochs, its producers; and the moving
// of its start.
#include <algorithm>

#include "actors/partition/batch_check.hpp"
#include "actors/partition/epoch_search.hpp"
#include "actors/partition/partition.hpp"
#include "model/batch_walker.hpp"

namespace braid {

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
  if (request.last_read_epoch) return read_after_epoch(request);
  return read_in_range(request);
}

caf::result<BatchesRead> Partition::read_in_range(const ReadBatches& request) {
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
  read_journal(request, promise);
  return promise->later();
}

void Partition::read_journal(const ReadBatches& request, std::shared_ptr<Promise<BatchesRead>> promise) {
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
}

caf::result<BatchesRead> Partition::read_after_epoch(const ReadBatches& request) {
  auto promise = std::make_shared<Promise<BatchesRead>>(this);
  auto later = promise->later();
  find_epoch_end(*request.last_read_epoch, journal_.state(placement_.id).end,
                 [this, request, promise](Errc error, EpochEnd end) {
                   if (error == Errc::none && (end.epoch.value < 0 || request.from < log_start()))
                     error = Errc::offset_out_of_range;
                   if (error != Errc::none) return promise->deliver(watermarks(error));
                   if (end.epoch < *request.last_read_epoch || end.end < request.from) {
                     auto reply = watermarks(Errc::none);
                     reply.diverging = end;
                     return promise->deliver(std::move(reply));
                   }
                   if (request.from < high_watermark_) return read_journal(request, promise);
                   auto reply = watermarks(Errc::none);
                   if (request.park) park(request);
                   reply.parked = static_cast<bool>(request.park);
                   promise->deliver(std::move(reply));
                 });
  return later;
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
  switch (request.timestamp) {
    case kLatestTimestamp:
      found.leader_epoch = epoch_;
      found.offset = high_watermark_;
      return found;
    case kEarliestTimestamp:
      return find_earliest();
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
        if (result.error == Errc::none && !result.batches.empty()) {
          auto walker = BatchWalker::open(result.batches.front(), kMaxUncompressedBatchBytes);
          if (walker) found.leader_epoch = walker->header().partition_leader_epoch;
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
          if (found.offset.value < 0) found.leader_epoch = LeaderEpoch{-1};
        }
        promise->deliver(found);
      }));
}

/// The first record's epoch goes with its offset, so that a consumer that begins there knows what it has read.
caf::result<OffsetFound> Partition::find_earliest() {
  OffsetFound found;
  found.offset = log_start();
  found.leader_epoch = epoch_;
  if (found.offset >= high_watermark_) return found;
  auto promise = std::make_shared<Promise<OffsetFound>>(this);
  auto later = promise->later();
  ++reading_;
  journal_.read({.partition = placement_.id, .from = found.offset, .limit = high_watermark_, .max_bytes = 1},
                guard([this, promise, found](const ReadResult& result) mutable {
                  --reading_;
                  // The offset is right whatever became of the batch behind it.
                  if (result.error == Errc::none && !result.batches.empty())
                    if (const auto header = read_batch_header(result.batches.front()))
                      found.leader_epoch = header->partition_leader_epoch;
                  promise->deliver(found);
                }));
  return later;
}

// -- epochs -----------------------------------------------------------------------------------------------------------

void Partition::find_epoch_end(LeaderEpoch epoch, Offset limit, std::function<void(Errc, EpochEnd)> found) {
  if (epoch.value < 0 || epoch > epoch_) return found(Errc::none, {});
  if (epoch == epoch_) return found(Errc::none, {epoch, limit});
  ++reading_;
  find_epoch_boundary(
      journal_, placement_.id, log_start(), limit, epoch,
      guard([this, epoch, limit, found = std::move(found)](const EpochBoundary& boundary) {
        --reading_;
        if (boundary.error != Errc::none) return found(boundary.error, {});
        // Where no record is that old, nothing before the log's start is known to be of another epoch.
        found(Errc::none, {boundary.last.value < 0 ? epoch : boundary.last, boundary.next_from.value_or(limit)});
      }));
}

caf::result<EpochEndFound> Partition::epoch_end(const FindEpochEnd& request) {
  ++uses_;
  if (const Errc error = check_epoch(request.current_leader_epoch); error != Errc::none)
    return EpochEndFound{error, {}};
  auto promise = std::make_shared<Promise<EpochEndFound>>(this);
  auto later = promise->later();
  find_epoch_end(request.epoch, high_watermark_, [promise](Errc error, EpochEnd end) {
    promise->deliver({error, end});
  });
  return later;
}

ProducersDescribed Partition::describe_producers() {
  ++uses_;
  ProducersDescribed described;
  for (const auto& [id, producer] : journal_.producers(placement_.id).all()) {
    ProducerDescription description{id, producer.epoch, -1, producer.last_used};
    if (producer.count > 0) description.last_sequence = producer.batches[producer.count - 1u].last_sequence;
    if (producer.count > 0) description.last_timestamp = producer.batches[producer.count - 1u].timestamp;
    described.producers.push_back(description);
  }
  std::sort(described.producers.begin(), described.producers.end(),
            [](const ProducerDescription& a, const ProducerDescription& b) { return a.id < b.id; });
  return described;
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

}  // namespace braid
