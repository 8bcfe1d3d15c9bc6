// Braid, Apache-2.0.
//
// The table of the cluster's settings.
#include "persistence/catalog/cluster_settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace braid {
namespace {

constexpr std::array cluster_settings{
    ClusterSettingInfo{"catalog.max_topics", &ClusterSettings::max_topics, 1, 10'000'000, "topics in the cluster"},
    ClusterSettingInfo{"catalog.max_partitions", &ClusterSettings::max_partitions, 1, 100'000'000,
                       "partitions of all topics together"},
    ClusterSettingInfo{"catalog.max_partitions_per_topic", &ClusterSettings::max_partitions_per_topic, 1, 1'000'000,
                       "partitions of one topic"},
    ClusterSettingInfo{"catalog.max_client_quotas", &ClusterSettings::max_client_quotas, 1, 1'000'000,
                       "quotas of Kafka clients"},
};

/// Only a value that a topic could have too.
Outcome<std::string> set_topic_default(ClusterSettings& settings, std::string_view name,
                                       std::optional<std::string_view> text) {
  if (!text) {
    settings.topic_defaults.erase(std::string(name));
    return ok;
  }
  TopicConfig one{{std::string(name), std::string(*text)}};
  if (auto parsed = parse_topic_config(one, TopicDefaults{}); !parsed) return Unexpected{parsed.error()};
  settings.topic_defaults.insert_or_assign(std::string(name), std::string(*text));
  return ok;
}

}  // namespace

std::span<const ClusterSettingInfo> cluster_setting_table() {
  return cluster_settings;
}

Outcome<std::string> set_cluster_setting(ClusterSettings& settings, std::string_view key,
                                         std::optional<std::string_view> text) {
  if (key.starts_with(kTopicDefaultPrefix))
    return set_topic_default(settings, key.substr(kTopicDefaultPrefix.size()), text);
  const auto* info = std::find_if(cluster_settings.begin(), cluster_settings.end(),
                                  [&](const auto& entry) { return entry.key == key; });
  if (info == cluster_settings.end())
    return Unexpected{"there is no cluster setting \"" + std::string(key.substr(0, 100)) + "\""};
  if (!text) {
    settings.*info->value = ClusterSettings{}.*info->value;
    return ok;
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size() || value < info->lowest || value > info->highest)
    return Unexpected{std::string(key) + ": expected a whole number from " + std::to_string(info->lowest) + " to " +
                      std::to_string(info->highest) + ", not \"" + std::string(text->substr(0, 100)) + "\""};
  settings.*info->value = value;
  return ok;
}

}  // namespace braid
