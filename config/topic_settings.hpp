// Braid, Apache-2.0.
//
// A topic's settings under Kafka's names, plus `durability`. Stored as text in the catalog, parsed once when the topic
// is loaded; an unknown name or impossible value is refused when it is set, never stored and ignored.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "model/result.hpp"
#include "model/types.hpp"

namespace braid {

/// How a value is written, in Kafka's numbers.
enum class ConfigType : std::int8_t {
  unknown = 0,
  boolean = 1,
  text = 2,
  int32 = 3,
  int16 = 4,
  int64 = 5,
  real = 6,
  list = 7
};
/// Where a value comes from, in Kafka's numbers.
enum class ConfigSource : std::int8_t {
  topic = 1,
  broker = 2,
  cluster = 3,  ///< set for all brokers, in the catalog
  node = 4,     ///< the node's own settings
  built_in = 5,
  logger = 6
};

struct TopicSettings {
  Durability durability = Durability::sync;
  std::int64_t retention_ms = -1;
  std::int64_t retention_bytes = -1;
  std::int32_t max_message_bytes = 1048588;
  TimestampType timestamp_type = TimestampType::create_time;
  /// How far a producer's timestamps may lie behind and before the broker's clock.
  std::int64_t timestamp_before_max_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t timestamp_after_max_ms = 3600 * 1000;
  std::optional<Compression> compression;  ///< nothing: whatever the producer chose
  std::int32_t gzip_level = -1, lz4_level = 9, zstd_level = 3;

  /// For `compression`; nothing is the codec's own default.
  std::optional<int> compression_level() const {
    if (compression == Compression::gzip && gzip_level != -1) return gzip_level;
    if (compression == Compression::lz4) return lz4_level;
    if (compression == Compression::zstd) return zstd_level;
    return std::nullopt;
  }
  friend bool operator==(const TopicSettings&, const TopicSettings&) = default;
};

/// Kafka name -> text, as given by whoever created or altered the topic; holds only what differs from the defaults.
using TopicConfig = std::map<std::string, std::string>;

/// Values of `config` over the cluster's defaults (named as a topic's settings are) over the node's; the error is a
/// sentence for the user that names the key.
Result<TopicSettings, std::string> parse_topic_config(const TopicConfig& config, const TopicDefaults& defaults,
                                                      const TopicConfig& cluster_defaults = {});

/// One name that a topic's configuration may hold.
struct TopicConfigInfo {
  using Type = ConfigType;
  std::string_view name;
  Type type;
  std::string_view takes;         ///< for the reference page and for messages
  std::string_view default_text;  ///< for the reference page
  std::string_view text;
};
std::span<const TopicConfigInfo> topic_config_table();
/// What Kafka calls the broker's default for this setting of a topic ("log.retention.ms"); the reverse.
std::string_view broker_name_of(std::string_view topic_config);
std::optional<std::string_view> topic_name_of(std::string_view broker_config);

/// Every name with the value that holds, for CreateTopics' and DescribeConfigs' answers. `config` has been parsed.
struct TopicConfigEntry {
  /// A place that says something about the value, under the name that the setting has there.
  struct Origin {
    std::string_view name;
    std::string value;
    ConfigSource source;
  };
  const TopicConfigInfo* info = nullptr;
  std::string value;
  std::vector<Origin> origins;  ///< the first one is in force, the next one would be without it, ...
  ConfigSource source() const { return origins.front().source; }
};
std::vector<TopicConfigEntry> describe_topic_config(const TopicConfig& config, const TopicDefaults& defaults,
                                                    const TopicConfig& cluster_defaults = {});

}  // namespace braid
