// Braid, Apache-2.0.
//
// What survives a restart, and the restart. An acknowledgement is known for sure when the flush that followed it is on
// the disk; one that was lost with the power only means that the message comes again.
#include <algorithm>

#include "actors/internal_topics.hpp"
#include "actors/queues/host.hpp"
#include "runtime/log.hpp"

namespace braid {
namespace {

/// Acknowledgements of so long go into one batch; of less when there is something else to sync.
constexpr std::int64_t kFlushMs = 10, kFlushAlongMs = 5;
constexpr std::int64_t kHostRetryMs = 1000;
constexpr std::size_t kWakeSlice = 200;

}  // namespace

// -- start ------------------------------------------------------------------------------------------------------------

void QueueHostActor::adopt_shards() {
  const auto topic = services_.directory.find(kQueuesTopic);
  if (!topic) return;
  for (const auto& placement : topic->partitions) {
    Journal* journal = services_.journals.at(placement.shard.value);
    if (!journal) continue;
    auto shard = std::make_unique<Shard>();
    shard->id = placement.shard;
    shard->journal = journal;
    shard->partition = placement.id;
    shards_.push_back(std::move(shard));
  }
  for (auto& shard : shards_) load(*shard);
  if (shards_.empty()) start();
}

void QueueHostActor::load(Shard& shard) {
  shard.read.clear();
  shard.strange_records = 0;
  shard.log = std::make_unique<StateLog>(services_.partitions, shard.partition, StateLog::Limits{});
  shard.log->recover(
      this,
      [&shard](const Bytes& bytes, const std::optional<Bytes>& value) {
        const auto key = decode_key(bytes);
        if (!key) {
          ++shard.strange_records;
          return;
        }
        Shard::Read& read = shard.read[key->queue.value];
        switch (key->kind) {
          case 'D':
            if (value) {
              read.definition = decode_definition(*value);
              if (!read.definition) ++shard.strange_records;
            } else {
              read = {};
            }
            break;
          case 'P':
            read.priorities[key->priority].position = value ? Bytes::copy(value->view()) : Bytes();
            break;
          default: {
            auto& pages = read.priorities[key->priority].pages;
            std::erase_if(pages, [&](const auto& page) { return page.first == key->page; });
            if (value) pages.emplace_back(key->page, Bytes::copy(value->view()));
            break;
          }
        }
      },
      [this, &shard](Errc error) { loaded(shard, error); });
}

void QueueHostActor::loaded(Shard& shard, Errc error) {
  if (error != Errc::none) {
    log::error("queues", "the state of the queues of shard {} cannot be read: {}; trying again", shard.id.value,
               to_string(error));
    shard.retry = after(kHostRetryMs, [this, &shard] { load(shard); });
    return;
  }
  // Logs without a definition are dropped in start(): that must not happen to queues of a newer version.
  if (shard.strange_records > 0) {
    log::error("queues", "the state of the queues of shard {} has {} records that this version does not understand",
               shard.id.value, shard.strange_records);
    return quit(caf::make_error(caf::exit_reason::unhandled_exception));
  }
  shard.loaded = true;
  if (std::all_of(shards_.begin(), shards_.end(), [](const auto& each) { return each->loaded; })) start();
}

void QueueHostActor::start() {
  constexpr std::uint64_t number_mask = (1ull << kQueueNumberBits) - 1;
  auto left = std::make_shared<std::size_t>(1);
  const auto one_less = [this, left] {
    if (--*left > 0) return;
    state_read_.open();
    wake_some();
  };
  for (auto& each : shards_) {
    Shard& shard = *each;
    std::vector<StateChange> corrections;
    for (auto& [number, read] : std::exchange(shard.read, {})) {
      const QueueId id(number);
      shard.next_queue = std::max(shard.next_queue, (number & number_mask) + 1);
      if (!read.definition) continue;
      Row& row = add_row(id, shard, std::move(*read.definition));
      for (auto& [priority, stored] : read.priorities) {
        if (!stored.position.empty()) row.saved.push_back({priority, std::nullopt, stored.position});
        for (auto& [page, value] : stored.pages) row.saved.push_back({priority, page, std::move(value)});
      }
      bool sound = true;
      Queue queue(row.queue.settings);
      restore(row, queue, sound);
      row.ready = queue.ready();
      row.bytes = queue.bytes();
      if (row.ready > 0) waking_.push_back(id);
      if (sound) continue;
      row.saved.clear();
      for (Queue::Change& change : queue.changes(true)) {
        corrections.push_back(to_state(id, change));
        if (change.value) row.saved.push_back(std::move(change));
      }
    }
    for (const PartitionId partition : shard.journal->partitions()) {
      if (!is_queue_partition(partition)) continue;
      const QueueId id = queue_of(partition);
      shard.next_queue = std::max(shard.next_queue, (id.value & number_mask) + 1);
      if (!rows_.contains(id)) shard.journal->drop(partition, [](Errc) {});
    }
    if (corrections.empty()) continue;
    ++*left;
    put(shard, std::move(corrections), [this, &shard, one_less](Errc error) {
      // Queues whose state speaks of what the log has not must not be written to before it is put right.
      if (error == Errc::none) return one_less();
      log::error("queues", "the state of the queues of shard {} cannot be written: {}", shard.id.value,
                 to_string(error));
      quit(caf::make_error(caf::exit_reason::unhandled_exception));
    });
  }
  one_less();
}

void QueueHostActor::restore(Row& row, Queue& queue, bool& sound) const {
  for (unsigned priority = 0; priority <= row.queue.settings.max_priority; ++priority) {
    const auto level = static_cast<std::uint8_t>(priority);
    const PartitionId partition = queue_partition(row.id, level);
    Queue::Stored stored;
    for (const Queue::Change& change : row.saved) {
      if (change.priority != level || !change.value) continue;
      if (change.page)
        stored.pages.emplace_back(*change.page, *change.value);
      else
        stored.position = *change.value;
    }
    const bool known = row.shard->journal->knows(partition);
    if (!known && stored.position.empty() && stored.pages.empty()) continue;
    const LogState log = row.shard->journal->state(partition);
    stored.log_start = log.log_start;
    stored.end = log.end;
    stored.bytes = log.bytes;
    sound = queue.restore(level, stored) && sound;
  }
}

void QueueHostActor::wake_some() {
  for (std::size_t i = 0; i < kWakeSlice && !waking_.empty(); ++i) {
    Row* row = find(waking_.front());
    waking_.pop_front();
    if (!row || row->active) continue;
    activate(*row);
    schedule_pump(*row);
  }
  if (!waking_.empty()) loop().post(guard([this] { wake_some(); }));
}

// -- changes ----------------------------------------------------------------------------------------------------------

void QueueHostActor::mark_dirty(Row& row) {
  if (!row.active || std::exchange(row.active->dirty, true)) return;
  dirty_.push_back(row.id);
  if (!flush_timer_) flush_timer_ = after(kFlushMs, [this] { flush(); });
}

void QueueHostActor::flush_along() {
  if (!dirty_.empty() && loop().now_ms() - flushed_ms_ >= kFlushAlongMs) flush();
}

void QueueHostActor::flush() {
  flush_timer_.cancel();
  flushed_ms_ = loop().now_ms();
  struct Batch {
    std::vector<StateChange> changes;
    std::vector<QueueId> queues;
  };
  std::vector<Batch> batches(shards_.size());
  for (const QueueId id : std::exchange(dirty_, {})) {
    Row* row = find(id);
    if (!row || !row->active) continue;
    Active& active = *row->active;
    active.dirty = false;
    const auto changes = active.queue.changes(std::exchange(active.rewrite, false));
    if (!row->is_stored() || changes.empty()) continue;
    const auto shard =
        std::find_if(shards_.begin(), shards_.end(), [row](const auto& each) { return each.get() == row->shard; });
    Batch& batch = batches[static_cast<std::size_t>(shard - shards_.begin())];
    batch.queues.push_back(id);
    for (const Queue::Change& change : changes) batch.changes.push_back(to_state(id, change));
  }
  for (std::size_t i = 0; i < batches.size(); ++i) {
    if (batches[i].changes.empty()) continue;
    put(*shards_[i], std::move(batches[i].changes), [this, queues = std::move(batches[i].queues)](Errc error) {
      if (error == Errc::none) return;
      // The log lacks these now: all of their state is written when it takes it again.
      for (const QueueId id : queues)
        if (Row* row = find(id)) {
          activate(*row).rewrite = true;
          mark_dirty(*row);
        }
    });
  }
}

void QueueHostActor::put(Shard& shard, std::vector<StateChange> changes, std::function<void(Errc)> finished) {
  const std::uint64_t number = ++puts_started_;
  open_puts_.insert(number);
  shard.log->put(this, std::move(changes), loop().wall_clock(),
                 [this, number, finished = std::move(finished)](Errc error) {
                   open_puts_.erase(number);
                   // A flush that failed is tried again, so only those who wait for it now are concerned.
                   if (error != Errc::none)
                     for (Sync& sync : syncs_)
                       if (sync.put >= number) sync.error = error;
                   finished(error);
                   while (!syncs_.empty() && (open_puts_.empty() || *open_puts_.begin() > syncs_.front().put)) {
                     const Sync sync = std::move(syncs_.front());
                     syncs_.pop_front();
                     sync.done(sync.error);
                   }
                 });
}

void QueueHostActor::sync(const SyncSettlements&, Promise<SettlementsSynced> promise) {
  when_synced([held = std::make_shared<Promise<SettlementsSynced>>(std::move(promise))](Errc error) {
    held->deliver({error == Errc::none ? QueueErrc::none : QueueErrc::unknown_outcome});
  });
}

void QueueHostActor::when_synced(std::function<void(Errc)> synced) {
  flush();
  if (open_puts_.empty()) return synced(Errc::none);
  syncs_.push_back({puts_started_, std::move(synced), Errc::none});
}

void QueueHostActor::trim(Row& row) {
  Active& active = *row.active;
  std::uint64_t live = 0;
  active.trimmed.resize(active.queue.priorities(), Offset(0));
  for (std::size_t priority = 0; priority < active.trimmed.size(); ++priority) {
    const auto level = static_cast<std::uint8_t>(priority);
    const auto first = active.queue.first(level);
    const PartitionId partition = queue_partition(row.id, level);
    if (first && *first > active.trimmed[priority]) {
      active.trimmed[priority] = *first;
      if (row.shard->journal->state(partition).log_start < *first)
        row.shard->journal->set_log_start(partition, *first, [](Errc) {});
    }
    if (row.unstored_bytes > 0) live += row.shard->journal->state(partition).bytes;
  }
  // A part of what is left may be on the disk: then more is.
  const std::uint64_t unstored = std::min(row.unstored_bytes, live);
  unstored_bytes_ -= row.unstored_bytes - unstored;
  row.unstored_bytes = unstored;
}

void QueueHostActor::snapshot_if_due(Shard& shard) {
  if (!state_read_.is_open() || !shard.log->snapshot_due()) return;
  // What is on its way is written once more behind the snapshot, so it has to be the newest there is.
  flush();
  std::vector<StateChange> live;
  for (auto& [id, row] : rows_) {
    if (row->shard != &shard || !row->is_stored()) continue;
    live.push_back({encode_key({'D', id}), encode_definition(row->queue)});
    if (row->active) {
      for (const Queue::Change& change : row->active->queue.changes(true)) live.push_back(to_state(id, change));
    } else {
      for (const Queue::Change& change : row->saved) live.push_back(to_state(id, change));
    }
  }
  shard.log->snapshot(this, std::move(live), loop().wall_clock());
}

}  // namespace braid
