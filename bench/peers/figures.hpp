// Braid, Apache-2.0.
//
// What every load generator measures and how it tells the harness: one JSON object per line. `begin` and `end` mark the
// measured window (the harness then reads the broker's CPU time), `result` closes. Latency is counted from the time at
// which a message was to be sent, not from when it could be: a broker that stalls the sender does not hide the stall.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "histogram.hpp"
#include "options.hpp"

namespace braid::bench {

inline std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

inline double own_cpu_s() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

inline void tell(const std::string& event, const std::string& more = "") {
  std::printf("{\"event\":\"%s\"%s%s}\n", event.c_str(), more.empty() ? "" : ",", more.c_str());
  std::fflush(stdout);
}

class Figures {
 public:
  Figures(double warmup_s, double seconds)
      : warmup_ns_(static_cast<std::uint64_t>(warmup_s * 1e9)), window_ns_(static_cast<std::uint64_t>(seconds * 1e9)) {}

  void start() {
    begin_ns_ = now_ns() + warmup_ns_;
    end_ns_ = begin_ns_ + window_ns_;
  }
  /// Marks the window's edges when they are reached.
  void tick(std::uint64_t now) {
    if (!begun_ && now >= begin_ns_) {
      begun_ = true;
      begun_ns_ = now;
      at_begin_ = total_;
      cpu_at_begin_s_ = own_cpu_s();
      tell("begin");
    }
    if (!ended_ && now >= end_ns_) {
      ended_ = true;
      ended_ns_ = now;
      at_end_ = total_;
      cpu_at_end_s_ = own_cpu_s();
      tell("end");
    }
  }
  bool ended() const { return ended_; }
  std::uint64_t end_ns() const { return end_ns_; }

  void sent(std::uint64_t count = 1) { total_.sent += count; }
  void acknowledged(std::uint64_t count = 1) { total_.acknowledged += count; }
  void delivered(std::uint64_t intended_ns, std::uint64_t now) {
    ++total_.delivered;
    if (intended_ns >= begin_ns_ && intended_ns < end_ns_) latency_.record(now > intended_ns ? now - intended_ns : 0);
  }
  std::uint64_t sent_in_all() const { return total_.sent; }
  std::uint64_t delivered_in_all() const { return total_.delivered; }

  /// `more`: further members of the object.
  void result(const std::string& more = "") const {
    const auto number = [](const char* name, double value) {
      char text[96];
      std::snprintf(text, sizeof text, ",\"%s\":%.6g", name, value);
      return std::string(text);
    };
    const auto whole = [](const char* name, std::uint64_t value) {
      return ",\"" + std::string(name) + "\":" + std::to_string(value);
    };
    std::string text = "\"seconds\":" + std::to_string(static_cast<double>(ended_ns_ - begun_ns_) / 1e9);
    text += whole("sent", at_end_.sent - at_begin_.sent);
    text += whole("acknowledged", at_end_.acknowledged - at_begin_.acknowledged);
    text += whole("delivered", at_end_.delivered - at_begin_.delivered);
    text += number("client_cpu_s", cpu_at_end_s_ - cpu_at_begin_s_);
    text += whole("all_messages", std::max(total_.delivered, total_.acknowledged));
    text += whole("latency_count", latency_.count()) + number("mean_us", latency_.mean_ns() / 1e3);
    text += number("p50_us", static_cast<double>(latency_.at(0.5)) / 1e3);
    text += number("p99_us", static_cast<double>(latency_.at(0.99)) / 1e3);
    text += number("p999_us", static_cast<double>(latency_.at(0.999)) / 1e3);
    text += number("max_us", static_cast<double>(latency_.max_ns()) / 1e3);
    tell("result", text + (more.empty() ? "" : "," + more) + ",\"histogram_ns\":" + latency_.json());
  }

 private:
  struct Counts {
    std::uint64_t sent = 0, acknowledged = 0, delivered = 0;
  };
  std::uint64_t warmup_ns_, window_ns_, begin_ns_ = 0, end_ns_ = 0, begun_ns_ = 0, ended_ns_ = 0;
  bool begun_ = false, ended_ = false;
  Counts total_, at_begin_, at_end_;
  double cpu_at_begin_s_ = 0, cpu_at_end_s_ = 0;
  Histogram latency_;
};

/// The times at which messages are to be sent at a fixed rate, whatever the broker does.
class Schedule {
 public:
  explicit Schedule(double rate) : interval_ns_(rate > 0 ? 1e9 / rate : 0) {}
  bool open_loop() const { return interval_ns_ > 0; }
  void start(std::uint64_t now) { start_ns_ = now; }
  std::uint64_t next_ns() const {
    return start_ns_ + static_cast<std::uint64_t>(static_cast<double>(number_) * interval_ns_);
  }
  void advance() { ++number_; }

 private:
  double interval_ns_;
  std::uint64_t start_ns_ = 0, number_ = 0;
};

}  // namespace braid::bench
