// Braid, Apache-2.0.
#include "config/units.hpp"

#include <array>
#include <charconv>
#include <limits>

namespace braid {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::array<Unit, 5> duration_units{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

constexpr std::array<Unit, 10> size_units{{{"", 1},
                                           {"B", 1},
                                           {"KB", 1000},
                                           {"MB", 1'000'000},
                                           {"GB", 1'000'000'000},
                                           {"TB", 1'000'000'000'000},
                                           {"KiB", 1ll << 10},
                                           {"MiB", 1ll << 20},
                                           {"GiB", 1ll << 30},
                                           {"TiB", 1ll << 40}}};

template <std::size_t N>
std::optional<std::int64_t> parse_with_unit(std::string_view text, const std::array<Unit, N>& units) {
  const auto digits_end = text.find_first_not_of("0123456789");
  const auto number = parse_integer(text.substr(0, digits_end));
  if (!number) return std::nullopt;
  const auto unit_name = digits_end == std::string_view::npos ? std::string_view{} : text.substr(digits_end);
  for (const auto& unit : units) {
    if (unit.name != unit_name) continue;
    if (*number > std::numeric_limits<std::int64_t>::max() / unit.factor) return std::nullopt;
    return *number * unit.factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stopped_at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped_at != end) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_duration_ms(std::string_view text) {
  if (text == "0") return 0;
  return parse_with_unit(text, duration_units);
}

std::optional<std::int64_t> parse_size_bytes(std::string_view text) {
  return parse_with_unit(text, size_units);
}

std::string format_duration(std::int64_t milliseconds) {
  const Unit* best = &duration_units.front();
  for (const auto& unit : duration_units)
    if (milliseconds != 0 && milliseconds % unit.factor == 0) best = &unit;
  if (milliseconds == 0) return "0";
  return std::to_string(milliseconds / best->factor) + std::string(best->name);
}

std::string format_size(std::int64_t bytes) {
  constexpr std::array<Unit, 5> binary{
      {{"B", 1}, {"KiB", 1ll << 10}, {"MiB", 1ll << 20}, {"GiB", 1ll << 30}, {"TiB", 1ll << 40}}};
  if (bytes == 0) return "0";
  const Unit* best = &binary.front();
  for (const auto& unit : binary)
    if (bytes % unit.factor == 0) best = &unit;
  return std::to_string(bytes / best->factor) + std::string(best->name);
}

}  // namespace braid
