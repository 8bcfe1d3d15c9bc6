// Braid, Apache-2.0.
//
// One consumer group of Kafka's classic protocol, without clock, timers or actors: requests and the time go in, answers
// come out. A request that has to wait (a join for the other members, a sync for the leader's assignment) is known by a
// ticket, and its answer comes out of whichever later event completes it. So every interleaving can be tested.
//
//     empty --join--> preparing_rebalance --all joined, or time is up--> completing_rebalance
//       ^                 ^        ^                                          |           |
//       |                 |        +--- a member joins, leaves or expires ----+   leader's sync
//       +-- nobody left --+                                                   |           v
//                         +------------------ the same, heard in -------------------- stable
//
// The group is dead once it was closed: everybody is sent to look for the coordinator again.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/groups/messages.hpp"

namespace braid {

struct GroupLimits {
  std::int64_t initial_rebalance_delay_ms = 3000;
  std::int64_t min_session_timeout_ms = 6000;
  std::int64_t max_session_timeout_ms = 1800000;
  std::size_t max_members = 10000;
};

/// Names a request that waits for its answer; chosen by the caller, unique within the group.
using GroupTicket = std::uint64_t;

/// Answers that an event set free, in no particular order between members.
struct GroupAnswers {
  std::vector<std::pair<GroupTicket, JoinedGroup>> joins;
  std::vector<std::pair<GroupTicket, SyncedGroup>> syncs;
};

class Group {
 public:
  explicit Group(GroupLimits limits) : limits_(limits) {}

  /// Times are milliseconds of any clock that does not go backwards. `fresh_member` is the id that a member without
  /// one gets (see member_id.hpp).
  void join(JoinGroup request, GroupTicket, const std::string& fresh_member, std::int64_t now_ms, GroupAnswers&);
  void sync(SyncGroup request, GroupTicket, std::int64_t now_ms, GroupAnswers&);
  kafka::ErrorCode heartbeat(const GroupHeartbeat&, std::int64_t now_ms);
  LeftGroup leave(const LeaveGroup&, std::int64_t now_ms, GroupAnswers&);
  /// May these offsets be committed by this member (or, generation -1 and no member, by an outsider)?
  kafka::ErrorCode check_commit(const std::string& member, const std::optional<std::string>& instance,
                                std::int32_t generation, std::int64_t now_ms);
  /// Acts on everything that is due. Call at or after `next_deadline_ms`; calling early does no harm.
  void expire(std::int64_t now_ms, GroupAnswers&);
  std::optional<std::int64_t> next_deadline_ms() const;
  /// Grows when the generation that has begun changes: then it has to be kept anew, or, without members, no more.
  std::uint64_t kept_version() const { return kept_version_; }
  /// The generation that has begun; nothing when there is none or another is on its way.
  std::optional<GroupSnapshot> snapshot() const;
  /// A group of an earlier life of the broker: all members are here, and have their whole session to say so.
  void restore(GroupSnapshot, std::int64_t now_ms);
  GroupDescription describe() const;
  /// Topics that the members of this generation subscribe to. Nothing when they cannot be known: no consumers, or a
  /// member whose subscription cannot be read.
  const std::optional<std::set<std::string, std::less<>>>& subscribed_topics() const { return subscribed_topics_; }
  /// The broker lets go of the group: answers everybody and takes nothing more.
  void close(GroupAnswers&);

  GroupState state() const { return state_; }
  std::int32_t generation() const { return generation_; }
  const std::string& leader() const { return leader_; }
  const std::optional<std::string>& protocol_type() const { return protocol_type_; }
  const std::optional<std::string>& protocol() const { return protocol_; }
  std::size_t members() const { return members_.size(); }
  std::size_t pending_members() const { return pending_.size(); }
  /// Joins and syncs that have not been answered yet.
  std::size_t waiting() const;
  /// Nobody is here and nobody was told to come.
  bool idle() const { return members_.empty() && pending_.empty(); }
  bool has_member(const std::string& member) const { return members_.count(member) > 0; }
  /// Breaks down with a message when the group's tables disagree; for tests.
  void check_invariants() const;

 private:
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();

