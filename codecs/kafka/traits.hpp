// Braid, Apache-2.0.
//
// What the visitors ask about the C++ type of a field.
#pragma once

#include <optional>
#include <type_traits>
#include <vector>

#include "codecs/kafka/types.hpp"

namespace braid::kafka {

namespace detail {
struct AnyVisitor {
  template <class... Args>
  void operator()(Args&&...) {}
};
}  // namespace detail

template <class T>
concept Described = requires(detail::AnyVisitor& visitor) {
  T::describe(visitor);
};

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
inline constexpr bool is_array = false;
template <class T>
inline constexpr bool is_array<std::vector<T>> = true;

template <class T>
inline constexpr bool is_uuid = std::is_same_v<T, TopicId> || std::is_same_v<T, Uuid>;

inline std::array<std::uint8_t, 16>& uuid_bytes(TopicId& id) {
  return id.bytes;
}
inline const std::array<std::uint8_t, 16>& uuid_bytes(const TopicId& id) {
  return id.bytes;
}
inline Uuid& uuid_bytes(Uuid& id) {
  return id;
}
inline const Uuid& uuid_bytes(const Uuid& id) {
  return id;
}

/// A message as its member initializers leave it: where the defaults of fields are looked up.
template <class T>
const T& defaults_of() {
  static const T defaults{};
  return defaults;
}

}  // namespace braid::kafka
