// Braid, Apache-2.0.
#include "actors/mqtt/session_state.hpp"

#include "actors/routing/shared_groups.hpp"

namespace braid::mqtt {

bool has_shared_filters(const SessionState& state) {
  return !state.filters.all_of([](std::string_view filter) { return !is_shared(filter); });
}

LoopSet SessionState::routers(std::size_t loops) const {
  LoopSet set = filters.empty() ? 0 : LoopSet{1} << router;
  filters.all_of([&](std::string_view filter) {
    if (is_shared(filter)) set |= LoopSet{1} << routing::share_loop(filter, loops);
    return true;
  });
  return set;
}

std::vector<std::vector<Bytes>> SessionState::filters_by_router(std::size_t loops) const {
  std::vector<std::vector<Bytes>> lists(loops);
  filters.all_of([&](std::string_view filter) {
    lists[is_shared(filter) ? routing::share_loop(filter, loops) : router].push_back(Bytes::copy(filter));
    return true;
  });
  return lists;
}

}  // namespace braid::mqtt
