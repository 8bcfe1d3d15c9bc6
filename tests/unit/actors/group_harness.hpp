// Braid, Apache-2.0.
//
// Drives a Group as clients and a clock would: requests are one call each, answers are looked up by ticket, and the
// group's invariants are checked after every event.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/groups/group.hpp"

namespace braid::test {

using kafka::ErrorCode;

class GroupHarness {
 public:
  explicit GroupHarness(GroupLimits limits = {.initial_rebalance_delay_ms = 0}) : group(limits) {}

  struct Joining {
    std::string member;
    std::optional<std::string> instance = {};
    std::vector<std::pair<std::string, std::string>> protocols = {{"range", "topics"}};
    std::string protocol_type = "consumer";
    std::int64_t session_timeout_ms = 10000, rebalance_timeout_ms = 60000;
    bool requires_known_member = false, supports_skip_assignment = false;
  };
  GroupTicket join(const Joining& joining) {
    JoinGroup request;
    request.group = "g";
    request.member = joining.member;
    request.instance = joining.instance;
    request.protocol_type = joining.protocol_type;
    request.session_timeout_ms = joining.session_timeout_ms;
    request.rebalance_timeout_ms = joining.rebalance_timeout_ms;
    request.requires_known_member = joining.requires_known_member;
    request.supports_skip_assignment = joining.supports_skip_assignment;
    for (const auto& [name, metadata] : joining.protocols) request.protocols.push_back({name, Bytes::copy(metadata)});
    GroupAnswers answers;
    const GroupTicket ticket = ++last_ticket_;
    open.insert(ticket);
    group.join(std::move(request), ticket, "id-" + std::to_string(++last_member_), now_ms, answers);
    take(answers);
    return ticket;
  }
  /// A member without id joins and takes part at once.
  GroupTicket join_new() { return join({.member = ""}); }

  GroupTicket sync(const std::string& member, std::int32_t generation,
                   const std::vector<std::pair<std::string, std::string>>& assignments = {},
                   std::optional<std::string> instance = {}) {
    SyncGroup request;
    request.group = "g";
    request.member = member;
    request.instance = std::move(instance);
    request.generation = generation;
    for (const auto& [id, assignment] : assignments) request.assignments.emplace_back(id, Bytes::copy(assignment));
    return sync(std::move(request));
  }
  GroupTicket sync(SyncGroup request) {
    GroupAnswers answers;
    const GroupTicket ticket = ++last_ticket_;
    open.insert(ticket);
    group.sync(std::move(request), ticket, now_ms, answers);
    take(answers);
    return ticket;
  }
  ErrorCode heartbeat(const std::string& member, std::int32_t generation, std::optional<std::string> instance = {}) {
    const ErrorCode error = group.heartbeat({"g", member, std::move(instance), generation}, now_ms);
    group.check_invariants();
    return error;
  }
  std::vector<ErrorCode> leave(std::vector<LeaveGroup::Member> members) {
    GroupAnswers answers;
    LeftGroup left = group.leave({"g", std::move(members)}, now_ms, answers);
    take(answers);
    return left.member_errors;
  }
  ErrorCode leave(const std::string& member) { return leave({{member, {}, {}}}).front(); }
  ErrorCode commit(const std::string& member, std::int32_t generation, std::optional<std::string> instance = {}) {
    return group.check_commit(member, instance, generation, now_ms);
  }
  /// Lets time pass, waking the group whenever it asked for it.
  void pass(std::int64_t ms) {
    const std::int64_t end_ms = now_ms + ms;
    for (auto next = group.next_deadline_ms(); next && *next <= end_ms; next = group.next_deadline_ms()) {
      now_ms = std::max(now_ms, *next);
      GroupAnswers answers;
      group.expire(now_ms, answers);
      take(answers);
    }
    now_ms = end_ms;
  }
  void close() {
    GroupAnswers answers;
    group.close(answers);
    take(answers);
  }

  bool answered(GroupTicket ticket) const { return open.count(ticket) == 0; }
  const JoinedGroup& joined(GroupTicket ticket) const {
    INFO("join " << ticket);
    REQUIRE(joins.count(ticket) == 1);
    return joins.at(ticket);
  }
  const SyncedGroup& synced(GroupTicket ticket) const {
    INFO("sync " << ticket);
    REQUIRE(syncs.count(ticket) == 1);
    return syncs.at(ticket);
  }

  /// Members with the ids that they were given, all joined and synced.
  std::vector<std::string> stable_group(std::size_t size) {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < size; ++i) {
      const GroupTicket newcomer = join_new();
      // With each newcomer the others, told by their heartbeats, join again.
      for (const std::string& id : ids) join({.member = id});
      ids.push_back(joined(newcomer).member);
    }
    const std::int32_t generation = group.generation();
    const std::string leader = group.leader();
    std::vector<std::pair<std::string, std::string>> assignments;
    for (const std::string& id : ids) assignments.emplace_back(id, "part of " + id);
    for (const std::string& id : ids)
      if (id != leader) sync(id, generation);
    sync(leader, generation, assignments);
    REQUIRE(group.state() == GroupState::stable);
    REQUIRE(group.members() == size);
    return ids;
  }

  Group group;
  std::int64_t now_ms = 1000;
  std::map<GroupTicket, JoinedGroup> joins;
  std::map<GroupTicket, SyncedGroup> syncs;
  std::set<GroupTicket> open;

 private:
  void take(GroupAnswers& answers) {
    for (auto& [ticket, answer] : answers.joins) {
      INFO("join " << ticket << " is answered once");
      REQUIRE(open.erase(ticket) == 1);
      joins[ticket] = std::move(answer);
    }
    for (auto& [ticket, answer] : answers.syncs) {
      INFO("sync " << ticket << " is answered once");
      REQUIRE(open.erase(ticket) == 1);
      syncs[ticket] = std::move(answer);
    }
    group.check_invariants();
    REQUIRE(group.waiting() == open.size());
  }

  GroupTicket last_ticket_ = 0;
  int last_member_ = 0;
};

}  // namespace braid::test
