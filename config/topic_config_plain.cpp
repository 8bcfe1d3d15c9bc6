// Braid, Apache-2.0.
#include "config/topic_config_plain.hpp"

#include <algorithm>
#include <array>

namespace braid {
namespace {

using Type = TopicConfigInfo::Type;

constexpr std::string_view no_files = "How Kafka lays out its files. Partitions have no files of their own here.";
constexpr std::string_view no_tiers = "Old records are not moved to another store.";
constexpr std::string_view no_replication = "There is one replica, so nothing is replicated.";
constexpr std::string_view no_compaction = "What compaction would do; `cleanup.policy` says that there is none.";
constexpr std::string_view no_flush = "Writes are made durable as `durability` says.";

constexpr PlainTopicConfig fixed(std::string_view name, Type type, std::string_view value, std::string_view text) {
  return {{name, type, value.empty() ? "nothing" : value, value, text}, value};
}

constexpr std::array plain_configs{
    fixed("delete.retention.ms", Type::int64, "86400000", no_compaction),
    fixed("file.delete.delay.ms", Type::int64, "60000", no_files),
    fixed("flush.messages", Type::int64, "9223372036854775807", no_flush),
    fixed("flush.ms", Type::int64, "9223372036854775807", no_flush),
    fixed("follower.replication.throttled.replicas", Type::list, "", no_replication),
    fixed("index.interval.bytes", Type::int32, "4096", no_files),
    fixed("leader.replication.throttled.replicas", Type::list, "", no_replication),
    fixed("local.retention.bytes", Type::int64, "-2", no_tiers),
    fixed("local.retention.ms", Type::int64, "-2", no_tiers),
    fixed("max.compaction.lag.ms", Type::int64, "9223372036854775807", no_compaction),
    fixed("min.cleanable.dirty.ratio", Type::real, "0.5", no_compaction),
    fixed("min.compaction.lag.ms", Type::int64, "0", no_compaction),
    fixed("preallocate", Type::boolean, "false", no_files),
    fixed("remote.log.copy.disable", Type::boolean, "false", no_tiers),
    fixed("remote.log.delete.on.disable", Type::boolean, "false", no_tiers),
    fixed("remote.storage.enable", Type::boolean, "false", no_tiers),
    fixed("segment.bytes", Type::int32, "1073741824", no_files),
    fixed("segment.index.bytes", Type::int32, "10485760", no_files),
    fixed("segment.jitter.ms", Type::int64, "0", no_files),
    fixed("segment.ms", Type::int64, "604800000", no_files),
    fixed("unclean.leader.election.enable", Type::boolean, "false", no_replication),
};
static_assert(std::is_sorted(plain_configs.begin(), plain_configs.end(),
                             [](const PlainTopicConfig& a, const PlainTopicConfig& b) {
                               return a.info.name < b.info.name;
                             }));

}  // namespace

std::span<const PlainTopicConfig> plain_topic_config_table() {
  return plain_configs;
}

const PlainTopicConfig* find_plain_topic_config(std::string_view name) {
  const auto row = std::find_if(plain_configs.begin(), plain_configs.end(),
                                [&](const PlainTopicConfig& one) { return one.info.name == name; });
  return row == plain_configs.end() ? nullptr : &*row;
}

}  // namespace braid
