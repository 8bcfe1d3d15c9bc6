// Braid, Apache-2.0.
//
// How one setting's value is read, checked against its row, and written again.
#include <algorithm>

#include "config/address.hpp"
#include "config/table.hpp"
#include "config/units.hpp"
#include "config/yaml.hpp"

namespace braid {
namespace {

std::string format_number(const Setting& setting, std::int64_t value) {
  switch (setting.kind) {
    case SettingKind::size:
      return format_size(value);
    case SettingKind::duration:
      return format_duration(value);
    default:
      return std::to_string(value);
  }
}

std::optional<std::int64_t> parse_number(const Setting& setting, std::string_view text) {
  if (!setting.special.empty() && text == setting.special) return setting.special_value;
  std::optional<std::int64_t> value;
  switch (setting.kind) {
    case SettingKind::size:
      value = parse_size_bytes(text);
      break;
    case SettingKind::duration:
      value = parse_duration_ms(text);
      break;
    default:
      value = parse_integer(text);
  }
  if (!value || *value < setting.minimum || *value > setting.maximum) return std::nullopt;
  return value;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t longest_shown = 80;
  std::string shown = "'";
  for (char c : text.substr(0, longest_shown)) shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  if (text.size() > longest_shown) shown += "...";
  return shown + "'";
}

}  // namespace

std::string expectation(const Setting& setting) {
  auto range = [&](std::string_view what) {
    auto text = std::string(what) + " from " + format_number(setting, setting.minimum) + " to " +
                format_number(setting, setting.maximum);
    if (!setting.special.empty()) text += ", or '" + std::string(setting.special) + "'";
    return text;
  };
  switch (setting.kind) {
    case SettingKind::boolean:
      return "true or false";
    case SettingKind::integer:
      return range("a number");
    case SettingKind::size:
      return range("a size (such as 512KiB, 64MiB)");
    case SettingKind::duration:
      return range("a duration (such as 250ms, 30s, 5m)");
    case SettingKind::choice: {
      std::string text = "one of ";
      for (const auto word : setting.choices) text += std::string(word) + (word == setting.choices.back() ? "" : ", ");
      return text;
    }
    case SettingKind::text:
      return "a text";
    case SettingKind::ip_address:
      return "an IP address of this machine";
    case SettingKind::host_port:
      return "host:port";
    case SettingKind::routes:
      return "a list of {filter: ..., topic: ...}";
  }
  return {};
}

Result<SettingValue, std::string> parse_setting(const Setting& setting, std::string_view text) {
  auto unexpected = [&] { return Unexpected{"expected " + expectation(setting) + ", not " + quoted(text)}; };
  switch (setting.kind) {
    case SettingKind::boolean:
      if (text == "true") return SettingValue(true);
      if (text == "false") return SettingValue(false);
      return unexpected();
    case SettingKind::integer:
    case SettingKind::size:
    case SettingKind::duration:
      if (const auto value = parse_number(setting, text)) return SettingValue(*value);
      return unexpected();
    case SettingKind::choice:
      if (std::find(setting.choices.begin(), setting.choices.end(), text) == setting.choices.end()) return unexpected();
      return SettingValue(std::string(text));
    case SettingKind::ip_address:
      if (!is_ip_address(text)) return unexpected();
      return SettingValue(std::string(text));
    case SettingKind::host_port:
      if (!text.empty() && !parse_host_port(text)) return unexpected();
      return SettingValue(std::string(text));
    case SettingKind::text:
      if (text.find('\0') != std::string_view::npos) return unexpected();
      return SettingValue(std::string(text));
    case SettingKind::routes:
      break;
  }
  return unexpected();
}

std::string format_setting(const Setting& setting, const SettingValue& value) {
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    if (!setting.special.empty() && *number == setting.special_value) return std::string(setting.special);
    return format_number(setting, *number);
  }
  if (const auto* text = std::get_if<std::string>(&value)) return quote_yaml(*text);
  std::string list;
  for (const auto& route : std::get<std::vector<RouteSetting>>(value))
    list += (list.empty() ? "{filter: " : ", {filter: ") + quote_yaml(route.filter) +
            ", topic: " + quote_yaml(route.topic) + "}";
  return "[" + list + "]";
}

}  // namespace braid
