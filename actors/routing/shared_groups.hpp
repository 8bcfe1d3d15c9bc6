// Braid, Apache-2.0.
//
// Shared subscriptions, section 4.8.2: the subscribers of "$share/group/filter" take turns, each message goes to one of
// them. All members of a shared subscription are known to one router, whatever loops they are on, so that turns are
// exact and nobody has to agree with anybody; routers share the groups out by name (`share_loop`).
//
// A member that is connected and keeps up goes before one that does not, and that one before one that is away. A plain
// class: how its members fare is asked of the owner.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "actors/routing/subscription_index.hpp"

namespace braid::routing {

/// The loop whose router has the members of a "$share/..." filter.
inline std::size_t share_loop(std::string_view shared_filter, std::size_t loops) {
  return std::hash<std::string_view>{}(shared_filter) % loops;
}

/// How ready a member is, best first.
enum class Standing : std::uint8_t { ready, busy, absent, unfit };

class SharedGroups {
 public:
  /// In the index a group is a subscriber with this bit.
  static constexpr std::uint32_t group_bit = 1u << 31;

  /// Numbers of groups begin with the loop, so that they are unique on the node and never 0.
  explicit SharedGroups(std::size_t loop) : loop_(static_cast<std::uint64_t>(loop) + 1) {}
  static std::size_t loop_of(std::uint64_t number) { return static_cast<std::size_t>((number >> 56) - 1); }

  struct Joined {
    std::uint32_t group = 0;
    bool existed = false;  ///< the member's options were replaced
    bool first = false;    ///< the group is new
  };
  Joined join(std::string_view shared_filter, const Posting& member);
  struct Left {
    std::uint32_t group = 0;
    bool existed = false;
    bool last = false;  ///< the group is gone
  };
  Left leave(std::string_view shared_filter, std::uint32_t subscriber);

  std::uint64_t number(std::uint32_t group) const {
    return loop_ << 56 | std::uint64_t{groups_[group].generation} << 32 | group;
  }
  std::optional<std::uint32_t> find(std::uint64_t number) const;

  /// The member whose turn it is among those of the best standing; null when all are unfit.
  /// `standing(const Posting&)` says how one fares.
  template <class StandingOf>
  const Posting* choose(std::uint32_t group, StandingOf standing) {
    Group& one = groups_[group];
    const std::size_t count = one.members.size();
    std::size_t best = count;
    Standing best_standing = Standing::unfit;
    for (std::size_t i = 0, at = one.turn; i < count && best_standing != Standing::ready; ++i, ++at) {
      if (at >= count) at = 0;
      const Standing his = standing(one.members[at]);
      if (his >= best_standing) continue;
      best = at;
      best_standing = his;
    }
    if (best == count) return nullptr;
    one.turn = best + 1 < count ? best + 1 : 0;
    return &one.members[best];
  }
  /// Whether `fits(const Posting&)` holds for any member.
  template <class Fits>
  bool any(std::uint32_t group, Fits fits) const {
    return std::any_of(groups_[group].members.begin(), groups_[group].members.end(), fits);
  }
  std::size_t size() const { return names_.size(); }

 private:
  struct Group {
    std::uint32_t generation = 0;  ///< 24 bits of it count
    std::size_t turn = 0;
    std::vector<Posting> members;
  };
  std::uint64_t loop_;
  std::unordered_map<std::string, std::uint32_t> names_;
  std::vector<Group> groups_;
  std::vector<std::uint32_t> free_;
};

}  // namespace braid::routing
