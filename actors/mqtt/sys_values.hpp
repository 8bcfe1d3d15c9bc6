// Braid, Apache-2.0.
//
// What the broker says of itself under $SYS/broker, in the names and forms that Mosquitto made common and dashboards
// know: from the counters of all loops to names and texts. A plain class; it remembers what it said last, for averages
// and so that only what has changed is said again.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/metrics.hpp"

namespace braid::mqtt {

/// Names under $SYS are the broker's: clients may read them and not publish there.
inline bool is_broker_topic(std::string_view name) {
  constexpr std::string_view root = "$SYS";
  return name.starts_with(root) && (name.size() == root.size() || name[root.size()] == '/');
}

class SysValues {
 public:
  using Value = std::pair<std::string, std::string>;  ///< topic name, payload

  /// The values that differ from the last time. `now_ms` is of a monotonic clock.
  std::vector<Value> update(const LoopMetrics& totals, std::int64_t now_ms);

 private:
  /// Averages over one, five and fifteen minutes, as a rate per minute.
  struct Load {
    std::uint64_t last = 0;
    std::array<double, 3> averages{};
  };
  void set(std::vector<Value>& changed, std::string name, std::string text);
  void set_load(std::vector<Value>& changed, const std::string& name, std::uint64_t total, std::int64_t passed_ms);

  std::map<std::string, std::string> said_;
  std::map<std::string, Load> loads_;
  std::int64_t started_ms_ = -1, last_ms_ = 0;
  std::uint64_t most_connections_ = 0;
};

}  // namespace braid::mqtt
