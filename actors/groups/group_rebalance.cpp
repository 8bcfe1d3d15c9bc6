// Braid, Apache-2.0.
//
// What members that come, go or stay silent set in motion: rebalances, their time limits, and the static members that
// do not cause any (KIP-345).
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "actors/groups/group.hpp"
#include "codecs/kafka/messages/consumer_protocol.hpp"

namespace braid {

using kafka::ErrorCode;

namespace {

/// What consumers call their kind of group; the only metadata that a broker ever looks into.
constexpr std::string_view kConsumerProtocol = "consumer";
/// A member that does not know its id yet cannot send heartbeats, so its session timeout cannot count; a client whose
/// connection broke meanwhile must go all the same.
constexpr std::int64_t kFreshMemberTimeout_ms = 5 * 60 * 1000;
/// When all that is left are static members that are away, look again after the rebalance timeout, but not in a spin.
constexpr std::int64_t kPostponeAtLeast_ms = 100;

template <class Answer>
Answer failed(ErrorCode error) {
  Answer answer;
  answer.error = error;
  return answer;
}

}  // namespace

void Group::add_member(const std::string& id, JoinGroup request, GroupTicket ticket, std::int64_t now_ms,
                       GroupAnswers& answers) {
  erase_pending(id);
  if (members_.empty()) protocol_type_ = request.protocol_type;
  const auto member = members_.try_emplace(id).first;
  member->second.instance = request.instance;
  if (request.instance) static_members_[*request.instance] = id;
  if (leader_.empty()) leader_ = id;
  if (state_ == GroupState::preparing_rebalance && initial_delay_) joined_meanwhile_ = true;
  schedule(id, member->second.deadline, now_ms + kFreshMemberTimeout_ms);
  update_member(member, std::move(request), ticket, now_ms, answers);
}

void Group::update_member(Members::iterator found, JoinGroup request, GroupTicket ticket, std::int64_t now_ms,
                          GroupAnswers& answers) {
  Member& member = found->second;
  take_protocols(member, request);
  if (member.join_ticket)  // asked twice: the later request is the one that the client waits for
    answer_join(member, failed<JoinedGroup>(ErrorCode::rebalance_in_progress), answers);
  member.join_ticket = ticket;
  ++joins_waiting_;
  rebalance(now_ms, answers);
}

/// A static member is back without its member id: it takes its own place, under a new id that fences the old one.
void Group::replace_static(const std::string& old_id, const std::string& new_id, JoinGroup request, GroupTicket ticket,
                           std::int64_t now_ms, GroupAnswers& answers) {
  const auto old = members_.find(old_id);
  if (old->second.join_ticket) answer_join(old->second, failed<JoinedGroup>(ErrorCode::fenced_instance_id), answers);
  if (old->second.sync_ticket) answer_sync(old->second, failed<SyncedGroup>(ErrorCode::fenced_instance_id), answers);
  unschedule(old_id, old->second.deadline);
  const std::string old_leader = leader_;
  if (leader_ == old_id) leader_ = new_id;
  if (syncs_missing_.erase(old_id) > 0) syncs_missing_.insert(new_id);

  auto node = members_.extract(old);
  node.key() = new_id;
  const auto member = members_.insert(std::move(node)).position;
  static_members_[*request.instance] = new_id;
  const bool skips_assignment = request.supports_skip_assignment;
  schedule(new_id, member->second.deadline, now_ms + request.session_timeout_ms);

  if (state_ != GroupState::stable) return update_member(member, std::move(request), ticket, now_ms, answers);
  take_protocols(member->second, request);
  if (select_protocol() != protocol_) {
    member->second.join_ticket = ticket;
    ++joins_waiting_;
    return rebalance(now_ms, answers);
  }
  // Nothing has changed for the others. A returning leader must not assign anew: a stable group would not hand that
  // out. Newer clients are told so (KIP-814); older ones are given the old leader's id, and take themselves for a
  // follower.
  ++kept_version_;
  const bool leads = leader_ == new_id;
  JoinedGroup answer = current_generation(new_id, skips_assignment && leads);
  if (skips_assignment)
    answer.skip_assignment = leads;
  else
    answer.leader = old_leader;
  answers.joins.emplace_back(ticket, std::move(answer));
}

void Group::take_protocols(Member& member, JoinGroup& request) {
  drop_protocols(member);
  member.client_id = std::move(request.client_id);
  member.client_host = std::move(request.client_host);
  member.session_timeout_ms = request.session_timeout_ms;
  member.rebalance_timeout_ms = std::max<std::int64_t>(request.rebalance_timeout_ms, 0);
  member.protocols = std::move(request.protocols);
  for (GroupProtocol& protocol : member.protocols) {
    protocol.metadata = protocol.metadata.compact();
    ++protocol_counts_[protocol.name];
  }
}

void Group::drop_protocols(const Member& member) {
  for (const GroupProtocol& protocol : member.protocols) {
    const auto count = protocol_counts_.find(protocol.name);
    if (--count->second == 0) protocol_counts_.erase(count);
  }
}

void Group::remove_member(Members::iterator found, ErrorCode error, GroupAnswers& answers) {
  const std::string id = found->first;
  Member& member = found->second;
  if (member.join_ticket) answer_join(member, failed<JoinedGroup>(error), answers);
  if (member.sync_ticket) answer_sync(member, failed<SyncedGroup>(error), answers);
  drop_protocols(member);
  unschedule(id, member.deadline);
  if (member.instance) {
    const auto known = static_members_.find(*member.instance);
    if (known != static_members_.end() && known->second == id) static_members_.erase(known);
  }
  syncs_missing_.erase(id);
  members_.erase(found);
  if (leader_ == id) leader_ = members_.empty() ? std::string() : members_.begin()->first;
}

void Group::members_changed(std::int64_t now_ms, GroupAnswers& answers) {
  if (state_ == GroupState::stable || state_ == GroupState::completing_rebalance) return rebalance(now_ms, answers);
  if (state_ == GroupState::preparing_rebalance) complete_join_if_ready(now_ms, answers);
}

/// A rebalance waits for ids that were handed out; nothing else does.
void Group::pending_gone(std::int64_t now_ms, GroupAnswers& answers) {
  if (state_ == GroupState::preparing_rebalance) complete_join_if_ready(now_ms, answers);
}

void Group::rebalance(std::int64_t now_ms, GroupAnswers& answers) {
  if (state_ != GroupState::preparing_rebalance) {
    if (state_ == GroupState::completing_rebalance)
      for (auto& [id, member] : members_)
        if (member.sync_ticket) answer_sync(member, failed<SyncedGroup>(ErrorCode::rebalance_in_progress), answers);
    syncs_missing_.clear();
    sync_deadline_ms_ = kNone;
    const std::int64_t timeout_ms = longest_rebalance_timeout_ms();
    initial_delay_ = state_ == GroupState::empty && limits_.initial_rebalance_delay_ms > 0;
    joined_meanwhile_ = false;
    initial_delay_left_ms_ = std::max<std::int64_t>(timeout_ms - limits_.initial_rebalance_delay_ms, 0);
    join_deadline_ms_ = now_ms + (initial_delay_ ? limits_.initial_rebalance_delay_ms : timeout_ms);
    state_ = GroupState::preparing_rebalance;
  }
  complete_join_if_ready(now_ms, answers);
}

void Group::complete_join_if_ready(std::int64_t now_ms, GroupAnswers& answers) {
  if (initial_delay_) return;
  if (joins_waiting_ == members_.size() && pending_.empty()) complete_join(now_ms, answers);
}

void Group::join_deadline(std::int64_t now_ms, GroupAnswers& answers) {
  if (initial_delay_ && joined_meanwhile_ && initial_delay_left_ms_ > 0) {
    joined_meanwhile_ = false;
    const std::int64_t delay_ms = std::min(limits_.initial_rebalance_delay_ms, initial_delay_left_ms_);
    initial_delay_left_ms_ -= delay_ms;
    join_deadline_ms_ = now_ms + delay_ms;
    return;
  }
  complete_join(now_ms, answers);
}

void Group::complete_join(std::int64_t now_ms, GroupAnswers& answers) {
  initial_delay_ = false;
  join_deadline_ms_ = kNone;
  for (auto member = members_.begin(); member != members_.end();) {
    const auto next = std::next(member);
    if (!member->second.join_ticket && !member->second.instance)
      remove_member(member, ErrorCode::unknown_member_id, answers);
    member = next;
  }
  if (!members_.empty() && !elect_leader()) {
    // Only static members are left and all of them are away: they keep their places until their sessions end.
    join_deadline_ms_ = now_ms + std::max(longest_rebalance_timeout_ms(), kPostponeAtLeast_ms);
    return;
  }

  generation_ = generation_ == std::numeric_limits<std::int32_t>::max() ? 1 : generation_ + 1;
  if (members_.empty()) {
    state_ = GroupState::empty;
    protocol_.reset();
    leader_.clear();
    subscribed_topics_.reset();
    ++kept_version_;
    return;
  }
  protocol_ = select_protocol();
  note_subscribed_topics();
  state_ = GroupState::completing_rebalance;
  sync_deadline_ms_ = now_ms + longest_rebalance_timeout_ms();
  for (auto& [id, member] : members_) {
    if (!member.join_ticket) continue;  // a static member that is away keeps its place and its session's end
    member.fresh = false;
    schedule(id, member.deadline, now_ms + member.session_timeout_ms);
    syncs_missing_.insert(id);
    answer_join(member, current_generation(id, id == leader_), answers);
  }
}

void Group::note_subscribed_topics() {
  subscribed_topics_.reset();
  if (protocol_type_ != kConsumerProtocol) return;
  std::set<std::string, std::less<>> topics;
  for (const auto& [id, member] : members_) {
    const auto subscription = kafka::decode_subscription(metadata_of(member));
    if (!subscription) return;
    for (const kafka::Text& topic : subscription->topics) topics.insert(topic.str());
  }
  subscribed_topics_ = std::move(topics);
}

/// The leader stays if it has joined again; any member that has will do else.
bool Group::elect_leader() {
  const auto leader = members_.find(leader_);
  if (leader != members_.end() && leader->second.join_ticket) return true;
  for (const auto& [id, member] : members_) {
    if (!member.join_ticket) continue;
    leader_ = id;
    return true;
  }
  return false;
}

/// Every member votes for the first of its protocols that all members can speak; ties go to the first by name.
std::string Group::select_protocol() const {
  std::map<std::string_view, std::size_t> votes;
  for (const auto& [id, member] : members_) {
    for (const GroupProtocol& protocol : member.protocols) {
      if (protocol_counts_.at(protocol.name) != members_.size()) continue;
      ++votes[protocol.name];
      break;
    }
  }
  const auto most =
      std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == votes.end() ? std::string() : std::string(most->first);
}

std::int64_t Group::longest_rebalance_timeout_ms() const {
  std::int64_t longest_ms = 0;
  for (const auto& [id, member] : members_) longest_ms = std::max(longest_ms, member.rebalance_timeout_ms);
  return longest_ms;
}

void Group::answer_join(Member& member, JoinedGroup answer, GroupAnswers& answers) {
  answers.joins.emplace_back(*member.join_ticket, std::move(answer));
  member.join_ticket.reset();
  --joins_waiting_;
}

void Group::answer_sync(Member& member, SyncedGroup answer, GroupAnswers& answers) {
  answers.syncs.emplace_back(*member.sync_ticket, std::move(answer));
  member.sync_ticket.reset();
}

void Group::expire(std::int64_t now_ms, GroupAnswers& answers) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_ms) {
    const std::string id = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    const auto pending = pending_.find(id);
    const auto found = members_.find(id);
    Deadline& deadline = pending != pending_.end() ? pending->second : found->second.deadline;
    deadline.queued_ms = kNone;
    if (deadline.at_ms > now_ms) {
      schedule(id, deadline, deadline.at_ms);
    } else if (pending != pending_.end()) {
      pending_.erase(pending);
      pending_gone(now_ms, answers);
    } else if (!found->second.fresh && (found->second.join_ticket || found->second.sync_ticket)) {
      // It waits for us, so it is not expected to send heartbeats.
      schedule(id, deadline, now_ms + found->second.session_timeout_ms);
    } else {
      remove_member(found, ErrorCode::unknown_member_id, answers);
      members_changed(now_ms, answers);
    }
  }
  if (join_deadline_ms_ <= now_ms) join_deadline(now_ms, answers);
  if (sync_deadline_ms_ <= now_ms) {
    sync_deadline_ms_ = kNone;
    const std::set<std::string> missing = std::move(syncs_missing_);
    syncs_missing_.clear();
    for (const std::string& id : missing)
      if (const auto found = members_.find(id); found != members_.end())
        remove_member(found, ErrorCode::unknown_member_id, answers);
    if (!missing.empty()) members_changed(now_ms, answers);
  }
}

