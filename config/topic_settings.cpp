// Braid, Apache-2.0.
//
// A table again: each row has the name, how a text changes TopicSettings, and how the value is written. Rows without
// an effect of their own (`cleanup.policy`, ...) name what Braid does anyway, because clients and tools set them; they
// take that one value and refuse every other.
#include "config/topic_settings.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "config/suggest.hpp"
#include "config/topic_config_plain.hpp"
#include "config/units.hpp"

namespace braid {
namespace {

using Type = TopicConfigInfo::Type;

constexpr std::array<std::string_view, 3> durabilities{"memory", "os", "sync"};
constexpr std::array<std::string_view, 2> timestamp_types{"CreateTime", "LogAppendTime"};
/// In the order of Kafka's codec numbers; `producer` stands for none of them.
constexpr std::array<std::string_view, 5> compressions{"uncompressed", "gzip", "snappy", "lz4", "zstd"};

struct Row {
  TopicConfigInfo info;
  bool (*apply)(TopicSettings&, std::string_view);  ///< false: not a value for this name
  std::string (*format)(const TopicSettings&);
};

/// Whole numbers in base units, as Kafka has them: no "7d" here, because Kafka's own tools read these values too.
std::optional<std::int64_t> number(std::string_view text, std::int64_t minimum, std::int64_t maximum) {
  const auto value = parse_integer(text);
  return value && *value >= minimum && *value <= maximum ? value : std::nullopt;
}

template <class Target>
bool set_number(Target& target, std::string_view text, std::int64_t minimum, std::int64_t maximum) {
  const auto value = number(text, minimum, maximum);
  if (value) target = static_cast<Target>(*value);
  return value.has_value();
}

bool set_compression(std::optional<Compression>& target, std::string_view text) {
  const auto at = std::find(compressions.begin(), compressions.end(), text);
  if (at == compressions.end() && text != "producer") return false;
  target.reset();
  if (at != compressions.end()) target = static_cast<Compression>(at - compressions.begin());
  return true;
}

template <class Enum, std::size_t N>
bool set_enum(Enum& target, std::string_view text, const std::array<std::string_view, N>& names) {
  const auto at = std::find(names.begin(), names.end(), text);
  if (at != names.end()) target = static_cast<Enum>(at - names.begin());
  return at != names.end();
}

constexpr auto int64_max = std::numeric_limits<std::int64_t>::max();
constexpr auto int32_max = std::numeric_limits<std::int32_t>::max();

constexpr std::array<Row, 13> rows{{
    {{"cleanup.policy", Type::list, "`delete`", "`delete`", "What retention does with old records."},
     [](TopicSettings&, std::string_view text) { return text == "delete"; },
     [](const TopicSettings&) -> std::string { return "delete"; }},
    {{"compression.gzip.level", Type::int32, "-1 (zlib's default), 1 to 9", "`-1`",
      "How hard gzip tries, where `compression.type` is `gzip`."},
     [](TopicSettings& s, std::string_view text) { return text != "0" && set_number(s.gzip_level, text, -1, 9); },
     [](const TopicSettings& s) { return std::to_string(s.gzip_level); }},
    {{"compression.lz4.level", Type::int32, "1 to 17", "`9`",
      "How hard lz4 tries, where `compression.type` is `lz4`; 9 is the fast compressor, as in Kafka."},
     [](TopicSettings& s, std::string_view text) { return set_number(s.lz4_level, text, 1, 17); },
     [](const TopicSettings& s) { return std::to_string(s.lz4_level); }},
    {{"compression.type", Type::text, "`uncompressed`, `zstd`, `lz4`, `snappy`, `gzip`, `producer`", "`producer`",
      "The codec of what Kafka clients produce: `producer` keeps their choice, others compress anew what came "
      "otherwise."},
     [](TopicSettings& s, std::string_view text) { return set_compression(s.compression, text); },
     [](const TopicSettings& s) {
       return std::string(s.compression ? compressions.at(static_cast<std::size_t>(*s.compression)) : "producer");
     }},
    {{"compression.zstd.level", Type::int32, "-131072 to 22", "`3`",
      "How hard zstd tries, where `compression.type` is `zstd`."},
     [](TopicSettings& s, std::string_view text) { return set_number(s.zstd_level, text, -131072, 22); },
     [](const TopicSettings& s) { return std::to_string(s.zstd_level); }},
    {{"durability", Type::text, "`memory`, `os`, `sync`", "`topic_defaults.durability`",
      "When a write is acknowledged: never on disk, written, or synced."},
     [](TopicSettings& s, std::string_view text) { return set_enum(s.durability, text, durabilities); },
     [](const TopicSettings& s) { return std::string(durabilities.at(static_cast<std::size_t>(s.durability))); }},
    {{"max.message.bytes", Type::int32, "0 to 2147483647", "`topic_defaults.max_message_bytes`",
      "The largest record batch, compressed, that is taken."},
     [](TopicSettings& s, std::string_view text) { return set_number(s.max_message_bytes, text, 0, int32_max); },
     [](const TopicSettings& s) { return std::to_string(s.max_message_bytes); }},
    {{"message.timestamp.after.max.ms", Type::int64, "0 to 9223372036854775807", "`3600000`",
      "How far a producer's timestamp may lie after the broker's clock."},
     [](TopicSettings& s, std::string_view text) { return set_number(s.timestamp_after_max_ms, text, 0, int64_max); },
     [](const TopicSettings& s) { return std::to_string(s.timestamp_after_max_ms); }},
    {{"message.timestamp.before.max.ms", Type::int64, "0 to 9223372036854775807", "`9223372036854775807`",
      "How far a producer's timestamp may lie before the broker's clock."},
     [](TopicSettings& s, std::string_view text) { return set_number(s.timestamp_before_max_ms, text, 0, int64_max); },
     [](const TopicSettings& s) { return std::to_string(s.timestamp_before_max_ms); }},
    {{"message.timestamp.type", Type::text, "`CreateTime`, `LogAppendTime`", "`CreateTime`",
      "Whose clock a record's time is from: its producer's, or the broker's."},
     [](TopicSettings& s, std::string_view text) { return set_enum(s.timestamp_type, text, timestamp_types); },
     [](const TopicSettings& s) {
       return std::string(timestamp_types.at(static_cast<std::size_t>(s.timestamp_type)));
     }},
    {{"min.insync.replicas", Type::int32, "1", "`1`", "A partition has one replica."},
     [](TopicSettings&, std::string_view text) { return text == "1"; },
     [](const TopicSettings&) -> std::string { return "1"; }},
    {{"retention.bytes", Type::int64, "-1 (no limit) to 9223372036854775807", "`topic_defaults.retention_bytes`",
      "How much each partition keeps."},
     [](TopicSettings& s, std::string_view text) { return set_number(s.retention_bytes, text, -1, int64_max); },
     [](const TopicSettings& s) { return std::to_string(s.retention_bytes); }},
    {{"retention.ms", Type::int64, "-1 (forever) to 9223372036854775807", "`topic_defaults.retention`",
      "How long records are kept, in milliseconds."},
     [](TopicSettings& s, std::string_view text) { return set_number(s.retention_ms, text, -1, int64_max); },
     [](const TopicSettings& s) { return std::to_string(s.retention_ms); }},
}};

constexpr auto infos = [] {
  std::array<TopicConfigInfo, rows.size()> result{};
  for (std::size_t i = 0; i < rows.size(); ++i) result[i] = rows[i].info;
  return result;
}();

/// What the table says to a reader of Markdown, without its quotes.
std::string plain(std::string_view text) {
  std::string result(text);
  std::erase(result, '`');
  return result;
}

std::string shortened(std::string_view text) {
  constexpr std::size_t longest_shown = 80;
  return std::string(text.substr(0, longest_shown)) + (text.size() > longest_shown ? "..." : "");
}

TopicSettings settings_of(const TopicDefaults& defaults) {
  TopicSettings settings;
  settings.durability = defaults.durability;
  settings.retention_ms = defaults.retention_ms;
  settings.retention_bytes = defaults.retention_bytes;
  settings.max_message_bytes = defaults.max_message_bytes;
  return settings;
}

std::string unknown_name(std::string_view name) {
  std::vector<std::string_view> known;
  for (const auto& info : topic_config_table()) known.push_back(info.name);
  const auto near = nearest_name(name, known);
  return "unknown topic setting '" + shortened(name) + "'" +
         (near.empty() ? std::string{} : ", did you mean '" + std::string(near) + "'?");
}

}  // namespace

std::span<const TopicConfigInfo> topic_config_table() {
  static const std::vector<TopicConfigInfo> all = [] {
    std::vector<TopicConfigInfo> table(infos.begin(), infos.end());
    for (const auto& row : plain_topic_config_table()) table.push_back(row.info);
    std::sort(table.begin(), table.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return table;
  }();
  return all;
}

namespace {

const Row* find_row(std::string_view name) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.info.name == name; });
  return row == rows.end() ? nullptr : &*row;
}

