// Braid, Apache-2.0.
#include "config/units.hpp"

#include <catch2/catch.hpp>
#include <limits>

using namespace braid;

TEST_CASE("a duration is a whole number and a unit") {
  CHECK(parse_duration_ms("250ms") == 250);
  CHECK(parse_duration_ms("30s") == 30'000);
  CHECK(parse_duration_ms("5m") == 300'000);
  CHECK(parse_duration_ms("12h") == 43'200'000);
  CHECK(parse_duration_ms("7d") == 604'800'000);
  CHECK(parse_duration_ms("0") == 0);
  for (const auto* wrong : {"", "30", "s", "-1s", "1.5s", "1 s", "1S", "1w", "1h30m", " 1s", "1s ", "+1s"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_duration_ms(wrong));
  }
}

TEST_CASE("a size is bytes, or a whole number and a unit of 1000 or 1024") {
  CHECK(parse_size_bytes("0") == 0);
  CHECK(parse_size_bytes("512") == 512);
  CHECK(parse_size_bytes("512B") == 512);
  CHECK(parse_size_bytes("512KB") == 512'000);
  CHECK(parse_size_bytes("64MiB") == 64ll << 20);
  CHECK(parse_size_bytes("1GiB") == 1ll << 30);
  CHECK(parse_size_bytes("2TB") == 2'000'000'000'000);
  for (const auto* wrong : {"", "KiB", "-1", "-1KiB", "1kib", "1K", "1.5GiB", "1 GiB", "0x10"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_size_bytes(wrong));
  }
}

TEST_CASE("a number that does not fit is no number, with or without a unit") {
  CHECK(parse_integer("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK(parse_integer("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  CHECK_FALSE(parse_integer("9223372036854775808"));
  CHECK_FALSE(parse_size_bytes("9223372036854775807KiB"));
  CHECK_FALSE(parse_duration_ms("106751991168d"));
  CHECK(parse_duration_ms("106751991167d") == 106751991167ll * 86'400'000);
}

TEST_CASE("durations and sizes are written in their shortest exact form") {
  CHECK(format_duration(0) == "0");
  CHECK(format_duration(250) == "250ms");
  CHECK(format_duration(90'000) == "90s");
  CHECK(format_duration(3'600'000) == "1h");
  CHECK(format_duration(604'800'000) == "7d");
  CHECK(format_size(0) == "0");
  CHECK(format_size(1023) == "1023B");
  CHECK(format_size(1 << 20) == "1MiB");
  CHECK(format_size(1048588) == "1048588B");
}

TEST_CASE("what is written is read back as the same number") {
  for (std::int64_t value = 1; value < (1ll << 50); value = value * 3 + 7) {
    CAPTURE(value);
    CHECK(parse_duration_ms(format_duration(value)) == value);
    CHECK(parse_size_bytes(format_size(value)) == value);
  }
}
