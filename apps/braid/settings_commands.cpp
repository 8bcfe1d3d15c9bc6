// Braid, Apache-2.0.
//
// `braid serve` and `braid settings show`: both begin with the settings from file, environment and flags.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "actors/broker.hpp"
#include "apps/braid/commands.hpp"
#include "apps/braid/exit_codes.hpp"
#include "apps/braid/output.hpp"
#include "config/load.hpp"
#include "config/reference.hpp"

namespace braid {
namespace {

constexpr std::streamsize max_file_bytes = 1 << 20;

Result<std::string, std::string> read_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return Unexpected{std::string(errno ? std::strerror(errno) : "it cannot be opened")};
  // One byte more than is taken, so that a larger file (or a device that never ends) is seen to be one.
  std::string text(static_cast<std::size_t>(max_file_bytes) + 1, '\0');
  file.read(text.data(), max_file_bytes + 1);
  if (file.bad() || (file.fail() && !file.eof())) return Unexpected{std::string("it cannot be read")};
  if (file.gcount() > max_file_bytes) return Unexpected{std::string("it is larger than 1MiB")};
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::map<std::string, std::string> read_environment() {
  std::map<std::string, std::string> environment;
  for (char** variable = environ; variable && *variable; ++variable) {
    const std::string text(*variable);
    const auto equals = text.find('=');
    if (equals != std::string::npos) environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

/// The settings, or nothing after the mistakes have been printed.
std::optional<LoadedSettings> load(const Arguments& arguments, std::ostream& err) {
  SettingsSources sources;
  sources.environment = read_environment();
  sources.flags = arguments.settings;
  sources.read_file = read_file;
  if (!arguments.settings_file.empty()) {
    auto text = read_file(arguments.settings_file);
    if (!text) {
      err << "braid: cannot read the settings file '" << arguments.settings_file << "': " << text.error() << '\n';
      return std::nullopt;
    }
    sources.file = SettingsFile{arguments.settings_file, std::move(*text)};
  }
  auto loaded = load_settings(sources);
  if (loaded) return std::move(*loaded);
  for (const auto& mistake : loaded.error()) err << format_mistake(mistake) << '\n';
  err << "braid: " << loaded.error().size() << (loaded.error().size() == 1 ? " mistake" : " mistakes")
      << " in the settings; docs/settings.md or `braid settings reference` has them all\n";
  return std::nullopt;
}

}  // namespace

int serve(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  const auto loaded = load(arguments, err);
  if (!loaded) return exit_code::error;
  if (arguments.check_only) {
    out << "the settings are valid\n";
    return exit_code::ok;
  }
  return run_broker(loaded->settings);
}

int settings_show(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  const auto loaded = load(arguments, err);
  if (!loaded) return exit_code::error;
  const auto shown = show_settings(*loaded);
  if (arguments.output == OutputForm::table) {
    std::vector<Row> rows{{"SETTING", "VALUE", "FROM"}};
    for (const auto& setting : shown) rows.push_back({setting.name, setting.value, setting.origin});
    print_table(out, rows);
    return exit_code::ok;
  }
  Json::Array list;
  for (const auto& setting : shown)
    list.push_back(Json(
        Json::Object{{"setting", Json(setting.name)}, {"value", Json(setting.value)}, {"from", Json(setting.origin)}}));
  print_json(out, arguments.output, Json(std::move(list)));
  return exit_code::ok;
}

}  // namespace braid
