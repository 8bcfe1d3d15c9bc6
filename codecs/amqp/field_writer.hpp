// Braid, Apache-2.0.
//
// Writes what FieldReader reads. First the size of all fields is summed up, then they are written to their place with
// plain stores: a delivery is encoded a million times a second, and asking for room once per field would cost more
// than the fields.
#pragma once

#include <cassert>
#include <cstring>
#include <string_view>

#include "codecs/amqp/table.hpp"
#include "codecs/amqp/types.hpp"
#include "model/byte_io.hpp"

namespace braid::amqp {

/// How many bytes the fields take.
class FieldSizer {
 public:
  template <class T>
  static std::size_t of(const T& fields) {
    FieldSizer sizer;
    Each<T> each{sizer, fields};
    T::describe(each);
    return sizer.bytes_;
  }

  void add(bool) {
    if (next_bit_ == 8) ++bytes_, next_bit_ = 0;
    ++next_bit_;
  }
  void add(std::uint8_t) { sized(1); }
  void add(std::uint16_t) { sized(2); }
  void add(std::uint32_t) { sized(4); }
  void add(std::uint64_t) { sized(8); }
  void add(ReplyCode) { sized(2); }
  void add(DeliveryTag) { sized(8); }
  void add(std::string_view text) { sized(1 + text.size()); }
  void add(LongString text) { sized(4 + text.text.size()); }
  void add(const Table& table) { sized(4 + table.encoded().size()); }
  std::size_t bytes() const { return bytes_; }

 private:
  template <class T>
  struct Each {
    FieldSizer& out;
    const T& self;
    template <class M>
    void operator()(M T::*member, std::string_view) {
      out.add(self.*member);
    }
  };
  void sized(std::size_t bytes) {
    bytes_ += bytes;
    next_bit_ = 8;
  }
  std::size_t bytes_ = 0;
  unsigned next_bit_ = 8;
};

class FieldWriter {
 public:
  /// `to` has the room that FieldSizer asked for.
  explicit FieldWriter(std::uint8_t* to) : to_(to) {}

  template <class T>
  void all(const T& fields) {
    Each<T> each{*this, fields};
    T::describe(each);
  }

  void write(bool value) {
    if (next_bit_ == 8) {
      *to_++ = 0;
      next_bit_ = 0;
    }
    to_[-1] = static_cast<std::uint8_t>(to_[-1] | (value ? 1u << next_bit_ : 0u));
    ++next_bit_;
  }
  void write(std::uint8_t value) { integer(value); }
  void write(std::uint16_t value) { integer(value); }
  void write(std::uint32_t value) { integer(value); }
  void write(std::uint64_t value) { integer(value); }
  void write(ReplyCode value) { integer(static_cast<std::uint16_t>(value)); }
  void write(DeliveryTag value) { integer(value.value); }
  void write(std::string_view text) {
    assert(text.size() <= max_short_string_bytes);
    integer(static_cast<std::uint8_t>(text.size()));
    raw(text);
  }
  void write(LongString text) {
    integer(static_cast<std::uint32_t>(text.text.size()));
    raw(text.text);
  }
  void write(const Table& table) {
    integer(static_cast<std::uint32_t>(table.encoded().size()));
    raw(table.encoded());
  }
  void raw(std::string_view bytes) {
    next_bit_ = 8;
    if (!bytes.empty()) std::memcpy(to_, bytes.data(), bytes.size());
    to_ += bytes.size();
  }
  const std::uint8_t* position() const { return to_; }

 private:
  template <class T>
  struct Each {
    FieldWriter& out;
    const T& self;
    template <class M>
    void operator()(M T::*member, std::string_view) {
      out.write(self.*member);
    }
  };
  template <class Integer>
  void integer(Integer value) {
    next_bit_ = 8;
    store_big(to_, value);
    to_ += sizeof value;
  }

  std::uint8_t* to_;
  unsigned next_bit_ = 8;
};

}  // namespace braid::amqp
