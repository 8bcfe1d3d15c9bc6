// Braid, Apache-2.0.
//
// How a message is described. Kafka has changed most of its requests ten times, and a field that appears in one
// version, becomes nullable in another and tagged in a third is easily decoded one way and encoded another. So each
// message is one struct with one description, a static template that names its fields in wire order:
//
//     struct Broker {
//       std::int32_t node_id = 0;
//       std::optional<Text> rack;
//       template <class V>
//       static constexpr void describe(V& v) {
//         v(&Broker::node_id, "node_id", since(0));
//         v(&Broker::rack, "rack", since(1).nullable_since(1).ignorable());
//       }
//     };
//
// Decoder, Encoder, Printer and the schema listing are visitors of it. The default of a field that a version lacks is
// its member initializer. C++ types stand for wire types: optional<T> may be null, vector<T> is an array, Text a
// string, Bytes bytes, Records record batches, a struct with describe() a struct.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace braid::kafka {

/// A range of versions, both ends included.
struct Versions {
  std::int16_t first = 0;
  std::int16_t last = std::numeric_limits<std::int16_t>::max();
  constexpr bool contains(std::int16_t version) const { return first <= version && version <= last; }
  constexpr bool empty() const { return last < first; }
  friend constexpr bool operator==(const Versions&, const Versions&) = default;
};
inline constexpr Versions no_versions{0, -1};
inline constexpr std::int16_t never_flexible = std::numeric_limits<std::int16_t>::max();
inline constexpr std::int32_t untagged = -1;

/// How one field behaves over the versions of its message.
struct Field {
  Versions versions;
  Versions nullable = no_versions;
  std::int32_t tag = untagged;  ///< a tagged field is sent only when it differs from its default (KIP-482)
  bool may_be_dropped = false;  ///< encoding a version without the field loses a value that is not the default
  bool rigid = false;           ///< keeps the old length prefix in flexible versions: the client id of the header

  constexpr Field nullable_since(std::int16_t first) const { return nullable_between(first, Versions{}.last); }
  constexpr Field nullable_between(std::int16_t first, std::int16_t last) const {
    Field field = *this;
    field.nullable = {first, last};
    return field;
  }
  constexpr Field tagged(std::int32_t number) const {
    Field field = *this;
    field.tag = number;
    return field;
  }
  constexpr Field ignorable() const {
    Field field = *this;
    field.may_be_dropped = true;
    return field;
  }
  constexpr Field never_compact() const {
    Field field = *this;
    field.rigid = true;
    return field;
  }
};
constexpr Field since(std::int16_t first) {
  return {.versions = {first, Versions{}.last}};
}
constexpr Field between(std::int16_t first, std::int16_t last) {
  return {.versions = {first, last}};
}

/// What a message says of itself, as `static constexpr MessageInfo info`.
struct MessageInfo {
  std::string_view name;
  std::int16_t key;             ///< number of the API; `no_key` for headers and data
  Versions versions;            ///< that can be decoded and encoded
  std::int16_t first_flexible;  ///< `never_flexible` when none is
  constexpr bool flexible(std::int16_t version) const { return version >= first_flexible; }
};
inline constexpr std::int16_t no_key = -1;

/// A description as data, for tests that compare it with Kafka's own definitions and for documentation.
struct FieldSchema {
  std::string_view name;
  std::string type;  ///< Kafka's name of it: "int32", "string", "struct"; "[]" in front for arrays
  Field field;
  std::string default_value;  ///< "null", "-1", "true"; empty where it is empty or zero and not an integer
  std::vector<FieldSchema> fields;
};

}  // namespace braid::kafka
