// Braid, Apache-2.0.
//
// The part of YAML that settings need, as a tree in which everything knows its line and column, so that a mistake can
// be shown where it stands. Anchors, aliases, tags and further documents are refused: a settings file says what it
// means in place. Duplicate keys are kept, in order; the reader reports the second one.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/result.hpp"

namespace braid {

struct YamlNode {
  enum class Kind { null, scalar, sequence, mapping };
  Kind kind = Kind::null;
  int line = 1;                        ///< from 1
  int column = 1;                      ///< from 1, in characters
  std::string text;                    ///< of a scalar
  std::vector<YamlNode> items;         ///< of a sequence
  std::vector<YamlNode> keys, values;  ///< of a mapping, one value per key
};

struct YamlError {
  int line = 1;
  int column = 1;
  std::string text;
};

/// An empty document is a null node.
Result<YamlNode, YamlError> parse_yaml(std::string_view text);

/// Plain where YAML reads it back as the same text, else in double quotes.
std::string quote_yaml(std::string_view text);

}  // namespace braid
