// Braid, Apache-2.0.
//
// The coordinator of the groups whose `__consumer_offsets` partitions live on one loop. It reads these partitions at
// start, starts an actor per group when somebody joins, and keeps committed offsets: a commit is checked by the group,
// written to the group's partition, and answered when it is durable.
//
// Until a partition has been read its groups are answered with COORDINATOR_LOAD_IN_PROGRESS. A generation that has
// begun is kept there too: its members go on after a restart as if nothing had been.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/groups/group_actor.hpp"
#include "actors/groups/offset_table.hpp"
#include "actors/services.hpp"
#include "actors/state_log.hpp"
#include "runtime/pinned.hpp"

namespace braid {

using GroupCoordinatorBase =
    GroupCoordinator::extend<Takes<GroupIdle>, Takes<GroupChanged>, Answers<KeepGroup, GroupError>>;

class GroupCoordinatorActor : public Pinned<GroupCoordinatorBase::base> {
 public:
  GroupCoordinatorActor(caf::actor_config& config, Loop& loop, Services& services);
  const char* name() const override { return "group-coordinator"; }
  /// Its groups have a handle of this actor: none of them would ever be destroyed.
  void on_exit() override {
    groups_.clear();
    by_actor_.clear();
    Pinned::on_exit();
  }

 protected:
  behavior_type make_behavior() override;

 private:
  struct Commit;
  /// A partition of the offsets topic.
  struct Shard {
    enum class State : std::uint8_t { loading, ready, failed };
    State state = State::loading;
    PartitionId partition;
    OffsetTable table;
    std::unique_ptr<StateLog> log;
    std::uint64_t strange_records = 0;  ///< in the log, not of ours
    /// Written and not known to be durable: not in the table yet, in the order of the log.
    std::list<std::shared_ptr<Commit>> in_flight;
    Timer retry;
  };
  struct Entry {
    GroupActorHandle actor;
    std::uint64_t sent = 0;  ///< messages, to be compared with what the actor has handled
    GroupChanged is;         ///< as it was told last
  };

  void adopt_partitions();
  void load(Shard& shard);
  void loaded(Shard& shard, Errc error);
  /// Of this group; or why there is none to talk to.
  Shard* shard_of(const std::string& group, kafka::ErrorCode& error);
  Entry& open(const std::string& group, std::optional<GroupSnapshot> restored = std::nullopt);
  Entry* known(const std::string& group);
  void let_go(const std::string& group);
  void ended(const caf::down_msg& down);

  caf::result<JoinedGroup> join(const JoinGroup& request);
  caf::result<SyncedGroup> sync(const SyncGroup& request);
  caf::result<GroupError> heartbeat(const GroupHeartbeat& request);
  caf::result<LeftGroup> leave(const LeaveGroup& request);
  caf::result<OffsetsCommitted> commit(const CommitOffsets& request);
  OffsetsFetched fetch(const FetchOffsets& request);

  caf::result<GroupError> keep(const KeepGroup& request);
  caf::result<GroupDescription> describe(const DescribeGroup& request);
  GroupsListed list() const;
  caf::result<GroupError> remove(const DeleteGroup& request);
  caf::result<OffsetsDeleted> remove_offsets(const DeleteOffsets& request);
  /// Takes offsets out of the table, and of the commits on their way that are earlier; returns the removals.
  std::vector<StateChange> take_offsets(Shard& shard, const std::string& group,
                                        const std::function<bool(const std::string& topic, std::int32_t partition)>&);
  void delete_group(Shard& shard, const std::string& group, Promise<GroupError> promise);

  void store(Shard& shard, std::shared_ptr<Commit> commit);
  void put(Shard& shard, std::vector<StateChange> changes);
  void note_occupation(const std::string& group);
  void topics_changed(const DirectoryChange& change);
  void expire_offsets();

  Services& services_;
  std::map<std::int32_t, Shard> shards_;  ///< by index of the offsets partition
  std::int32_t partitions_ = 0;           ///< of the whole offsets topic
  std::unordered_map<std::string, Entry> groups_;
  std::unordered_map<caf::actor_id, std::string> by_actor_;
  Timer expiry_;
};

GroupCoordinator spawn_group_coordinator(Services& services);

}  // namespace braid
