// Braid, Apache-2.0.
//
// The one place that knows spdlog. It gets whole lines; what a line looks like is decided here.
#include "runtime/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>

namespace braid::log {
namespace detail {
std::atomic<Level> threshold{Level::info};
}
namespace {

std::atomic<Format> output_format{Format::text};

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::trace:
      return spdlog::level::trace;
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      break;
  }
  return spdlog::level::off;
}

spdlog::logger& text_logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("braid", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %-7l %v");
    return made;
  }();
  return *logger;
}
/// The closing brace comes with the pattern, because time and level come first.
spdlog::logger& json_logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("braid", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    made->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})");
    return made;
  }();
  return *logger;
}

void append_escaped(std::string& to, std::string_view text, bool json) {
  constexpr char kHex[] = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '"' || byte == '\\') {
      if (json) to += '\\';
      to += c;
    } else if (byte >= 0x20 && byte != 0x7f) {
      to += c;
    } else if (byte == '\n') {
      to += "\\n";
    } else {
      to += json ? "\\u00" : "\\x";
      to += kHex[byte >> 4];
      to += kHex[byte & 15];
    }
  }
}

bool is_plain(std::string_view value) {
  for (const char c : value)
    if (c == ' ' || c == '"' || c == '=' || static_cast<unsigned char>(c) < 0x20) return false;
  return !value.empty();
}

std::string text_line(std::string_view component, Fields fields, std::string_view text) {
  std::string line;
  line.reserve(text.size() + 64);
  line.append(component).append(": ");
  append_escaped(line, text, false);
  for (const Field& field : fields) {
    line.append(" ").append(field.key).append("=");
    const bool plain = is_plain(field.value);
    if (!plain) line += '"';
    append_escaped(line, field.value, !plain);
    if (!plain) line += '"';
  }
  return line;
}

std::string json_line(std::string_view component, Fields fields, std::string_view text) {
  std::string line = R"("component":")";
  append_escaped(line, component, true);
  line += R"(","message":")";
  append_escaped(line, text, true);
  line += '"';
  for (const Field& field : fields) {
    line += ",\"";
    append_escaped(line, field.key, true);
    line += "\":\"";
    append_escaped(line, field.value, true);
    line += '"';
  }
  return line;
}

}  // namespace

void configure(Level level, Format format) {
  detail::threshold.store(level, std::memory_order_relaxed);
  output_format.store(format, std::memory_order_relaxed);
}

bool parse_level(std::string_view name, Level& level) {
  constexpr std::pair<std::string_view, Level> kLevels[] = {{"trace", Level::trace}, {"debug", Level::debug},
                                                            {"info", Level::info},   {"warning", Level::warning},
                                                            {"error", Level::error}, {"off", Level::off}};
  for (const auto& [text, value] : kLevels)
    if (text == name) return level = value, true;
  return false;
}

bool parse_format(std::string_view name, Format& format) {
  if (name == "text") return format = Format::text, true;
  if (name == "json") return format = Format::json, true;
  return false;
}

void write(Level level, std::string_view component, Fields fields, std::string_view text) {
  if (output_format.load(std::memory_order_relaxed) == Format::json)
    json_logger().log(spdlog_level(level), json_line(component, fields, text));
  else
    text_logger().log(spdlog_level(level), text_line(component, fields, text));
}

void write_formatted(Level level, std::string_view component, Fields fields, fmt::string_view format,
                     fmt::format_args arguments) {
  write(level, component, fields, fmt::vformat(format, arguments));
}

std::int64_t RateLimit::clock_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::int64_t RateLimit::admit_at(std::int64_t now_ms) {
  const std::int64_t second = now_ms / 1000;
  std::int64_t seen = second_.load(std::memory_order_relaxed);
  if (seen != second && second_.compare_exchange_strong(seen, second, std::memory_order_relaxed))
    written_.store(0, std::memory_order_relaxed);
  if (written_.fetch_add(1, std::memory_order_relaxed) < kPerSecond)
    return suppressed_.exchange(0, std::memory_order_relaxed);
  suppressed_.fetch_add(1, std::memory_order_relaxed);
  return -1;
}

void write_limited(RateLimit& limit, Level level, std::string_view component, Fields fields, fmt::string_view format,
                   fmt::format_args arguments) {
  const std::int64_t suppressed = limit.admit();
  if (suppressed < 0) return;
  std::string text = fmt::vformat(format, arguments);
  if (suppressed > 0) text += fmt::format(" ({} such lines were left out before)", suppressed);
  write(level, component, fields, text);
}

}  // namespace braid::log
