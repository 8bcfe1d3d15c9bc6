// Braid, Apache-2.0.
//
// Topic names, judged byte by byte.
#include "model/names.hpp"

#include <algorithm>

namespace braid {
namespace {

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

std::string_view topic_name_problem(std::string_view name) {
  if (name.empty()) return "a topic name must not be empty";
  if (name == "." || name == "..") return "a topic name must not be \".\" or \"..\"";
  if (name.size() > kMaxTopicNameBytes) return "a topic name has at most 249 characters";
  if (!std::all_of(name.begin(), name.end(), is_name_byte))
    return "a topic name consists of letters, digits, '.', '_' and '-'";
  return {};
}

bool is_valid_topic_name(std::string_view name) {
  return topic_name_problem(name).empty();
}

std::string topic_collision_key(std::string_view name) {
  std::string key(name);
  std::replace(key.begin(), key.end(), '.', '_');
  return key;
}

bool topic_names_collide(std::string_view a, std::string_view b) {
  if (a.size() != b.size() || a == b) return false;
  return std::equal(a.begin(), a.end(), b.begin(),
                    [](char x, char y) { return (x == '.' ? '_' : x) == (y == '.' ? '_' : y); });
}

}  // namespace braid
