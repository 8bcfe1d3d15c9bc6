// Braid, Apache-2.0.
#include "config/topic_config_plain.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "config/units.hpp"

namespace braid {
namespace {

using Type = TopicConfigInfo::Type;

constexpr std::string_view no_files = "How Kafka lays out its files. Partitions have no files of their own here.";
constexpr std::string_view no_tiers = "Old records are not moved to another store.";
constexpr std::string_view no_replication = "There is one replica, so nothing is replicated.";
constexpr std::string_view no_compaction = "What compaction would do; `cleanup.policy` says that there is none.";
constexpr std::string_view no_flush = "Writes are made durable as `durability` says.";

constexpr PlainTopicConfig layout(std::string_view name, Type type, std::string_view value, std::string_view takes,
                                  std::int64_t minimum) {
  return {{name, type, takes, value, no_files}, value, true, minimum};
}
constexpr PlainTopicConfig fixed(std::string_view name, Type type, std::string_view value, std::string_view text) {
  return {{name, type, value.empty() ? "nothing" : value, value, text}, value, false, 0};
}

constexpr std::array table{
    fixed("delete.retention.ms", Type::int64, "86400000", no_compaction),
    layout("file.delete.delay.ms", Type::int64, "60000", "0 or more", 0),
    fixed("flush.messages", Type::int64, "9223372036854775807", no_flush),
    fixed("flush.ms", Type::int64, "9223372036854775807", no_flush),
    fixed("follower.replication.throttled.replicas", Type::list, "", no_replication),
    layout("index.interval.bytes", Type::int32, "4096", "0 or more", 0),
    fixed("leader.replication.throttled.replicas", Type::list, "", no_replication),
    fixed("local.retention.bytes", Type::int64, "-2", no_tiers),
    fixed("local.retention.ms", Type::int64, "-2", no_tiers),
    fixed("max.compaction.lag.ms", Type::int64, "9223372036854775807", no_compaction),
    fixed("min.cleanable.dirty.ratio", Type::real, "0.5", no_compaction),
    fixed("min.compaction.lag.ms", Type::int64, "0", no_compaction),
    layout("preallocate", Type::boolean, "false", "true, false", 0),
    fixed("remote.log.copy.disable", Type::boolean, "false", no_tiers),
    fixed("remote.log.delete.on.disable", Type::boolean, "false", no_tiers),
    fixed("remote.storage.enable", Type::boolean, "false", no_tiers),
    layout("segment.bytes", Type::int32, "1073741824", "14 or more", 14),
    layout("segment.index.bytes", Type::int32, "10485760", "4 or more", 4),
    layout("segment.jitter.ms", Type::int64, "0", "0 or more", 0),
    layout("segment.ms", Type::int64, "604800000", "1 or more", 1),
    fixed("unclean.leader.election.enable", Type::boolean, "false", no_replication),
};
static_assert(std::is_sorted(table.begin(), table.end(), [](const PlainTopicConfig& a, const PlainTopicConfig& b) {
  return a.info.name < b.info.name;
}));

}  // namespace

std::span<const PlainTopicConfig> plain_topic_config_table() {
  return table;
}

const PlainTopicConfig* find_plain_topic_config(std::string_view name) {
  const auto row =
      std::find_if(table.begin(), table.end(), [&](const PlainTopicConfig& one) { return one.info.name == name; });
  return row == table.end() ? nullptr : &*row;
}

bool takes(const PlainTopicConfig& config, std::string_view text) {
  if (!config.any) return text == config.value;
  if (config.info.type == Type::boolean) return text == "true" || text == "false";
  const auto value = parse_integer(text);
  const bool fits = config.info.type == Type::int64 || (value && *value <= std::numeric_limits<std::int32_t>::max());
  return value && fits && *value >= config.minimum;
}

}  // namespace braid
