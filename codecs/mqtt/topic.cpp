// Braid, Apache-2.0.
//
// Checks of names and filters. A name is checked once per PUBLISH, so its bytes are looked at eight at a time: one pass
// finds whether they are plain ASCII without wildcards, and how many levels there are.
#include "codecs/mqtt/topic.hpp"

#include <cstring>

#include "model/utf8.hpp"

namespace braid::mqtt {

namespace {

constexpr std::uint64_t ones = 0x0101010101010101;
constexpr std::uint64_t low_bits = 0x7f7f7f7f7f7f7f7f;

/// The top bit of every byte of `word` that equals `byte`; exact, no carries between bytes.
constexpr std::uint64_t bytes_equal(std::uint64_t word, std::uint8_t byte) {
  const std::uint64_t difference = word ^ (ones * byte);
  return ~(((difference & low_bits) + low_bits) | difference | low_bits);
}
constexpr std::uint32_t count_marked(std::uint64_t marks) {
  return static_cast<std::uint32_t>(((marks >> 7) * ones) >> 56);
}

struct NameScan {
  std::uint32_t separators = 0;
  bool ascii = true;  ///< without U+0000
  bool wildcard = false;
};

NameScan scan_name(std::string_view name) {
  NameScan scan;
  std::uint64_t not_ascii = 0;
  std::uint64_t wildcards = 0;
  const char* at = name.data();
  std::size_t left = name.size();
  while (left > 0) {
    std::uint64_t word = ones;  // bytes past the end read as 0x01, which is none of those looked for
    const std::size_t length = left < sizeof word ? left : sizeof word;
    if (length == sizeof word) {
      std::memcpy(&word, at, sizeof word);
    } else {
      std::memcpy(&word, at, length);
    }
    not_ascii |= (word & ~low_bits) | bytes_equal(word, 0);
    wildcards |= bytes_equal(word, '+') | bytes_equal(word, '#');
    scan.separators += count_marked(bytes_equal(word, '/'));
    at += length;
    left -= length;
  }
  scan.ascii = not_ascii == 0;
  scan.wildcard = wildcards != 0;
  return scan;
}

constexpr std::string_view share_prefix = "$share";

}  // namespace

std::string_view to_string(TopicFault fault) {
  switch (fault) {
    case TopicFault::none:
      return "valid";
    case TopicFault::empty:
      return "empty [MQTT-4.7.3-1]";
    case TopicFault::too_long:
      return "longer than 65,535 bytes [MQTT-4.7.3-3]";
    case TopicFault::not_utf8:
      return "not well-formed UTF-8, or with U+0000 [MQTT-4.7.3-2]";
    case TopicFault::wildcard:
      return "a topic name with a wildcard [MQTT-3.3.2-2]";
    case TopicFault::misplaced_hash:
      return "'#' that is not the whole last level [MQTT-4.7.1-1]";
    case TopicFault::misplaced_plus:
      return "'+' that is not a whole level [MQTT-4.7.1-2]";
    case TopicFault::too_many_levels:
      return "more levels than the limit allows";
    case TopicFault::bad_share_name:
      return "a share name that is empty or has a wildcard [MQTT-4.8.2-1]";
    case TopicFault::no_share_filter:
      return "a shared subscription without a filter [MQTT-4.8.2-2]";
  }
  return "unknown";
}

TopicFault check_topic_name(std::string_view name, std::uint32_t max_levels) {
  if (name.empty()) return TopicFault::empty;
  if (name.size() > max_string_bytes) return TopicFault::too_long;
  const NameScan scan = scan_name(name);
  if (!scan.ascii && !is_mqtt_utf8(name)) return TopicFault::not_utf8;
  if (scan.wildcard) return TopicFault::wildcard;
  if (scan.separators >= max_levels) return TopicFault::too_many_levels;
  return TopicFault::none;
}

TopicFault check_topic_filter(std::string_view filter, std::uint32_t max_levels) {
  if (filter.empty()) return TopicFault::empty;
  if (filter.size() > max_string_bytes) return TopicFault::too_long;
  const NameScan scan = scan_name(filter);
  if (!scan.ascii && !is_mqtt_utf8(filter)) return TopicFault::not_utf8;
  if (is_shared(filter)) {
    const auto shared = split_shared(filter);
    if (!shared) return TopicFault::no_share_filter;
    if (shared->group.empty() || has_wildcard(shared->group)) return TopicFault::bad_share_name;
    if (shared->filter.empty()) return TopicFault::no_share_filter;
    filter = shared->filter;
  }
  std::uint32_t count = 0;
  for (TopicLevels levels(filter); !levels.done(); levels.next()) {
    if (++count > max_levels) return TopicFault::too_many_levels;
    if (!scan.wildcard) continue;
    const auto level = levels.level();
    if (level.find('#') != std::string_view::npos && (level.size() != 1 || !levels.last()))
      return TopicFault::misplaced_hash;
    if (level.find('+') != std::string_view::npos && level.size() != 1) return TopicFault::misplaced_plus;
  }
  return TopicFault::none;
}

bool is_shared(std::string_view filter) {
  return first_level(filter) == share_prefix;
}

std::optional<SharedFilter> split_shared(std::string_view filter) {
  if (!is_shared(filter) || filter.size() == share_prefix.size()) return std::nullopt;
  filter.remove_prefix(share_prefix.size() + 1);
  const auto end = filter.find('/');
  if (end == std::string_view::npos) return std::nullopt;
  return SharedFilter{filter.substr(0, end), filter.substr(end + 1)};
}

std::uint32_t count_levels(std::string_view topic) {
  return scan_name(topic).separators + 1;
}

bool matches(std::string_view filter, std::string_view name) {
  if (!name.empty() && name.front() == '$' && !filter.empty() && (filter.front() == '+' || filter.front() == '#'))
    return false;
  TopicLevels wanted(filter);
  TopicLevels given(name);
  for (;; wanted.next(), given.next()) {
    if (wanted.done()) return given.done();
    if (wanted.level() == "#") return true;
    if (given.done()) return false;
    if (wanted.level() != "+" && wanted.level() != given.level()) return false;
  }
}

}  // namespace braid::mqtt
