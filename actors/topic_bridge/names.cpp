// Braid, Apache-2.0.
#include "actors/topic_bridge/names.hpp"

#include <array>

#include "codecs/amqp/types.hpp"
#include "codecs/mqtt/topic.hpp"

namespace braid::amqp {

namespace {

struct Escape {
  char character;
  std::string_view text;
};
constexpr std::array escapes{Escape{'.', "%2E"}, Escape{'*', "%2A"}, Escape{'%', "%25"}};

void append_level(std::string& to, std::string_view word) {
  while (!word.empty()) {
    bool escaped = false;
    for (const Escape& escape : escapes) {
      if (!word.starts_with(escape.text)) continue;
      to += escape.character;
      word.remove_prefix(escape.text.size());
      escaped = true;
      break;
    }
    if (escaped) continue;
    to += word.front();
    word.remove_prefix(1);
  }
}

/// Calls `each(word)` until it says false.
template <class Each>
void for_each_word_while(std::string_view key, Each&& each) {
  for (;;) {
    const auto end = key.find('.');
    if (!each(key.substr(0, end)) || end == std::string_view::npos) return;
    key.remove_prefix(end + 1);
  }
}

}  // namespace

std::optional<std::string> to_routing_key(std::string_view topic_name) {
  std::string key;
  for (const char c : topic_name) {
    if (c == '/') {
      key += '.';
      continue;
    }
    bool escaped = false;
    for (const Escape& escape : escapes)
      if (c == escape.character) {
        key += escape.text;
        escaped = true;
      }
    if (!escaped) key += c;
  }
  if (key.size() > max_short_string_bytes) return std::nullopt;
  return key;
}

std::optional<std::string> to_topic_name(std::string_view routing_key) {
  if (routing_key.find('/') != std::string_view::npos) return std::nullopt;
  std::string name;
  for_each_word_while(routing_key, [&](std::string_view word) {
    if (word.data() != routing_key.data()) name += '/';
    append_level(name, word);
    return true;
  });
  if (!mqtt::valid_topic_name(name)) return std::nullopt;
  return name;
}

std::optional<std::string> to_topic_filter(std::string_view binding_key) {
  std::string filter;
  bool possible = true;
  for_each_word_while(binding_key, [&](std::string_view word) {
    if (word.data() != binding_key.data()) filter += '/';
    if (word == "#") {
      filter += '#';
      return false;
    }
    if (word == "*")
      filter += '+';
    else if (word.find_first_of("/+#") != std::string_view::npos)
      possible = false;
    else
      append_level(filter, word);
    return possible;
  });
  if (!possible || !mqtt::valid_topic_filter(filter) || mqtt::is_shared(filter)) return std::nullopt;
  return filter;
}

std::string_view first_level(std::string_view topic_name) {
  return mqtt::first_level(topic_name);
}

}  // namespace braid::amqp
