// Braid, Apache-2.0.
//
// Where a setting was given, and what is wrong with it: enough to show the operator the very spot.
#pragma once

#include <optional>
#include <string>

namespace braid {

/// Where a value was given. A default has no place.
struct SettingOrigin {
  enum class Kind { file, environment, flag };
  Kind kind = Kind::file;
  std::string place;        ///< name of the file, of the variable, or the flag's text
  int line = 0;             ///< in the file, from 1
  int column = 0;           ///< in the file, from 1
  std::string source_line;  ///< of the file
  std::string reference;    ///< "${...}" when the value was given by reference; then the value is never printed
};

struct SettingsMistake {
  std::optional<SettingOrigin> origin;
  std::string text;
};

/// As a compiler would say it: place and sentence, then the source line with a mark under the column.
std::string format_mistake(const SettingsMistake&);
std::string format_origin(const SettingOrigin&);

}  // namespace braid
