// Braid, Apache-2.0.
//
// Some tests compare with files of the repository. Where it lies is compiled into one file of its own: as a flag of
// every test it would make each clone compile all of them anew.
#pragma once

#include <filesystem>

namespace braid {

/// The root of the sources that this test was built from.
std::filesystem::path source_tree();

}  // namespace braid
