// Braid, Apache-2.0.
//
// One class for the three sources: each yields names, texts and places, and one path checks and stores them.
#include "config/load.hpp"

#include <algorithm>
#include <set>

#include "config/check.hpp"
#include "config/known_names.hpp"
#include "config/suggest.hpp"
#include "config/table.hpp"
#include "config/yaml.hpp"

namespace braid {
namespace {

constexpr std::string_view variable_prefix = "BRAID_";

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return lines;
}

class Loader {
 public:
  explicit Loader(const SettingsSources& sources) : sources_(sources) {}

  Result<LoadedSettings, std::vector<SettingsMistake>> load() {
    if (sources_.file) read_file(*sources_.file);
    read_environment();
    for (const auto& flag : sources_.flags) read_flag(flag);
    auto& settings = loaded_.settings;
    if (settings.storage.path.empty()) {
      if (loaded_.origins.contains("storage.path"))
        mistake(loaded_.origins["storage.path"], "storage.path: expected a directory, not an empty text");
      settings.storage.path = default_storage_path(sources_.environment);
    }
    for (auto& conflict : check_settings(settings)) {
      const auto origin = loaded_.origins.find(conflict.setting);
      mistake(origin == loaded_.origins.end() ? std::optional<SettingOrigin>{} : origin->second,
              conflict.setting + ": " + conflict.text);
    }
    if (!mistakes_.empty()) return Unexpected{std::move(mistakes_)};
    return std::move(loaded_);
  }

 private:
  void mistake(std::optional<SettingOrigin> origin, std::string text) {
    mistakes_.push_back({std::move(origin), std::move(text)});
  }

  // --- the file ---

  void read_file(const SettingsFile& file) {
    lines_ = split_lines(file.text);
    auto root = parse_yaml(file.text);
    if (!root) return mistake(in_file(root.error().line, root.error().column), root.error().text);
    if (root->kind == YamlNode::Kind::null) return;
    if (root->kind != YamlNode::Kind::mapping)
      return mistake(in_file(root->line, root->column),
                     "expected settings, such as 'storage:' and below it 'path: DIR'");
    read_mapping(*root, "");
  }

  SettingOrigin in_file(int line, int column) const {
    SettingOrigin origin;
    origin.kind = SettingOrigin::Kind::file;
    origin.place = sources_.file->name;
    origin.line = line;
    origin.column = column;
    if (line >= 1 && static_cast<std::size_t>(line) <= lines_.size())
      origin.source_line = lines_[static_cast<std::size_t>(line) - 1];
    return origin;
  }
  SettingOrigin in_file(const YamlNode& node) const { return in_file(node.line, node.column); }

  void read_mapping(const YamlNode& mapping, const std::string& prefix) {
    for (std::size_t i = 0; i < mapping.keys.size(); ++i) {
      const auto& key = mapping.keys[i];
      const auto& value = mapping.values[i];
      if (key.kind != YamlNode::Kind::scalar) {
        mistake(in_file(key), "expected a name");
        continue;
      }
      const auto name = prefix.empty() ? key.text : prefix + "." + key.text;
      if (const auto [first, inserted] = seen_.emplace(name, key.line); !inserted) {
        mistake(in_file(key), "duplicate key '" + name + "', first given in line " + std::to_string(first->second));
        continue;
      }
      if (const auto* setting = find_setting(name)) {
        read_value(*setting, value);
      } else if (!is_setting_group(name)) {
        mistake(in_file(key), unknown_setting(name));
      } else if (value.kind == YamlNode::Kind::mapping) {
        read_mapping(value, name);
      } else if (value.kind != YamlNode::Kind::null) {
        mistake(in_file(value), name + ": expected settings below it, such as '" +
                                    std::string(child_settings(name).front()) + "', not " + describe(value));
      }
    }
  }

  static std::string describe(const YamlNode& node) {
    switch (node.kind) {
      case YamlNode::Kind::null:
        return "nothing";
      case YamlNode::Kind::sequence:
        return "a list";
      case YamlNode::Kind::mapping:
        return "a mapping";
      case YamlNode::Kind::scalar:
        break;
    }
    return "a value";
  }

