// Braid, Apache-2.0.
//
// A batch for a set of queues: what their limits refuse is left out, the rest is one entry in the journal, and one
// answer when it is as durable as the queues promise. Consumers do not wait for that: the queues have the batch as soon
// as the journal has taken it, so that a disk's sync is in the way of a confirm and of nothing else.
//
// Messages of a queue that does not survive a restart need no disk. They stay in memory as long as the queue is short,
// and are written, so that they can leave it, when it grows.
#include <algorithm>

#include "actors/queues/host.hpp"
#include "model/batch_builder.hpp"
#include "model/record_batch.hpp"

namespace braid {

struct QueueHostActor::PublishJob {
  Promise<Published> promise;
  Published reply;
  std::size_t left = 1;

  void finish_one() {
    if (--left == 0) promise.deliver(std::move(reply));
  }
};

namespace {

/// What a queue, and all queues of a loop, keep in memory and nowhere else.
constexpr std::uint64_t kUnstoredBytes = 4u << 20, kAllUnstoredBytes = 64u << 20;

QueueErrc to_queue_error(Errc error) {
  switch (error) {
    case Errc::none:
      return QueueErrc::none;
    case Errc::overloaded:
      return QueueErrc::overloaded;
    case Errc::unknown_outcome:
      return QueueErrc::unknown_outcome;
    case Errc::batch_too_large:
      return QueueErrc::invalid_batch;
    default:
      return QueueErrc::storage_failed;
  }
}

/// The first records of a batch, for a queue that has no room for all.
Bytes front_of(const Bytes& batch, std::uint32_t count) {
  auto walker = BatchWalker::open(batch, batch.size());
  BatchBuilder builder;
  builder.reserve(batch.size());
  RecordView record;
  std::vector<HeaderView> headers;
  for (std::uint32_t i = 0; walker && i < count && walker->next(record); ++i) {
    headers.clear();
    HeaderView header;
    while (record.headers.next(header)) headers.push_back(header);
    builder.add(record.timestamp, record.key, record.value, headers);
  }
  return builder.finish();
}

}  // namespace

void QueueHostActor::publish(const PublishToQueues& request, Promise<Published> promise) {
  auto job = std::make_shared<PublishJob>();
  job->promise = std::move(promise);
  sizes_.clear();
  if (!measure_batch(request.batch, sizes_) || sizes_.empty()) {
    job->reply.error = QueueErrc::invalid_batch;
    return job->finish_one();
  }
  const auto count = static_cast<std::uint32_t>(sizes_.size());
  struct Group {
    Shard* shard;
    Durability durability;
    std::uint32_t count;
    std::vector<Row*> rows;
  };
  std::vector<Group> groups;
  for (const QueueId id : request.queues) {
    Row* row = find(id);
    if (!row) {
      job->reply.unknown.push_back(id);
      continue;
    }
    const std::uint32_t room = activate(*row).queue.room(sizes_);
    if (room < count) refuse(*row, request, room, job->reply);
    if (room == 0) continue;
    const Durability durability = durability_of(*row, request);
    const auto fits = [&](const Group& group) {
      return group.shard == row->shard && group.durability == durability && group.count == room;
    };
    const auto group = std::find_if(groups.begin(), groups.end(), fits);
    if (group != groups.end())
      group->rows.push_back(row);
    else
      groups.push_back({row->shard, durability, room, {row}});
  }
  if (std::any_of(groups.begin(), groups.end(), [](const Group& each) { return each.durability == Durability::sync; }))
    flush_along();
  for (Group& group : groups)
    append(job, *group.shard, group.rows, request.priority, group.durability,
           group.count == count ? request.batch : front_of(request.batch, group.count), group.count);
  job->finish_one();
}

Durability QueueHostActor::durability_of(const Row& row, const PublishToQueues& request) const {
  if (row.is_stored()) return request.persistent ? Durability::sync : Durability::os;
  const std::uint64_t bytes = request.batch.size();
  return row.unstored_bytes + bytes <= kUnstoredBytes && unstored_bytes_ + bytes <= kAllUnstoredBytes
             ? Durability::memory
             : Durability::os;
}

void QueueHostActor::append(const std::shared_ptr<PublishJob>& job, Shard& shard, const std::vector<Row*>& rows,
                            std::uint8_t priority, Durability durability, Bytes batch, std::uint32_t count) {
  const auto header = read_batch_header(batch);
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < count; ++i) bytes += sizes_[i];
  std::vector<SharedAppendRequest::Target> targets;
  for (std::size_t from = 0; from < rows.size(); from += SharedAppendRequest::max_targets) {
    const std::size_t behind = std::min(rows.size(), from + SharedAppendRequest::max_targets);
    std::vector<PublishPart> parts;
    targets.clear();
    for (std::size_t i = from; i < behind; ++i) {
      const std::uint8_t level = std::min(priority, rows[i]->queue.settings.max_priority);
      parts.push_back({rows[i]->id, rows[i]->active->serial, level});
      targets.push_back({queue_partition(rows[i]->id, level)});
    }
    const Errc taken = shard.journal->append_shared(
        {.shard = shard.id,
         .batch = batch,
         .targets = targets,
         .last_offset_delta = static_cast<std::int32_t>(count) - 1,
         .max_timestamp = header->max_timestamp,
         .durability = durability,
         .visible_at_once = true},
        guard([this, job, parts = std::move(parts)](Errc error) { appended(job, parts, error); }));
    if (taken != Errc::none) {
      job->reply.error = to_queue_error(taken);
      continue;
    }
    ++job->left;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      Row& row = *rows[from + i];
      row.active->queue.arrived(priority_of(targets[i].partition), batch, targets[i].base_offset, count, bytes);
      if (row.queue.settings.max_length_bytes) mark_dirty(row);  // how many bytes are ready is part of the state
      if (durability == Durability::memory) {
        row.unstored_bytes += batch.size();
        unstored_bytes_ += batch.size();
      }
      schedule_pump(row);
    }
  }
}

