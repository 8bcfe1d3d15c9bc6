// Braid, Apache-2.0.
//
// Queues come and go: declared, found, changed, emptied, deleted, by their users or because nobody uses them any more.
#include "actors/queues/host.hpp"

#include <algorithm>

#include "runtime/log.hpp"

namespace braid {
namespace {

constexpr std::int64_t kTickMs = 1000;
/// A queue is put to rest when it was not used for so long.
constexpr std::int64_t kRestMs = 2000;

}  // namespace

QueueHostActor::QueueHostActor(caf::actor_config& config, Loop& loop, Services& services)
    : Pinned(config, loop), services_(services), budget_(services.budget) {}

QueueHost spawn_queue_host(Services& services) {
  return spawn_on<QueueHostActor>(services.loop, services);
}

void drain_queues(Services& services, std::function<void()> drained) {
  class Drainer final : public Pinned<caf::event_based_actor> {
   public:
    Drainer(caf::actor_config& config, Loop& loop, QueueHost host, std::function<void()> drained)
        : Pinned(config, loop), host_(std::move(host)), drained_(std::move(drained)) {}
    caf::behavior make_behavior() override {
      const auto end = [this] {
        quit();
        drained_();
      };
      ask(
          this, host_, SyncSettlements{}, [end](const SettlementsSynced&) { end(); }, [end](caf::error) { end(); });
      return {[](const SyncSettlements&) {}};
    }

   private:
    QueueHost host_;
    std::function<void()> drained_;
  };
  spawn_on<Drainer>(services.loop, services.queues.at(services.loop.index().value), std::move(drained));
}

void QueueHostActor::on_exit() {
  sessions_.clear();
  listeners_ = {};
  state_read_.clear();
  Pinned::on_exit();
}

QueueHostActor::behavior_type QueueHostActor::make_behavior() {
  set_down_handler([this](const caf::down_msg& down) { ended(down); });
  adopt_shards();
  tick_timer_ = after(kTickMs, [this] { tick(); });
  return {
      [this](const DeclareQueue& request) { return state_read_.when_open(this, request, &QueueHostActor::declare); },
      [this](const ChangeQueue& request) { return state_read_.when_open(this, request, &QueueHostActor::change); },
      [this](const DeleteQueue& request) { return state_read_.when_open(this, request, &QueueHostActor::remove); },
      [this](const PurgeQueue& request) { return state_read_.when_open(this, request, &QueueHostActor::purge); },
      [this](const DescribeQueues& request) {
        return state_read_.when_open<DescribeQueues, QueuesDescribed>(this, request, &QueueHostActor::describe);
      },
      [this](const PublishToQueues& request) { return state_read_.when_open(this, request, &QueueHostActor::publish); },
      [this](const StartConsuming& request) {
        return state_read_.when_open(this, request, &QueueHostActor::start_consuming);
      },
      [this](const StopConsuming& request) {
        return state_read_.when_open(this, request, &QueueHostActor::stop_consuming);
      },
      [this](const GrantCredit& message) { state_read_.when_open(this, message, &QueueHostActor::grant); },
      [this](const GetMessage& request) { return state_read_.when_open(this, request, &QueueHostActor::get); },
      [this](const Settle& message) { state_read_.when_open(this, message, &QueueHostActor::settle); },
      [this](const SyncSettlements& request) { return state_read_.when_open(this, request, &QueueHostActor::sync); },
      [this](const ListenToQueues& request) { return state_read_.when_open(this, request, &QueueHostActor::listen); },
  };
}

// -- rows -------------------------------------------------------------------------------------------------------------

QueueHostActor::Row* QueueHostActor::find(QueueId queue) {
  const auto found = rows_.find(queue);
  return found == rows_.end() ? nullptr : found->second.get();
}

QueueHostActor::Row& QueueHostActor::add_row(QueueId queue, Shard& shard, StoredQueue stored) {
  auto row = std::make_unique<Row>();
  row->id = queue;
  row->shard = &shard;
  row->queue = std::move(stored);
  row->used_ms = loop().now_ms();
  Row& added = *row;
  by_name_.emplace(added.queue.name, &added);
  rows_.emplace(queue, std::move(row));
  watch_expiry(added);
  return added;
}

QueueDeclared QueueHostActor::declared(const Row& row, bool created) const {
  const QueueDescription description = describe(row);
  QueueDeclared reply;
  reply.queue = row.id;
  reply.created = created;
  reply.owner = row.queue.owner;
  reply.settings = row.queue.settings;
  reply.definition = row.queue.definition;
  reply.exclusive_to = row.exclusive_to;
  reply.ready = description.ready;
  reply.consumers = description.consumers;
  return reply;
}

QueueDescription QueueHostActor::describe(const Row& row) const {
  QueueDescription description;
  description.queue = row.id;
  description.name = row.queue.name;
  description.owner = row.queue.owner;
  description.settings = row.queue.settings;
  description.definition = row.queue.definition;
  description.exclusive_to = row.exclusive_to;
  description.ready = row.active ? row.active->queue.ready() : row.ready;
  description.bytes = row.active ? row.active->queue.bytes() : row.bytes;
  if (row.active) {
    description.unacknowledged = row.active->queue.held();
    description.consumers = row.active->queue.consumers();
  }
  return description;
}

void QueueHostActor::declare(const DeclareQueue& request, Promise<QueueDeclared> promise) {
  if (const auto known = by_name_.find(request.name); known != by_name_.end()) {
    Row& row = *known->second;
    used(row);
    if (!row.creating.empty()) return row.creating.push_back(std::move(promise));
    return promise.deliver(declared(row, false));
  }
  QueueDeclared refused;
  refused.error = QueueErrc::unknown_queue;
  if (request.passive) return promise.deliver(refused);
  const std::uint32_t number =
      services_.journals.empty() ? 0 : static_cast<std::uint32_t>(queue_shard(services_, request.name).value);
  const auto at =
      std::find_if(shards_.begin(), shards_.end(), [&](const auto& shard) { return shard->id.value == number; });
  if (at == shards_.end()) return promise.deliver(refused);  // asked of the wrong loop
  Shard& shard = **at;
  const QueueId id(static_cast<std::uint64_t>(number) << kQueueNumberBits | shard.next_queue++);
  Row& row = add_row(id, shard, {request.name, request.owner, request.settings, request.definition.compact()});
  if (request.exclusive_to) {
    row.exclusive_to = request.exclusive_to.id();
    session(request.exclusive_to).exclusive.insert(id);
  }
  if (!row.is_stored()) return promise.deliver(declared(row, true));
  row.creating.push_back(std::move(promise));
  put(shard, {{encode_key({'D', id}), encode_definition(row.queue)}}, [this, id](Errc error) {
    Row* created = find(id);
    if (!created) return;
    auto waiting = std::move(created->creating);
    created->creating.clear();
    bool first = true;
    for (auto& each : waiting) {
      QueueDeclared reply = declared(*created, first);
      first = false;
      if (error != Errc::none)
        reply.error = error == Errc::unknown_outcome ? QueueErrc::unknown_outcome : QueueErrc::storage_failed;
      each.deliver(std::move(reply));
    }
    if (error != Errc::none) erase(*created, [](Errc) {});
  });
}

void QueueHostActor::change(const ChangeQueue& request, Promise<QueueChanged> promise) {
  Row* row = find(request.queue);
  if (!row) return promise.deliver({QueueErrc::unknown_queue});
  const bool durable = row->queue.settings.durable;
  const std::uint8_t priorities = row->queue.settings.max_priority;
  row->queue.settings = request.settings;
  row->queue.settings.durable = durable;
  row->queue.settings.max_priority = priorities;
  Active& active = activate(*row);
  active.queue.change(row->queue.settings);
  used(*row);
  watch_expiry(*row);
  schedule_pump(*row);
  if (!row->is_stored()) return promise.deliver({});
  put(*row->shard, {{encode_key({'D', row->id}), encode_definition(row->queue)}},
      [held = std::make_shared<Promise<QueueChanged>>(std::move(promise))](Errc error) {
        held->deliver({error == Errc::none ? QueueErrc::none : QueueErrc::storage_failed});
      });
}

void QueueHostActor::remove(const DeleteQueue& request, Promise<QueueEmptied> promise) {
  Row* row = find(request.queue);
  if (!row) return promise.deliver({QueueErrc::unknown_queue});
  const QueueDescription description = describe(*row);
  if (request.if_unused && description.consumers > 0) return promise.deliver({QueueErrc::in_use});
  if (request.if_empty && description.ready > 0) return promise.deliver({QueueErrc::not_empty});
  erase(*row,
        [ready = description.ready, held = std::make_shared<Promise<QueueEmptied>>(std::move(promise))](Errc error) {
          held->deliver({error == Errc::none ? QueueErrc::none : QueueErrc::unknown_outcome, ready});
        });
}

void QueueHostActor::purge(const PurgeQueue& request, Promise<QueueEmptied> promise) {
  Row* row = find(request.queue);
  if (!row) return promise.deliver({QueueErrc::unknown_queue});
  Active& active = activate(*row);
  const std::uint64_t purged = active.queue.purge();
  used(*row);
  schedule_pump(*row);
  mark_dirty(*row);
  if (!row->is_stored()) return promise.deliver({QueueErrc::none, purged});
  when_synced([purged, held = std::make_shared<Promise<QueueEmptied>>(std::move(promise))](Errc error) {
    held->deliver({error == Errc::none ? QueueErrc::none : QueueErrc::unknown_outcome, purged});
  });
}

void QueueHostActor::describe(const DescribeQueues& request, Promise<QueuesDescribed> promise) {
  QueuesDescribed reply;
  if (request.queues.empty()) {
    for (const auto& [id, row] : rows_) reply.queues.push_back(describe(*row));
  } else {
    for (const QueueId id : request.queues)
      if (const Row* row = find(id)) reply.queues.push_back(describe(*row));
  }
  promise.deliver(std::move(reply));
}

void QueueHostActor::listen(const ListenToQueues& request, Promise<QueuesDescribed> promise) {
  listeners_[static_cast<std::size_t>(request.owner)] = request.listener;
  QueuesDescribed reply;
  for (const auto& [id, row] : rows_) {
    if (row->queue.owner != request.owner) continue;
    reply.queues.push_back(describe(*row));
    if (!row->active) continue;
    row->active->queue.dead_letters_taken(true);
    schedule_pump(*row);
  }
  promise.deliver(std::move(reply));
}

// -- in use and at rest -----------------------------------------------------------------------------------------------

QueueHostActor::Active& QueueHostActor::activate(Row& row) {
  if (!row.active) {
    row.active = std::make_unique<Active>(row.queue.settings);
    row.active->serial = next_serial_++;
    row.active->queue.dead_letters_taken(static_cast<bool>(listeners_[static_cast<std::size_t>(row.queue.owner)]));
    bool sound = true;
    restore(row, row.active->queue, sound);
    row.saved = {};
    active_.insert(row.id);
  }
  row.active->used_ms = loop().now_ms();
  return *row.active;
}

void QueueHostActor::rest(Row& row) {
  trim(row);
  Queue& queue = row.active->queue;
  row.ready = queue.ready();
  row.bytes = queue.bytes();
  for (Queue::Change& change : queue.changes(true)) {
    if (!change.value) continue;
    // Of a priority that was never used there is nothing to remember.
    if (!change.page && queue.end(change.priority).value == 0) continue;
    change.value = change.value->compact();
    row.saved.push_back(std::move(change));
  }
  row.saved.shrink_to_fit();
  loaded_bytes_ -= row.active->loaded_bytes;
  active_.erase(row.id);
  row.active.reset();
}

void QueueHostActor::tick() {
  tick_timer_ = after(kTickMs, [this] { tick(); });
  const std::int64_t now = loop().now_ms();
  for (auto at = active_.begin(); at != active_.end();) {
    Row& row = *find(*at++);
    const Active& active = *row.active;
    if (!active.dirty && !active.pumping && active.consumers.empty() && active.queue.idle() &&
        now - active.used_ms >= kRestMs)
      rest(row);
    else
      trim(row);
  }
  budget_.set(loaded_bytes_ + unstored_bytes_);
  for (auto& shard : shards_) snapshot_if_due(*shard);
}

void QueueHostActor::used(Row& row) {
  row.used_ms = loop().now_ms();
  if (row.active) row.active->used_ms = row.used_ms;
}

void QueueHostActor::watch_expiry(Row& row) {
  if (!row.queue.settings.expires_ms) {
    row.expiry.cancel();
    return;
  }
  const std::int64_t left = *row.queue.settings.expires_ms - (loop().now_ms() - row.used_ms);
  row.expiry = after(std::clamp<std::int64_t>(left, 1, kLongestTimerMs), [this, id = row.id] { delete_if_unused(id); });
}

void QueueHostActor::delete_if_unused(QueueId queue) {
  Row* row = find(queue);
  if (!row || !row->queue.settings.expires_ms) return;
  if (row->active && row->active->queue.consumers() > 0) used(*row);
  if (loop().now_ms() - row->used_ms < *row->queue.settings.expires_ms) return watch_expiry(*row);
  erase(*row, [](Errc) {});
}

// -- the end ----------------------------------------------------------------------------------------------------------

void QueueHostActor::erase(Row& row, std::function<void(Errc)> erased) {
  const QueueId id = row.id;
  Shard& shard = *row.shard;
  const std::uint8_t max_priority = row.queue.settings.max_priority;
  std::vector<StateChange> changes;
  if (row.is_stored()) {
    changes.push_back({encode_key({'D', id}), std::nullopt});
    const auto kept = row.active ? row.active->queue.changes(true) : std::move(row.saved);
    for (Queue::Change change : kept) {
      change.value.reset();
      changes.push_back(to_state(id, change));
    }
  }
  if (row.active) {
    for (const ConsumerKey& key : row.active->consumers)
      if (const auto session = sessions_.find(key.session); session != sessions_.end()) {
        send(session->second.handle, ConsumerCancelled{id, key.consumer});
        session->second.consumers.erase({id, key.consumer});
      }
    loaded_bytes_ -= row.active->loaded_bytes;
    active_.erase(id);
    for (const std::uint64_t token : row.active->gets) {
      MessageGot gone;
      gone.error = QueueErrc::unknown_queue;
      if (auto get = gets_.extract(token)) get.mapped().promise.deliver(std::move(gone));
    }
  }
  if (row.exclusive_to != 0)
    if (const auto session = sessions_.find(row.exclusive_to); session != sessions_.end())
      session->second.exclusive.erase(id);
  if (const auto& listener = listeners_[static_cast<std::size_t>(row.queue.owner)])
    send(listener, QueueGone{id, row.queue.name, row.queue.owner});
  for (auto& promise : row.creating) {
    QueueDeclared gone;
    gone.error = QueueErrc::storage_failed;
    promise.deliver(std::move(gone));
  }
  unstored_bytes_ -= row.unstored_bytes;
  by_name_.erase(row.queue.name);
  rows_.erase(id);
  if (changes.empty()) {
    drop_logs(shard, id, max_priority);
    return erased(Errc::none);
  }
  // The logs go when the definition has gone: should the power fail between, they are dropped at the next start.
  put(shard, std::move(changes), [this, &shard, id, max_priority, erased = std::move(erased)](Errc error) {
    if (error == Errc::none) drop_logs(shard, id, max_priority);
    erased(error);
  });
}

void QueueHostActor::drop_logs(Shard& shard, QueueId queue, std::uint8_t max_priority) {
  for (unsigned priority = 0; priority <= max_priority; ++priority) {
    const PartitionId partition = queue_partition(queue, static_cast<std::uint8_t>(priority));
    if (shard.journal->knows(partition)) shard.journal->drop(partition, [](Errc) {});
  }
}

// -- sessions ---------------------------------------------------------------------------------------------------------

QueueHostActor::Session& QueueHostActor::session(const QueueConsumer& handle) {
  Session& session = sessions_[handle.id()];
  if (!session.handle) {
    session.handle = handle;
    monitor(handle);
  }
  return session;
}

void QueueHostActor::forget(QueueId queue, const ConsumerKey& key) {
  if (const auto session = sessions_.find(key.session); session != sessions_.end())
    session->second.consumers.erase({queue, key.consumer});
}

void QueueHostActor::ended(const caf::down_msg& down) {
  const auto found = sessions_.find(down.source.id());
  if (found == sessions_.end()) return;
  const std::uint64_t id = found->first;
  const Session session = std::move(found->second);
  sessions_.erase(found);
  for (const auto& [queue, consumer] : session.consumers) {
    Row* row = find(queue);
    if (!row || !row->active) continue;
    const ConsumerKey key{id, consumer};
    row->active->queue.stop(key, true, true);
    stopped(*row, key);
  }
  for (const QueueId queue : session.exclusive)
    if (Row* row = find(queue)) erase(*row, [](Errc) {});
}

}  // namespace braid