  /// When a member or a pending member id expires. Heartbeats only move `at_ms`; the entry in `deadlines_` is looked
  /// at when its own time comes and moved on then, so that a heartbeat costs no tree operation.
  struct Deadline {
    std::int64_t at_ms = kNone;
    std::int64_t queued_ms = kNone;
  };
  struct Member {
    std::optional<std::string> instance;
    std::string client_id, client_host;
    std::int64_t session_timeout_ms = 0, rebalance_timeout_ms = 0;
    std::vector<GroupProtocol> protocols;
    Bytes assignment;
    /// Has not had the answer to its first join: it does not know its id, so it cannot send heartbeats yet.
    bool fresh = true;
    std::optional<GroupTicket> join_ticket, sync_ticket;
    Deadline deadline;
  };
  using Members = std::map<std::string, Member>;

  kafka::ErrorCode check_join(const JoinGroup&) const;
  bool accepts(const JoinGroup&) const;
  bool supports(const JoinGroup&) const;
  /// The member's entry, or what is wrong with the claim to be it.
  std::pair<Members::iterator, kafka::ErrorCode> find_member(const std::string& member,
                                                             const std::optional<std::string>& instance);

  void add_member(const std::string& id, JoinGroup request, GroupTicket, std::int64_t now_ms, GroupAnswers&);
  void update_member(Members::iterator, JoinGroup request, GroupTicket, std::int64_t now_ms, GroupAnswers&);
  void replace_static(const std::string& old_id, const std::string& new_id, JoinGroup request, GroupTicket,
                      std::int64_t now_ms, GroupAnswers&);
  void take_protocols(Member&, JoinGroup&);
  void drop_protocols(const Member&);
  /// Takes the member out and answers what it waits for with `error`; the caller goes on with `members_changed`.
  void remove_member(Members::iterator, kafka::ErrorCode error, GroupAnswers&);
  void members_changed(std::int64_t now_ms, GroupAnswers&);
  void pending_gone(std::int64_t now_ms, GroupAnswers&);

  void rebalance(std::int64_t now_ms, GroupAnswers&);
  void complete_join_if_ready(std::int64_t now_ms, GroupAnswers&);
  void join_deadline(std::int64_t now_ms, GroupAnswers&);
  void complete_join(std::int64_t now_ms, GroupAnswers&);
  bool elect_leader();
  void note_subscribed_topics();
  std::string select_protocol() const;
  std::int64_t longest_rebalance_timeout_ms() const;

  void answer_join(Member&, JoinedGroup, GroupAnswers&);
  void answer_sync(Member&, SyncedGroup, GroupAnswers&);
  Bytes metadata_of(const Member& member) const;
  JoinedGroup current_generation(const std::string& member, bool with_members) const;
  SyncedGroup current_assignment(const Member&) const;

  void schedule(const std::string& id, Deadline&, std::int64_t at_ms);
  void unschedule(const std::string& id, Deadline&);
  void erase_pending(const std::string& id);

  GroupLimits limits_;
  GroupState state_ = GroupState::empty;
  std::int32_t generation_ = 0;
  std::string leader_;
  std::optional<std::string> protocol_type_, protocol_;
  Members members_;
  std::map<std::string, std::string> static_members_;  ///< instance -> member
  /// Member ids handed out with MEMBER_ID_REQUIRED, until they join.
  std::map<std::string, Deadline> pending_;
  /// How many members can speak a protocol.
  std::map<std::string, std::size_t> protocol_counts_;
  std::optional<std::set<std::string, std::less<>>> subscribed_topics_;
  std::size_t joins_waiting_ = 0;
  std::set<std::pair<std::int64_t, std::string>> deadlines_;
  std::uint64_t kept_version_ = 0;

  std::int64_t join_deadline_ms_ = kNone;
  /// The first rebalance of an empty group waits a little for further members, longer while they keep coming.
  bool initial_delay_ = false;
  bool joined_meanwhile_ = false;
  std::int64_t initial_delay_left_ms_ = 0;
  /// Members that have to sync until then, or they go.
  std::int64_t sync_deadline_ms_ = kNone;
  std::set<std::string> syncs_missing_;
};

}  // namespace braid
