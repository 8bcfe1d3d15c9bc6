// Braid, Apache-2.0.
//
// The actor around a group: gives the state machine requests, time and member ids, and keeps the promises of those who
// wait. It holds nothing that must survive: offsets are the coordinator's, and so is the generation that has begun,
// which is kept before anybody learns its assignment. So it ends when nobody has been here for a while.
//
// Ending takes two: the actor says how many messages it has had, and the coordinator lets it go only if it sent no more
// than that, so that no request falls between the two.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

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
/// Ends the group if it has no members, else it is not empty. After a good answer it takes nothing more.
struct CloseIfEmpty {};
/// From the coordinator: nobody will ask for this actor any more.
struct EndGroup {};

using GroupActorHandle =
    Interface<Answers<JoinGroup, JoinedGroup>, Answers<SyncGroup, SyncedGroup>, Answers<GroupHeartbeat, GroupError>,
              Answers<LeaveGroup, LeftGroup>, Answers<CheckCommit, GroupError>,
              Answers<DescribeGroup, GroupDescription>, Answers<CloseIfEmpty, GroupError>, Takes<EndGroup>>;

/// To the coordinator: the group has been without members for a while; it has handled so many messages.
struct GroupIdle {
  std::string group;
  std::uint64_t handled = 0;
};
/// What the coordinator has to know of a group in order to list it and to keep or drop its offsets.
struct GroupChanged {
  std::string group;
  GroupState state = GroupState::empty;
  std::string protocol_type;
  bool occupied = false;  ///< has members
  /// What they subscribe to; null when that is not known.
  std::shared_ptr<const std::set<std::string, std::less<>>> subscribed_topics;
};
/// To the coordinator: this generation has begun (or, without one, nobody is left); answered when that is durable.
struct KeepGroup {
  std::string group;
  std::optional<GroupSnapshot> snapshot;
};
using GroupOwner = Interface<Takes<GroupIdle>, Takes<GroupChanged>, Answers<KeepGroup, GroupError>>;

class GroupActor : public Pinned<GroupActorHandle::base> {
 public:
  static constexpr std::int64_t kIdle_ms = 60'000;

  /// `restored`: the generation that was kept when the broker ended.
  GroupActor(caf::actor_config& config, Loop& loop, std::string id, GroupLimits limits, GroupOwner owner,
             std::optional<GroupSnapshot> restored)
      : Pinned(config, loop),
        id_(std::move(id)),
        group_(limits),
        owner_(std::move(owner)),
        restored_(std::move(restored)) {}
  const char* name() const override { return "group"; }
  void on_exit() override;

 protected:
  behavior_type make_behavior() override;

 private:
  caf::result<JoinedGroup> join(const JoinGroup& request);
  caf::result<SyncedGroup> sync(const SyncGroup& request);
  caf::result<LeftGroup> leave(const LeaveGroup& request);
  /// After every event: tells the coordinator what it has to know, gives the answers out, sets the timer.
  void settle(GroupAnswers& answers);
  void tell_owner();
  void deliver(GroupAnswers& answers);
  /// Has the generation kept, and gives `held_` out when it is.
  bool must_keep() const;
  void keep();
  void kept(kafka::ErrorCode error);
  void set_timer();

  std::string id_;
  Group group_;
  GroupOwner owner_;
  std::optional<GroupSnapshot> restored_;
  std::uint64_t kept_version_ = 0;  ///< that the coordinator has, or is about to have
  bool keeping_ = false;
  std::vector<std::pair<Promise<LeftGroup>, LeftGroup>> leaves_;  ///< not answered before the generation is kept
  GroupAnswers held_;  ///< good answers that must not be given before the generation is kept
  std::unordered_map<GroupTicket, Promise<JoinedGroup>> joins_;
  std::unordered_map<GroupTicket, Promise<SyncedGroup>> syncs_;
  GroupTicket last_ticket_ = 0;
  std::uint64_t handled_ = 0;
  GroupChanged told_;  ///< what the coordinator knows
  std::int32_t told_generation_ = 0;
  Timer timer_;
  std::int64_t timer_due_ms_ = 0;
  Timer idle_timer_;
};

}  // namespace braid

BRAID_MESSAGE(braid::CheckCommit)
BRAID_MESSAGE(braid::EndGroup)
BRAID_MESSAGE(braid::GroupIdle)
BRAID_MESSAGE(braid::KeepGroup)
BRAID_MESSAGE(braid::GroupChanged)
BRAID_MESSAGE(braid::CloseIfEmpty)
