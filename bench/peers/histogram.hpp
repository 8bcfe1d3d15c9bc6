// Braid, Apache-2.0.
//
// Latencies from nanoseconds to hours in a fixed table: powers of two, each cut into 128 steps, so that no value is off
// by more than 0.8 %. The shape is HdrHistogram's; Debian packages no C++ library of it.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>

namespace braid::bench {

class Histogram {
 public:
  void record(std::uint64_t ns) {
    ++counts_[index(ns)];
    ++count_;
    sum_ns_ += static_cast<double>(ns);
    if (ns > max_ns_) max_ns_ = ns;
  }

  std::uint64_t count() const { return count_; }
  std::uint64_t max_ns() const { return max_ns_; }
  double mean_ns() const { return count_ == 0 ? 0 : sum_ns_ / static_cast<double>(count_); }

  /// The upper end of the step that holds the given share (0 to 1) of all values.
  std::uint64_t at(double share) const {
    const double wanted = share * static_cast<double>(count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen != 0 && static_cast<double>(seen) >= wanted) return upper(i) < max_ns_ ? upper(i) : max_ns_;
    }
    return max_ns_;
  }

  /// `[[upper end in ns, count], ...]` of the steps that hold something.
  std::string json() const {
    std::string text = "[";
    for (std::size_t i = 0; i < counts_.size(); ++i)
      if (counts_[i] != 0)
        text += (text.size() > 1 ? ",[" : "[") + std::to_string(upper(i)) + "," + std::to_string(counts_[i]) + "]";
    return text + "]";
  }

 private:
  static constexpr unsigned step_bits = 7;
  static constexpr std::size_t steps = std::size_t{1} << step_bits;

  static std::size_t index(std::uint64_t ns) {
    if (ns < steps) return static_cast<std::size_t>(ns);
    const auto shift = static_cast<unsigned>(std::bit_width(ns)) - step_bits - 1;
    return (std::size_t{shift} << step_bits) + static_cast<std::size_t>(ns >> shift);
  }
  static std::uint64_t upper(std::size_t index) {
    if (index < 2 * steps) return index;
    const auto shift = (index >> step_bits) - 1;
    return (((index & (steps - 1)) | steps) + 1) * (std::uint64_t{1} << shift) - 1;
  }

  std::array<std::uint64_t, (64 - step_bits + 1) * steps> counts_{};
  std::uint64_t count_ = 0, max_ns_ = 0;
  double sum_ns_ = 0;
};

}  // namespace braid::bench
