// Braid, Apache-2.0.
//
// The log's lines, caught from standard error.
#include "runtime/log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>

using namespace braid;

namespace {

/// What `write` puts on standard error.
template <class F>
std::string caught(F write) {
  std::FILE* const file = std::tmpfile();
  std::fflush(stderr);
  const int before = ::dup(2);
  ::dup2(::fileno(file), 2);
  write();
  std::fflush(stderr);
  ::dup2(before, 2);
  ::close(before);
  std::string text(100'000, '\0');
  std::rewind(file);
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

struct Restore {
  ~Restore() { log::configure(log::Level::info, log::Format::text); }
};

}  // namespace

TEST_CASE("A line of text has level, component, message and fields") {
  const Restore restore;
  log::configure(log::Level::info, log::Format::text);
  const std::string line = caught([] {
    log::debug("mqtt", "not wanted");
    log::warning("mqtt", {{"peer", "127.0.0.1:5"}, {"client", "a \"b\""}, {"packets", 7}}, "closed: {}", "bad packet");
  });
  CHECK(line.find("warning mqtt: closed: bad packet peer=127.0.0.1:5 client=\"a \\\"b\\\"\" packets=7\n") !=
        std::string::npos);
  CHECK(line.find("not wanted") == std::string::npos);
}

TEST_CASE("A line of JSON is one object, whatever is in it") {
  const Restore restore;
  log::configure(log::Level::debug, log::Format::json);
  const std::string line = caught([] {
    log::debug("kafka", {{"client", "a\"}\n{\x01%v"}}, "said {}", "\"hello\" %l\\");
  });
  CHECK(line.front() == '{');
  CHECK(line.find(R"("level":"debug","component":"kafka","message":"said \"hello\" %l\\","client":"a\"}\n{\u0001%v"})"
                  "\n") != std::string::npos);
}

TEST_CASE("What a peer sends cannot forge a line") {
  const Restore restore;
  const std::string lines = caught([] {
    log::info("mqtt", {{"client", "x\nerror broker: on fire\x1b[2J"}}, "connected: {}", "a\r\nb");
  });
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 1);
  CHECK(lines.find('\x1b') == std::string::npos);
}

TEST_CASE("A call site that repeats itself is cut short and says so") {
  log::RateLimit limit;
  int written = 0;
  for (int i = 0; i < 1000; ++i) written += limit.admit_at(5'000 + i % 1000) >= 0;
  CHECK(written == log::RateLimit::kPerSecond);
  CHECK(limit.admit_at(6'000) == 1000 - log::RateLimit::kPerSecond);
  CHECK(limit.admit_at(6'001) == 0);

  const Restore restore;
  const std::string lines = caught([] {
    for (int i = 0; i < 1000; ++i) BRAID_LOG_LIMITED(info, "test", {{"number", i}}, "again {}", i);
  });
  CHECK(std::count(lines.begin(), lines.end(), '\n') <= 2 * log::RateLimit::kPerSecond);
  CHECK(std::count(lines.begin(), lines.end(), '\n') >= log::RateLimit::kPerSecond);
}

TEST_CASE("Levels and formats are known by their names") {
  log::Level level{};
  for (const char* name : {"trace", "debug", "info", "warning", "error", "off"}) CHECK(log::parse_level(name, level));
  CHECK(level == log::Level::off);
  CHECK_FALSE(log::parse_level("loud", level));
  log::Format format{};
  CHECK(log::parse_format("json", format));
  CHECK(format == log::Format::json);
  CHECK_FALSE(log::parse_format("xml", format));
}