  void read_value(const Setting& setting, const YamlNode& value) {
    if (setting.kind == SettingKind::routes) return read_routes(setting, value, in_file(value), true);
    if (value.kind != YamlNode::Kind::scalar)
      return mistake(in_file(value),
                     std::string(setting.name) + ": expected " + expectation(setting) + ", not " + describe(value));
    store(setting, value.text, in_file(value));
  }

  /// From the file, where each part has a place of its own, or from a text, where `origin` stands for all of it.
  void read_routes(const Setting& setting, const YamlNode& list, const SettingOrigin& origin, bool from_file) {
    auto place = [&](const YamlNode& node) { return from_file ? in_file(node) : origin; };
    const std::string name(setting.name);
    if (list.kind != YamlNode::Kind::sequence)
      return mistake(place(list), name + ": expected " + expectation(setting) + ", not " + describe(list));
    std::vector<RouteSetting> routes;
    for (const auto& item : list.items) {
      if (item.kind != YamlNode::Kind::mapping) {
        mistake(place(item), name + ": expected {filter: ..., topic: ...}, not " + describe(item));
        continue;
      }
      RouteSetting route;
      std::set<std::string> given;
      for (std::size_t i = 0; i < item.keys.size(); ++i) {
        const auto& key = item.keys[i];
        const auto& value = item.values[i];
        if (key.text != "filter" && key.text != "topic") {
          const auto near = nearest_name(key.text, {"filter", "topic"});
          mistake(place(key), "unknown key '" + name + "." + key.text + "'" +
                                  (near.empty() ? "" : ", did you mean '" + std::string(near) + "'?"));
        } else if (!given.insert(key.text).second) {
          mistake(place(key), "duplicate key '" + name + "." + key.text + "'");
        } else if (value.kind != YamlNode::Kind::scalar) {
          mistake(place(value), name + "." + key.text + ": expected a text, not " + describe(value));
        } else {
          (key.text == "filter" ? route.filter : route.topic) = value.text;
        }
      }
      for (const auto* needed : {"filter", "topic"})
        if (!given.contains(needed)) mistake(place(item), name + ": a route needs '" + std::string(needed) + "'");
      routes.push_back(std::move(route));
    }
    setting.set(loaded_.settings, SettingValue(std::move(routes)));
    loaded_.origins.insert_or_assign(name, origin);
  }

  // --- environment and flags ---

  void read_environment() {
    for (const auto& [variable, value] : sources_.environment) {
      if (!variable.starts_with(variable_prefix)) continue;
      const SettingOrigin origin{SettingOrigin::Kind::environment, variable, 0, 0, {}, {}};
      const auto name = setting_of_variable(variable);
      if (const auto* setting = find_setting(name)) {
        store_text(*setting, value, origin);
      } else if (variable.find("__") != std::string::npos) {
        mistake(origin, unknown_setting(name));
      } else if (const auto meant = with_single_underscore(variable); !meant.empty()) {
        // Other programs may own names such as BRAID_PORT, so only what spells a setting but for the underscores
        // counts.
        mistake(origin, "no setting; did you mean '" + meant + "'?");
      }
    }
  }

  /// BRAID_LISTENERS__MQTT__PORT -> listeners.mqtt.port
  static std::string setting_of_variable(std::string_view variable) {
    std::string name;
    for (std::size_t i = variable_prefix.size(); i < variable.size(); ++i) {
      const char c = variable[i];
      if (c == '_' && i + 1 < variable.size() && variable[i + 1] == '_') {
        name += '.';
        ++i;
      } else {
        name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      }
    }
    return name;
  }

