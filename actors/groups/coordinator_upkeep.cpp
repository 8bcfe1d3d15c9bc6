// Braid, Apache-2.0.
//
// What a coordinator does beside answering: reads its partitions at start, drops what has expired or what was committed
// for topics that are gone, and notices groups that fail.
#include <algorithm>

#include "actors/groups/coordinator.hpp"
#include "actors/groups/group_snapshot.hpp"
#include "actors/internal_topics.hpp"
#include "runtime/log.hpp"

namespace braid {

namespace {
constexpr std::int64_t kRetryLoad_ms = 5'000;
constexpr std::int64_t kLongestExpiryInterval_ms = 600'000;
}  // namespace

void GroupCoordinatorActor::adopt_partitions() {
  const TopicRef offsets = services_.directory.find(kOffsetsTopic);
  if (!offsets || partitions_ != 0) return;
  partitions_ = static_cast<std::int32_t>(offsets->partitions.size());
  for (std::int32_t i = 0; i < partitions_; ++i) {
    const PartitionPlacement& placement = offsets->partitions[static_cast<std::size_t>(i)];
    if (services_.loop_of(placement.shard) != services_.loop.index().value) continue;
    Shard& shard = shards_[i];
    shard.partition = placement.id;
    load(shard);
  }
}

void GroupCoordinatorActor::load(Shard& shard) {
  shard.state = Shard::State::loading;
  shard.table = OffsetTable();
  shard.strange_records = 0;
  shard.log = std::make_unique<StateLog>(services_.partitions, shard.partition, StateLog::Limits{});
  shard.log->recover(
      this,
      [&shard](const Bytes& key, const std::optional<Bytes>& value) {
        if (!shard.table.apply(key, value)) ++shard.strange_records;
      },
      [this, &shard](Errc error) { loaded(shard, error); });
}

void GroupCoordinatorActor::loaded(Shard& shard, Errc error) {
  if (error != Errc::none) {
    log::error("group", {{"partition", shard.partition.value}}, "cannot read committed offsets: {}; trying again",
               to_string(error));
    shard.state = Shard::State::failed;
    shard.retry = after(kRetryLoad_ms, [this, &shard] { load(shard); });
    return;
  }
  if (shard.strange_records != 0)
    log::error("group", {{"partition", shard.partition.value}},
               "{} records of committed offsets are not in a format that this version knows; they are left alone",
               shard.strange_records);
  shard.state = Shard::State::ready;
  // The topics may have gone, or come again under the same name, while nobody was here to notice.
  auto changes = shard.table.remove_offsets([this](const std::string& name, const CommittedOffset& committed) {
    const TopicRef topic = services_.directory.find(name);
    return !topic || topic->id != committed.topic_id;
  });
  auto empty = shard.table.nobody_is_here(loop().wall_clock());
  changes.insert(changes.end(), std::make_move_iterator(empty.begin()), std::make_move_iterator(empty.end()));
  put(shard, std::move(changes));
  for (const auto& [group, snapshot] : shard.table.kept_groups()) open(group, decode_group(snapshot));
  log::debug("group", {{"partition", shard.partition.value}}, "committed offsets of {} groups read, {} with members",
             shard.table.groups(), shard.table.kept_groups().size());
}

/// Upkeep that need not be answered: what a failure leaves undone is done again after the next start.
void GroupCoordinatorActor::put(Shard& shard, std::vector<StateChange> changes) {
  if (changes.empty()) return;
  shard.log->put(this, std::move(changes), loop().wall_clock(), [&shard](Errc error) {
    if (error != Errc::none)
      BRAID_LOG_LIMITED(warning, "group", {{"partition", shard.partition.value}}, "upkeep was not written: {}",
                        to_string(error));
  });
}

caf::result<GroupError> GroupCoordinatorActor::keep(const KeepGroup& request) {
  GroupError refused;
  Shard* shard = shard_of(request.group, refused.error);
  if (!shard) return refused;
  auto snapshot = request.snapshot ? std::optional(encode_group(*request.snapshot)) : std::nullopt;
  if (!snapshot && shard->table.kept_groups().count(request.group) == 0) return GroupError{};
  std::vector<StateChange> changes;
  changes.push_back(snapshot ? OffsetTable::group_change(request.group, *snapshot)
                             : OffsetTable::group_removal(request.group));
  shard->table.keep_group(request.group, std::move(snapshot));
  auto promise = std::make_shared<Promise<GroupError>>(this);
  auto later = promise->later();
  shard->log->put(this, std::move(changes), loop().wall_clock(), [promise](Errc error) {
    promise->deliver(
        GroupError{error == Errc::none ? kafka::ErrorCode::none : kafka::ErrorCode::coordinator_not_available});
  });
  return later;
}

void GroupCoordinatorActor::note_occupation(const std::string& group) {
  kafka::ErrorCode error = kafka::ErrorCode::none;
  Shard* shard = shard_of(group, error);
  if (!shard || !shard->table.has_offsets(group)) return;
  const Entry* entry = known(group);
  const bool occupied = entry && entry->is.occupied;
  const auto recorded = shard->table.occupied(group);
  if (recorded.value_or(false) == occupied) return;
  const Timestamp now = loop().wall_clock();
  const std::string type = entry ? entry->is.protocol_type : shard->table.protocol_type(group);
  shard->table.set_occupied(group, occupied, now, type);
  std::vector<StateChange> changes;
  changes.push_back(OffsetTable::occupation_change(group, occupied, now, type));
  put(*shard, std::move(changes));
}

void GroupCoordinatorActor::ended(const caf::down_msg& down) {
  const auto which = by_actor_.find(down.source.id());
  if (which == by_actor_.end()) return;
  const std::string group = which->second;
  by_actor_.erase(which);
  log::error("group", {{"group", group}}, "the group failed: {}; its members join again", braid::describe(down.reason));
  groups_.erase(group);
  note_occupation(group);
}

void GroupCoordinatorActor::topics_changed(const DirectoryChange& change) {
  adopt_partitions();
  if (change.removed.empty()) return;
  for (auto& [index, shard] : shards_) {
    if (shard.state != Shard::State::ready) continue;  // looked at when it is loaded
    put(shard, shard.table.remove_offsets([&](const std::string&, const CommittedOffset& committed) {
      return std::any_of(change.removed.begin(), change.removed.end(),
                         [&](const TopicRef& topic) { return topic->id == committed.topic_id; });
    }));
  }
}

void GroupCoordinatorActor::expire_offsets() {
  const std::int64_t retention_ms = services_.settings.kafka_protocol.offsets_retention_ms;
  // While members come and go nobody knows what they will read.
  const auto in_use = [this](const std::string& group, const std::string& topic) {
    const Entry* entry = known(group);
    if (!entry || entry->is.state != GroupState::stable || !entry->is.subscribed_topics) return true;
    return entry->is.subscribed_topics->count(topic) > 0;
  };
  for (auto& [index, shard] : shards_)
    if (shard.state == Shard::State::ready) put(shard, shard.table.expire(loop().wall_clock(), retention_ms, in_use));
  expiry_ =
      after(std::clamp<std::int64_t>(retention_ms / 4, 1'000, kLongestExpiryInterval_ms), [this] { expire_offsets(); });
}

}  // namespace braid
