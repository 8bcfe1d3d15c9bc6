// Braid, Apache-2.0.
#include "actors/services.hpp"

namespace braid {

namespace {

/// A limit that the settings give for the node is shared out evenly over the loops.
kafka::FetchSessions::Limits fetch_session_limits(const KafkaSettings& settings, std::size_t loop, std::size_t loops) {
  const auto share = [loops](std::size_t all) { return (all + loops - 1) / loops; };
  return {share(settings.fetch_session_slots), share(settings.fetch_session_partitions), settings.fetch_session_idle_ms,
          loop, loops};
}

}  // namespace

Services::Services(Loop& own_loop, std::size_t number_of_loops, const Settings& node_settings,
                   const RouteTable& route_table, MemoryBudget& memory_budget)
    : loop(own_loop),
      settings(node_settings),
      routes(route_table),
      budget(memory_budget),
      loops(number_of_loops),
      fetch_sessions(fetch_session_limits(node_settings.kafka_protocol, own_loop.index().value, number_of_loops),
                     [&own_loop] { return own_loop.random(); }),
      amqp(own_loop.random()) {}

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
