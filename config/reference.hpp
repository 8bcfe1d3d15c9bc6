// Braid, Apache-2.0.
//
// The settings for people: the reference page, and the values that a start would use.
#pragma once

#include <string>
#include <vector>

#include "config/load.hpp"

namespace braid {

/// docs/settings.md. A test compares the file with this text.
std::string settings_reference();

struct ShownSetting {
  std::string name;
  std::string value;   ///< the reference instead, where the value was given by one
  std::string origin;  ///< "default", or the place
};

/// Every setting, in the order of the reference page.
std::vector<ShownSetting> show_settings(const LoadedSettings& loaded);

}  // namespace braid
