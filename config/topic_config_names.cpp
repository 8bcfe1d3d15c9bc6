// Braid, Apache-2.0.
//
// A topic's settings and the broker's defaults for them have different names in Kafka, by no rule that could be
// computed. The broker's name is the one that `kafka-configs --entity-type brokers` takes.
#include <algorithm>
#include <array>

#include "config/topic_settings.hpp"

namespace braid {
namespace {

struct Pair {
  std::string_view topic, broker;
};
constexpr std::array pairs{
    Pair{"cleanup.policy", "log.cleanup.policy"},
    Pair{"delete.retention.ms", "log.cleaner.delete.retention.ms"},
    Pair{"file.delete.delay.ms", "log.segment.delete.delay.ms"},
    Pair{"flush.messages", "log.flush.interval.messages"},
    Pair{"flush.ms", "log.flush.interval.ms"},
    Pair{"index.interval.bytes", "log.index.interval.bytes"},
    Pair{"local.retention.bytes", "log.local.retention.bytes"},
    Pair{"local.retention.ms", "log.local.retention.ms"},
    Pair{"max.compaction.lag.ms", "log.cleaner.max.compaction.lag.ms"},
    Pair{"max.message.bytes", "message.max.bytes"},
    Pair{"message.timestamp.after.max.ms", "log.message.timestamp.after.max.ms"},
    Pair{"message.timestamp.before.max.ms", "log.message.timestamp.before.max.ms"},
    Pair{"message.timestamp.type", "log.message.timestamp.type"},
    Pair{"min.cleanable.dirty.ratio", "log.cleaner.min.cleanable.ratio"},
    Pair{"min.compaction.lag.ms", "log.cleaner.min.compaction.lag.ms"},
    Pair{"preallocate", "log.preallocate"},
    Pair{"retention.bytes", "log.retention.bytes"},
    Pair{"retention.ms", "log.retention.ms"},
    Pair{"segment.bytes", "log.segment.bytes"},
    Pair{"segment.index.bytes", "log.index.size.max.bytes"},
    Pair{"segment.jitter.ms", "log.roll.jitter.ms"},
    Pair{"segment.ms", "log.roll.ms"},
};

}  // namespace

std::string_view broker_name_of(std::string_view topic_config) {
  const auto pair = std::find_if(pairs.begin(), pairs.end(), [&](const Pair& p) { return p.topic == topic_config; });
  return pair == pairs.end() ? topic_config : pair->broker;  // the others are called the same in both places
}

std::optional<std::string_view> topic_name_of(std::string_view broker_config) {
  for (const TopicConfigInfo& info : topic_config_table())
    if (broker_name_of(info.name) == broker_config) return info.name;
  return std::nullopt;
}

}  // namespace braid