std::optional<std::int64_t> Group::next_deadline_ms() const {
  std::int64_t next_ms = std::min(join_deadline_ms_, sync_deadline_ms_);
  if (!deadlines_.empty()) next_ms = std::min(next_ms, deadlines_.begin()->first);
  return next_ms == kNone ? std::nullopt : std::optional(next_ms);
}

void Group::close(GroupAnswers& answers) {
  while (!members_.empty()) remove_member(members_.begin(), ErrorCode::coordinator_not_available, answers);
  while (!pending_.empty()) erase_pending(std::string(pending_.begin()->first));
  state_ = GroupState::dead;
  join_deadline_ms_ = sync_deadline_ms_ = kNone;
}

void Group::schedule(const std::string& id, Deadline& deadline, std::int64_t at_ms) {
  deadline.at_ms = at_ms;
  if (deadline.queued_ms <= at_ms) return;  // kNone is later than everything
  if (deadline.queued_ms != kNone) deadlines_.erase({deadline.queued_ms, id});
  deadline.queued_ms = at_ms;
  deadlines_.emplace(at_ms, id);
}

void Group::unschedule(const std::string& id, Deadline& deadline) {
  if (deadline.queued_ms != kNone) deadlines_.erase({deadline.queued_ms, id});
  deadline = {};
}