/// Applies each of the texts; what is wrong with the first bad one, or nothing.
std::string apply_all(TopicSettings& settings, const TopicConfig& config) {
  for (const auto& [name, text] : config) {
    const Row* row = find_row(name);
    const PlainTopicConfig* without_effect = row ? nullptr : find_plain_topic_config(name);
    if (!row && !without_effect) return unknown_name(name);
    if (row ? row->apply(settings, text) : text == without_effect->value) continue;
    const TopicConfigInfo& info = row ? row->info : without_effect->info;
    return name + ": expected " + plain(info.takes) + ", not '" + shortened(text) + "'";
  }
  return {};
}

/// A setting's value in each of the places that may say something about it.
struct Values {
  std::optional<std::string> topic, cluster, node;
  std::string built_in;
};
TopicConfigEntry entry_of(const TopicConfigInfo& info, Values values) {
  TopicConfigEntry entry;
  entry.info = &info;
  const std::string_view broker_name = broker_name_of(info.name);
  const auto add = [&](std::string_view name, std::optional<std::string> value, ConfigSource source) {
    if (value) entry.origins.push_back({name, *std::move(value), source});
  };
  add(info.name, std::move(values.topic), ConfigSource::topic);
  add(broker_name, std::move(values.cluster), ConfigSource::cluster);
  add(broker_name, std::move(values.node), ConfigSource::node);
  add(broker_name, std::move(values.built_in), ConfigSource::built_in);
  entry.value = entry.origins.front().value;
  return entry;
}

}  // namespace

