// Braid, Apache-2.0.
#include "apps/braid/output.hpp"

#include <algorithm>

namespace braid {

void print_table(std::ostream& out, const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    auto cells = row.size();
    while (cells > 0 && row[cells - 1].empty()) --cells;  // no blanks at the end of a line
    for (std::size_t i = 0; i < cells; ++i) {
      for (char c : row[i]) out << (static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c);
      if (i + 1 < cells) out << std::string(widths[i] - row[i].size() + 2, ' ');
    }
    out << '\n';
  }
}

void print_json(std::ostream& out, OutputForm form, const Json& value) {
  if (form == OutputForm::yaml)
    out << to_yaml(value);
  else
    out << to_json(value, true) << '\n';
}

}  // namespace braid
