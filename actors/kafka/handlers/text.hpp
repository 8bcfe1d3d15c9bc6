// Braid, Apache-2.0.
//
// Between the codec's slices and strings that are kept.
#pragma once

#include <optional>
#include <string>

#include "codecs/kafka/types.hpp"

namespace braid::kafka {

inline std::optional<std::string> string(const std::optional<Text>& text) {
  if (!text) return std::nullopt;
  return text->str();
}
inline std::optional<Text> text(const std::optional<std::string>& string) {
  if (!string) return std::nullopt;
  return Text(*string);
}

}  // namespace braid::kafka
