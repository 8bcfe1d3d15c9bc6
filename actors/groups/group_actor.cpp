// Braid, Apache-2.0.
#include "actors/groups/group_actor.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "actors/groups/member_id.hpp"
#include "runtime/log.hpp"

namespace braid {

using kafka::ErrorCode;

GroupActor::behavior_type GroupActor::make_behavior() {
  if (restored_) {
    group_.restore(*std::exchange(restored_, std::nullopt), loop().now_ms());
    GroupAnswers none;
    settle(none);
  }
  return {
      [this](const JoinGroup& request) { return join(request); },
      [this](const SyncGroup& request) { return sync(request); },
      [this](const GroupHeartbeat& request) {
        ++handled_;
        const GroupError answer{group_.heartbeat(request, loop().now_ms())};
        set_timer();
        return answer;
      },
      [this](const LeaveGroup& request) { return leave(request); },
      [this](const CheckCommit& request) {
        ++handled_;
        const GroupError answer{
            group_.check_commit(request.member, request.instance, request.generation, loop().now_ms())};
        set_timer();
        return answer;
      },
      [this](const DescribeGroup&) {
        ++handled_;
        return group_.describe();
      },
      [this](const CloseIfEmpty&) {
        ++handled_;
        if (group_.members() > 0) return GroupError{ErrorCode::non_empty_group};
        GroupAnswers answers;
        group_.close(answers);
        settle(answers);
        return GroupError{};
      },
      [this](const EndGroup&) { quit(); },
  };
}

void GroupActor::on_exit() {
  GroupAnswers answers;
  group_.close(answers);
  settle(answers);
  kept(ErrorCode::coordinator_not_available);
  Pinned::on_exit();
}

caf::result<JoinedGroup> GroupActor::join(const JoinGroup& request) {
  ++handled_;
  const GroupTicket ticket = ++last_ticket_;
  Promise<JoinedGroup> promise(this);
  auto later = promise.later();
  joins_.emplace(ticket, std::move(promise));
  std::string fresh;
  if (request.member.empty())
    fresh = make_member_id(request.instance ? *request.instance : request.client_id, loop().random(), loop().random());
  GroupAnswers answers;
  group_.join(request, ticket, fresh, loop().now_ms(), answers);
  settle(answers);
  return later;
}

caf::result<SyncedGroup> GroupActor::sync(const SyncGroup& request) {
  ++handled_;
  const GroupTicket ticket = ++last_ticket_;
  Promise<SyncedGroup> promise(this);
  auto later = promise.later();
  syncs_.emplace(ticket, std::move(promise));
  GroupAnswers answers;
  group_.sync(request, ticket, loop().now_ms(), answers);
  settle(answers);
  return later;
}

/// The last member's leave is kept before it is answered: nobody waits for it after a crash.
caf::result<LeftGroup> GroupActor::leave(const LeaveGroup& request) {
  ++handled_;
  GroupAnswers answers;
  LeftGroup left = group_.leave(request, loop().now_ms(), answers);
  settle(answers);
  if (!keeping_) return left;
  leaves_.emplace_back(Promise<LeftGroup>(this), std::move(left));
  return leaves_.back().first.later();
}

void GroupActor::settle(GroupAnswers& answers) {
  if (group_.state() == GroupState::dead) return deliver(answers);
  tell_owner();
  if (must_keep() && !keeping_) keep();
  if (keeping_) {
    const auto hold = [](auto& from, auto& into) {
      const auto bad = [](const auto& answer) { return answer.second.error != ErrorCode::none; };
      const auto first_good = std::stable_partition(from.begin(), from.end(), bad);
      std::move(first_good, from.end(), std::back_inserter(into));
      from.erase(first_good, from.end());
    };
    // A join that begins a generation has nothing to lose yet; one that returns to a stable group has.
    if (group_.state() == GroupState::stable) hold(answers.joins, held_.joins);
    hold(answers.syncs, held_.syncs);
  }
  deliver(answers);
  set_timer();
}

/// While another generation is on its way the last one stays what it was.
bool GroupActor::must_keep() const {
  return group_.kept_version() != kept_version_ &&
         (group_.state() == GroupState::stable || group_.state() == GroupState::empty);
}

void GroupActor::keep() {
  keeping_ = true;
  kept_version_ = group_.kept_version();
  ask(
      this, owner_, KeepGroup{id_, group_.snapshot()}, [this](const GroupError& result) { kept(result.error); },
      [this](const caf::error&) { kept(ErrorCode::coordinator_not_available); });
}

void GroupActor::kept(ErrorCode error) {
  keeping_ = false;
  if (must_keep()) return keep();
  GroupAnswers answers = std::exchange(held_, {});
  for (auto& [ticket, answer] : answers.joins)
    if (error != ErrorCode::none) answer.error = error;
  for (auto& [ticket, answer] : answers.syncs)
    if (error != ErrorCode::none) answer.error = error;
  deliver(answers);
  for (auto& [promise, left] : std::exchange(leaves_, {})) promise.deliver(std::move(left));
}

void GroupActor::deliver(GroupAnswers& answers) {
  for (auto& [ticket, answer] : answers.joins) {
    const auto waiting = joins_.extract(ticket);
    if (!waiting.empty()) waiting.mapped().deliver(std::move(answer));
  }
  for (auto& [ticket, answer] : answers.syncs) {
    const auto waiting = syncs_.extract(ticket);
    if (!waiting.empty()) waiting.mapped().deliver(std::move(answer));
  }
}

/// Before anybody is answered: who has an answer finds the coordinator informed.
void GroupActor::tell_owner() {
  const bool occupied = group_.members() > 0;
  const bool new_generation = group_.generation() != told_generation_;
  if (occupied == told_.occupied && group_.state() == told_.state && !new_generation) return;
  if (occupied != told_.occupied)
    log::debug("group", {{"group", id_}, {"generation", group_.generation()}}, "{}",
               occupied ? "the first member has come" : "the last member has gone");
  told_.group = id_;
  told_.state = group_.state();
  told_.protocol_type = group_.protocol_type().value_or("");
  told_.occupied = occupied;
  if (new_generation) {
    const auto& topics = group_.subscribed_topics();
    told_.subscribed_topics = topics ? std::make_shared<const std::set<std::string, std::less<>>>(*topics) : nullptr;
    told_generation_ = group_.generation();
  }
  tell(this, owner_, GroupChanged(told_));
}

void GroupActor::set_timer() {
  if (group_.idle()) {
    timer_.cancel();
    idle_timer_ = after(kIdle_ms, [this] { tell(this, owner_, GroupIdle{id_, handled_}); });
    return;
  }
  idle_timer_.cancel();
  const auto due_ms = group_.next_deadline_ms();
  if (!due_ms) return timer_.cancel();
  if (timer_ && timer_due_ms_ <= *due_ms) return;
  timer_due_ms_ = *due_ms;
  timer_ = after(std::max<std::int64_t>(*due_ms - loop().now_ms(), 0), [this] {
    GroupAnswers answers;
    group_.expire(loop().now_ms(), answers);
    settle(answers);
  });
}

}  // namespace braid
