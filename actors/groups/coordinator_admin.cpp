// Braid, Apache-2.0.
//
// What administrators ask a coordinator: which groups there are, what one looks like, and to be rid of a group or of
// some of its offsets. A group that nobody has joined for a while is known by its offsets only.
#include "actors/groups/commit.hpp"
#include "actors/groups/coordinator.hpp"

namespace braid {

using kafka::ErrorCode;

caf::result<GroupDescription> GroupCoordinatorActor::describe(const DescribeGroup& request) {
  GroupDescription description;
  Shard* shard = shard_of(request.group, description.error);
  if (!shard) return description;
  if (Entry* entry = known(request.group)) {
    ++entry->sent;
    return delegate(entry->actor, request);
  }
  if (!shard->table.has_offsets(request.group)) return description;
  description.state = GroupState::empty;
  description.protocol_type = shard->table.protocol_type(request.group);
  return description;
}

GroupsListed GroupCoordinatorActor::list() const {
  GroupsListed listed;
  for (const auto& [index, shard] : shards_) {
    if (shard.state == Shard::State::loading) listed.error = ErrorCode::coordinator_load_in_progress;
    if (shard.state == Shard::State::failed) listed.error = ErrorCode::coordinator_not_available;
    if (listed.error != ErrorCode::none) return listed;
    shard.table.for_each_group([&](const std::string& group, const std::string& protocol_type) {
      if (groups_.count(group) == 0) listed.groups.push_back({group, protocol_type, GroupState::empty});
    });
  }
  for (const auto& [group, entry] : groups_) listed.groups.push_back({group, entry.is.protocol_type, entry.is.state});
  return listed;
}

std::vector<StateChange> GroupCoordinatorActor::take_offsets(
    Shard& shard, const std::string& group,
    const std::function<bool(const std::string& topic, std::int32_t partition)>& matches) {
  std::vector<StateChange> removals = shard.table.remove_offsets(group, matches);
  for (const auto& commit : shard.in_flight) {
    if (commit->request.group != group) continue;
    for (std::size_t i = 0; i < commit->errors.size(); ++i) {
      const OffsetKey& key = commit->request.offsets[i].first;
      if (commit->errors[i] != ErrorCode::none || commit->taken_back[i] || !matches(key.topic, key.partition)) continue;
      commit->taken_back[i] = true;
      removals.push_back(OffsetTable::offset_removal(group, key.topic, key.partition));
    }
  }
  return removals;
}

caf::result<GroupError> GroupCoordinatorActor::remove(const DeleteGroup& request) {
  GroupError refused;
  Shard* shard = shard_of(request.group, refused.error);
  if (!shard) return refused;
  Entry* entry = known(request.group);
  refused.error = ErrorCode::group_id_not_found;
  if (!entry && !shard->table.has_offsets(request.group)) return refused;
  Promise<GroupError> promise(this);
  auto later = promise.later();
  if (!entry) {
    delete_group(*shard, request.group, std::move(promise));
    return later;
  }
  ++entry->sent;
  auto shared = std::make_shared<Promise<GroupError>>(std::move(promise));
  ask(
      this, entry->actor, CloseIfEmpty{},
      [this, shard, group = request.group, shared](const GroupError& closed) {
        if (closed.error != ErrorCode::none) return shared->deliver(closed);
        let_go(group);
        delete_group(*shard, group, std::move(*shared));
      },
      [shared](const caf::error&) { shared->deliver(GroupError{ErrorCode::coordinator_not_available}); });
  return later;
}

void GroupCoordinatorActor::delete_group(Shard& shard, const std::string& group, Promise<GroupError> promise) {
  auto removals = take_offsets(shard, group, [](const std::string&, std::int32_t) { return true; });
  if (removals.empty()) return promise.deliver(GroupError{});
  auto shared = std::make_shared<Promise<GroupError>>(std::move(promise));
  shard.log->put(this, std::move(removals), loop().wall_clock(), [shared](Errc result) {
    shared->deliver(GroupError{result == Errc::none ? ErrorCode::none : ErrorCode::coordinator_not_available});
  });
}

caf::result<OffsetsDeleted> GroupCoordinatorActor::remove_offsets(const DeleteOffsets& request) {
  OffsetsDeleted answer;
  Shard* shard = shard_of(request.group, answer.error);
  if (!shard) return answer;
  const Entry* entry = known(request.group);
  if (!entry && !shard->table.has_offsets(request.group)) answer.error = ErrorCode::group_id_not_found;
  // Without knowing what the members read nothing can be taken from under them.
  const bool occupied = entry && entry->is.occupied;
  if (occupied && entry->is.protocol_type != "consumer") answer.error = ErrorCode::non_empty_group;
  if (answer.error != ErrorCode::none) return answer;

  std::set<OffsetKey> wanted;
  for (const OffsetKey& key : request.keys) {
    const bool subscribed =
        occupied && (!entry->is.subscribed_topics || entry->is.subscribed_topics->count(key.topic) > 0);
    answer.errors.push_back(subscribed ? ErrorCode::group_subscribed_to_topic : ErrorCode::none);
    if (!subscribed) wanted.insert(key);
  }
  auto removals = take_offsets(*shard, request.group, [&](const std::string& topic, std::int32_t partition) {
    return wanted.count(OffsetKey{topic, partition}) > 0;
  });
  if (removals.empty()) return answer;
  auto promise = std::make_shared<Promise<OffsetsDeleted>>(this);
  auto later = promise->later();
  shard->log->put(this, std::move(removals), loop().wall_clock(), [promise, answer](Errc result) mutable {
    if (result != Errc::none) answer.error = ErrorCode::coordinator_not_available;
    promise->deliver(std::move(answer));
  });
  return later;
}

}  // namespace braid
