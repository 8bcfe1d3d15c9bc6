// Braid, Apache-2.0.
#include "actors/services.hpp"

namespace braid {

LoopSet Services::interested_loops(const Topic& topic) const {
  if (topic.internal) return 0;
  LoopSet result = interest.loops(topic.name);
  if (!routes.empty()) {
    std::vector<std::string_view> levels;
    bool wildcard = false;
    routes.first_levels(topic, levels, wildcard);
    if (wildcard) return interest.any();
    for (const auto level : levels) result |= interest.loops(level);
  }
  return result;
}

}  // namespace braid
