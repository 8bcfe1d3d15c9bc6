// Braid, Apache-2.0.
//
// One record within a batch, as bytes. Shared by the validator, which looks at every record of every produced batch,
// and the walker; so it works on bare pointers, checks each length against what is left, and allocates nothing.
//
//   length | attributes i8 | timestamp delta | offset delta | key length, key | value length, value | number of headers
//   and per header: key length, key | value length, value          (numbers are zig-zag varints, length -1 means null)
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "model/byte_io.hpp"

namespace braid {

/// A bounded position in bytes that outlive it. Past the end it is `failed` and yields zeros.
class RecordCursor {
 public:
  RecordCursor() = default;
  RecordCursor(const std::uint8_t* at, const std::uint8_t* end) : at_(at), end_(end) {}
  explicit RecordCursor(std::string_view bytes)
      : at_(reinterpret_cast<const std::uint8_t*>(bytes.data())), end_(at_ + bytes.size()) {}

  bool failed() const { return failed_; }
  bool at_end() const { return at_ == end_; }
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }
  void fail() {
    failed_ = true;
    at_ = end_;
  }

  std::uint8_t u8() {
    if (at_ == end_) return fail(), std::uint8_t{0};
    return *at_++;
  }
  std::int32_t zigzag32() {
    const std::int64_t value = zigzag64();
    if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max())
      return fail(), 0;
    return static_cast<std::int32_t>(value);
  }
  std::int64_t zigzag64() {
    if (at_ != end_ && *at_ < 0x80) return unzigzag(*at_++);  // nearly all of them
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) return fail(), 0;
      const std::uint8_t byte = *at_++;
      if (shift == 63 && byte > 1) return fail(), 0;
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return unzigzag(value);
    }
    return fail(), 0;
  }
  std::string_view bytes(std::int32_t length) {
    if (length < 0 || static_cast<std::size_t>(length) > remaining()) return fail(), std::string_view{};
    std::string_view part(reinterpret_cast<const char*>(at_), static_cast<std::size_t>(length));
    at_ += length;
    return part;
  }
  /// Bytes behind their length, of which -1 means none.
  std::optional<std::string_view> nullable_bytes() {
    const std::int32_t length = zigzag32();
    if (length == -1) return std::nullopt;
    return bytes(length);
  }

 private:
  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  bool failed_ = false;
};

/// A header as it lies in a record.
struct HeaderView {
  std::string_view key;
  std::optional<std::string_view> value;
};

/// The headers of a record, one at a time; the record was checked when it was read, so reading cannot fail.
class HeaderReader {
 public:
  HeaderReader() = default;
  HeaderReader(std::string_view bytes, std::int32_t count) : cursor_(bytes), left_(count) {}

  /// Headers not yet read.
  std::int32_t left() const { return left_; }
  bool next(HeaderView& header) {
    if (left_ == 0) return false;
    --left_;
    header.key = cursor_.bytes(cursor_.zigzag32());
    header.value = cursor_.nullable_bytes();
    return !cursor_.failed();
  }

 private:
  RecordCursor cursor_;
  std::int32_t left_ = 0;
};

/// A record before its deltas are applied.
struct RawRecord {
  std::int64_t timestamp_delta = 0;
  std::int32_t offset_delta = 0;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::string_view header_bytes;
  std::int32_t header_count = 0;
};

/// Reads and checks the record at the cursor; false (and a failed cursor) if it is malformed.
inline bool read_record(RecordCursor& cursor, RawRecord& record) {
  const std::string_view body = cursor.bytes(cursor.zigzag32());
  RecordCursor at(body);
  at.u8();  // attributes, none of which is in use
  record.timestamp_delta = at.zigzag64();
  record.offset_delta = at.zigzag32();
  record.key = at.nullable_bytes();
  record.value = at.nullable_bytes();
  record.header_count = at.zigzag32();
  record.header_bytes = body.substr(body.size() - at.remaining());
  // A header takes two bytes at least, so a count beyond that is refused before it is looped over.
  if (record.header_count < 0 || static_cast<std::size_t>(record.header_count) > at.remaining() / 2) at.fail();
  for (std::int32_t i = 0; i < record.header_count && !at.failed(); ++i) {
    at.bytes(at.zigzag32());
    at.nullable_bytes();
  }
  if (at.failed() || !at.at_end()) cursor.fail();
  return !cursor.failed();
}

}  // namespace braid
