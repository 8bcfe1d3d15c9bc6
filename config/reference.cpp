// Braid, Apache-2.0.
#include "config/reference.hpp"

#include "config/table.hpp"
#include "config/topic_settings.hpp"
#include "config/units.hpp"

namespace braid {
namespace {

constexpr std::string_view introduction = R"(# Settings

Made from the table in `config/table.cpp` by `braid settings reference`; a test fails when this page is not current.

Every setting has a default, so that no file is needed. Three sources set them, each over the one before:

| source | for example |
|---|---|
| a YAML file (`braid serve --config braid.yaml`) | `listeners: {mqtt: {port: 1884}}`, or `listeners.mqtt.port: 1884` |
| the environment | `BRAID_LISTENERS__MQTT__PORT=1884`: two underscores for a dot |
| flags, as many as needed | `--set listeners.mqtt.port=1884` |

A mistake stops the start; all of them are listed at once, with file, line, column and what was expected.
`braid serve --check` only looks for mistakes; `braid settings show` prints every value and where it comes from.

Durations carry a unit: `250ms`, `30s`, `5m`, `12h`, `7d`. Sizes are bytes, or carry one: `64KiB`, `1GiB` (powers of
1024), `64KB`, `1GB` (powers of 1000). A value may be a reference, `${env:NAME}` or `${file:PATH}`; what it stands for is
never printed. All settings are read at the start: changing one takes a restart.
)";

std::string limits_of(const Setting& setting) {
  switch (setting.kind) {
    case SettingKind::boolean:
      return "true, false";
    case SettingKind::integer:
    case SettingKind::size:
    case SettingKind::duration: {
      auto plain = setting;  // without the word for the special value, so that a limit equal to it stays a number
      plain.special = {};
      auto text = format_setting(plain, setting.minimum) + " to " + format_setting(plain, setting.maximum);
      if (!setting.special.empty()) text += ", `" + std::string(setting.special) + "`";
      return text;
    }
    case SettingKind::choice: {
      std::string text;
      for (const auto word : setting.choices) text += (text.empty() ? "`" : ", `") + std::string(word) + "`";
      return text;
    }
    default:
      return expectation(setting);
  }
}

std::string default_of(const Setting& setting) {
  if (!setting.default_text.empty()) return std::string(setting.default_text);
  return "`" + format_setting(setting, setting.get(Settings{})) + "`";
}

}  // namespace

std::string settings_reference() {
  std::string page(introduction);
  std::string_view section;
  for (const auto& setting : settings_table()) {
    const auto this_section = setting.name.substr(0, setting.name.find('.'));
    if (this_section != section) {
      section = this_section;
      page += "\n## " + std::string(section) + "\n\n| setting | default | takes | |\n|---|---|---|---|\n";
    }
    page += "| `" + std::string(setting.name) + "` | " + default_of(setting) + " | " + limits_of(setting) + " | " +
            std::string(setting.text) + " |\n";
  }
  page +=
      "\n## Settings of a topic\n\nGiven when a topic is created (`braid topic create NAME --config "
      "retention.ms=3600000`, "
      "or by a Kafka client).\nThey have Kafka's names and forms; a name that is not here is refused.\n\n"
      "| name | default | takes | |\n|---|---|---|---|\n";
  for (const auto& config : topic_config_table())
    page += "| `" + std::string(config.name) + "` | " + std::string(config.default_text) + " | " +
            std::string(config.takes) + " | " + std::string(config.text) + " |\n";
  return page;
}

std::vector<ShownSetting> show_settings(const LoadedSettings& loaded) {
  std::vector<ShownSetting> shown;
  for (const auto& setting : settings_table()) {
    const auto origin = loaded.origins.find(setting.name);
    const bool is_default = origin == loaded.origins.end();
    const bool by_reference = !is_default && !origin->second.reference.empty();
    shown.push_back({std::string(setting.name),
                     by_reference ? origin->second.reference : format_setting(setting, setting.get(loaded.settings)),
                     is_default ? "default" : format_origin(origin->second)});
  }
  return shown;
}

}  // namespace braid
