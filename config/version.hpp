// Braid, Apache-2.0.
//
// The version of this build, as CMakeLists.txt has it.
#pragma once

#include <string_view>

namespace braid {

extern const std::string_view version;

}  // namespace braid
