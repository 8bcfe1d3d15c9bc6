// Braid, Apache-2.0.
//
// The log: lines to standard error, as text for people or as JSON for collectors, each with a component and, where it
// helps, fields that can be searched for. spdlog is behind it, in log.cpp alone, because it is dear to compile.
//
//   log::info("kafka", "listening on {}", address);
//   log::warning("mqtt", {{"peer", peer}, {"client", id}}, "takes no message: {}", reason);
//   BRAID_LOG_LIMITED(warning, "mqtt", {{"peer", peer}}, "closed: {}", reason);   // what a peer can cause at will
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace braid::log {

enum class Level : std::uint8_t { trace, debug, info, warning, error, off };
enum class Format : std::uint8_t { text, json };

/// Text, info, standard error until told otherwise. Any thread.
void configure(Level level, Format format);
/// "info", "warning", ...; false when it names none.
bool parse_level(std::string_view name, Level& level);
bool parse_format(std::string_view name, Format& format);

namespace detail {
extern std::atomic<Level> threshold;
}
inline bool enabled(Level level) {
  return level >= detail::threshold.load(std::memory_order_relaxed);
}

struct Field {
  std::string_view key;
  std::string value;
  Field(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  template <std::integral T>
  Field(std::string_view k, T v) : key(k), value(std::to_string(v)) {}
};
using Fields = std::initializer_list<Field>;

/// Writes one line, whatever the level. Control characters of the text and the fields are escaped: what a peer sent
/// cannot forge a line.
void write(Level level, std::string_view component, Fields fields, std::string_view text);
void write_formatted(Level level, std::string_view component, Fields fields, fmt::string_view format,
                     fmt::format_args arguments);

#define BRAID_LOG_FUNCTIONS(level)                                                                            \
  template <class... Arguments>                                                                               \
  void level(std::string_view component, fmt::format_string<Arguments...> format, Arguments&&... arguments) { \
    if (enabled(Level::level))                                                                                \
      write_formatted(Level::level, component, {}, format, fmt::make_format_args(arguments...));              \
  }                                                                                                           \
  template <class... Arguments>                                                                               \
  void level(std::string_view component, Fields fields, fmt::format_string<Arguments...> format,              \
             Arguments&&... arguments) {                                                                      \
    if (enabled(Level::level))                                                                                \
      write_formatted(Level::level, component, fields, format, fmt::make_format_args(arguments...));          \
  }
BRAID_LOG_FUNCTIONS(trace)
BRAID_LOG_FUNCTIONS(debug)
BRAID_LOG_FUNCTIONS(info)
BRAID_LOG_FUNCTIONS(warning)
BRAID_LOG_FUNCTIONS(error)
#undef BRAID_LOG_FUNCTIONS

/// Lets ten lines a second through per call site and counts the others; the next line that passes says how many.
class RateLimit {
 public:
  static constexpr std::uint32_t kPerSecond = 10;
  /// -1: do not write; else how many were not written since the last.
  std::int64_t admit() { return admit_at(clock_ms()); }
  std::int64_t admit_at(std::int64_t now_ms);

 private:
  static std::int64_t clock_ms();
  std::atomic<std::int64_t> second_{-1};
  std::atomic<std::uint32_t> written_{0};
  std::atomic<std::uint32_t> suppressed_{0};
};
void write_limited(RateLimit& limit, Level level, std::string_view component, Fields fields, fmt::string_view format,
                   fmt::format_args arguments);
template <class... Arguments>
void limited(RateLimit& limit, Level level, std::string_view component, Fields fields,
             fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write_limited(limit, level, component, fields, format, fmt::make_format_args(arguments...));
}

}  // namespace braid::log

/// BRAID_LOG_LIMITED(level, component, {fields}, format, arguments...): for messages that a peer can cause.
#define BRAID_LOG_LIMITED(level_name, ...)                                                   \
  do {                                                                                       \
    static ::braid::log::RateLimit braid_rate_limit;                                         \
    if (::braid::log::enabled(::braid::log::Level::level_name))                              \
      ::braid::log::limited(braid_rate_limit, ::braid::log::Level::level_name, __VA_ARGS__); \
  } while (false)
