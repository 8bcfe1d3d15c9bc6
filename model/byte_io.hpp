// Braid, Apache-2.0.
//
// The one bounded reader and the one growing writer that every decoder and encoder uses. Length arithmetic on bytes
// from a peer is where brokers break; here it is done once. A reader that runs past its end turns `failed` and yields
// zeros from then on, so a decoder may read a whole structure and ask once whether it was there.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "model/bytes.hpp"

namespace braid {

template <class T>
constexpr T byteswap_integer(T value) {
  if constexpr (sizeof(T) == 1) return value;
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(value)));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<std::uint32_t>(value)));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(static_cast<std::uint64_t>(value)));
}

/// Big-endian integer at an address, of any alignment.
template <std::integral T>
T load_big(const std::uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return std::endian::native == std::endian::little ? byteswap_integer(value) : value;
}
template <std::integral T>
void store_big(std::uint8_t* to, T value) {
  if constexpr (std::endian::native == std::endian::little) value = byteswap_integer(value);
  std::memcpy(to, &value, sizeof value);
}

constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}
/// Bytes that `value` takes as an unsigned varint.
constexpr std::size_t varint_size(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

/// Reads a slice front to back. Slices that it yields share the source's block.
class ByteReader {
 public:
  explicit ByteReader(Bytes source) : source_(std::move(source)) {}

  bool failed() const { return failed_; }
  std::size_t position() const { return position_; }
  std::size_t remaining() const { return source_.size() - position_; }
  void fail() {
    failed_ = true;
    position_ = source_.size();
  }

  template <std::integral T>
  T big() {
    if (remaining() < sizeof(T)) return fail(), T{};
    T value = load_big<T>(source_.data() + position_);
    position_ += sizeof(T);
    return value;
  }
  std::uint8_t u8() { return big<std::uint8_t>(); }
  std::int8_t i8() { return big<std::int8_t>(); }
  std::uint16_t u16() { return big<std::uint16_t>(); }
  std::int16_t i16() { return big<std::int16_t>(); }
  std::uint32_t u32() { return big<std::uint32_t>(); }
  std::int32_t i32() { return big<std::int32_t>(); }
  std::uint64_t u64() { return big<std::uint64_t>(); }
  std::int64_t i64() { return big<std::int64_t>(); }
  double f64() { return std::bit_cast<double>(u64()); }

  /// Unsigned LEB128 of at most `limit_bits` bits; longer or overflowing input fails.
  std::uint64_t varint(int limit_bits = 64) {
    std::uint64_t value = 0;
    for (int shift = 0; shift < limit_bits; shift += 7) {
      if (remaining() == 0) return fail(), 0;
      const std::uint8_t byte = source_[position_++];
      const std::uint64_t part = byte & 0x7f;
      if (shift + 7 > limit_bits && (part >> (limit_bits - shift)) != 0) return fail(), 0;
      value |= part << shift;
      if (!(byte & 0x80)) return value;
    }
    return fail(), 0;
  }
  std::uint32_t varint32() { return static_cast<std::uint32_t>(varint(32)); }
  /// Zig-zag varints as Kafka's records use them.
  std::int32_t zigzag32() { return static_cast<std::int32_t>(unzigzag(varint(32))); }
  std::int64_t zigzag64() { return unzigzag(varint(64)); }

  /// The next `length` bytes, sharing the block.
  Bytes take(std::size_t length) {
    if (remaining() < length) return fail(), Bytes{};
    Bytes part = source_.slice(position_, length);
    position_ += length;
    return part;
  }
  std::string_view take_view(std::size_t length) {
    if (remaining() < length) return fail(), std::string_view{};
    std::string_view part = source_.view().substr(position_, length);
    position_ += length;
    return part;
  }
  /// Behind its length, as ByteWriter::sized writes it.
  std::string_view take_sized() { return take_view(varint32()); }
  void skip(std::size_t length) {
    if (remaining() < length) return fail();
    position_ += length;
  }

 private:
  Bytes source_;
  std::size_t position_ = 0;
  bool failed_ = false;
};

/// Writes into a block that grows, and gives it away as Bytes without copying.
class ByteWriter {
 public:
  explicit ByteWriter(std::size_t capacity = 256) : block_(BlockRef::make(capacity)) {}

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return block_->capacity(); }
  std::uint8_t* data() { return block_->data(); }
  std::string_view view() const { return {reinterpret_cast<const char*>(block_->data()), size_}; }

  template <std::integral T>
  void big(T value) {
    store_big(grow(sizeof(T)), value);
  }
  void u8(std::uint8_t value) { big(value); }
  void i8(std::int8_t value) { big(value); }
  void u16(std::uint16_t value) { big(value); }
  void i16(std::int16_t value) { big(value); }
  void u32(std::uint32_t value) { big(value); }
  void i32(std::int32_t value) { big(value); }
  void u64(std::uint64_t value) { big(value); }
  void i64(std::int64_t value) { big(value); }
  void f64(double value) { big(std::bit_cast<std::uint64_t>(value)); }
  void varint(std::uint64_t value) {
    while (value >= 0x80) {
      u8(static_cast<std::uint8_t>(value) | 0x80);
      value >>= 7;
    }
    u8(static_cast<std::uint8_t>(value));
  }
  void zigzag32(std::int32_t value) { varint(zigzag(value)); }
  void zigzag64(std::int64_t value) { varint(zigzag(value)); }
  void raw(const void* from, std::size_t length) {
    if (length) std::memcpy(grow(length), from, length);
  }
  void raw(std::string_view bytes) { raw(bytes.data(), bytes.size()); }
  void raw(const Bytes& bytes) { raw(bytes.data(), bytes.size()); }
  /// Behind its length, a varint.
  void sized(std::string_view bytes) {
    varint(bytes.size());
    raw(bytes);
  }
  /// Room for `length` bytes that the caller fills; valid until the next write.
  std::uint8_t* grow(std::size_t length) {
    if (length > block_->capacity() - size_) enlarge(length);
    std::uint8_t* at = block_->data() + size_;
    size_ += length;
    return at;
  }
  /// Overwrites an integer written before, for lengths that are known at the end.
  template <std::integral T>
  void patch(std::size_t position, T value) {
    store_big(block_->data() + position, value);
  }
  void truncate(std::size_t size) { size_ = size; }

  /// The bytes written so far; the writer must not be written to afterwards.
  Bytes finish() {
    const auto* data = block_->data();
    return {std::move(block_), data, std::exchange(size_, 0)};
  }

 private:
  void enlarge(std::size_t length) {
    auto larger = BlockRef::make(std::max(block_->capacity() * 2, size_ + length));
    std::memcpy(larger->data(), block_->data(), size_);
    block_ = std::move(larger);
  }
  BlockRef block_;
  std::size_t size_ = 0;
};

}  // namespace braid
