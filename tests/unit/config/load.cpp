// Braid, Apache-2.0.
//
// Every path from a text to a setting or to a mistake, with the words that the operator sees.
#include "config/load.hpp"

#include <catch2/catch.hpp>

using namespace braid;

namespace {

SettingsSources from_file(std::string text) {
  SettingsSources sources;
  sources.file = SettingsFile{"braid.yaml", std::move(text)};
  return sources;
}
SettingsSources from_flags(std::vector<std::string> flags) {
  SettingsSources sources;
  sources.flags = std::move(flags);
  return sources;
}
SettingsSources from_environment(std::map<std::string, std::string> environment) {
  SettingsSources sources;
  sources.environment = std::move(environment);
  return sources;
}

/// All mistakes as the operator reads them, one below the other.
std::string mistakes_of(const SettingsSources& sources) {
  const auto loaded = load_settings(sources);
  if (loaded) return "none";
  std::string text;
  for (const auto& mistake : loaded.error()) text += format_mistake(mistake) + "\n";
  return text;
}

Settings settings_of(const SettingsSources& sources) {
  CAPTURE(mistakes_of(sources));
  const auto loaded = load_settings(sources);
  REQUIRE(loaded);
  return loaded->settings;
}

}  // namespace

TEST_CASE("without any source every setting has its default and there is a data directory") {
  const auto settings = settings_of({});
  CHECK(settings.mqtt.port == 1883);
  CHECK(settings.kafka.port == 9092);
  CHECK(settings.amqp.port == 5672);
  CHECK(settings.http.port == 8080);
  CHECK(settings.mqtt.bind == "127.0.0.1");
  CHECK(settings.storage.path == "braid-data");
  CHECK(settings_of(from_environment({{"HOME", "/h"}})).storage.path == "/h/.local/share/braid");
  CHECK(settings_of(from_environment({{"HOME", "/h"}, {"XDG_DATA_HOME", "/d"}})).storage.path == "/d/braid");
  CHECK(settings_of(from_environment({{"HOME", "/h"}, {"XDG_DATA_HOME", "d"}})).storage.path ==
        "/h/.local/share/braid");
}

