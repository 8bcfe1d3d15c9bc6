// Braid, Apache-2.0.
#include "actors/amqp/interval.hpp"

namespace braid::amqp {

namespace {

std::optional<std::int64_t> unit_ms(char unit) {
  constexpr std::int64_t second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
  switch (unit) {
    case 'Y':
      return 365 * day;
    case 'M':
      return 30 * day;
    case 'D':
      return day;
    case 'h':
      return hour;
    case 'm':
      return minute;
    case 's':
      return second;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<std::int64_t> parse_interval_ms(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  const auto unit = unit_ms(text.back());
  text.remove_suffix(1);
  if (!unit || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::int64_t number = 0;
  for (const char digit : text) {
    if (number > (INT64_MAX - 9) / 10) return INT64_MAX;
    number = number * 10 + (digit - '0');
  }
  return number > INT64_MAX / *unit ? INT64_MAX : number * *unit;
}

}  // namespace braid::amqp
