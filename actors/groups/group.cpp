// Braid, Apache-2.0.
//
// A group's requests: who may join, sync, stay and leave. What a change sets in motion is in `group_rebalance.cpp`.
#include "actors/groups/group.hpp"

#include <algorithm>

namespace braid {

using kafka::ErrorCode;

namespace {

JoinedGroup join_error(ErrorCode error, std::string member) {
  JoinedGroup answer;
  answer.error = error;
  answer.member = std::move(member);
  return answer;
}

SyncedGroup sync_error(ErrorCode error) {
  SyncedGroup answer;
  answer.error = error;
  return answer;
}

bool same_protocols(const std::vector<GroupProtocol>& a, const std::vector<GroupProtocol>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const GroupProtocol& x, const GroupProtocol& y) {
    return x.name == y.name && x.metadata == y.metadata;
  });
}

/// A name twice would be counted twice when protocols are selected; the first one counts.
void drop_repeated_names(std::vector<GroupProtocol>& protocols) {
  std::set<std::string> seen;
  std::erase_if(protocols, [&](const GroupProtocol& protocol) { return !seen.insert(protocol.name).second; });
}

}  // namespace

std::string_view to_string(GroupState state) {
  switch (state) {
    case GroupState::empty:
      return "Empty";
    case GroupState::preparing_rebalance:
      return "PreparingRebalance";
    case GroupState::completing_rebalance:
      return "CompletingRebalance";
    case GroupState::stable:
      return "Stable";
    case GroupState::dead:
      return "Dead";
  }
  return "Dead";
}

ErrorCode Group::check_join(const JoinGroup& request) const {
  if (state_ == GroupState::dead) return ErrorCode::coordinator_not_available;
  if (request.session_timeout_ms < limits_.min_session_timeout_ms ||
      request.session_timeout_ms > limits_.max_session_timeout_ms)
    return ErrorCode::invalid_session_timeout;
  if (!accepts(request)) return ErrorCode::group_max_size_reached;
  if (!supports(request)) return ErrorCode::inconsistent_group_protocol;
  return ErrorCode::none;
}

/// Is there room? While the group rebalances, members that have not come back yet may lose their place to new ones.
bool Group::accepts(const JoinGroup& request) const {
  const auto member = members_.find(request.member);
  if (state_ == GroupState::preparing_rebalance) {
    if (member != members_.end() && member->second.join_ticket) return true;
    if (joins_waiting_ >= limits_.max_members) return false;
  } else if (member == members_.end() && members_.size() >= limits_.max_members) {
    return false;
  }
  // Ids that were handed out and not used yet are limited too, else a peer could have them made without end.
  return !request.member.empty() || pending_.size() < limits_.max_members;
}

bool Group::supports(const JoinGroup& request) const {
  if (members_.empty()) return !request.protocol_type.empty() && !request.protocols.empty();
  if (protocol_type_ != request.protocol_type) return false;
  return std::any_of(request.protocols.begin(), request.protocols.end(), [&](const GroupProtocol& protocol) {
    const auto count = protocol_counts_.find(protocol.name);
    return count != protocol_counts_.end() && count->second == members_.size();
  });
}

std::pair<Group::Members::iterator, ErrorCode> Group::find_member(const std::string& member,
                                                                  const std::optional<std::string>& instance) {
  if (instance) {
    const auto known = static_members_.find(*instance);
    if (known == static_members_.end()) return {members_.end(), ErrorCode::unknown_member_id};
    if (known->second != member) return {members_.end(), ErrorCode::fenced_instance_id};
  }
  const auto found = members_.find(member);
  return {found, found == members_.end() ? ErrorCode::unknown_member_id : ErrorCode::none};
}

