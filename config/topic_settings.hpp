// Braid, Apache-2.0.
//
// A topic's settings under Kafka's names, plus `durability`. Stored as text in the catalog, parsed once when the topic
// is loaded; an unknown name or impossible value is refused when it is set, never stored and ignored.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

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

}  // namespace braid
