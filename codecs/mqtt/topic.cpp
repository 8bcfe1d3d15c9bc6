// Braid, Apache-2.0.
//
// Checks of names and filters. A name is checked once per PUBLISH, so its bytes are looked at sixteen at a time (eight
// in what is left): one pass finds whether they are plain ASCII without wildcards, and how many levels there are.
#include "codecs/mqtt/topic.hpp"

#include <array>
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

/// Sixteen bytes that are compared at once; the compilers that we build with have a type for it on every machine.
using Sixteen = std::uint8_t __attribute__((vector_size(16)));

std::array<std::uint64_t, 2> halves_of(const Sixteen& lanes) {
  std::array<std::uint64_t, 2> halves;
  std::memcpy(halves.data(), &lanes, sizeof lanes);
  return halves;
}

/// Adds what the first multiple of sixteen bytes holds to `scan`; how many bytes that were.
std::size_t scan_sixteens(std::string_view name, NameScan& scan) {
  constexpr std::size_t max_round = 31;  // eight lanes are added up in one byte
  Sixteen not_ascii{};
  Sixteen wildcards{};
  std::size_t at = 0;
  while (name.size() - at >= sizeof(Sixteen)) {
    Sixteen separators{};
    for (std::size_t round = 0; round < max_round && name.size() - at >= sizeof(Sixteen); ++round) {
      Sixteen bytes;
      std::memcpy(&bytes, name.data() + at, sizeof bytes);
      // A comparison yields 0xff where it holds, which is minus one.
      not_ascii |= (bytes & 0x80) | reinterpret_cast<Sixteen>(bytes == 0);
      wildcards |= reinterpret_cast<Sixteen>(bytes == '+') | reinterpret_cast<Sixteen>(bytes == '#');
      separators -= reinterpret_cast<Sixteen>(bytes == '/');
      at += sizeof bytes;
    }
    for (const std::uint64_t half : halves_of(separators))
      scan.separators += static_cast<std::uint32_t>((half * ones) >> 56);
  }
  scan.ascii = halves_of(not_ascii) == std::array<std::uint64_t, 2>{};
  scan.wildcard = halves_of(wildcards) != std::array<std::uint64_t, 2>{};
  return at;
}

NameScan scan_name(std::string_view name) {
  NameScan scan;
  name.remove_prefix(scan_sixteens(name, scan));
  const auto take_word = [&scan](std::uint64_t word) {
    scan.ascii = scan.ascii && ((word & ~low_bits) | bytes_equal(word, 0)) == 0;
    scan.wildcard = scan.wildcard || (bytes_equal(word, '+') | bytes_equal(word, '#')) != 0;
    scan.separators += count_marked(bytes_equal(word, '/'));
  };
  const auto load = [&name]<class T>(T) {
    T part;
    std::memcpy(&part, name.data(), sizeof part);
    name.remove_prefix(sizeof part);
    return part;
  };
  if (name.size() & 8) take_word(load(std::uint64_t{}));
  if (name.empty()) return scan;
  // Which bytes there are matters, not their order; the others read as 0x01, which is none of those looked for.
  std::uint64_t rest = ones;
  if (name.size() & 4) rest = rest << 32 | load(std::uint32_t{});
  if (name.size() & 2) rest = rest << 16 | load(std::uint16_t{});
  if (name.size() & 1) rest = rest << 8 | load(std::uint8_t{});
  take_word(rest);
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