void Group::erase_pending(const std::string& id) {
  const auto pending = pending_.find(id);
  if (pending == pending_.end()) return;
  unschedule(id, pending->second);
  pending_.erase(pending);
}

void Group::check_invariants() const {
  const auto expect = [](bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "group invariant broken: %s\n", what);
    std::abort();
  };
  std::size_t joins = 0, scheduled = 0, statics = 0;
  std::map<std::string, std::size_t> counts;
  for (const auto& [id, member] : members_) {
    joins += member.join_ticket ? 1 : 0;
    scheduled += member.deadline.queued_ms != kNone ? 1 : 0;
    expect(deadlines_.count({member.deadline.queued_ms, id}) == 1, "every member has a deadline");
    expect(!member.sync_ticket || state_ == GroupState::completing_rebalance, "syncs wait for the leader only");
    expect(!member.join_ticket || state_ == GroupState::preparing_rebalance, "joins wait while others are awaited");
    if (member.instance) {
      ++statics;
      expect(static_members_.at(*member.instance) == id, "an instance has one member");
    }
    for (const GroupProtocol& protocol : member.protocols) ++counts[protocol.name];
    expect(pending_.count(id) == 0, "a member is not pending");
  }
  for (const auto& [id, deadline] : pending_)
    expect(deadlines_.count({deadline.queued_ms, id}) == 1, "every pending id has a deadline");
  expect(joins == joins_waiting_, "waiting joins are counted");
  expect(scheduled + pending_.size() == deadlines_.size(), "no deadline without a member");
  expect(statics == static_members_.size(), "no instance without a member");
  expect(counts == protocol_counts_, "protocols are counted");
  expect(members_.empty() || members_.count(leader_) == 1, "a member leads");
  expect(members_.empty() || std::any_of(counts.begin(), counts.end(),
                                         [&](const auto& count) { return count.second == members_.size(); }),
         "there is a protocol that all members speak");
  expect((state_ == GroupState::preparing_rebalance) == (join_deadline_ms_ != kNone), "a rebalance has an end");
  expect(state_ != GroupState::stable || !members_.empty(), "a stable group has members");
  expect(state_ == GroupState::preparing_rebalance || initial_delay_ || joins_waiting_ == 0, "no join is forgotten");
  for (const std::string& id : syncs_missing_) expect(members_.count(id) == 1, "whose sync is awaited is a member");
}

}  // namespace braid