TEST_CASE("a file sets every kind of setting, nested or dotted") {
  const auto settings = settings_of(from_file(R"(
node:
  id: 7
  loops: 3
listeners:
  mqtt: {port: 0, enabled: false}
  kafka.port: 19092
listeners.amqp.port: "15672"
storage:
  path: /var/lib/braid
  file_bytes: 64MiB
  sync_interval: 250ms
topic_defaults: {durability: os, retention: forever, retention_bytes: 1GiB}
kafka.advertised: broker.example:9092
limits.memory_budget_bytes: auto
routes:
  - filter: plant/+/state
    topic: states
  - {filter: "#", topic: rest}
log: {level: warn, format: json}
)"));
  CHECK(settings.node_id == 7);
  CHECK(settings.loops == 3);
  CHECK(settings.mqtt.port == 0);
  CHECK_FALSE(settings.mqtt.enabled);
  CHECK(settings.kafka.port == 19092);
  CHECK(settings.amqp.port == 15672);
  CHECK(settings.storage.path == "/var/lib/braid");
  CHECK(settings.storage.file_bytes == 64u << 20);
  CHECK(settings.storage.sync_interval_ms == 250);
  CHECK(settings.topic_defaults.durability == Durability::os);
  CHECK(settings.topic_defaults.retention_ms == -1);
  CHECK(settings.topic_defaults.retention_bytes == 1ll << 30);
  CHECK(settings.kafka_protocol.advertised == "broker.example:9092");
  CHECK(settings.limits.memory_budget_bytes == 0);
  REQUIRE(settings.routes.size() == 2);
  CHECK(settings.routes[0].filter == "plant/+/state");
  CHECK(settings.routes[1].topic == "rest");
  CHECK(settings.log_level == "warn");
  CHECK(settings.log_format == "json");
}

TEST_CASE("an empty file, or a section with nothing below it, sets nothing") {
  CHECK(settings_of(from_file("")).mqtt.port == 1883);
  CHECK(settings_of(from_file("# all defaults\n")).mqtt.port == 1883);
  CHECK(settings_of(from_file("listeners:\n  # mqtt:\n")).mqtt.port == 1883);
}

TEST_CASE("a flag goes before the environment, which goes before the file, and a later flag before an earlier one") {
  auto sources = from_file("listeners: {mqtt: {port: 1}, kafka: {port: 2}, amqp: {port: 3}}");
  sources.environment = {{"BRAID_LISTENERS__KAFKA__PORT", "20"}, {"BRAID_LISTENERS__AMQP__PORT", "30"}};
  sources.flags = {"listeners.amqp.port=300", "listeners.amqp.port=301"};
  const auto settings = settings_of(sources);
  CHECK(settings.mqtt.port == 1);
  CHECK(settings.kafka.port == 20);
  CHECK(settings.amqp.port == 301);
  const auto loaded = load_settings(sources);
  CHECK(format_origin(loaded->origins.at("listeners.mqtt.port")) == "braid.yaml:1:26");
  CHECK(format_origin(loaded->origins.at("listeners.kafka.port")) == "environment BRAID_LISTENERS__KAFKA__PORT");
  CHECK(format_origin(loaded->origins.at("listeners.amqp.port")) == "--set listeners.amqp.port");
  CHECK_FALSE(loaded->origins.contains("listeners.http.port"));
}

TEST_CASE("an unknown key in the file is shown where it stands, with what was meant") {
  CHECK(mistakes_of(from_file("listeners:\n  mqtt:\n    prot: 1883\n")) ==
        "braid.yaml:3:5: unknown key 'listeners.mqtt.prot', did you mean 'port'?\n"
        "  3 |     prot: 1883\n"
        "    |     ^\n");
  CHECK(mistakes_of(from_file("bridge: 1\n")) ==
        "braid.yaml:1:1: unknown key 'bridge'\n"
        "  1 | bridge: 1\n"
        "    | ^\n");
}

TEST_CASE("a value of the wrong type or out of range says what was expected") {
  CHECK(mistakes_of(from_file("listeners:\n  mqtt:\n    port: http\n")) ==
        "braid.yaml:3:11: listeners.mqtt.port: expected a number from 0 to 65535, not 'http'\n"
        "  3 |     port: http\n"
        "    |           ^\n");
  CHECK(mistakes_of(from_flags({"listeners.mqtt.port=70000"})) ==
        "--set listeners.mqtt.port: expected a number from 0 to 65535, not '70000'\n");
  CHECK(mistakes_of(from_flags({"limits.handshake_timeout=30"})) ==
        "--set limits.handshake_timeout: expected a duration (such as 250ms, 30s, 5m) from "
        "100ms to 1h, not '30'\n");
  CHECK(mistakes_of(from_flags({"storage.file_bytes=1KiB"})) ==
        "--set storage.file_bytes: expected a size (such as 512KiB, 64MiB) from 1MiB to 1GiB, not "
        "'1KiB'\n");
  CHECK(mistakes_of(from_flags({"topic_defaults.durability=disk"})) ==
        "--set topic_defaults.durability: expected one of memory, os, sync, not 'disk'\n");
  CHECK(mistakes_of(from_flags({"kafka.auto_create_topics=yes"})) ==
        "--set kafka.auto_create_topics: expected true or false, not 'yes'\n");
  CHECK(mistakes_of(from_flags({"listeners.mqtt.bind=localhost"})) ==
        "--set listeners.mqtt.bind: expected an IP address of this machine, not 'localhost'\n");
  CHECK(mistakes_of(from_flags({"kafka.advertised=broker"})) ==
        "--set kafka.advertised: expected host:port, not 'broker'\n");
  CHECK(mistakes_of(from_flags({"topic_defaults.retention=always"})) ==
        "--set topic_defaults.retention: expected a duration (such as 250ms, 30s, 5m) from 1s "
        "to 36500d, or 'forever', not 'always'\n");
  CHECK(mistakes_of(from_flags({"storage.path="})) == "--set storage.path: expected a directory, not an empty text\n");
}

TEST_CASE("a value where settings belong, and settings where a value belongs, are told apart") {
  CHECK(mistakes_of(from_file("listeners: 1883\n")) ==
        "braid.yaml:1:12: listeners: expected settings below it, such as 'mqtt', not a value\n"
        "  1 | listeners: 1883\n"
        "    |            ^\n");
  CHECK(mistakes_of(from_file("storage: {path: [a]}\n")) ==
        "braid.yaml:1:17: storage.path: expected a text, not a list\n"
        "  1 | storage: {path: [a]}\n"
        "    |                 ^\n");
  CHECK(mistakes_of(from_file("storage: {path: {a: b}}\n"))
            .starts_with("braid.yaml:1:17: storage.path: expected a text, not a mapping\n"));
  CHECK(mistakes_of(from_file("storage:\n  path:\n")).find("storage.path: expected a text, not nothing") !=
        std::string::npos);
  CHECK(mistakes_of(from_file("- a\n")) ==
        "braid.yaml:1:1: expected settings, such as 'storage:' and below it 'path: DIR'\n"
        "  1 | - a\n"
        "    | ^\n");
  CHECK(mistakes_of(from_file("[a]: b\n")).starts_with("braid.yaml:1:1: expected a name\n"));
}

TEST_CASE("a key given twice is a mistake that names the first line, also in its dotted form") {
  CHECK(mistakes_of(from_file("storage:\n  path: a\n  path: b\n")) ==
        "braid.yaml:3:3: duplicate key 'storage.path', first given in line 2\n"
        "  3 |   path: b\n"
        "    |   ^\n");
  CHECK(mistakes_of(from_file("storage:\n  path: a\nstorage.path: b\n")) ==
        "braid.yaml:3:1: duplicate key 'storage.path', first given in line 2\n"
        "  3 | storage.path: b\n"
        "    | ^\n");
}

TEST_CASE("text that is not YAML is shown where it breaks") {
  const auto text = mistakes_of(from_file("storage:\n\tpath: a\n"));
  CHECK(text.starts_with("braid.yaml:2:"));
  CHECK(text.find("  2 | \tpath: a\n") != std::string::npos);
}

TEST_CASE("all mistakes are found at once, in all sources") {
  auto sources = from_file("listeners:\n  mqtt: {prot: 1, port: x}\nstorage: {path: a, path: b}\n");
  sources.environment = {{"BRAID_LOG__LEVEL", "loud"}};
  sources.flags = {"limits.idle_timeout=1", "nonsense", "kafka.group_min_session_timeout=1h"};
  const auto loaded = load_settings(sources);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().size() == 7);
}

