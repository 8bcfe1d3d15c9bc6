// Braid, Apache-2.0.
//
// The actor around a group: gives the state machine requests, time and member ids, and keeps the promises of those who
// wait. It holds nothing that must survive: offsets are the coordinator's, and members of a group that is gone join
// again. So it ends when nobody has been here for a while.
//
// Ending takes two: the actor says how many messages it has had, and the coordinator lets it go only if it sent no more
// than that, so that no request falls between the two.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "actors/groups/group.hpp"
#include "actors/groups/interface.hpp"
#include "runtime/pinned.hpp"

namespace braid {

/// May this member commit offsets? Answered with the error for all of them.
struct CheckCommit {
  std::string member;
  std::optional<std::string> instance;
  std::int32_t generation = -1;
};
/// From the coordinator: nobody will ask for this actor any more.
struct EndGroup {};

using GroupActorHandle =
    Interface<Answers<JoinGroup, JoinedGroup>, Answers<SyncGroup, SyncedGroup>, Answers<GroupHeartbeat, GroupError>,
              Answers<LeaveGroup, LeftGroup>, Answers<CheckCommit, GroupError>, Takes<EndGroup>>;

/// To the coordinator: the group has been without members for a while; it has handled so many messages.
struct GroupIdle {
  std::string group;
  std::uint64_t handled = 0;
};
/// To the coordinator: the first member came, or the last one went.
struct GroupOccupied {
  std::string group;
  bool occupied = false;
};
using GroupOwner = Interface<Takes<GroupIdle>, Takes<GroupOccupied>>;

class GroupActor : public Pinned<GroupActorHandle::base> {
 public:
  static constexpr std::int64_t kIdle_ms = 60'000;

  GroupActor(caf::actor_config& config, Loop& loop, std::string id, GroupLimits limits, GroupOwner owner)
      : Pinned(config, loop), id_(std::move(id)), group_(limits), owner_(std::move(owner)) {}
  const char* name() const override { return "group"; }
  void on_exit() override;

 protected:
  behavior_type make_behavior() override;

 private:
  caf::result<JoinedGroup> join(const JoinGroup& request);
  caf::result<SyncedGroup> sync(const SyncGroup& request);
  /// After every event: gives the answers out, sets the timer, tells the coordinator what it has to know.
  void settle(GroupAnswers& answers);
  void set_timer();

  std::string id_;
  Group group_;
  GroupOwner owner_;
  std::unordered_map<GroupTicket, Promise<JoinedGroup>> joins_;
  std::unordered_map<GroupTicket, Promise<SyncedGroup>> syncs_;
  GroupTicket last_ticket_ = 0;
  std::uint64_t handled_ = 0;
  bool occupied_ = false;
  Timer timer_;
  std::int64_t timer_due_ms_ = 0;
  Timer idle_timer_;
};

}  // namespace braid

BRAID_MESSAGE(braid::CheckCommit)
BRAID_MESSAGE(braid::EndGroup)
BRAID_MESSAGE(braid::GroupIdle)
BRAID_MESSAGE(braid::GroupOccupied)
