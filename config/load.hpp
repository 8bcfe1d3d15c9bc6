// Braid, Apache-2.0.
//
// From what the operator wrote to struct Settings: file, then environment, then flags, each over the one before. All
// mistakes are found in one go, and each says where it stands and what was expected. Nothing here touches the system:
// whoever calls brings the texts, so that every path can be tested and fuzzed.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/mistake.hpp"
#include "config/settings.hpp"
#include "model/result.hpp"

namespace braid {

struct SettingsFile {
  std::string name;  ///< as the operator called it
  std::string text;
};

struct SettingsSources {
  std::optional<SettingsFile> file;
  std::map<std::string, std::string> environment;  ///< all of it: BRAID_A__B sets a.b; also what ${env:X} refers to
  std::vector<std::string> flags;                  ///< the texts behind --set: a.b=c
  /// What ${file:PATH} refers to; the error is a reason ("no such file").
  std::function<Result<std::string, std::string>(const std::string& path)> read_file;
};

struct LoadedSettings {
  Settings settings;
  std::map<std::string, SettingOrigin, std::less<>> origins;  ///< of the settings that are not at their default
};

Result<LoadedSettings, std::vector<SettingsMistake>> load_settings(const SettingsSources& sources);

/// The data directory when none is set: $XDG_DATA_HOME/braid, else ~/.local/share/braid, else ./braid-data.
std::string default_storage_path(const std::map<std::string, std::string>& environment);

}  // namespace braid