TEST_CASE("two underscores in a variable stand for a dot, and an unknown one is a mistake") {
  CHECK(settings_of(from_environment({{"BRAID_STORAGE__TAIL_CACHE_BYTES", "1MiB"}})).storage.tail_cache_bytes ==
        1u << 20);
  CHECK(mistakes_of(from_environment({{"BRAID_STORAGE__PAHT", "x"}})) ==
        "environment BRAID_STORAGE__PAHT: unknown key 'storage.paht', did you mean 'path'?\n");
  CHECK(mistakes_of(from_environment({{"BRAID_STORAGE_PATH", "x"}})) ==
        "environment BRAID_STORAGE_PATH: no setting; did you mean 'BRAID_STORAGE__PATH'?\n");
}

TEST_CASE("variables of other programs that begin alike are left alone") {
  CHECK(mistakes_of(from_environment({{"BRAID_JOBS", "2"}, {"BRAID_PORT", "tcp://10.0.0.1:1883"}, {"BRAID", ""}})) ==
        "none");
}

TEST_CASE("a flag without a value, with an unknown name or with a group's name says so") {
  CHECK(mistakes_of(from_flags({"listeners.mqtt.port"})) ==
        "--set listeners.mqtt.port: expected NAME=VALUE, such as listeners.mqtt.port=1883\n");
  CHECK(mistakes_of(from_flags({"listeners.mqtt.prot=1"})) ==
        "--set listeners.mqtt.prot: unknown key 'listeners.mqtt.prot', did you mean 'port'?\n");
  CHECK(mistakes_of(from_flags({"listeners.mqtt=1"})) ==
        "--set listeners.mqtt: 'listeners.mqtt' is a group of settings; name one of them, such as "
        "'listeners.mqtt.enabled'\n");
  CHECK(settings_of(from_flags({"node.cluster_id=a=b"})).cluster_id == "a=b");
}

