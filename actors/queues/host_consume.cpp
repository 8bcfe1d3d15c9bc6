// Braid, Apache-2.0.
//
// Messages out: consumers and what they settle go to the queue, what the queue wants done goes to journal and sessions.
// Queues are pumped at the end of the turn, once for all that the turn brought.
#include <algorithm>

#include "actors/queues/host.hpp"
#include "runtime/log.hpp"

namespace braid {
namespace {

constexpr std::int64_t kReadAgainMs = 1000;
/// Batches that queues of one loop have read ahead; past it they keep nothing of what they do not deliver at once.
constexpr std::uint64_t kReadAheadBytes = 64u << 20;

QueueErrc to_queue_error(Queue::Refusal refusal) {
  switch (refusal) {
    case Queue::Refusal::none:
      return QueueErrc::none;
    case Queue::Refusal::in_use:
      return QueueErrc::in_use;
    case Queue::Refusal::single_active:
      return QueueErrc::single_active;
    case Queue::Refusal::too_many:
      return QueueErrc::overloaded;
  }
  return QueueErrc::overloaded;
}

}  // namespace

void QueueHostActor::start_consuming(const StartConsuming& request, Promise<ConsumeStarted> promise) {
  Row* row = find(request.queue);
  if (!row || !request.session) return promise.deliver({QueueErrc::unknown_queue, false});
  Active& active = activate(*row);
  const ConsumerKey key{request.session.id(), request.consumer};
  const auto refusal = active.queue.consume(key, {.no_ack = request.no_ack,
                                                  .exclusive = request.exclusive,
                                                  .granted = request.granted,
                                                  .on_demand = request.on_demand,
                                                  .priority = request.priority,
                                                  .prefetch = request.prefetch,
                                                  .window_bytes = request.window_bytes});
  if (refusal != Queue::Refusal::none) return promise.deliver({to_queue_error(refusal), false});
  session(request.session).consumers.insert({row->id, request.consumer});
  active.consumers.insert(key);
  row->had_consumers = true;
  used(*row);
  schedule_pump(*row);
  promise.deliver({QueueErrc::none, active.queue.is_active(key)});
}

void QueueHostActor::stop_consuming(const StopConsuming& request, Promise<ConsumeStopped> promise) {
  Row* row = find(request.queue);
  if (!row || !row->active) return promise.deliver({row ? QueueErrc::none : QueueErrc::unknown_queue});
  const ConsumerKey key{request.session, request.consumer};
  row->active->queue.stop(key, request.requeue, request.counted);
  if (!row->active->queue.knows(key)) forget(row->id, key);
  // Deliveries on their way are in the session's mailbox before this answer.
  promise.deliver({});
  stopped(*row, key);
}

void QueueHostActor::stopped(Row& row, const ConsumerKey& key) {
  row.active->consumers.erase(key);
  if (row.active->consumers.empty() && row.had_consumers && row.queue.settings.auto_delete)
    return erase(row, [](Errc) {});
  used(row);
  if (row.active->consumers.empty()) watch_expiry(row);
  mark_dirty(row);
  schedule_pump(row);
}

void QueueHostActor::grant(const GrantCredit& grant) {
  Row* row = find(grant.queue);
  if (!row || !row->active) return;
  row->active->queue.grant({grant.session, grant.consumer}, grant.messages, grant.bytes);
  schedule_pump(*row);
}

void QueueHostActor::get(const GetMessage& request, Promise<MessageGot> promise) {
  MessageGot refused;
  Row* row = find(request.queue);
  if (!row || !request.session) {
    refused.error = QueueErrc::unknown_queue;
    return promise.deliver(std::move(refused));
  }
  Active& active = activate(*row);
  const std::uint64_t token = next_get_++;
  refused.error = to_queue_error(active.queue.get({request.session.id(), request.consumer}, request.no_ack, token));
  if (refused.error != QueueErrc::none) return promise.deliver(std::move(refused));
  session(request.session).consumers.insert({row->id, request.consumer});
  active.gets.insert(token);
  gets_.emplace(token, Get{{request.session.id(), request.consumer}, std::move(promise)});
  used(*row);
  schedule_pump(*row);
}

void QueueHostActor::settle(const Settle& settle) {
  Row* row = nullptr;
  for (const Settle::Range& range : settle.ranges) {
    if (!row || row->id != range.queue) {
      row = find(range.queue);
      if (!row || !row->active) {
        row = nullptr;
        continue;
      }
      mark_dirty(*row);
      schedule_pump(*row);
    }
    const ConsumerKey key{settle.session, range.consumer};
    if (row->active->queue.settle(key, range.priority, range.first, range.count, range.settlement))
      forget(row->id, key);
  }
}

// -- pumping ----------------------------------------------------------------------------------------------------------

void QueueHostActor::schedule_pump(Row& row) {
  if (!row.active || std::exchange(row.active->pumping, true)) return;
  pumping_.push_back(row.id);
  if (std::exchange(pump_scheduled_, true)) return;
  loop().at_turn_end(guard([this] { pump_all(); }));
}

void QueueHostActor::pump_all() {
  pump_scheduled_ = false;
  std::swap(pumping_, pumping_now_);
  for (const QueueId id : pumping_now_) {
    Row* row = find(id);
    if (!row || !row->active) continue;
    row->active->pumping = false;
    pump(*row);
  }
  pumping_now_.clear();
}

void QueueHostActor::pump(Row& row) {
  Active& active = *row.active;
  const Timestamp now = loop().wall_clock();
  QueueOutput out;
  active.queue.pump(now, out);
  for (auto& delivery : out.deliveries) {
    const auto session = sessions_.find(delivery.to.session);
    if (session == sessions_.end()) continue;  // its end is in our mailbox, and gives them back
    send(session->second.handle, DeliverMessages{row.id, delivery.to.consumer, std::move(delivery.runs),
                                                 delivery.messages, delivery.bytes, delivery.unused, delivery.wants});
  }
  for (auto& got : out.got) {
    active.gets.erase(got.token);
    if (auto get = gets_.extract(got.token)) {
      MessageGot reply;
      if (got.run) reply.runs.push_back(std::move(*got.run));
      reply.ready = got.ready;
      if (!active.queue.knows(get.mapped().key)) forget(row.id, get.mapped().key);
      get.mapped().promise.deliver(std::move(reply));
    }
  }
  if (out.changed) mark_dirty(row);
  for (auto& dead : out.dead) route(row, std::move(dead));
  if (out.wake_at) {
    if (active.wake_at != out.wake_at || !active.wake.running()) {
      active.wake_at = out.wake_at;
      const auto left = std::clamp<std::int64_t>(out.wake_at->value - now.value, 1, kLongestTimerMs);
      active.wake = after(left, [this, id = row.id] {
        if (Row* woken = find(id)) schedule_pump(*woken);
      });
    }
  } else {
    active.wake.cancel();
  }
  if (row.unstored_bytes >= row.trim_at_bytes) {
    trim(row);
    row.trim_at_bytes = row.unstored_bytes + kTrimBytes;
  }
  if (loaded_bytes_ > kReadAheadBytes) active.queue.unload();
  const std::uint64_t loaded = active.queue.loaded_bytes();
  loaded_bytes_ += loaded - std::exchange(active.loaded_bytes, loaded);
  if (out.again && !std::exchange(active.pumping, true)) {
    // In one of the next turns, so that the others of this loop have theirs.
    loop().post(guard([this, id = row.id] {
      Row* next = find(id);
      if (!next || !next->active) return;
      next->active->pumping = false;
      schedule_pump(*next);
    }));
  }
  // Last: an answer that is there at once may pump again.
  for (const auto& wanted : out.reads) read(row, wanted);
}

void QueueHostActor::read(Row& row, const QueueOutput::Read& wanted) {
  row.shard->journal->read({.partition = queue_partition(row.id, wanted.priority),
                            .from = wanted.from,
                            .limit = row.active->queue.end(wanted.priority),
                            .max_bytes = wanted.max_bytes,
                            .at_least_one = true,
                            .with_base_offsets = true},
                           guard([this, id = row.id, serial = row.active->serial, wanted](ReadResult result) {
                             Row* reader = find(id);
                             if (!reader || !reader->active || reader->active->serial != serial) return;
                             Active& active = *reader->active;
                             active.queue.loaded(wanted, result.error, result.batches, result.base_offsets);
                             if (result.error == Errc::storage_failed && result.batches.empty()) {
                               active.wake_at.reset();
                               active.wake = after(kReadAgainMs, [this, id] {
                                 if (Row* again = find(id)) schedule_pump(*again);
                               });
                               return;
                             }
                             if (result.batches.empty()) {
                               BRAID_LOG_LIMITED(error, "queues", {{"queue", reader->queue.name}},
                                                 "message {} of priority {} cannot be read any more and is passed "
                                                 "over: {}",
                                                 wanted.from.value, wanted.priority, to_string(result.error));
                               mark_dirty(*reader);
                             }
                             schedule_pump(*reader);
                           }));
}

void QueueHostActor::route(Row& row, QueueOutput::Dead dead) {
  const auto settled = [this, id = row.id, serial = row.active->serial, token = dead.token](bool routed) {
    Row* from = find(id);
    if (!from || !from->active || from->active->serial != serial) return;
    from->active->queue.dead_done(token, routed);
    mark_dirty(*from);
    schedule_pump(*from);
  };
  request(listeners_[static_cast<std::size_t>(row.queue.owner)], caf::infinite,
          DeadLetters{row.id, row.queue.name, row.queue.definition, dead.reason, std::move(dead.runs)})
      .then([settled](const DeadLettersRouted& routed) { settled(routed.done); },
            [settled](caf::error&) { settled(false); });
}

}  // namespace braid
