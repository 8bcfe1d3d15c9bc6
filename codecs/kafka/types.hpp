// Braid, Apache-2.0.
//
// Value types of Kafka messages. A request carries many short strings and a few large runs of record batches; copying
// each into a std::string or a vector would cost an allocation per topic and a copy per payload. Text and Records are
// slices of the block that the request was received in, so decoding allocates for arrays only.
//
// What is kept longer than the request (group ids, client ids) must be copied out (`str()`, `Bytes::compact()`), else a
// name of ten bytes pins a receive block.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/bytes.hpp"
#include "model/ids.hpp"

namespace braid::kafka {

/// A string that shares the block it was read from. Kafka says UTF-8; the codec does not check it, since the few
/// strings whose characters matter (topic names, group ids) have stricter rules of their own.
class Text {
 public:
  Text() = default;
  explicit Text(Bytes bytes) : bytes_(std::move(bytes)) {}
  /// Copies: one allocation.
  template <class S>
  requires std::is_convertible_v<const S&, std::string_view> Text(const S& text)
      : bytes_(Bytes::copy(std::string_view(text))) {}
  /// Refers to storage that lives as long as the program.
  static Text literal(std::string_view text) { return Text(Bytes::literal(text)); }

  std::string_view view() const noexcept { return bytes_.view(); }
  std::string str() const { return bytes_.str(); }
  const Bytes& bytes() const noexcept { return bytes_; }
  std::size_t size() const noexcept { return bytes_.size(); }
  bool empty() const noexcept { return bytes_.empty(); }

  friend bool operator==(const Text& a, const Text& b) noexcept { return a.view() == b.view(); }
  template <class S>
  requires std::is_convertible_v<const S&, std::string_view>
  friend bool operator==(const Text& a, const S& b) noexcept { return a.view() == std::string_view(b); }

 private:
  Bytes bytes_;
};

/// Record batches of one partition: one slice as received, or the several slices that a read of the log yields. The
/// encoder sends them from where they lie. One slice needs no allocation.
class Records {
 public:
  Records() = default;
  explicit Records(Bytes slice) : first_(std::move(slice)) {}
  explicit Records(std::vector<Bytes> slices) {
    for (Bytes& slice : slices) add(std::move(slice));
  }

  void add(Bytes slice) {
    if (slice.empty()) return;
    if (first_.empty())
      first_ = std::move(slice);
    else
      rest_.push_back(std::move(slice));
  }
  std::size_t size() const {
    std::size_t total = first_.size();
    for (const Bytes& slice : rest_) total += slice.size();
    return total;
  }
  bool empty() const { return first_.empty(); }
  template <class F>
  void for_each(F&& visit) const {
    if (!first_.empty()) visit(first_);
    for (const Bytes& slice : rest_) visit(slice);
  }
  /// All of it as one slice; copies only when there are several.
  Bytes joined() const;

  friend bool operator==(const Records& a, const Records& b) { return a.joined() == b.joined(); }

 private:
  Bytes first_;
  std::vector<Bytes> rest_;
};

/// A UUID that is not a topic's.
using Uuid = std::array<std::uint8_t, 16>;

}  // namespace braid::kafka
