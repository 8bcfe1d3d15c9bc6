// Braid, Apache-2.0.
#include "config/suggest.hpp"

#include <algorithm>

namespace braid {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // The usual table, three rows of it: a swap looks back two rows.
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + changed});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

std::string_view nearest_name(std::string_view name, const std::vector<std::string_view>& candidates) {
  constexpr std::size_t longest_worth_comparing = 64;  // the table above grows with the square
  std::string_view best;
  if (name.empty() || name.size() > longest_worth_comparing) return best;
  std::size_t limit = std::max<std::size_t>(1, name.size() / 3);
  for (const auto candidate : candidates) {
    // Lengths that differ by more than the limit need more changes than that: most candidates end here.
    if (std::max(name.size(), candidate.size()) - std::min(name.size(), candidate.size()) > limit) continue;
    const auto distance = edit_distance(name, candidate);
    if (distance > limit || (distance == limit && !best.empty())) continue;
    best = candidate;
    limit = distance;
  }
  return best;
}

}  // namespace braid
