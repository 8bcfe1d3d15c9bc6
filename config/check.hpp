// Braid, Apache-2.0.
//
// What has to hold between settings, beyond the limits of each: found at the start, where it can be said in a sentence,
// rather than by a client later.
#pragma once

#include <string>
#include <vector>

#include "config/settings.hpp"

namespace braid {

struct SettingsConflict {
  std::string setting;  ///< the name of the setting to look at
  std::string text;
};

std::vector<SettingsConflict> check_settings(const Settings& settings);

/// Why an MQTT topic filter is none, as part of a sentence; empty for a valid one [MQTT-4.7].
std::string_view topic_filter_problem(std::string_view filter);

}  // namespace braid
