// Braid, Apache-2.0.
//
// The one table of settings: name, kind, limits, text, and the place in struct Settings. Parser, `--set`, environment,
// reference page and error messages are made from it; a default is whatever the struct is initialised with. A new
// setting is a field in settings.hpp and a row in table.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings.hpp"
#include "model/result.hpp"

namespace braid {

enum class SettingKind {
  boolean,
  integer,
  size,      ///< bytes
  duration,  ///< milliseconds
  choice,    ///< one of a list of words
  text,
  ip_address,
  host_port,  ///< "host:port", or empty
  routes,     ///< a list of {filter, topic}
};

/// Numbers of every kind are int64, in bytes or milliseconds where they have a unit.
using SettingValue = std::variant<bool, std::int64_t, std::string, std::vector<RouteSetting>>;

struct Setting {
  std::string_view name;  ///< dotted
  SettingKind kind;
  std::string_view text;
  std::function<SettingValue(const Settings&)> get;
  std::function<void(Settings&, const SettingValue&)> set;
  std::int64_t minimum = 0;
  std::int64_t maximum = 0;
  std::string_view special;  ///< a word for the number `special_value`, which may lie outside the limits
  std::int64_t special_value = 0;
  std::vector<std::string_view> choices;
  std::string_view default_text;  ///< where the default is found out at start: what the reference says instead
};

/// Sorted by section, in the order of the reference page.
std::span<const Setting> settings_table();

/// nullptr when there is none.
const Setting* find_setting(std::string_view name);

/// True when some setting's name continues `name` after a dot.
bool is_setting_group(std::string_view name);

/// What the setting takes, as part of a sentence: "a size from 1KiB to 256MiB", "one of text, json".
std::string expectation(const Setting&);

/// The value that a text stands for; the error says what was expected. Routes are not read from text here (see load).
Result<SettingValue, std::string> parse_setting(const Setting&, std::string_view text);

/// As it would be written in a settings file, on one line.
std::string format_setting(const Setting&, const SettingValue&);

}  // namespace braid
