// Braid, Apache-2.0.
#include "config/mistake.hpp"

#include <algorithm>

namespace braid {

std::string format_origin(const SettingOrigin& origin) {
  switch (origin.kind) {
    case SettingOrigin::Kind::file:
      return origin.place + ":" + std::to_string(origin.line) + ":" + std::to_string(origin.column);
    case SettingOrigin::Kind::environment:
      return "environment " + origin.place;
    case SettingOrigin::Kind::flag:
      break;
  }
  return "--set " + origin.place;
}

std::string format_mistake(const SettingsMistake& mistake) {
  const auto first_end = std::min(mistake.text.find('\n'), mistake.text.size());
  std::string result = mistake.origin ? format_origin(*mistake.origin) + ": " : "";
  auto sentence = mistake.text.substr(0, first_end);
  // A flag's place is the setting's name, which then need not be said twice.
  if (mistake.origin && mistake.origin->kind == SettingOrigin::Kind::flag &&
      sentence.starts_with(mistake.origin->place + ": "))
    sentence.erase(0, mistake.origin->place.size() + 2);
  result += sentence;
  if (mistake.origin && mistake.origin->kind == SettingOrigin::Kind::file && !mistake.origin->source_line.empty()) {
    const auto number = std::to_string(mistake.origin->line);
    result += "\n  " + number + " | " + mistake.origin->source_line + "\n  " + std::string(number.size(), ' ') + " | ";
    const auto before = std::min<std::size_t>(static_cast<std::size_t>(std::max(mistake.origin->column - 1, 0)),
                                              mistake.origin->source_line.size());
    for (std::size_t i = 0; i < before; ++i) result += mistake.origin->source_line[i] == '\t' ? '\t' : ' ';
    result += '^';
  }
  // Further lines are text to be copied: indented, after the place.
  for (auto at = first_end; at < mistake.text.size();) {
    const auto end = std::min(mistake.text.find('\n', at + 1), mistake.text.size());
    result += "\n    " + mistake.text.substr(at + 1, end - at - 1);
    at = end;
  }
  return result;
}

}  // namespace braid
