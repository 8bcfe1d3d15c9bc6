// Braid, Apache-2.0.
#include "actors/routing/shared_groups.hpp"

#include <algorithm>

namespace braid::routing {

SharedGroups::Joined SharedGroups::join(std::string_view shared_filter, const Posting& member) {
  Joined joined;
  auto [at, fresh] = names_.try_emplace(std::string(shared_filter), 0);
  if (fresh) {
    if (free_.empty()) {
      at->second = static_cast<std::uint32_t>(groups_.size());
      groups_.emplace_back();
    } else {
      at->second = free_.back();
      free_.pop_back();
    }
    joined.first = true;
  }
  joined.group = at->second;
  auto& members = groups_[at->second].members;
  const auto same = std::find_if(members.begin(), members.end(),
                                 [&](const Posting& one) { return one.subscriber() == member.subscriber(); });
  joined.existed = same != members.end();
  if (joined.existed)
    *same = member;
  else
    members.push_back(member);
  return joined;
}

SharedGroups::Left SharedGroups::leave(std::string_view shared_filter, std::uint32_t subscriber) {
  Left left;
  const auto name = names_.find(std::string(shared_filter));
  if (name == names_.end()) return left;
  left.group = name->second;
  Group& group = groups_[left.group];
  const auto at = std::find_if(group.members.begin(), group.members.end(),
                               [&](const Posting& one) { return one.subscriber() == subscriber; });
  if (at == group.members.end()) return left;
  left.existed = true;
  const auto position = static_cast<std::size_t>(at - group.members.begin());
  group.members.erase(at);
  if (group.turn > position) --group.turn;
  if (group.turn >= group.members.size()) group.turn = 0;
  if (!group.members.empty()) return left;
  left.last = true;
  group.generation = (group.generation + 1) & 0xffffffu;
  group.members = {};
  free_.push_back(left.group);
  names_.erase(name);
  return left;
}

std::optional<std::uint32_t> SharedGroups::find(std::uint64_t number) const {
  const auto group = static_cast<std::uint32_t>(number);
  if (group >= groups_.size() || groups_[group].members.empty() || this->number(group) != number) return std::nullopt;
  return group;
}

}  // namespace braid::routing