void Group::join(JoinGroup request, GroupTicket ticket, const std::string& fresh_member, std::int64_t now_ms,
                 GroupAnswers& answers) {
  const auto refuse = [&](ErrorCode error) { answers.joins.emplace_back(ticket, join_error(error, request.member)); };
  drop_repeated_names(request.protocols);
  if (const ErrorCode error = check_join(request); error != ErrorCode::none) {
    // A full group has no use for an id that it had promised room to.
    if (error == ErrorCode::group_max_size_reached) erase_pending(request.member);
    return refuse(error);
  }

  if (request.member.empty()) {
    if (request.instance) {
      const auto known = static_members_.find(*request.instance);
      if (known != static_members_.end()) {
        const std::string old_id = known->second;
        return replace_static(old_id, fresh_member, std::move(request), ticket, now_ms, answers);
      }
      return add_member(fresh_member, std::move(request), ticket, now_ms, answers);
    }
    if (!request.requires_known_member) return add_member(fresh_member, std::move(request), ticket, now_ms, answers);
    schedule(fresh_member, pending_[fresh_member], now_ms + request.session_timeout_ms);
    request.member = fresh_member;
    return refuse(ErrorCode::member_id_required);
  }

  if (pending_.count(request.member) > 0 && !request.instance) {
    const std::string id = request.member;
    return add_member(id, std::move(request), ticket, now_ms, answers);
  }

  const auto [member, error] = find_member(request.member, request.instance);
  if (error != ErrorCode::none) return refuse(error);
  const bool unchanged = same_protocols(member->second.protocols, request.protocols);
  switch (state_) {
    case GroupState::preparing_rebalance:
      return update_member(member, std::move(request), ticket, now_ms, answers);
    case GroupState::completing_rebalance:
      // The answer to the same join was lost: give it again.
      if (!unchanged) return update_member(member, std::move(request), ticket, now_ms, answers);
      answers.joins.emplace_back(ticket, current_generation(member->first, member->first == leader_));
      return;
    case GroupState::stable:
      // The leader joins again when it wants a new assignment (a topic has new partitions).
      if (member->first == leader_ || !unchanged)
        return update_member(member, std::move(request), ticket, now_ms, answers);
      answers.joins.emplace_back(ticket, current_generation(member->first, false));
      return;
    case GroupState::empty:
    case GroupState::dead:
      return refuse(ErrorCode::unknown_member_id);
  }
}

void Group::sync(SyncGroup request, GroupTicket ticket, std::int64_t now_ms, GroupAnswers& answers) {
  const auto refuse = [&](ErrorCode error) { answers.syncs.emplace_back(ticket, sync_error(error)); };
  if (state_ == GroupState::dead) return refuse(ErrorCode::coordinator_not_available);
  const auto [found, error] = find_member(request.member, request.instance);
  if (error != ErrorCode::none) return refuse(error);
  if (request.generation != generation_) return refuse(ErrorCode::illegal_generation);
  if ((request.protocol_type && request.protocol_type != protocol_type_) ||
      (request.protocol && request.protocol != protocol_))
    return refuse(ErrorCode::inconsistent_group_protocol);
  if (state_ == GroupState::preparing_rebalance) return refuse(ErrorCode::rebalance_in_progress);

  Member& member = found->second;
  syncs_missing_.erase(found->first);
  if (syncs_missing_.empty()) sync_deadline_ms_ = kNone;
  schedule(found->first, member.deadline, now_ms + member.session_timeout_ms);
  if (state_ == GroupState::stable) {
    answers.syncs.emplace_back(ticket, current_assignment(member));
    return;
  }

  if (member.sync_ticket) answer_sync(member, sync_error(ErrorCode::rebalance_in_progress), answers);
  member.sync_ticket = ticket;
  if (found->first != leader_) return;
  for (auto& [id, other] : members_) other.assignment = {};
  for (auto& [id, assignment] : request.assignments)
    if (const auto other = members_.find(id); other != members_.end()) other->second.assignment = assignment.compact();
  state_ = GroupState::stable;
  ++kept_version_;
  for (auto& [id, other] : members_) {
    if (!other.sync_ticket) continue;
    schedule(id, other.deadline, now_ms + other.session_timeout_ms);
    answer_sync(other, current_assignment(other), answers);
  }
}

ErrorCode Group::heartbeat(const GroupHeartbeat& request, std::int64_t now_ms) {
  if (state_ == GroupState::dead) return ErrorCode::coordinator_not_available;
  const auto [found, error] = find_member(request.member, request.instance);
  if (error != ErrorCode::none) return error;
  if (request.generation != generation_) return ErrorCode::illegal_generation;
  schedule(found->first, found->second.deadline, now_ms + found->second.session_timeout_ms);
  return state_ == GroupState::preparing_rebalance ? ErrorCode::rebalance_in_progress : ErrorCode::none;
}

LeftGroup Group::leave(const LeaveGroup& request, std::int64_t now_ms, GroupAnswers& answers) {
  LeftGroup result;
  if (state_ == GroupState::dead) {
    result.error = ErrorCode::coordinator_not_available;
    return result;
  }
  bool changed = false, pending_left = false;
  for (const LeaveGroup::Member& leaving : request.members) {
    if (!leaving.instance && pending_.count(leaving.member) > 0) {
      erase_pending(leaving.member);
      pending_left = true;
      result.member_errors.push_back(ErrorCode::none);
      continue;
    }
    std::string id = leaving.member;
    if (id.empty() && leaving.instance) {  // an administrator removes whoever has that instance id
      const auto known = static_members_.find(*leaving.instance);
      if (known != static_members_.end()) id = known->second;
    }
    const auto [found, error] = find_member(id, leaving.instance);
    result.member_errors.push_back(error);
    if (error != ErrorCode::none) continue;
    remove_member(found, ErrorCode::unknown_member_id, answers);
    changed = true;
  }
  if (changed)
    members_changed(now_ms, answers);
  else if (pending_left)
    pending_gone(now_ms, answers);
  return result;
}

