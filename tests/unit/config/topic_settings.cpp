// Braid, Apache-2.0.
#include "config/topic_settings.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace braid;

namespace {

std::string error_of(const TopicConfig& config) {
  const auto settings = parse_topic_config(config, TopicDefaults{});
  return settings ? "none" : settings.error();
}

}  // namespace

TEST_CASE("a topic without settings has the node's defaults") {
  TopicDefaults defaults;
  defaults.durability = Durability::memory;
  defaults.retention_ms = 5;
  defaults.retention_bytes = 6;
  defaults.max_message_bytes = 7;
  const auto settings = parse_topic_config({}, defaults);
  REQUIRE(settings);
  CHECK(settings->durability == Durability::memory);
  CHECK(settings->retention_ms == 5);
  CHECK(settings->retention_bytes == 6);
  CHECK(settings->max_message_bytes == 7);
  CHECK(settings->timestamp_type == TimestampType::create_time);
}

TEST_CASE("a topic's own settings go before the defaults") {
  const auto settings = parse_topic_config({{"durability", "os"},
                                            {"retention.ms", "-1"},
                                            {"retention.bytes", "1000000"},
                                            {"max.message.bytes", "2147483647"},
                                            {"message.timestamp.type", "LogAppendTime"},
                                            {"cleanup.policy", "delete"},
                                            {"compression.type", "producer"},
                                            {"min.insync.replicas", "1"}},
                                           TopicDefaults{});
  REQUIRE(settings);
  CHECK(settings->durability == Durability::os);
  CHECK(settings->retention_ms == -1);
  CHECK(settings->retention_bytes == 1000000);
  CHECK(settings->max_message_bytes == 2147483647);
  CHECK(settings->timestamp_type == TimestampType::log_append_time);
}

TEST_CASE("an unknown name is refused, with what was meant") {
  CHECK(error_of({{"retention.sm", "1"}}) == "unknown topic setting 'retention.sm', did you mean 'retention.ms'?");
  CHECK(error_of({{"message.downconversion.enable", "true"}}) ==
        "unknown topic setting 'message.downconversion.enable'");
  CHECK(error_of({{"", "1"}}) == "unknown topic setting ''");
  CHECK(error_of({{std::string(10000, 'x'), "1"}}).size() < 200);
}

TEST_CASE("an impossible value is refused, with what was expected") {
  CHECK(error_of({{"retention.ms", "7d"}}) == "retention.ms: expected -1 (forever) to 9223372036854775807, not '7d'");
  CHECK(error_of({{"retention.ms", "-2"}}) == "retention.ms: expected -1 (forever) to 9223372036854775807, not '-2'");
  CHECK(error_of({{"retention.bytes", "9223372036854775808"}}) ==
        "retention.bytes: expected -1 (no limit) to 9223372036854775807, not '9223372036854775808'");
  CHECK(error_of({{"max.message.bytes", "2147483648"}}) ==
        "max.message.bytes: expected 0 to 2147483647, not '2147483648'");
  CHECK(error_of({{"durability", "Sync"}}) == "durability: expected memory, os, sync, not 'Sync'");
  CHECK(error_of({{"message.timestamp.type", ""}}) ==
        "message.timestamp.type: expected CreateTime, LogAppendTime, not ''");
  CHECK(error_of({{"cleanup.policy", "compact"}}) == "cleanup.policy: expected delete, not 'compact'");
  CHECK(error_of({{"compression.type", "none"}}) ==
        "compression.type: expected uncompressed, zstd, lz4, snappy, gzip, producer, not 'none'");
  CHECK(error_of({{"compression.gzip.level", "0"}}) ==
        "compression.gzip.level: expected -1 (zlib's default), 1 to 9, not '0'");
  CHECK(error_of({{"compression.lz4.level", "18"}}) == "compression.lz4.level: expected 1 to 17, not '18'");
  CHECK(error_of({{"compression.zstd.level", "23"}}) == "compression.zstd.level: expected -131072 to 22, not '23'");
  CHECK(error_of({{"message.timestamp.after.max.ms", "-1"}}) ==
        "message.timestamp.after.max.ms: expected 0 to 9223372036854775807, not '-1'");
  CHECK(error_of({{"min.insync.replicas", "2"}}) == "min.insync.replicas: expected 1, not '2'");
}

