// Braid, Apache-2.0.
//
// Durations and sizes as people write them (`30s`, `1GiB`) and as the broker counts them (milliseconds, bytes). A bare
// number of seconds or milliseconds is the classic mistake of configuration files, so a duration carries its unit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace braid {

/// A whole decimal number with an optional '-', nothing around it; empty when it is not one or does not fit.
std::optional<std::int64_t> parse_integer(std::string_view text);

/// `250ms`, `30s`, `5m`, `12h`, `7d`, or plain `0`; empty for anything else and for what does not fit.
std::optional<std::int64_t> parse_duration_ms(std::string_view text);

/// Bytes: `512`, `512B`, `64KB` (powers of 1000), `64KiB` (powers of 1024), up to T; empty for anything else.
std::optional<std::int64_t> parse_size_bytes(std::string_view text);

/// The shortest exact form with one unit: 90000 is `90s`, 3600000 is `1h`.
std::string format_duration(std::int64_t milliseconds);

/// The shortest exact form with one binary unit: 1048576 is `1MiB`, 1048588 is `1048588B`.
std::string format_size(std::int64_t bytes);

}  // namespace braid
