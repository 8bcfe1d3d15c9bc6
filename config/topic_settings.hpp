// Braid, Apache-2.0.
//
// A topic's settings under Kafka's names, plus `durability`. Stored as text in the catalog, parsed once when the topic
// is loaded; an unknown name or impossible value is refused when it is set, never stored and ignored.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "model/result.hpp"
#include "model/types.hpp"

namespace braid {

struct TopicSettings {
  Durability durability = Durability::sync;
  std::int64_t retention_ms = -1;
  std::int64_t retention_bytes = -1;
  std::int32_t max_message_bytes = 1048588;
  TimestampType timestamp_type = TimestampType::create_time;
};

/// Kafka name -> text, as given by whoever created or altered the topic; holds only what differs from the defaults.
using TopicConfig = std::map<std::string, std::string>;

/// Values of `config` over `defaults`; the error is a sentence for the user that names the key.
Result<TopicSettings, std::string> parse_topic_config(const TopicConfig& config, const TopicDefaults& defaults);

/// One name that a topic's configuration may hold.
struct TopicConfigInfo {
  enum class Type { text, int32, int64 };  ///< as Kafka's DescribeConfigs tells them apart
  std::string_view name;
  Type type;
  std::string_view takes;         ///< for the reference page and for messages
  std::string_view default_text;  ///< for the reference page
  std::string_view text;
};
std::span<const TopicConfigInfo> topic_config_table();

/// Every name with the value that holds, for CreateTopics' and DescribeConfigs' answers. `config` has been parsed.
struct TopicConfigEntry {
  const TopicConfigInfo* info = nullptr;
  std::string value;
  bool is_default = true;
};
std::vector<TopicConfigEntry> describe_topic_config(const TopicConfig& config, const TopicDefaults& defaults);

}  // namespace braid
