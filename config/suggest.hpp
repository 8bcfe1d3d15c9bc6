// Braid, Apache-2.0.
//
// "Did you mean": the known name that a mistyped one was most likely meant to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace braid {

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The nearest candidate, if it is near enough to be meant (a third of the length, at least one change); else empty.
std::string_view nearest_name(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace braid
