// Braid, Apache-2.0.
//
// Tables for people, JSON and YAML for scripts: the same answer in each.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "actors/admin/json.hpp"
#include "apps/braid/arguments.hpp"

namespace braid {

using Row = std::vector<std::string>;

/// Columns as wide as they need to be, two spaces apart, nothing after the last. Control characters, which a broker
/// at the other end could send to the terminal, become '?'.
void print_table(std::ostream& out, const std::vector<Row>& rows);

/// For `json` and `yaml`.
void print_json(std::ostream& out, OutputForm form, const Json& value);

}  // namespace braid
