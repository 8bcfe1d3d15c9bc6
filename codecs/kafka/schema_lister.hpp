// Braid, Apache-2.0.
//
// Turns a description into data, for the test that compares every message with Kafka's own definition of it.
#pragma once

#include "codecs/kafka/codec.hpp"
#include "codecs/kafka/traits.hpp"

namespace braid::kafka {

/// The type of a field in Kafka's terms, without the array around it.
enum class WireType : std::uint8_t {
  boolean,
  int8,
  int16,
  uint16,
  int32,
  int64,
  float64,
  uuid,
  string,
  bytes,
  records,
  structure
};

template <class T>
constexpr WireType wire_type_of() {
  if constexpr (is_optional<T> || is_array<T>) {
    return wire_type_of<typename T::value_type>();
  } else if constexpr (std::is_enum_v<T>) {
    return wire_type_of<std::underlying_type_t<T>>();
  } else {
    if (std::is_same_v<T, bool>) return WireType::boolean;
    if (std::is_same_v<T, std::int8_t>) return WireType::int8;
    if (std::is_same_v<T, std::int16_t>) return WireType::int16;
    if (std::is_same_v<T, std::uint16_t>) return WireType::uint16;
    if (std::is_same_v<T, std::int32_t>) return WireType::int32;
    if (std::is_same_v<T, std::int64_t>) return WireType::int64;
    if (std::is_same_v<T, double>) return WireType::float64;
    if (is_uuid<T>) return WireType::uuid;
    if (std::is_same_v<T, Text>) return WireType::string;
    if (std::is_same_v<T, Bytes>) return WireType::bytes;
    if (std::is_same_v<T, Records>) return WireType::records;
    return WireType::structure;
  }
}
template <class T>
constexpr bool holds_array() {
  if constexpr (is_optional<T>)
    return is_array<typename T::value_type>;
  else
    return is_array<T>;
}

class SchemaLister {
 public:
  template <class T, class M>
  void operator()(M T::*member, std::string_view name, const Field& field) {
    FieldSchema& schema = add(name, wire_type_of<M>(), holds_array<M>(), field);
    set_default(schema, defaults_of<T>().*member);
    list_nested<M>(schema);
  }
  std::vector<FieldSchema> finish() { return std::move(fields_); }

 private:
  FieldSchema& add(std::string_view name, WireType type, bool array, const Field& field);
  static void set_integer(FieldSchema&, std::int64_t);
  static void set_text(FieldSchema&, std::string_view);

  template <class M>
  static void set_default(FieldSchema& schema, const M& value) {
    if constexpr (is_optional<M>)
      value ? set_default(schema, *value) : set_text(schema, "null");
    else if constexpr (std::is_same_v<M, bool>)
      set_text(schema, value ? "true" : "false");
    else if constexpr (std::is_enum_v<M> || std::is_integral_v<M>)
      set_integer(schema, static_cast<std::int64_t>(value));
    else if constexpr (std::is_same_v<M, Text>)
      set_text(schema, value.view());
  }
  template <class M>
  static void list_nested(FieldSchema& schema) {
    if constexpr (is_optional<M> || is_array<M>) {
      list_nested<typename M::value_type>(schema);
    } else if constexpr (Described<M>) {
      SchemaLister lister;
      M::describe(lister);
      schema.fields = lister.finish();
    }
  }

  std::vector<FieldSchema> fields_;
};

template <class Message>
std::vector<FieldSchema> schema_of() {
  SchemaLister lister;
  Message::describe(lister);
  return lister.finish();
}

}  // namespace braid::kafka
