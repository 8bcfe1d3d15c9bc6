// Braid, Apache-2.0.
#include "actors/mqtt/session_state.hpp"

#include "actors/routing/shared_groups.hpp"

namespace braid::mqtt {

namespace {
constexpr std::string_view kSharePrefix = "$share/";
}

bool has_shared_filters(const SessionState& state) {
  const auto at = state.filters.lower_bound(kSharePrefix);
  return at != state.filters.end() && at->starts_with(kSharePrefix);
}

LoopSet SessionState::routers(std::size_t loops) const {
  LoopSet set = filters.empty() ? 0 : LoopSet{1} << router;
  for (auto at = filters.lower_bound(kSharePrefix); at != filters.end() && at->starts_with(kSharePrefix); ++at)
    set |= LoopSet{1} << routing::share_loop(*at, loops);
  return set;
}

std::vector<std::vector<Bytes>> SessionState::filters_by_router(std::size_t loops) const {
  std::vector<std::vector<Bytes>> lists(loops);
  for (const auto& filter : filters)
    lists[is_shared(filter) ? routing::share_loop(filter, loops) : router].push_back(Bytes::copy(filter));
  return lists;
}

}  // namespace braid::mqtt
