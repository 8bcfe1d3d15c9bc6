// Braid, Apache-2.0.
#include "config/known_names.hpp"

#include <algorithm>

#include "config/suggest.hpp"
#include "config/table.hpp"

namespace braid {
namespace {

std::string_view last_part(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}
std::string_view group_of(std::string_view name) {
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : name.substr(0, dot);
}

/// ", did you mean 'port'?" or nothing: first among its neighbours, then the same word elsewhere, then anything near.
std::string suggestion(std::string_view name) {
  auto sentence = [](std::string_view word) { return ", did you mean '" + std::string(word) + "'?"; };
  const auto group = group_of(name);
  if (group.empty() || is_setting_group(group))
    if (const auto near = nearest_name(last_part(name), child_settings(group)); !near.empty()) return sentence(near);
  std::vector<std::string_view> all;
  for (const auto& setting : settings_table()) {
    if (last_part(setting.name) == last_part(name) || setting.name.ends_with("." + std::string(name)))
      return sentence(setting.name);
    all.push_back(setting.name);
  }
  const auto near = nearest_name(name, all);
  return near.empty() ? std::string{} : sentence(near);
}

}  // namespace

std::vector<std::string_view> child_settings(std::string_view group) {
  std::vector<std::string_view> children;
  for (const auto& setting : settings_table()) {
    auto rest = setting.name;
    if (!group.empty()) {
      if (!rest.starts_with(group) || rest.size() <= group.size() || rest[group.size()] != '.') continue;
      rest.remove_prefix(group.size() + 1);
    }
    const auto child = rest.substr(0, rest.find('.'));
    if (std::find(children.begin(), children.end(), child) == children.end()) children.push_back(child);
  }
  return children;
}

std::string unknown_setting(std::string_view name) {
  return "unknown key '" + std::string(name) + "'" + suggestion(name);
}

}  // namespace braid
