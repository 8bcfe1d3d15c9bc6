// Braid, Apache-2.0.
//
// Reads a described struct. Every length and count comes from a peer: a count is refused before anything is allocated
// when its elements could not fit into the bytes that are left, or when they would take more memory than the limit.
#pragma once

#include "codecs/kafka/codec.hpp"
#include "codecs/kafka/traits.hpp"

namespace braid::kafka {

/// The fewest bytes that a value can take on the wire.
class MinimalSize {
 public:
  MinimalSize(std::int16_t version, bool flexible) : version_(version), flexible_(flexible) {}

  template <class T>
  std::size_t of() const {
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
      return sizeof(T);
    } else if constexpr (is_uuid<T>) {
      return 16;
    } else if constexpr (std::is_same_v<T, Text>) {
      return flexible_ ? 1 : 2;
    } else if constexpr (is_optional<T>) {
      return Described<typename T::value_type> ? 1 : of<typename T::value_type>();
    } else if constexpr (Described<T>) {
      Sum sum{*this};
      T::describe(sum);
      return sum.total + (flexible_ ? 1 : 0);
    } else {
      return flexible_ ? 1 : 4;
    }
  }

 private:
  struct Sum {
    const MinimalSize& size;
    std::size_t total = 0;
    template <class T, class M>
    void operator()(M T::*, std::string_view, const Field& field) {
      if (field.tag == untagged && field.versions.contains(size.version_)) total += size.of<M>();
    }
  };
  std::int16_t version_;
  bool flexible_;
};

class Decoder {
 public:
  Decoder(ByteReader& reader, std::int16_t version, bool flexible, const DecodeLimits& limits)
      : reader_(reader), version_(version), flexible_(flexible), memory_left_(limits.array_memory_bytes) {}

  bool failed() const { return reader_.failed(); }
  const DecodeError& error() const { return error_; }

  template <class T>
  void structure(T& value) {
    Fields<T> fields{*this, value};
    T::describe(fields);
    if (!flexible_) return;
    // Tagged fields follow in any order; those that we do not know are skipped.
    for (std::uint32_t count = reader_.varint32(); count > 0 && !failed(); --count) {
      const Tag tag = next_tag();
      fields.wanted = tag.number;
      fields.found = false;
      if (!failed()) T::describe(fields);
      end_tag(tag, fields.found);
    }
  }

 private:
  template <class T>
  struct Fields {
    Decoder& in;
    T& self;
    std::int64_t wanted = untagged;
    bool found = false;

    template <class M>
    void operator()(M T::*member, std::string_view name, const Field& field) {
      if (field.tag != wanted || !field.versions.contains(in.version_)) return;
      if (in.failed()) return;
      found = true;
      in.rigid_ = field.rigid;
      in.value(self.*member, field.nullable.contains(in.version_));
      if (in.failed() && in.error_.field.empty()) in.error_.field = name;
    }
  };

  struct Tag {
    std::int64_t number;
    std::size_t length;
    std::size_t end;
  };
  Tag next_tag();
  void end_tag(const Tag&, bool known);
  void fail(DecodeError::Code);

  template <class T>
  void value(T& out, [[maybe_unused]] bool nullable) {
    if constexpr (std::is_same_v<T, bool>) {
      out = reader_.u8() != 0;
    } else if constexpr (std::is_same_v<T, double>) {
      out = reader_.f64();
    } else if constexpr (std::is_enum_v<T>) {
      out = static_cast<T>(reader_.big<std::underlying_type_t<T>>());
    } else if constexpr (std::is_integral_v<T>) {
      out = reader_.big<T>();
    } else if constexpr (is_uuid<T>) {
      const std::string_view bytes = reader_.take_view(16);
      if (bytes.size() == 16) std::memcpy(uuid_bytes(out).data(), bytes.data(), 16);
    } else if constexpr (Described<T>) {
      structure(out);
    } else if constexpr (is_optional<T>) {
      optional(out, nullable);
    } else {
      const std::int64_t length = std::is_same_v<T, Text> ? length16() : length32();
      if (length < 0)
        fail(DecodeError::Code::unexpected_null);
      else
        sized(out, length);
    }
  }

  template <class T>
  void optional(std::optional<T>& out, bool nullable) {
    std::int64_t length = 0;
    if constexpr (Described<T>)
      length = nullable ? reader_.i8() : 0;  // a struct outside of arrays is preceded by -1 or 1 when it may be null
    else
      length = std::is_same_v<T, Text> ? length16() : length32();
    if (failed()) return;
    if (length < 0) {
      out.reset();
      if (!nullable) fail(DecodeError::Code::unexpected_null);
      return;
    }
    out.emplace(T{});
    if constexpr (Described<T>)
      structure(*out);
    else
      sized(*out, length);
  }

  void sized(Text& out, std::int64_t length) { out = Text(reader_.take(static_cast<std::size_t>(length))); }
  void sized(Bytes& out, std::int64_t length) { out = reader_.take(static_cast<std::size_t>(length)); }
  void sized(Records& out, std::int64_t length) { out = Records(reader_.take(static_cast<std::size_t>(length))); }
  template <class T>
  void sized(std::vector<T>& out, std::int64_t length) {
    const auto count = static_cast<std::size_t>(length);
    out.clear();
    if (count == 0 || !admit(count, MinimalSize(version_, flexible_).of<T>(), sizeof(T))) return;
    out.resize(count);
    for (T& element : out) {
      value(element, false);
      if (failed()) return;
    }
  }

  /// Length of a string, and of everything else that has one; -1 is null.
  std::int64_t length16();
  std::int64_t length32();
  /// Whether an array may be made, of elements that take so much at least on the wire and so much in memory.
  bool admit(std::size_t count, std::size_t wire_bytes, std::size_t memory_bytes);
  std::int64_t compact_length();
  std::int64_t old_length(std::int32_t length);

  ByteReader& reader_;
  std::int16_t version_;
  bool flexible_;
  bool rigid_ = false;
  std::size_t memory_left_;
  DecodeError error_;
};

template <class Message>
Result<Message, DecodeError> decode(ByteReader& reader, std::int16_t version, const DecodeLimits& limits) {
  if (!Message::info.versions.contains(version))
    return Unexpected{DecodeError{DecodeError::Code::unsupported_version, "api_version"}};
  Decoder decoder(reader, version, Message::info.flexible(version), limits);
  Result<Message, DecodeError> result{Message{}};
  decoder.structure(*result);
  if (decoder.failed()) return Unexpected{decoder.error()};
  return result;
}

}  // namespace braid::kafka
