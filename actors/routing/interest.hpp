// Braid, Apache-2.0.
//
// Which loops have subscribers that a publish may concern. A partition that commits a batch, or a session that
// publishes, visits only those loops, and none when nobody subscribes: a Kafka-only workload pays one look-up per
// batch. Kept per first level of the topic name, since that is what a topic is named by.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "actors/routing/messages.hpp"

namespace braid {

/// A set of loops, a bit each.
using LoopSet = std::uint64_t;

class InterestTable {
 public:
  static constexpr std::size_t max_loops = 64;

  void note(const InterestChanged& change) {
    const LoopSet bit = LoopSet{1} << change.loop.value;
    if (change.wildcard_first) {
      wildcard_ = change.interested ? wildcard_ | bit : wildcard_ & ~bit;
      return;
    }
    const std::string level = change.first_level.str();
    if (change.interested) {
      levels_[level] |= bit;
    } else if (auto at = levels_.find(level); at != levels_.end() && (at->second &= ~bit) == 0) {
      levels_.erase(at);
    }
  }

  /// Loops with any subscriber at all.
  LoopSet any() const {
    LoopSet result = wildcard_;
    for (const auto& [level, loops] : levels_) result |= loops;
    return result;
  }

  /// Loops with a filter that can match names beginning with this level. `$` levels are not matched by filters that
  /// begin with a wildcard [MQTT-4.7.2-1].
  LoopSet loops(std::string_view first_level) const {
    LoopSet result = first_level.starts_with('$') ? 0 : wildcard_;
    if (!levels_.empty()) {
      // Heterogeneous look-up, so that asking does not allocate.
      if (auto at = levels_.find(first_level); at != levels_.end()) result |= at->second;
    }
    return result;
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  LoopSet wildcard_ = 0;
  std::unordered_map<std::string, LoopSet, Hash, std::equal_to<>> levels_;
};

}  // namespace braid
