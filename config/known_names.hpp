// Braid, Apache-2.0.
//
// The tree of known names, for messages about unknown ones.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace braid {

/// The names one level below `group`, each once: "listeners" -> mqtt, kafka, ...; of the empty group, the sections.
std::vector<std::string_view> child_settings(std::string_view group);

/// "unknown key 'listeners.mqtt.prot', did you mean 'port'?"
std::string unknown_setting(std::string_view name);

}  // namespace braid
