// Braid, Apache-2.0.
#include "actors/partition/host.hpp"

#include "actors/partition/partition.hpp"
#include "runtime/log.hpp"

namespace braid {

namespace {
constexpr std::size_t kSweepSlice = 2000;  ///< partitions looked at per turn, so that a sweep never blocks the loop
constexpr std::int64_t kExpireProducersEveryMs = 60000;
}  // namespace

PartitionHostActor::PartitionHostActor(caf::actor_config& config, Loop& loop, Services& services)
    : Pinned(config, loop), services_(services) {}

PartitionHostActor::behavior_type PartitionHostActor::make_behavior() {
  set_down_handler([this](const caf::down_msg& down) { ended(down); });
  services_.partitions.set_opener([this](PartitionId partition) {
    enter([this, partition] {
      const auto owner = services_.loop_of(partition);
      if (!owner) return services_.partitions.opened(partition, Errc::unknown_partition, {});
      request(services_.hosts[*owner], caf::infinite, OpenPartition{partition})
          .then(
              [this, partition](const PartitionOpened& opened) {
                services_.partitions.opened(partition, opened.error, opened.actor);
              },
              [this, partition](caf::error&) { services_.partitions.opened(partition, Errc::shutting_down, {}); });
    });
  });
  services_.directory.on_change(guard([this](const DirectoryChange& change) { topics_changed(change); }));
  services_.close_catalog = guard([this](std::function<void()> closed) {
    request(services_.catalog, caf::infinite, CloseCatalog{})
        .then([closed](const CatalogClosed&) { closed(); }, [closed](caf::error&) { closed(); });
  });
  sync_regularly();
  checkpoint_regularly();
  services_.drain_partitions = guard([this](std::function<void()> drained) { drain(std::move(drained)); });
  sweep_timer_ = after(services_.settings.storage.retention_check_interval_ms, [this] { sweep(); });
  return {
      [this](const OpenPartition& request) { return open(request.partition); },
      [this](const PartitionIdle& idle) { rest(idle.partition); },
      [this](const ForgetPartition& request) {
        services_.partitions.forget(request.partition);
        return PartitionForgotten{};
      },
      [this](const MeasureLogs& request) { return measure(request); },
  };
}

caf::result<PartitionOpened> PartitionHostActor::open(PartitionId partition) {
  auto at = active_.find(partition);
  if (at == active_.end()) return start(partition);
  if (!at->second.resting) return PartitionOpened{Errc::none, at->second.actor};
  Promise<PartitionOpened> promise(this);
  auto later = promise.later();
  at->second.waiting.push_back(std::move(promise));
  return later;
}

PartitionOpened PartitionHostActor::start(PartitionId partition) {
  const auto place = services_.directory.find_partition(partition);
  if (!place) return {Errc::unknown_partition, {}};
  const auto& placement = *place->topic->partition(place->index);
  if (services_.journals.at(placement.shard.value) == nullptr) return {Errc::not_leader, {}};
  services_.journal_of(placement.shard).create(partition, placement.shard);
  auto actor = spawn_on<Partition>(loop(), services_, PartitionHost(this), place->topic, place->index);
  monitor(actor);
  by_actor_.emplace(actor.id(), partition);
  active_.insert_or_assign(partition, Entry{actor, false, {}});
  return {Errc::none, actor};
}

LogsMeasured PartitionHostActor::measure(const MeasureLogs& request) const {
  LogsMeasured measured;
  measured.logs.reserve(request.partitions.size());
  for (const PartitionId partition : request.partitions) {
    const auto place = services_.directory.find_partition(partition);
    if (!place) continue;
    const ShardId shard = place->topic->partition(place->index)->shard;
    if (services_.journals.at(shard.value) == nullptr) continue;
    measured.logs.push_back({partition, services_.journal_of(shard).state(partition).bytes});
  }
  return measured;
}

void PartitionHostActor::rest(PartitionId partition) {
  auto at = active_.find(partition);
  if (at == active_.end() || at->second.resting) return;
  at->second.resting = true;
  auto actor = at->second.actor;
  auto left = std::make_shared<std::size_t>(services_.hosts.size());
  auto let_go = [this, actor, left] {
    if (--*left == 0) send(actor, Rest{});
  };
  for (auto& host : services_.hosts)
    request(host, caf::infinite, ForgetPartition{partition})
        .then([let_go](const PartitionForgotten&) { let_go(); }, [let_go](caf::error&) { let_go(); });
}

void PartitionHostActor::ended(const caf::down_msg& down) {
  auto which = by_actor_.find(down.source.id());
  if (which == by_actor_.end()) return;
  const PartitionId partition = which->second;
  by_actor_.erase(which);
  auto at = active_.find(partition);
  if (at == active_.end() || at->second.actor.id() != down.source.id()) return;
  if (down.reason != caf::exit_reason::normal)
    log::error("partition", "partition {} failed: {}; it starts again from the journal on its next use",
               partition.value, caf::to_string(down.reason));
  auto waiting = std::move(at->second.waiting);
  active_.erase(at);
  for (auto& host : services_.hosts)
    request(host, caf::infinite, ForgetPartition{partition}).then([](const PartitionForgotten&) {}, [](caf::error&) {});
  if (waiting.empty()) return;
  const auto opened = start(partition);
  for (auto& promise : waiting) promise.deliver(opened);
}

void PartitionHostActor::topics_changed(const DirectoryChange& change) {
  for (const auto& topic : change.removed) {
    for (const auto& placement : topic->partitions) {
      services_.partitions.forget(placement.id);
      if (services_.journals.at(placement.shard.value) == nullptr) continue;
      if (auto at = active_.find(placement.id); at != active_.end()) send(at->second.actor, TopicRemoved{});
      auto& journal = services_.journal_of(placement.shard);
      if (journal.knows(placement.id)) journal.drop(placement.id, [](Errc) {});
    }
  }
  for (const auto& topic : change.upserted)
    for (const auto& placement : topic->partitions)
      if (auto at = active_.find(placement.id); at != active_.end()) send(at->second.actor, TopicChanged{topic});
}

void PartitionHostActor::drain(std::function<void()> drained) {
  // Appends already sent are in the mailboxes before this question; each partition answers it behind them.
  auto left = std::make_shared<std::size_t>(active_.size() + 1);
  auto one_less = [drained = std::move(drained), left] {
    if (--*left == 0) drained();
  };
  for (auto& [id, entry] : active_)
    request(entry.actor, caf::infinite, DrainPartitions{})
        .then([one_less](const PartitionsDrained&) { one_less(); }, [one_less](caf::error&) { one_less(); });
  one_less();
}

void PartitionHostActor::sync_regularly() {
  sync_timer_ = after(services_.settings.storage.sync_interval_ms, [this] {
    for (auto* journal : services_.journals)
      if (journal) journal->sync();
    sync_regularly();
  });
}

void PartitionHostActor::checkpoint_regularly() {
  checkpoint_timer_ = after(services_.settings.storage.checkpoint_interval_ms, [this] {
    for (auto* journal : services_.journals)
      if (journal)
        journal->checkpoint([](Errc error) {
          if (error != Errc::none) log::warning("journal", "no checkpoint was written: {}", to_string(error));
        });
    checkpoint_regularly();
  });
}

void PartitionHostActor::sweep() {
  expiring_producers_ = loop().now_ms() - producers_expired_at_ms_ >= kExpireProducersEveryMs;
  if (expiring_producers_) producers_expired_at_ms_ = loop().now_ms();
  sweeping_.clear();
  for (auto* journal : services_.journals)
    if (journal) {
      auto partitions = journal->partitions();
      sweeping_.insert(sweeping_.end(), partitions.begin(), partitions.end());
    }
  sweep_some();
}

void PartitionHostActor::sweep_some() {
  const auto now = loop().wall_clock();
  for (std::size_t i = 0; i < kSweepSlice && !sweeping_.empty(); ++i) {
    const PartitionId partition = sweeping_.back();
    sweeping_.pop_back();
    const auto place = services_.directory.find_partition(partition);
    if (!place) continue;
    auto& journal = services_.journal_of(place->topic->partition(place->index)->shard);
    if (expiring_producers_)
      journal.expire_producers(partition, now, services_.settings.kafka_protocol.producer_id_expiration_ms);
    const auto& settings = place->topic->settings;
    if (settings.retention_ms < 0 && settings.retention_bytes < 0) continue;
    // State in the broker's own topics goes by snapshots, never by age.
    if (place->topic->internal) continue;
    const auto start = journal.retention_start(partition, now, settings.retention_ms, settings.retention_bytes);
    if (start > journal.state(partition).log_start) journal.set_log_start(partition, start, [](Errc) {});
  }
  if (!sweeping_.empty()) {
    sweep_timer_ = after(1, [this] { sweep_some(); });
    return;
  }
  for (auto* journal : services_.journals)
    if (journal) journal->reclaim();
  sweep_timer_ = after(services_.settings.storage.retention_check_interval_ms, [this] { sweep(); });
}

}  // namespace braid
