// Braid, Apache-2.0.
//
// Settings of the cluster, as opposed to those of a node: they live in the catalog, are changed by commands, and hold
// for every node. One table names them; a key that is not in it, or a value outside its limits, is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/topic_settings.hpp"
#include "model/result.hpp"

namespace braid {

/// Values in force. Limits are there since every client that may create topics could otherwise fill the memory of
/// all nodes.
struct ClusterSettings {
  std::int64_t max_topics = 1'000'000;
  std::int64_t max_partitions = 1'000'000;
  std::int64_t max_partitions_per_topic = 100'000;
  std::int64_t max_client_quotas = 10'000;
  /// What holds for topics that do not say themselves, under the names of a topic's settings; before the node's.
  TopicConfig topic_defaults;
  friend bool operator==(const ClusterSettings&, const ClusterSettings&) = default;
};

/// A key that begins so is a default for topics: "topic.retention.ms".
inline constexpr std::string_view kTopicDefaultPrefix = "topic.";

struct ClusterSettingInfo {
  std::string_view key;
  std::int64_t ClusterSettings::*value;
  std::int64_t lowest, highest;
  std::string_view text;  ///< for the reference page
};
std::span<const ClusterSettingInfo> cluster_setting_table();

/// Sets `key` to what `text` says, or to its default when there is none; the error is a sentence for the user.
Outcome<std::string> set_cluster_setting(ClusterSettings& settings, std::string_view key,
                                         std::optional<std::string_view> text);

}  // namespace braid
