// Braid, Apache-2.0.
//
// Settings from any text: the first byte chooses whether the rest is a settings file, the text of a --set flag, or the
// value of an environment variable that names routes. Whatever comes out is either settings that a start could use, or
// mistakes that can be shown.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/load.hpp"
#include "config/reference.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

/// libfyaml 0.7.12 loses a kilobyte for a quoted text with very many escaped quotes. A start reads one file, so that is
/// no matter; our own leaks still are.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libfyaml";
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  braid::SettingsSources sources;
  switch (data[0] % 3) {
    case 0:
      sources.file = braid::SettingsFile{"fuzz.yaml", text};
      break;
    case 1:
      sources.flags = {text};
      break;
    default:
      if (text.find('\0') != std::string::npos) return 0;  // no variable holds one
      sources.environment = {{"BRAID_ROUTES", text}, {"SECRET", "hunter2"}};
  }
  const auto loaded = braid::load_settings(sources);
  if (loaded) {
    require(!loaded->settings.storage.path.empty());
    for (const auto& shown : braid::show_settings(*loaded)) require(!shown.name.empty() && !shown.value.empty());
  } else {
    require(!loaded.error().empty());
    for (const auto& mistake : loaded.error()) require(!braid::format_mistake(mistake).empty());
  }
  return 0;
}
