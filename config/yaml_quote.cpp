// Braid, Apache-2.0.
#include <algorithm>
#include <array>
#include <charconv>

#include "config/yaml.hpp"

namespace braid {
namespace {

/// Words that some YAML reader or other takes for a value that is no text.
bool is_reserved(std::string_view text) {
  constexpr std::array<std::string_view, 10> words{"null", "true", "false", "yes", "no", "on", "off", "y", "n", "none"};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::find(words.begin(), words.end(), lower) != words.end();
}

bool looks_like_number(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0o") || text.starts_with('.')) return true;
  double value = 0;
  const auto [stopped_at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error != std::errc::invalid_argument && stopped_at == text.data() + text.size();
}

}  // namespace

std::string quote_yaml(std::string_view text) {
  const bool plain = !text.empty() && text.front() != '-' && !is_reserved(text) && !looks_like_number(text) &&
                     std::all_of(text.begin(), text.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
                              c == '.' || c == '_' || c == '-';
                     });
  if (plain) return std::string(text);
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      constexpr std::string_view digits = "0123456789abcdef";
      result += "\\x";
      result += digits[static_cast<unsigned char>(c) >> 4];
      result += digits[static_cast<unsigned char>(c) & 15];
    } else {
      result += c;
    }
  }
  return result + "\"";
}

}  // namespace braid
