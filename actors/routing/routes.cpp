// Braid, Apache-2.0.
#include "actors/routing/routes.hpp"

#include "codecs/mqtt/topic.hpp"

namespace braid {

RouteTable::RouteTable(const std::vector<RouteSetting>& routes) : routes_(routes) {}

const RouteSetting* RouteTable::match(std::string_view name) const {
  for (const auto& route : routes_)
    if (mqtt::matches(route.filter, name)) return &route;
  return nullptr;
}

TopicRef RouteTable::topic_for(std::string_view name, const Directory& directory) const {
  const auto* route = match(name);
  auto topic = directory.find(route ? std::string_view(route->topic) : mqtt::first_level(name));
  return topic && topic->internal ? nullptr : topic;
}

bool RouteTable::belongs(std::string_view name, const Topic& topic) const {
  const auto* route = match(name);
  return topic.name == (route ? std::string_view(route->topic) : mqtt::first_level(name));
}

void RouteTable::first_levels(const Topic& topic, std::vector<std::string_view>& levels, bool& wildcard) const {
  levels.push_back(topic.name);
  for (const auto& route : routes_) {
    if (route.topic != topic.name) continue;
    const auto level = mqtt::first_level(route.filter);
    if (level == "+" || level == "#")
      wildcard = true;
    else
      levels.push_back(level);
  }
}

}  // namespace braid