TEST_CASE("routes come from the file, a flag or the environment, and each part is checked") {
  const auto settings = settings_of(from_flags({"routes=[{filter: 'a/#', topic: t}]"}));
  REQUIRE(settings.routes.size() == 1);
  CHECK(settings.routes[0].filter == "a/#");
  CHECK(settings_of(from_environment({{"BRAID_ROUTES", "[]"}})).routes.empty());
  CHECK(mistakes_of(from_file("routes:\n  - filer: a\n    topic: t\n")) ==
        "braid.yaml:2:5: unknown key 'routes.filer', did you mean 'filter'?\n"
        "  2 |   - filer: a\n"
        "    |     ^\n"
        "braid.yaml:2:5: routes: a route needs 'filter'\n"
        "  2 |   - filer: a\n"
        "    |     ^\n"
        "braid.yaml:2:3: routes: '' is no MQTT topic filter: it is empty\n"
        "  2 |   - filer: a\n"
        "    |   ^\n");
  CHECK(mistakes_of(from_file("routes: [a]\n"))
            .starts_with("braid.yaml:1:10: routes: expected {filter: ..., topic: ...}, not a value\n"));
  CHECK(mistakes_of(from_file("routes: 5\n"))
            .starts_with("braid.yaml:1:9: routes: expected a list of {filter: ..., topic: ...}, not a value\n"));
  CHECK(mistakes_of(from_file("routes: [{filter: a, filter: b, topic: t}]\n"))
            .starts_with("braid.yaml:1:22: duplicate key 'routes.filter'\n"));
  CHECK(mistakes_of(from_file("routes: [{filter: [a], topic: t}]\n"))
            .find("routes.filter: expected a text, not a list") != std::string::npos);
  CHECK(mistakes_of(from_flags({"routes=[{"})).starts_with("--set routes: "));
  CHECK(mistakes_of(from_flags({"routes=x"})) ==
        "--set routes: expected a list of {filter: ..., topic: ...}, not a value\n");
}

TEST_CASE("a reference stands for a variable or a file's text without its last line ends") {
  auto sources = from_file("node: {cluster_id: '${env:CLUSTER}'}\nstorage: {path: '${file:where}'}\n");
  sources.environment = {{"CLUSTER", "secret"}};
  sources.read_file = [](const std::string& path) -> Result<std::string, std::string> {
    if (path != "where") return Unexpected{std::string("no such file")};
    return std::string("/data\n");
  };
  const auto loaded = load_settings(sources);
  REQUIRE(loaded);
  CHECK(loaded->settings.cluster_id == "secret");
  CHECK(loaded->settings.storage.path == "/data");
  CHECK(loaded->origins.at("node.cluster_id").reference == "${env:CLUSTER}");
}

TEST_CASE("a reference that leads nowhere is a mistake, and what it stands for is never printed") {
  CHECK(mistakes_of(from_flags({"storage.path=${env:NOWHERE}"})) ==
        "--set storage.path: the environment has no variable 'NOWHERE'\n");
  CHECK(mistakes_of(from_flags({"storage.path=${file:x}"})) ==
        "--set storage.path: the file 'x' cannot be read here\n");
  CHECK(mistakes_of(from_flags({"storage.path=${vault:x}"})) ==
        "--set storage.path: expected ${env:NAME} or ${file:PATH} as the whole value\n");
  CHECK(mistakes_of(from_flags({"storage.path=/a/${env:X}"})) ==
        "--set storage.path: expected ${env:NAME} or ${file:PATH} as the whole value\n");
  auto sources = from_flags({"listeners.mqtt.port=${env:PORT}"});
  sources.environment = {{"PORT", "hunter2"}};
  CHECK(mistakes_of(sources) ==
        "--set listeners.mqtt.port: expected a number from 0 to 65535, which ${env:PORT} does not "
        "hold\n");
}

TEST_CASE("a value from a flag is cut short and made printable before it is shown") {
  const auto text = mistakes_of(from_flags({"listeners.mqtt.port=\x1b[31m" + std::string(500, 'x')}));
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.size() < 250);
}
