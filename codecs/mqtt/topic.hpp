// Braid, Apache-2.0.
//
// Topic names and topic filters: section 4.7, and 4.8.2 for shared subscriptions. A name is one string with '/'
// between its levels; nothing is ever normalised, an empty level is a level like any other [MQTT-4.7.3-4]. These
// functions look at bytes in place and keep nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace braid::mqtt {

/// Strings on the wire carry two bytes of length.
inline constexpr std::size_t max_string_bytes = 65535;
inline constexpr std::uint32_t default_max_topic_levels = 128;

enum class TopicFault : std::uint8_t {
  none,
  empty,            ///< [MQTT-4.7.3-1]
  too_long,         ///< [MQTT-4.7.3-3]
  not_utf8,         ///< ill-formed, or U+0000 [MQTT-4.7.3-2]
  wildcard,         ///< in a topic name [MQTT-3.3.2-2]
  misplaced_hash,   ///< '#' that is not the whole last level [MQTT-4.7.1-1]
  misplaced_plus,   ///< '+' that is not a whole level [MQTT-4.7.1-2]
  too_many_levels,  ///< our own limit
  bad_share_name,   ///< empty, or with a wildcard in it [MQTT-4.8.2-1] [MQTT-4.8.2-2]
  no_share_filter,  ///< "$share/name" without a filter behind it [MQTT-4.8.2-2]
};
std::string_view to_string(TopicFault);

TopicFault check_topic_name(std::string_view name, std::uint32_t max_levels = default_max_topic_levels);
/// Takes "$share/group/filter" too; its levels are those of the filter.
TopicFault check_topic_filter(std::string_view filter, std::uint32_t max_levels = default_max_topic_levels);

inline bool valid_topic_name(std::string_view name) {
  return check_topic_name(name) == TopicFault::none;
}
inline bool valid_topic_filter(std::string_view filter) {
  return check_topic_filter(filter) == TopicFault::none;
}

/// A valid filter that holds '+' or '#'. '$share/...' is to be split first.
inline bool has_wildcard(std::string_view filter) {
  return filter.find_first_of("+#") != std::string_view::npos;
}

/// "$share/group/filter" taken apart; nothing when the string is no shared filter at all. Of a string that passed
/// check_topic_filter both parts are valid.
struct SharedFilter {
  std::string_view group;
  std::string_view filter;
};
bool is_shared(std::string_view filter);
std::optional<SharedFilter> split_shared(std::string_view filter);

/// Walks the levels of a name or filter: `for (TopicLevels levels(name); !levels.done(); levels.next())
/// levels.level()`.
class TopicLevels {
 public:
  explicit TopicLevels(std::string_view topic) : rest_(topic) { cut(); }
  bool done() const { return done_; }
  bool last() const { return end_ == std::string_view::npos; }
  std::string_view level() const { return rest_.substr(0, end_); }
  void next() {
    if (last()) {
      done_ = true;
    } else {
      rest_.remove_prefix(end_ + 1);
      cut();
    }
  }

 private:
  void cut() { end_ = rest_.find('/'); }
  std::string_view rest_;
  std::size_t end_ = 0;
  bool done_ = false;
};

inline std::string_view first_level(std::string_view topic) {
  return topic.substr(0, topic.find('/'));
}
std::uint32_t count_levels(std::string_view topic);

/// Whether a valid filter (not a shared one) matches a valid name; the plain statement of section 4.7 that the indexes
/// are tested against. '#' includes the parent level; wildcards in the first level leave names that begin with '$'
/// alone [MQTT-4.7.2-1].
bool matches(std::string_view filter, std::string_view name);

}  // namespace braid::mqtt
