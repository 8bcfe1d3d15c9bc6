// Braid, Apache-2.0.
//
// Lengths of time as the arguments of streams have them: a number and one of the units Y M D h m s.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace braid::amqp {

/// "5m" in milliseconds, a year as 365 days and a month as 30; INT64_MAX when it is longer than that. Nothing when it
/// is no such text.
std::optional<std::int64_t> parse_interval_ms(std::string_view text);

}  // namespace braid::amqp
