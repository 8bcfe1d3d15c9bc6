// Braid, Apache-2.0.
#include "config/table.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "config/load.hpp"

using namespace braid;

namespace {

// Counts an aggregate's fields: how many values it can be initialised with.
struct Anything {
  template <class T>
  operator T() const;
};
template <class T, class... Fields>
constexpr std::size_t field_count() {
  if constexpr (requires { T{Fields{}..., Anything{}}; })
    return field_count<T, Fields..., Anything>();
  else
    return sizeof...(Fields);
}

std::size_t rows_of(std::string_view section) {
  std::size_t rows = 0;
  for (const auto& setting : settings_table()) rows += setting.name.starts_with(std::string(section) + ".") ? 1 : 0;
  return rows;
}

}  // namespace

TEST_CASE("every field of the settings has a row in the table") {
  CHECK(rows_of("listeners.mqtt") == field_count<ListenerSettings>());
  CHECK(rows_of("listeners") == 5 * field_count<ListenerSettings>());
  CHECK(rows_of("kafka") == field_count<KafkaSettings>());
  CHECK(rows_of("mqtt") == field_count<MqttSettings>());
  CHECK(rows_of("amqp") == field_count<AmqpSettings>());
  CHECK(rows_of("limits") == field_count<LimitSettings>());
  CHECK(rows_of("security") == field_count<SecuritySettings>());
  CHECK(rows_of("storage") == field_count<StorageSettings>());
  CHECK(rows_of("topic_defaults") == field_count<TopicDefaults>());
  // Seven sections of their own and five listeners, then node (3), routes, log (2).
  CHECK(field_count<Settings>() == 5 + 7 + 3 + 1 + 2);
}

TEST_CASE("names are lower case, dotted, and each stands once") {
  std::set<std::string_view> names;
  for (const auto& setting : settings_table()) {
    CAPTURE(std::string(setting.name));
    CHECK(names.insert(setting.name).second);
    CHECK(setting.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.") == std::string_view::npos);
    CHECK_FALSE(setting.text.empty());
    CHECK(setting.text.ends_with('.'));
    CHECK_FALSE(is_setting_group(setting.name));
    CHECK(find_setting(setting.name) == &setting);
  }
  CHECK(find_setting("listeners.mqtt") == nullptr);
  CHECK(is_setting_group("listeners.mqtt"));
  CHECK_FALSE(is_setting_group("listeners.mq"));
}

TEST_CASE("every default is a value that the setting takes, and reads back as it is written") {
  for (const auto& setting : settings_table()) {
    const auto text = format_setting(setting, setting.get(Settings{}));
    if (setting.kind == SettingKind::routes || text == "\"\"") continue;  // empty, which is written as "" in a file
    CAPTURE(std::string(setting.name), text);
    const auto value = parse_setting(setting, text);
    REQUIRE(value);
    CHECK(format_setting(setting, *value) == text);
  }
}

TEST_CASE("every numeric setting takes both of its limits, stores them, and refuses what lies beyond") {
  for (const auto& setting : settings_table()) {
    if (setting.kind != SettingKind::integer && setting.kind != SettingKind::size &&
        setting.kind != SettingKind::duration)
      continue;
    CAPTURE(std::string(setting.name));
    const auto unit = setting.kind == SettingKind::duration ? "ms" : "";
    for (const auto limit : {setting.minimum, setting.maximum}) {
      const auto value = parse_setting(setting, std::to_string(limit) + unit);
      REQUIRE(value);
      Settings settings;
      setting.set(settings, *value);
      CHECK(std::get<std::int64_t>(setting.get(settings)) == limit);  // the field is wide enough
    }
    CHECK_FALSE(parse_setting(setting, std::to_string(setting.minimum - 1) + unit));
    CHECK_FALSE(parse_setting(setting, std::to_string(setting.maximum + 1) + unit));
  }
}

TEST_CASE("setting one value changes nothing else") {
  for (const auto& setting : settings_table()) {
    if (setting.kind != SettingKind::integer && setting.kind != SettingKind::size &&
        setting.kind != SettingKind::duration)
      continue;
    Settings settings;
    setting.set(settings, SettingValue(setting.maximum));
    for (const auto& other : settings_table()) {
      if (&other == &setting || other.kind == SettingKind::routes) continue;
      CAPTURE(std::string(setting.name), std::string(other.name));
      CHECK(other.get(settings) == other.get(Settings{}));
    }
  }
}

TEST_CASE("texts are quoted when they are shown, where YAML would read them otherwise") {
  const auto& setting = *find_setting("storage.path");
  CHECK(format_setting(setting, SettingValue(std::string("/var/lib/braid"))) == "/var/lib/braid");
  CHECK(format_setting(setting, SettingValue(std::string())) == "\"\"");
  CHECK(format_setting(setting, SettingValue(std::string("a: b"))) == "\"a: b\"");
  CHECK(format_setting(setting, SettingValue(std::string("a\"\\\n"))) == "\"a\\\"\\\\\\x0a\"");
  CHECK(format_setting(setting, SettingValue(std::string("null"))) == "\"null\"");
  const auto& routes = *find_setting("routes");
  CHECK(format_setting(routes, SettingValue(std::vector<RouteSetting>{{"a/#", "t"}, {"b", "u"}})) ==
        "[{filter: \"a/#\", topic: t}, {filter: b, topic: u}]");
}
