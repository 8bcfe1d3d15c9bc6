// Braid, Apache-2.0.
//
// Turns a description into data, for the test that compares every message with Kafka's own definition of it.
#pragma once

#include "codecs/kafka/codec.hpp"
#include "codecs/kafka/traits.hpp"

namespace braid::kafka {

template <class T>
std::vector<FieldSchema> list_fields();

/// Kafka's name of the type of a field, and the fields of the struct that it is or holds.
template <class T>
struct WireType {
  static std::string name() {
    if constexpr (std::is_same_v<T, bool>) return "bool";
    if constexpr (std::is_same_v<T, double>) return "float64";
    if constexpr (std::is_enum_v<T>) return WireType<std::underlying_type_t<T>>::name();
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
      return (std::is_signed_v<T> ? "int" : "uint") + std::to_string(8 * sizeof(T));
    if constexpr (is_uuid<T>) return "uuid";
    if constexpr (std::is_same_v<T, Text>) return "string";
    if constexpr (std::is_same_v<T, Bytes>) return "bytes";
    if constexpr (std::is_same_v<T, Records>) return "records";
    return "struct";
  }
  static std::vector<FieldSchema> fields() {
    if constexpr (Described<T>)
      return list_fields<T>();
    else
      return {};
  }
  static std::string print(const T& value) {
    if constexpr (std::is_same_v<T, bool>)
      return value ? "true" : "false";
    else if constexpr (std::is_enum_v<T>)
      return std::to_string(static_cast<std::underlying_type_t<T>>(value));
    else if constexpr (std::is_arithmetic_v<T>)
      return std::to_string(value);
    else if constexpr (std::is_same_v<T, Text>)
      return value.str();
    else
      return {};
  }
};
template <class T>
struct WireType<std::optional<T>> {
  static std::string name() { return WireType<T>::name(); }
  static std::vector<FieldSchema> fields() { return WireType<T>::fields(); }
  static std::string print(const std::optional<T>& value) { return value ? WireType<T>::print(*value) : "null"; }
};
template <class T>
struct WireType<std::vector<T>> {
  static std::string name() { return "[]" + WireType<T>::name(); }
  static std::vector<FieldSchema> fields() { return WireType<T>::fields(); }
  static std::string print(const std::vector<T>&) { return {}; }
};

struct SchemaLister {
  std::vector<FieldSchema> fields;
  template <class T, class M>
  void operator()(M T::*member, std::string_view name, const Field& field) {
    fields.push_back(
        {name, WireType<M>::name(), field, WireType<M>::print(defaults_of<T>().*member), WireType<M>::fields()});
  }
};

template <class T>
std::vector<FieldSchema> list_fields() {
  SchemaLister lister;
  T::describe(lister);
  return std::move(lister.fields);
}
template <class Message>
std::vector<FieldSchema> schema_of() {
  return list_fields<Message>();
}

}  // namespace braid::kafka
