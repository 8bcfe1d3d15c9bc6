// Braid, Apache-2.0.
//
// JSON as the admin API and the command line need it: a small tree that keeps the order of its members, behind which
// the library that reads and writes it stays in one source file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "model/result.hpp"

namespace braid {

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;  ///< in the order given; parse_json() refuses a name that comes twice
  using Value = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object>;

  Json() = default;
  Json(Value value) : value_(std::move(value)) {}
  Json(bool value) : value_(value) {}
  Json(std::int64_t value) : value_(value) {}
  Json(std::int32_t value) : value_(std::int64_t{value}) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}

  const Value& value() const { return value_; }
  /// The value when it is one of that type, else nullptr.
  template <class T>
  const T* get() const {
    return std::get_if<T>(&value_);
  }
  /// The member of that name, or nullptr; also when this is no object.
  const Json* find(std::string_view name) const;
  /// "a text", "a number", ... for messages about what was found instead of what was expected.
  std::string_view type_name() const;

 private:
  Value value_ = nullptr;
};

/// The error is part of a sentence: "line 1, column 5: ...". Nesting deeper than 32 is refused.
Result<Json, std::string> parse_json(std::string_view text);

/// One line, or indented by two. Bytes that are not UTF-8 are replaced.
std::string to_json(const Json& value, bool indented = false);

/// Block style; what YAML would read as something else is quoted.
std::string to_yaml(const Json& value);

}  // namespace braid
