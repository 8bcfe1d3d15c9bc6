// Braid, Apache-2.0.
//
// Settings of a topic that Kafka has and that change nothing here, so that they have no place in TopicSettings: how it
// lays a partition out in files, compaction, tiers, replicas. Each takes the value that says what is true here and no
// other, so that nobody relies on what is not done.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/topic_settings.hpp"

namespace braid {

struct PlainTopicConfig {
  TopicConfigInfo info;
  std::string_view value;  ///< Kafka's default, the only one it takes
};
/// By name.
std::span<const PlainTopicConfig> plain_topic_config_table();
/// nullptr when there is none.
const PlainTopicConfig* find_plain_topic_config(std::string_view name);

}  // namespace braid
