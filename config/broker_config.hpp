// Braid, Apache-2.0.
//
// The node's settings under the names that Kafka's tools and UIs know them by. They are told, and cannot be set over
// Kafka's protocol: they belong to the node, which reads them when it starts. What can be set while brokers run are the
// defaults for topics (topic_settings.hpp), for the whole cluster.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/settings.hpp"
#include "config/topic_settings.hpp"

namespace braid {

struct BrokerConfigInfo {
  std::string_view name;  ///< Kafka's
  ConfigType type;
  std::string_view setting;  ///< Braid's name of it; empty where there is nothing to set
  std::string_view text;     ///< where no setting says it
  std::string (*value)(const Settings&);
};
std::span<const BrokerConfigInfo> broker_config_table();

/// What it is, for DescribeConfigs and the reference.
std::string broker_config_text(const BrokerConfigInfo&);

/// The tables of docs/kafka.md: every setting that Kafka's clients see. A test compares the page with this text.
std::string kafka_config_reference();

}  // namespace braid