TEST_CASE("settings of Kafka's files are taken, and those of what is not done here are refused") {
  CHECK(error_of({{"segment.bytes", "1073741824"}, {"segment.ms", "604800000"}, {"preallocate", "false"}}) == "none");
  CHECK(error_of({{"segment.bytes", "52428800"}}) == "segment.bytes: expected 1073741824, not '52428800'");
  CHECK(error_of({{"preallocate", "true"}}) == "preallocate: expected false, not 'true'");
  CHECK(error_of({{"remote.storage.enable", "false"}, {"min.cleanable.dirty.ratio", "0.5"}}) == "none");
  CHECK(error_of({{"remote.storage.enable", "true"}}) == "remote.storage.enable: expected false, not 'true'");
  CHECK(error_of({{"flush.ms", "1000"}}) == "flush.ms: expected 9223372036854775807, not '1000'");
  CHECK(error_of({{"leader.replication.throttled.replicas", "*"}}) ==
        "leader.replication.throttled.replicas: expected nothing, not '*'");
}

TEST_CASE("defaults of the cluster lie between the topic's settings and the node's") {
  TopicDefaults node;
  node.retention_bytes = 100;
  const TopicConfig cluster{{"retention.ms", "5"}, {"retention.bytes", "50"}, {"segment.bytes", "1073741824"}};
  const auto settings = parse_topic_config({{"retention.ms", "7"}}, node, cluster);
  REQUIRE(settings);
  CHECK(settings->retention_ms == 7);
  CHECK(settings->retention_bytes == 50);
  const auto entries = describe_topic_config({{"retention.ms", "7"}}, node, cluster);
  const auto origins = [&](std::string_view name) {
    std::string text;
    for (const auto& entry : entries)
      if (entry.info->name == name)
        for (const auto& origin : entry.origins)
          text += std::string(origin.name) + "=" + origin.value + "/" +
                  std::to_string(static_cast<int>(origin.source)) + " ";
    return text;
  };
  CHECK(origins("retention.ms") == "retention.ms=7/1 log.retention.ms=5/3 log.retention.ms=604800000/5 ");
  CHECK(origins("retention.bytes") == "log.retention.bytes=50/3 log.retention.bytes=100/4 log.retention.bytes=-1/5 ");
  CHECK(origins("segment.bytes") == "log.segment.bytes=1073741824/3 log.segment.bytes=1073741824/5 ");
  CHECK(parse_topic_config({}, node, {{"no.such", "1"}}).error() == "unknown topic setting 'no.such'");
}

TEST_CASE("a topic's codec and its level") {
  const auto settings_of = [](const TopicConfig& config) {
    const auto settings = parse_topic_config(config, TopicDefaults{});
    REQUIRE(settings);
    return *settings;
  };
  CHECK_FALSE(settings_of({}).compression);
  CHECK_FALSE(settings_of({{"compression.type", "producer"}}).compression);
  CHECK(settings_of({{"compression.type", "uncompressed"}}).compression == Compression::none);
  CHECK(settings_of({{"compression.type", "snappy"}}).compression == Compression::snappy);
  CHECK_FALSE(settings_of({{"compression.type", "gzip"}}).compression_level());
  CHECK(settings_of({{"compression.type", "gzip"}, {"compression.gzip.level", "9"}}).compression_level() == 9);
  CHECK(settings_of({{"compression.type", "lz4"}, {"compression.gzip.level", "8"}}).compression_level() == 9);
  CHECK(settings_of({{"compression.type", "zstd"}, {"compression.zstd.level", "-7"}}).compression_level() == -7);
}

TEST_CASE("the description holds every name with the value in force, and whether it is a default") {
  const TopicConfig config{{"retention.ms", "60000"}, {"durability", "os"}};
  const auto entries = describe_topic_config(config, TopicDefaults{});
  CHECK(entries.size() == topic_config_table().size());
  auto find = [&](std::string_view name) {
    const auto at = std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.info->name == name; });
    REQUIRE(at != entries.end());
    return at->value + (at->source() == ConfigSource::topic ? " set" : " default");
  };
  CHECK(find("retention.ms") == "60000 set");
  CHECK(find("durability") == "os set");
  CHECK(find("retention.bytes") == "-1 default");
  CHECK(find("max.message.bytes") == "1048588 default");
  CHECK(find("cleanup.policy") == "delete default");
  // Each value is one that the table itself takes.
  TopicConfig all;
  for (const auto& entry : entries) all[std::string(entry.info->name)] = entry.value;
  CHECK(error_of(all) == "none");
}
