// Braid, Apache-2.0.
//
// Which topic stores what is published under an MQTT topic name: the first route whose filter matches, else the topic
// that is named as the name's first level, else none (live traffic). Partitions of a topic are chosen by the whole name
// as Kafka's clients choose them by key, so that a name's messages stay in order (docs/protocol-mapping.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cluster/directory.hpp"
#include "config/settings.hpp"

namespace braid {

class RouteTable {
 public:
  explicit RouteTable(const std::vector<RouteSetting>& routes);
  bool empty() const { return routes_.empty(); }

  /// The topic that stores `name`, or null. Internal topics are never published to.
  TopicRef topic_for(std::string_view name, const Directory& directory) const;
  /// The MQTT name that a record with this key has for subscribers: the key, when it is a valid topic name that
  /// belongs to `topic`; the topic's own name otherwise.
  bool belongs(std::string_view name, const Topic& topic) const;
  /// First levels that names stored in `topic` may begin with. `wildcard` is set when a route's filter begins with a
  /// wildcard, so that any level may.
  void first_levels(const Topic& topic, std::vector<std::string_view>& levels, bool& wildcard) const;

 private:
  const RouteSetting* match(std::string_view name) const;
  std::vector<RouteSetting> routes_;
};

}  // namespace braid