Result<TopicSettings, std::string> parse_topic_config(const TopicConfig& config, const TopicDefaults& defaults,
                                                      const TopicConfig& cluster_defaults) {
  auto settings = settings_of(defaults);
  if (auto problem = apply_all(settings, cluster_defaults); !problem.empty()) return Unexpected{std::move(problem)};
  if (auto problem = apply_all(settings, config); !problem.empty()) return Unexpected{std::move(problem)};
  return settings;
}

std::vector<TopicConfigEntry> describe_topic_config(const TopicConfig& config, const TopicDefaults& defaults,
                                                    const TopicConfig& cluster_defaults) {
  const TopicSettings built_in = settings_of(TopicDefaults{});
  const TopicSettings of_node = settings_of(defaults);
  const TopicSettings of_cluster = parse_topic_config({}, defaults, cluster_defaults).value_or(of_node);
  const TopicSettings of_topic = parse_topic_config(config, defaults, cluster_defaults).value_or(of_cluster);
  std::vector<TopicConfigEntry> entries;
  for (const TopicConfigInfo& info : topic_config_table()) {
    const auto set_on_topic = config.find(std::string(info.name));
    const auto set_on_cluster = cluster_defaults.find(std::string(info.name));
    Values values;
    if (const Row* row = find_row(info.name)) {
      if (set_on_topic != config.end()) values.topic = row->format(of_topic);
      if (set_on_cluster != cluster_defaults.end()) values.cluster = row->format(of_cluster);
      values.built_in = row->format(built_in);
      if (auto text = row->format(of_node); text != values.built_in) values.node = std::move(text);
    } else {
      if (set_on_topic != config.end()) values.topic = set_on_topic->second;
      if (set_on_cluster != cluster_defaults.end()) values.cluster = set_on_cluster->second;
      values.built_in = find_plain_topic_config(info.name)->value;
    }
    entries.push_back(entry_of(info, std::move(values)));
  }
  return entries;
}

}  // namespace braid
