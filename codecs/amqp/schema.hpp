// Braid, Apache-2.0.
//
// How a method is described. A method is one struct with one description, a static template that names its fields in
// wire order; decoder, encoder, printer and the listing for tests are visitors of it, so they cannot disagree:
//
//     struct BasicAck {
//       static constexpr MethodInfo info{"basic.ack", {60, 80}};
//       DeliveryTag delivery_tag;
//       bool multiple = false;
//       template <class V>
//       static constexpr void describe(V& v) {
//         v(&BasicAck::delivery_tag, "delivery-tag");
//         v(&BasicAck::multiple, "multiple");
//       }
//     };
//
// C++ types stand for wire types: bool is a bit (neighbours share an octet), std::string_view a short string,
// LongString a long one, Table a field table, integers themselves. Views show the received bytes. The default of a
// field is its member initializer.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "codecs/amqp/table.hpp"
#include "codecs/amqp/types.hpp"

namespace braid::amqp {

enum class MethodKind : std::uint8_t {
  plain,
  synchronous,  ///< the other side answers it
  content,      ///< a header frame and body frames follow
};

/// What a method says of itself, as `static constexpr MethodInfo info`.
struct MethodInfo {
  std::string_view name;
  MethodId id;
  MethodKind kind = MethodKind::plain;
};

template <class T>
concept DescribedMethod = requires {
  { T::info.id } -> std::convertible_to<MethodId>;
};

/// A description as data, for the test that compares it with the machine-readable specification.
struct FieldSchema {
  std::string_view name;
  std::string_view type;
  std::string default_value;
};

template <class M>
constexpr std::string_view wire_type_of() {
  if (std::is_same_v<M, bool>) return "bit";
  if (std::is_same_v<M, std::uint8_t>) return "octet";
  if (std::is_same_v<M, std::uint16_t> || std::is_same_v<M, ReplyCode>) return "short";
  if (std::is_same_v<M, std::uint32_t>) return "long";
  if (std::is_same_v<M, std::uint64_t> || std::is_same_v<M, DeliveryTag>) return "longlong";
  if (std::is_same_v<M, std::string_view>) return "shortstr";
  if (std::is_same_v<M, LongString>) return "longstr";
  if (std::is_same_v<M, Table>) return "table";
  return {};
}

template <class Described>
class SchemaLister {
 public:
  template <class M, class... More>
  void operator()(M Described::*member, std::string_view name, More...) {
    static_assert(!wire_type_of<M>().empty(), "no wire type for this member");
    fields_.push_back({name, wire_type_of<M>(), show(defaults_.*member)});
  }
  std::vector<FieldSchema> finish() { return std::move(fields_); }

 private:
  template <std::unsigned_integral Integer>
  static std::string show(Integer value) {
    if constexpr (std::same_as<Integer, bool>)
      return value ? "true" : "false";
    else
      return std::to_string(value);
  }
  static std::string show(ReplyCode value) { return std::to_string(static_cast<unsigned>(value)); }
  static std::string show(DeliveryTag value) { return std::to_string(value.value); }
  static std::string show(std::string_view value) { return std::string(value); }
  static std::string show(LongString value) { return std::string(value.text); }
  static std::string show(const Table&) { return ""; }

  Described defaults_{};
  std::vector<FieldSchema> fields_;
};

template <class Described>
std::vector<FieldSchema> schema_of() {
  SchemaLister<Described> lister;
  Described::describe(lister);
  return lister.finish();
}

}  // namespace braid::amqp
