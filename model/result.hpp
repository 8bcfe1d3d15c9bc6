// Braid, Apache-2.0.
//
// A value or an error, for the paths on which failure is ordinary (input from peers, disks). `std::expected` comes
// with C++23; this is the part of it that we use, under the same member names.
#pragma once

#include <concepts>
#include <utility>
#include <variant>

namespace braid {

template <class E>
struct Unexpected {
  E error;
};
template <class E>
Unexpected(E) -> Unexpected<E>;

template <class T, class E>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  template <class F>
  requires std::convertible_to<F, E> Result(Unexpected<F> error)
      : state_(std::in_place_index<1>, std::move(error.error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const E& error() const { return std::get<1>(state_); }
  T value_or(T other) const& { return has_value() ? value() : std::move(other); }

 private:
  std::variant<T, E> state_;
};

/// Result of something that yields nothing but may fail.
template <class E>
using Outcome = Result<std::monostate, E>;
inline constexpr std::monostate ok{};

}  // namespace braid