void QueueHostActor::appended(const std::shared_ptr<PublishJob>& job, const std::vector<PublishPart>& parts,
                              Errc error) {
  if (error != Errc::none) {
    job->reply.error = to_queue_error(error);
    for (const PublishPart& part : parts) {
      Row* row = find(part.queue);
      if (!row || !row->active || row->active->serial != part.serial) continue;
      row->active->queue.failed(part.priority);
      schedule_pump(*row);
    }
  }
  job->finish_one();
}

void QueueHostActor::refuse(Row& row, const PublishToQueues& request, std::uint32_t from, Published& reply) {
  reply.refused.push_back({row.id, from});
  const auto& listener = listeners_[static_cast<std::size_t>(row.queue.owner)];
  if (row.queue.settings.overflow != Overflow::reject_publish_dead_letter || !row.queue.settings.dead_letter ||
      !listener)
    return;
  MessageReader reader;
  MessageReader::Message message;
  if (!reader.feed(request.batch, Offset(0)) || reader.find(Offset(from), message) != MessageReader::Look::found)
    return;
  MessageRun run;
  run.records = request.batch.slice(message.begin);
  run.batch_timestamp = reader.batch_timestamp();
  run.first = Offset(from);
  run.count = static_cast<std::uint32_t>(sizes_.size()) - from;
  run.priority = std::min(request.priority, row.queue.settings.max_priority);
  // These were never in the queue: the publisher is told that they were refused, whatever becomes of the copy.
  this->request(listener, caf::infinite,
                DeadLetters{row.id, row.queue.name, row.queue.definition, DeadReason::maxlen, {std::move(run)}})
      .then([](const DeadLettersRouted&) {}, [](caf::error&) {});
}

}  // namespace braid
