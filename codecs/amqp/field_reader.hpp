// Braid, Apache-2.0.
//
// Reads the fields of a method or of a message's properties from their wire form (4.2.5). Neighbouring bits share an
// octet, the first in its lowest bit; any other field ends the octet.
#pragma once

#include <string_view>

#include "codecs/amqp/errors.hpp"
#include "codecs/amqp/table.hpp"
#include "model/byte_io.hpp"

namespace braid::amqp {

class FieldReader {
 public:
  FieldReader(std::string_view encoded, const TableLimits& limits)
      : reader_(Bytes::literal(encoded)), table_limits_(limits) {}

  template <class T>
  void all(T& into) {
    Each<T> each{*this, into};
    T::describe(each);
  }

  void read(bool& into) {
    if (next_bit_ == 8) {
      bits_ = reader_.u8();
      next_bit_ = 0;
    }
    into = (bits_ >> next_bit_++) & 1;
  }
  void read(std::uint8_t& into) { integer(into); }
  void read(std::uint16_t& into) { integer(into); }
  void read(std::uint32_t& into) { integer(into); }
  void read(std::uint64_t& into) { integer(into); }
  void read(ReplyCode& into) {
    std::uint16_t number = 0;
    integer(number);
    into = static_cast<ReplyCode>(number);
  }
  void read(DeliveryTag& into) { integer(into.value); }
  void read(std::string_view& into) {
    next_bit_ = 8;
    into = reader_.take_view(reader_.u8());
  }
  void read(LongString& into) {
    next_bit_ = 8;
    into.text = reader_.take_view(reader_.u32());
  }
  void read(Table& into) {
    next_bit_ = 8;
    const auto encoded = reader_.take_view(reader_.u32());
    into = Table();
    if (encoded.empty() || bad_table_) return;
    bad_table_ = check_table(encoded, table_limits_);
    if (!bad_table_) into = Table(encoded);
  }

  /// Nothing when every field was there, every table was good, and nothing came behind.
  Check finish() const {
    if (bad_table_) return bad_table_;
    if (reader_.failed()) return DecodeError{ReplyCode::syntax_error, "fields that end before their last one does", {}};
    if (reader_.remaining() > 0) return DecodeError{ReplyCode::syntax_error, "bytes behind the last field", {}};
    return {};
  }

 private:
  template <class T>
  struct Each {
    FieldReader& in;
    T& self;
    template <class M>
    void operator()(M T::*member, std::string_view) {
      in.read(self.*member);
    }
  };
  template <class Integer>
  void integer(Integer& into) {
    next_bit_ = 8;
    into = reader_.big<Integer>();
  }

  ByteReader reader_;
  const TableLimits& table_limits_;
  Check bad_table_;
  std::uint8_t bits_ = 0;
  unsigned next_bit_ = 8;  ///< of bits_; 8 when the next bit begins an octet
};

}  // namespace braid::amqp
