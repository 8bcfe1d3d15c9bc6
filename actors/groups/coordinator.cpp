// Braid, Apache-2.0.
//
// Requests: to the group's actor when there is one, to the table of offsets otherwise. Loading, expiry and what the
// catalog changes: `coordinator_upkeep.cpp`.
#include "actors/groups/coordinator.hpp"

#include <algorithm>

#include "actors/groups/commit.hpp"
#include "actors/groups/coordinator_of.hpp"

namespace braid {

using kafka::ErrorCode;

namespace {

GroupLimits group_limits(const KafkaSettings& settings) {
  GroupLimits limits;
  limits.initial_rebalance_delay_ms = settings.group_initial_rebalance_delay_ms;
  limits.min_session_timeout_ms = settings.group_min_session_timeout_ms;
  limits.max_session_timeout_ms = settings.group_max_session_timeout_ms;
  limits.max_members = static_cast<std::size_t>(std::max(settings.group_max_size, 1));
  return limits;
}

/// Errors of the log as Kafka's clients know them from a coordinator: all but the hopeless ones mean "try again".
ErrorCode commit_error(Errc error) {
  switch (error) {
    case Errc::none:
      return ErrorCode::none;
    case Errc::batch_too_large:
      return ErrorCode::invalid_commit_offset_size;
    case Errc::unknown_outcome:
    case Errc::timed_out:
      return ErrorCode::request_timed_out;
    default:
      return ErrorCode::coordinator_not_available;
  }
}

}  // namespace

GroupCoordinatorActor::GroupCoordinatorActor(caf::actor_config& config, Loop& loop, Services& services)
    : Pinned(config, loop), services_(services) {}

GroupCoordinator spawn_group_coordinator(Services& services) {
  return spawn_on<GroupCoordinatorActor>(services.loop, services);
}

GroupCoordinatorActor::behavior_type GroupCoordinatorActor::make_behavior() {
  set_down_handler([this](const caf::down_msg& down) { ended(down); });
  services_.directory.on_change(guard([this](const DirectoryChange& change) { topics_changed(change); }));
  adopt_partitions();
  expire_offsets();
  return {
      [this](const JoinGroup& request) { return join(request); },
      [this](const SyncGroup& request) { return sync(request); },
      [this](const GroupHeartbeat& request) { return heartbeat(request); },
      [this](const LeaveGroup& request) { return leave(request); },
      [this](const CommitOffsets& request) { return commit(request); },
      [this](const FetchOffsets& request) { return fetch(request); },
      [this](const GroupIdle& idle) {
        Entry* entry = known(idle.group);
        if (!entry || entry->sent != idle.handled) return;  // a request is on its way to it
        let_go(idle.group);
      },
      [this](const GroupChanged& message) {
        if (Entry* entry = known(message.group)) entry->is = message;
        note_occupation(message.group);
      },
      [this](const KeepGroup& request) { return keep(request); },
      [this](const DescribeGroup& request) { return describe(request); },
      [this](const ListGroups&) { return list(); },
      [this](const DeleteGroup& request) { return remove(request); },
      [this](const DeleteOffsets& request) { return remove_offsets(request); },
  };
}

GroupCoordinatorActor::Shard* GroupCoordinatorActor::shard_of(const std::string& group, ErrorCode& error) {
  error = ErrorCode::not_coordinator;
  if (partitions_ == 0) {
    error = ErrorCode::coordinator_not_available;
    return nullptr;
  }
  const auto found = shards_.find(offsets_partition(group, partitions_).value);
  if (found == shards_.end()) return nullptr;
  if (found->second.state == Shard::State::ready) {
    error = ErrorCode::none;
    return &found->second;
  }
  error = found->second.state == Shard::State::loading ? ErrorCode::coordinator_load_in_progress
                                                       : ErrorCode::coordinator_not_available;
  return nullptr;
}

GroupCoordinatorActor::Entry* GroupCoordinatorActor::known(const std::string& group) {
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : &found->second;
}

GroupCoordinatorActor::Entry& GroupCoordinatorActor::open(const std::string& group,
                                                          std::optional<GroupSnapshot> restored) {
  Entry& entry = groups_[group];
  if (entry.actor) return entry;
  if (restored) {  // until the group says so itself
    entry.is.protocol_type = restored->protocol_type;
    entry.is.state = GroupState::stable;
    entry.is.occupied = true;
  }
  entry.actor = spawn_on<GroupActor>(loop(), group, group_limits(services_.settings.kafka_protocol), GroupOwner(this),
                                     std::move(restored));
  monitor(entry.actor);
  by_actor_[entry.actor.id()] = group;
  return entry;
}

void GroupCoordinatorActor::let_go(const std::string& group) {
  const auto found = groups_.find(group);
  if (found == groups_.end()) return;
  const GroupActorHandle& actor = found->second.actor;
  demonitor(actor.address());
  by_actor_.erase(actor.id());
  send(actor, EndGroup{});
  groups_.erase(found);
}

caf::result<JoinedGroup> GroupCoordinatorActor::join(const JoinGroup& request) {
  JoinedGroup refused;
  refused.member = request.member;
  if (!shard_of(request.group, refused.error)) return refused;
  Entry* entry = known(request.group);
  if (!entry && !request.member.empty()) {
    refused.error = ErrorCode::unknown_member_id;
    return refused;
  }
  if (!entry) entry = &open(request.group);
  ++entry->sent;
  return delegate(entry->actor, request);
}

caf::result<SyncedGroup> GroupCoordinatorActor::sync(const SyncGroup& request) {
  SyncedGroup refused;
  if (!shard_of(request.group, refused.error)) return refused;
  Entry* entry = known(request.group);
  refused.error = ErrorCode::unknown_member_id;
  if (!entry) return refused;
  ++entry->sent;
  return delegate(entry->actor, request);
}

caf::result<GroupError> GroupCoordinatorActor::heartbeat(const GroupHeartbeat& request) {
  GroupError refused;
  if (!shard_of(request.group, refused.error)) return refused;
  Entry* entry = known(request.group);
  refused.error = ErrorCode::unknown_member_id;
  if (!entry) return refused;
  ++entry->sent;
  return delegate(entry->actor, request);
}

caf::result<LeftGroup> GroupCoordinatorActor::leave(const LeaveGroup& request) {
  LeftGroup refused;
  if (!shard_of(request.group, refused.error)) return refused;
  Entry* entry = known(request.group);
  refused.member_errors.assign(request.members.size(), ErrorCode::unknown_member_id);
  if (!entry) return refused;
  ++entry->sent;
  return delegate(entry->actor, request);
}

// -- offsets ----------------------------------------------------------------------------------------------------------

caf::result<OffsetsCommitted> GroupCoordinatorActor::commit(const CommitOffsets& request) {
  OffsetsCommitted refused;
  ErrorCode error = ErrorCode::none;
  Shard* shard = shard_of(request.group, error);
  Entry* entry = known(request.group);
  // A generation of a group that nobody is in: its members are from before a restart.
  if (shard && !entry && request.generation >= 0) error = ErrorCode::illegal_generation;
  if (error != ErrorCode::none) {
    refused.errors.assign(request.offsets.size(), error);
    return refused;
  }

  auto commit = std::make_shared<Commit>();
  commit->request = request;
  commit->errors.assign(request.offsets.size(), ErrorCode::none);
  commit->taken_back.assign(request.offsets.size(), false);
  commit->promise = Promise<OffsetsCommitted>(this);
  auto later = commit->promise.later();
  if (!entry) {
    store(*shard, std::move(commit));
    return later;
  }
  ++entry->sent;
  ask(
      this, entry->actor, CheckCommit{request.member, request.instance, request.generation},
      [this, shard, commit](const GroupError& checked) {
        if (checked.error != ErrorCode::none) return commit->fail(checked.error);
        store(*shard, commit);
      },
      [commit](const caf::error&) { commit->fail(ErrorCode::coordinator_not_available); });
  return later;
}

void GroupCoordinatorActor::store(Shard& shard, std::shared_ptr<Commit> commit) {
  std::vector<StateChange> changes;
  const Timestamp now = loop().wall_clock();
  for (std::size_t i = 0; i < commit->request.offsets.size(); ++i) {
    auto& [key, committed] = commit->request.offsets[i];
    if (committed.metadata.size() > services_.settings.kafka_protocol.offset_metadata_max_bytes) {
      commit->errors[i] = ErrorCode::offset_metadata_too_large;
      continue;
    }
    if (committed.committed.value < 0) committed.committed = now;
    changes.push_back(OffsetTable::offset_change(commit->request.group, key.topic, key.partition, committed));
  }
  if (changes.empty()) return commit->promise.deliver(OffsetsCommitted{commit->errors});
  const auto place = shard.in_flight.insert(shard.in_flight.end(), commit);
  shard.log->put(this, std::move(changes), now, [this, &shard, commit, place](Errc result) {
    shard.in_flight.erase(place);
    const ErrorCode error = commit_error(result);
    for (std::size_t i = 0; i < commit->errors.size(); ++i) {
      if (commit->errors[i] != ErrorCode::none) continue;
      commit->errors[i] = error;
      if (error != ErrorCode::none || commit->taken_back[i]) continue;
      auto& [key, committed] = commit->request.offsets[i];
      shard.table.commit(commit->request.group, key.topic, key.partition, std::move(committed));
    }
    commit->promise.deliver(OffsetsCommitted{commit->errors});
    if (error == ErrorCode::none) note_occupation(commit->request.group);
    if (shard.log->snapshot_due()) shard.log->snapshot(this, shard.table.live(), loop().wall_clock());
  });
}

OffsetsFetched GroupCoordinatorActor::fetch(const FetchOffsets& request) {
  OffsetsFetched fetched;
  const Shard* shard = shard_of(request.group, fetched.error);
  if (!shard) return fetched;
  if (request.all) {
    shard->table.for_each(request.group,
                          [&](const std::string& topic, std::int32_t partition, const CommittedOffset& committed) {
                            fetched.offsets.emplace_back(OffsetKey{topic, partition}, committed);
                          });
    return fetched;
  }
  fetched.offsets.reserve(request.keys.size());
  for (const OffsetKey& key : request.keys) {
    const CommittedOffset* committed = shard->table.find(request.group, key.topic, key.partition);
    fetched.offsets.emplace_back(key, committed ? *committed : CommittedOffset{});
  }
  return fetched;
}

}  // namespace braid