  static std::string variable_of_setting(std::string_view name) {
    std::string variable(variable_prefix);
    for (char c : name) {
      if (c == '.')
        variable += "__";
      else
        variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return variable;
  }

  static std::string with_single_underscore(const std::string& variable) {
    auto name = setting_of_variable(variable);
    for (const auto& setting : settings_table()) {
      std::string flat(setting.name);
      std::replace(flat.begin(), flat.end(), '.', '_');
      if (flat == name) return variable_of_setting(setting.name);
    }
    return {};
  }

  void read_flag(const std::string& flag) {
    const SettingOrigin origin{SettingOrigin::Kind::flag, flag.substr(0, flag.find('=')), 0, 0, {}, {}};
    const auto equals = flag.find('=');
    if (equals == std::string::npos) return mistake(origin, "expected NAME=VALUE, such as listeners.mqtt.port=1883");
    const auto name = flag.substr(0, equals);
    const auto* setting = find_setting(name);
    if (!setting && is_setting_group(name))
      return mistake(origin, "'" + name + "' is a group of settings; name one of them, such as '" + name + "." +
                                 std::string(child_settings(name).front()) + "'");
    if (!setting) return mistake(origin, unknown_setting(name));
    store_text(*setting, flag.substr(equals + 1), origin);
  }

  /// A value that comes as one text: routes are YAML in it, everything else is taken as it is.
  void store_text(const Setting& setting, const std::string& text, const SettingOrigin& origin) {
    if (setting.kind != SettingKind::routes) return store(setting, text, origin);
    auto list = parse_yaml(text);
    if (!list) return mistake(origin, std::string(setting.name) + ": " + list.error().text);
    read_routes(setting, *list, origin, false);
  }

  // --- one value ---

  void store(const Setting& setting, const std::string& given, SettingOrigin origin) {
    std::string text = given;
    const std::string name(setting.name);
    if (given.find("${") != std::string::npos) {
      auto resolved = resolve(given);
      if (!resolved) return mistake(std::move(origin), name + ": " + resolved.error());
      origin.reference = given;
      text = std::move(*resolved);
    }
    auto value = parse_setting(setting, text);
    if (!value) {
      // What a reference stands for is never printed.
      return mistake(origin, name + ": " +
                                 (origin.reference.empty() ? value.error()
                                                           : "expected " + expectation(setting) + ", which " +
                                                                 origin.reference + " does not hold"));
    }
    setting.set(loaded_.settings, *value);
    loaded_.origins.insert_or_assign(name, std::move(origin));
  }

  /// ${env:NAME} and ${file:PATH}, as the whole value: a text that mixes them in is more likely a mistake.
  Result<std::string, std::string> resolve(const std::string& text) const {
    constexpr std::string_view environment = "${env:", file = "${file:";
    const auto expected = "expected ${env:NAME} or ${file:PATH} as the whole value";
    if (!text.ends_with('}')) return Unexpected{std::string(expected)};
    if (text.starts_with(environment)) {
      const auto name = text.substr(environment.size(), text.size() - environment.size() - 1);
      const auto variable = sources_.environment.find(name);
      if (variable == sources_.environment.end()) return Unexpected{"the environment has no variable '" + name + "'"};
      return variable->second;
    }
    if (text.starts_with(file)) {
      const auto path = text.substr(file.size(), text.size() - file.size() - 1);
      if (!sources_.read_file) return Unexpected{"the file '" + path + "' cannot be read here"};
      auto content = sources_.read_file(path);
      if (!content) return Unexpected{"cannot read '" + path + "': " + content.error()};
      while (content->ends_with('\n') || content->ends_with('\r')) content->pop_back();
      return std::move(*content);
    }
    return Unexpected{std::string(expected)};
  }

  const SettingsSources& sources_;
  std::vector<std::string_view> lines_;
  std::map<std::string, int> seen_;  ///< names given in the file, and their lines
  LoadedSettings loaded_;
  std::vector<SettingsMistake> mistakes_;
};

}  // namespace

Result<LoadedSettings, std::vector<SettingsMistake>> load_settings(const SettingsSources& sources) {
  return Loader(sources).load();
}

std::string default_storage_path(const std::map<std::string, std::string>& environment) {
  auto directory = [&](const char* variable) {
    const auto found = environment.find(variable);
    // Relative paths there are to be ignored (XDG base directory specification).
    return found != environment.end() && found->second.starts_with('/') ? found->second : std::string{};
  };
  if (const auto data = directory("XDG_DATA_HOME"); !data.empty()) return data + "/braid";
  if (const auto home = directory("HOME"); !home.empty()) return home + "/.local/share/braid";
  return "braid-data";
}

}  // namespace braid
