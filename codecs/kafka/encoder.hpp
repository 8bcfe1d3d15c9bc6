// Braid, Apache-2.0.
//
// Writes a described struct. A value that the version has no field for is dropped when the description calls the field
// ignorable, and is an error otherwise: a caller that set it would be misunderstood.
#pragma once

#include "codecs/kafka/codec.hpp"
#include "codecs/kafka/traits.hpp"

namespace braid::kafka {

class Encoder {
 public:
  Encoder(FrameWriter& out, std::int16_t version, bool flexible) : out_(out), version_(version), flexible_(flexible) {}

  bool failed() const { return failed_; }
  const EncodeError& error() const { return error_; }

  template <class T>
  void structure(const T& value) {
    Fields<T> fields{*this, value};
    T::describe(fields);
    if (!flexible_) return;
    out_.bytes().varint(fields.tags);
    if (fields.tags == 0) return;
    fields.writes_tags = true;
    T::describe(fields);
  }

 private:
  template <class T>
  struct Fields {
    Encoder& out;
    const T& self;
    bool writes_tags = false;
    std::uint32_t tags = 0;

    template <class M>
    void operator()(M T::*member, std::string_view name, const Field& field) {
      const M& value = self.*member;
      const bool present = field.versions.contains(out.version_);
      out.rigid_ = field.rigid;
      if (writes_tags) {
        if (!present || field.tag == untagged || is_default(member)) return;
        out.out_.bytes().varint(static_cast<std::uint32_t>(field.tag));
        out.out_.with_length([&] { out.value(value, field.nullable.contains(out.version_), name); });
      } else if (!present) {
        if (!field.may_be_dropped && !is_default(member)) out.fail(EncodeError::Code::field_not_in_version, name);
      } else if (field.tag != untagged) {
        if (!is_default(member)) ++tags;
      } else {
        out.value(value, field.nullable.contains(out.version_), name);
      }
    }
    template <class M>
    bool is_default(M T::*member) const {
      return self.*member == defaults_of<T>().*member;
    }
  };

  void fail(EncodeError::Code, std::string_view field);

  template <class T>
  void value(const T& in, [[maybe_unused]] bool nullable, [[maybe_unused]] std::string_view name) {
    if constexpr (std::is_same_v<T, bool>) {
      out_.bytes().u8(in ? 1 : 0);
    } else if constexpr (std::is_same_v<T, double>) {
      out_.bytes().f64(in);
    } else if constexpr (std::is_enum_v<T>) {
      out_.bytes().big(static_cast<std::underlying_type_t<T>>(in));
    } else if constexpr (std::is_integral_v<T>) {
      out_.bytes().big(in);
    } else if constexpr (is_uuid<T>) {
      out_.bytes().raw(uuid_bytes(in).data(), 16);
    } else if constexpr (Described<T>) {
      structure(in);
    } else if constexpr (is_optional<T>) {
      using U = typename T::value_type;
      if (!in && !nullable) return fail(EncodeError::Code::unexpected_null, name);
      if constexpr (Described<U>) {
        if (nullable) out_.bytes().i8(in ? 1 : -1);
      } else if (!in) {
        null(std::is_same_v<U, Text>);
      }
      if (in) value(*in, false, name);
    } else if constexpr (std::is_same_v<T, Text>) {
      text(in, name);
    } else if constexpr (is_array<T>) {
      length32(in.size(), name);
      for (const auto& element : in) value(element, false, name);
    } else if constexpr (std::is_same_v<T, Records>) {
      length32(in.size(), name);
      in.for_each([&](const Bytes& slice) { out_.slice(slice); });
    } else {
      length32(in.size(), name);
      out_.slice(in);
    }
  }

  void text(const Text&, std::string_view name);
  void null(bool of_text);
  void length32(std::size_t length, std::string_view name);
  bool is_compact() const { return flexible_ && !rigid_; }

  FrameWriter& out_;
  std::int16_t version_;
  bool flexible_;
  bool rigid_ = false;
  bool failed_ = false;
  EncodeError error_;
};

template <class Message>
Outcome<EncodeError> encode(FrameWriter& out, const Message& message, std::int16_t version) {
  if (!Message::info.versions.contains(version))
    return Unexpected{EncodeError{EncodeError::Code::unsupported_version, "api_version"}};
  Encoder encoder(out, version, Message::info.flexible(version));
  encoder.structure(message);
  if (encoder.failed()) return Unexpected{encoder.error()};
  return ok;
}

}  // namespace braid::kafka
