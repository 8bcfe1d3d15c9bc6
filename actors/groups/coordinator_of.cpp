// Braid, Apache-2.0.
#include "actors/groups/coordinator_of.hpp"

#include "actors/internal_topics.hpp"

namespace braid {

namespace {

/// The next code point, and the text without it.
std::uint32_t take_code_point(std::string_view& text) {
  constexpr std::uint32_t kReplacement = 0xfffd;
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = at(0);
  if (first < 0x80) return text.remove_prefix(1), first;
  const std::size_t length = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  std::uint32_t point = length == 4 ? first & 0x07 : length == 3 ? first & 0x0f : first & 0x1f;
  bool whole = length != 0 && first < 0xf5 && text.size() >= length;
  for (std::size_t i = 1; whole && i < length; ++i) {
    whole = (at(i) & 0xc0) == 0x80;
    point = point << 6 | (at(i) & 0x3f);
  }
  if (!whole) return text.remove_prefix(1), kReplacement;
  text.remove_prefix(length);
  return point;
}

}  // namespace

std::int32_t java_string_hash(std::string_view text) {
  std::uint32_t hash = 0;
  while (!text.empty()) {
    const std::uint32_t point = take_code_point(text);
    if (point < 0x10000) {
      hash = hash * 31 + point;
      continue;
    }
    hash = hash * 31 + (0xd800 + ((point - 0x10000) >> 10));
    hash = hash * 31 + (0xdc00 + ((point - 0x10000) & 0x3ff));
  }
  return static_cast<std::int32_t>(hash);
}

PartitionIndex offsets_partition(std::string_view group, std::int32_t partitions) {
  const std::int64_t hash = java_string_hash(group);
  // Kafka takes 0 for the one number whose absolute value Java cannot express.
  const std::int64_t magnitude = hash == INT32_MIN ? 0 : hash < 0 ? -hash : hash;
  return PartitionIndex{static_cast<std::int32_t>(magnitude % partitions)};
}

std::optional<GroupCoordinator> coordinator_of(const Services& services, std::string_view group) {
  const TopicRef offsets = services.directory.find(kOffsetsTopic);
  if (!offsets || offsets->partitions.empty()) return std::nullopt;
  const PartitionIndex index = offsets_partition(group, static_cast<std::int32_t>(offsets->partitions.size()));
  const std::size_t loop = services.loop_of(offsets->partition(index)->shard);
  if (loop >= services.coordinators.size()) return std::nullopt;
  return services.coordinators[loop];
}

}  // namespace braid
