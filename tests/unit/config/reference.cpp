// Braid, Apache-2.0.
#include "config/reference.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "config/table.hpp"
#include "support/source_tree.hpp"

using namespace braid;

TEST_CASE("docs/settings.md is what the table says: run braid settings reference > docs/settings.md") {
  std::ifstream file(source_tree() / "docs/settings.md");
  const std::string page(std::istreambuf_iterator<char>(file), {});
  CHECK(page == settings_reference());
}

TEST_CASE("the reference names every setting with its default and its limits") {
  const auto page = settings_reference();
  for (const auto& setting : settings_table())
    CHECK(page.find("| `" + std::string(setting.name) + "` |") != std::string::npos);
  CHECK(page.find("| `listeners.mqtt.port` | `1883` | 0 to 65535 |") != std::string::npos);
  CHECK(page.find("| `topic_defaults.retention` | `7d` | 1s to 36500d, `forever` |") != std::string::npos);
  CHECK(page.find("| `node.loops` | `auto`: one per core that it may run on | 1 to 256, `auto` |") !=
        std::string::npos);
  CHECK(page.find("| `log.format` | `text` | `text`, `json` |") != std::string::npos);
}

TEST_CASE("show prints every value and its place, but of a reference only the reference") {
  SettingsSources sources;
  sources.environment = {{"SECRET", "hunter2"}, {"BRAID_LOG__LEVEL", "debug"}};
  sources.flags = {"node.cluster_id=${env:SECRET}", "listeners.mqtt.port=5"};
  const auto loaded = load_settings(sources);
  REQUIRE(loaded);
  const auto shown = show_settings(*loaded);
  CHECK(shown.size() == settings_table().size());
  auto find = [&](std::string_view name) {
    const auto at = std::find_if(shown.begin(), shown.end(), [&](const auto& s) { return s.name == name; });
    REQUIRE(at != shown.end());
    return at->value + " from " + at->origin;
  };
  CHECK(find("node.cluster_id") == "${env:SECRET} from --set node.cluster_id");
  CHECK(find("listeners.mqtt.port") == "5 from --set listeners.mqtt.port");
  CHECK(find("log.level") == "debug from environment BRAID_LOG__LEVEL");
  CHECK(find("listeners.kafka.port") == "9092 from default");
}