ErrorCode Group::check_commit(const std::string& id, const std::optional<std::string>& instance,
                              std::int32_t generation, std::int64_t now_ms) {
  if (state_ == GroupState::dead) return ErrorCode::coordinator_not_available;
  // A consumer that assigns partitions itself, or an administrator's tool.
  if (generation < 0 && state_ == GroupState::empty) return ErrorCode::none;
  const auto [found, error] = find_member(id, instance);
  if (error != ErrorCode::none) return error;
  if (generation != generation_) return ErrorCode::illegal_generation;
  // While the others are awaited a member may still commit what it is about to give up; once the new generation has
  // begun and the assignment is not known, it cannot own what it commits.
  if (state_ == GroupState::completing_rebalance) return ErrorCode::rebalance_in_progress;
  schedule(found->first, found->second.deadline, now_ms + found->second.session_timeout_ms);
  return ErrorCode::none;
}

JoinedGroup Group::current_generation(const std::string& member, bool with_members) const {
  JoinedGroup answer;
  answer.generation = generation_;
  answer.protocol_type = protocol_type_;
  answer.protocol = protocol_;
  answer.leader = leader_;
  answer.member = member;
  if (!with_members) return answer;
  answer.members.reserve(members_.size());
  for (const auto& [id, other] : members_) answer.members.push_back({id, other.instance, metadata_of(other)});
  return answer;
}

/// Of the protocol that was chosen.
Bytes Group::metadata_of(const Member& member) const {
  const auto protocol = std::find_if(member.protocols.begin(), member.protocols.end(),
                                     [&](const GroupProtocol& candidate) { return candidate.name == protocol_; });
  return protocol == member.protocols.end() ? Bytes{} : protocol->metadata;
}

SyncedGroup Group::current_assignment(const Member& member) const {
  SyncedGroup answer;
  answer.protocol_type = protocol_type_;
  answer.protocol = protocol_;
  answer.assignment = member.assignment;
  return answer;
}

std::optional<GroupSnapshot> Group::snapshot() const {
  if (state_ != GroupState::stable) return std::nullopt;
  GroupSnapshot snapshot;
  snapshot.generation = generation_;
  snapshot.protocol_type = protocol_type_.value_or("");
  snapshot.protocol = protocol_.value_or("");
  snapshot.leader = leader_;
  snapshot.members.reserve(members_.size());
  for (const auto& [id, member] : members_)
    snapshot.members.push_back({id, member.instance, member.client_id, member.client_host, member.session_timeout_ms,
                                member.rebalance_timeout_ms, member.protocols, member.assignment});
  return snapshot;
}

void Group::restore(GroupSnapshot snapshot, std::int64_t now_ms) {
  state_ = GroupState::stable;
  generation_ = snapshot.generation;
  leader_ = std::move(snapshot.leader);
  protocol_type_ = std::move(snapshot.protocol_type);
  protocol_ = std::move(snapshot.protocol);
  for (GroupSnapshot::Member& kept : snapshot.members) {
    Member& member = members_[kept.id];
    member.instance = std::move(kept.instance);
    member.client_id = std::move(kept.client_id);
    member.client_host = std::move(kept.client_host);
    member.session_timeout_ms = kept.session_timeout_ms;
    member.rebalance_timeout_ms = kept.rebalance_timeout_ms;
    member.protocols = std::move(kept.protocols);
    member.assignment = std::move(kept.assignment);
    member.fresh = false;
    for (const GroupProtocol& protocol : member.protocols) ++protocol_counts_[protocol.name];
    if (member.instance) static_members_[*member.instance] = kept.id;
    schedule(kept.id, member.deadline, now_ms + member.session_timeout_ms);
  }
  note_subscribed_topics();
}

GroupDescription Group::describe() const {
  GroupDescription description;
  description.state = state_;
  description.protocol_type = protocol_type_.value_or("");
  const bool stable = state_ == GroupState::stable;
  if (stable) description.protocol = protocol_.value_or("");
  description.members.reserve(members_.size());
  for (const auto& [id, member] : members_) {
    DescribedMember& described = description.members.emplace_back();
    described.member = id;
    described.instance = member.instance;
    described.client_id = member.client_id;
    described.client_host = member.client_host;
    if (stable) described.metadata = metadata_of(member);
    described.assignment = member.assignment;
  }
  return description;
}

std::size_t Group::waiting() const {
  std::size_t count = joins_waiting_;
  for (const auto& [id, member] : members_) count += member.sync_ticket ? 1 : 0;
  return count;
}

}  // namespace braid
