// Braid, Apache-2.0.
//
// Field tables: the arguments of a queue, the properties of a client, the headers of a message. A table stays in the
// bytes it came in; it is checked once, when it is decoded, and walked in place afterwards, so a message's headers cost
// no allocation and travel on as they are.
//
// The types are those that RabbitMQ and its clients write, which differ from the specification's in what 's' and 'l'
// stand for (RabbitMQ's errata, section 3). A name that comes twice is legal; a look-up finds the first.
#pragma once

#include <bit>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/amqp/errors.hpp"
#include "model/byte_io.hpp"

namespace braid::amqp {

enum class FieldType : char {
  boolean = 't',
  int8 = 'b',
  uint8 = 'B',
  int16 = 's',
  uint16 = 'u',
  int32 = 'I',
  uint32 = 'i',
  int64 = 'l',
  also_int64 = 'L',  ///< signed for RabbitMQ, which reads both so
  float32 = 'f',
  float64 = 'd',
  decimal = 'D',
  text = 'S',
  array = 'A',
  timestamp = 'T',
  table = 'F',
  none = 'V',
  binary = 'x',
};

/// How many bytes of fixed size a value of this type has behind its type octet: for those with a length, its four.
/// Nothing when there is no such type.
std::optional<std::size_t> fixed_bytes(FieldType);
/// "longstr", "signedint": RabbitMQ's names, as they stand in its error texts.
std::string_view name_of(FieldType);

struct TableLimits {
  std::uint32_t max_bytes = 1u << 20;  ///< of one table with all that is in it
  std::uint32_t max_depth = 32;        ///< tables and arrays in each other
};
/// For what was checked when it came in and is read from the log or the catalog: bounds what damage could do.
inline constexpr TableLimits stored_limits{.max_bytes = 64u << 20, .max_depth = 64};

class Table;
class Array;

/// One value. Shows the bytes it was decoded from.
class FieldValue {
 public:
  FieldValue() = default;
  static FieldValue boolean(bool value) { return {FieldType::boolean, value ? 1u : 0u}; }
  static FieldValue integer(std::int64_t value) { return {FieldType::int64, static_cast<std::uint64_t>(value)}; }
  static FieldValue integer32(std::int32_t value) { return {FieldType::int32, static_cast<std::uint64_t>(value)}; }
  static FieldValue real(double value) { return {FieldType::float64, std::bit_cast<std::uint64_t>(value)}; }
  static FieldValue timestamp(std::uint64_t seconds) { return {FieldType::timestamp, seconds}; }
  static FieldValue text(std::string_view value) { return {FieldType::text, value}; }
  static FieldValue binary(std::string_view value) { return {FieldType::binary, value}; }
  static FieldValue table(const Table&);
  static FieldValue array(const Array&);

  FieldType type() const { return type_; }
  bool is_integer() const;
  bool is_real() const { return type_ == FieldType::float32 || type_ == FieldType::float64; }
  bool is_text() const { return type_ == FieldType::text; }
  /// Text and binary: both are bytes to RabbitMQ when it compares.
  bool is_bytes() const { return type_ == FieldType::text || type_ == FieldType::binary; }

  bool as_bool() const { return number_ != 0; }
  /// Of integers, booleans and timestamps.
  std::int64_t as_integer() const { return static_cast<std::int64_t>(number_); }
  double as_real() const { return std::bit_cast<double>(number_); }
  std::uint8_t decimal_scale() const { return static_cast<std::uint8_t>(number_ >> 32); }
  std::uint32_t decimal_digits() const { return static_cast<std::uint32_t>(number_); }
  /// Of text and binary.
  std::string_view as_text() const { return text_; }
  Table as_table() const;
  Array as_array() const;

  /// Reads a value behind its type octet; the reader fails when it is cut short or of no known type.
  static FieldValue read(ByteReader&);
  /// Type octet and value.
  void write(ByteWriter&) const;
  /// For logs and error texts: 5, true, 'text', [..], {..}; what is long is cut.
  void print(std::string& to) const;

  /// The same type and the same bits.
  friend bool operator==(const FieldValue&, const FieldValue&) = default;

 private:
  FieldValue(FieldType type, std::uint64_t number) : type_(type), number_(number) {}
  FieldValue(FieldType type, std::string_view text) : type_(type), text_(text) {}

  FieldType type_ = FieldType::none;
  std::uint64_t number_ = 0;  ///< sign-extended, or the bits of a double
  std::string_view text_;
};

struct Field {
  std::string_view name;  ///< empty in arrays
  FieldValue value;
};

/// Walks what was checked before.
class FieldIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = Field;
  using difference_type = std::ptrdiff_t;

  FieldIterator(std::string_view encoded, bool named) : reader_(Bytes::literal(encoded)), named_(named) { advance(); }
  const Field& operator*() const { return field_; }
  const Field* operator->() const { return &field_; }
  FieldIterator& operator++() {
    advance();
    return *this;
  }
  void operator++(int) { advance(); }
  friend bool operator==(const FieldIterator& at, std::default_sentinel_t) { return at.done_; }

 private:
  void advance();
  ByteReader reader_;
  bool named_;
  bool done_ = false;
  Field field_;
};

/// The fields of a table without the length in front.
class Table {
 public:
  Table() = default;
  /// `encoded` has been checked, or was written by TableWriter.
  explicit Table(std::string_view encoded) : encoded_(encoded) {}
  FieldIterator begin() const { return {encoded_, true}; }
  std::default_sentinel_t end() const { return {}; }
  std::optional<FieldValue> find(std::string_view name) const;
  bool empty() const { return encoded_.empty(); }
  std::string_view encoded() const { return encoded_; }
  friend bool operator==(const Table&, const Table&) = default;

 private:
  std::string_view encoded_;
};

class Array {
 public:
  Array() = default;
  explicit Array(std::string_view encoded) : encoded_(encoded) {}
  FieldIterator begin() const { return {encoded_, false}; }
  std::default_sentinel_t end() const { return {}; }
  bool empty() const { return encoded_.empty(); }
  std::string_view encoded() const { return encoded_; }

 private:
  std::string_view encoded_;
};

/// What is wrong with the encoded fields of a table.
Check check_table(std::string_view encoded, const TableLimits&);

std::string print(const Table&);

/// Builds a table, field by field; tables and arrays inside of it are opened and closed.
class TableWriter {
 public:
  TableWriter& put(std::string_view name, const FieldValue& value);
  TableWriter& put(std::string_view name, std::string_view text) { return put(name, FieldValue::text(text)); }
  TableWriter& put(std::string_view name, const char* text) { return put(name, std::string_view(text)); }
  TableWriter& put(std::string_view name, bool value) { return put(name, FieldValue::boolean(value)); }
  TableWriter& put(std::string_view name, std::int64_t value) { return put(name, FieldValue::integer(value)); }
  TableWriter& put(std::string_view name, std::int32_t value) { return put(name, FieldValue::integer32(value)); }
  /// Inside of an array, where fields have no names.
  TableWriter& add(const FieldValue& value);
  TableWriter& open_table(std::string_view name) { return open(name, FieldType::table); }
  TableWriter& open_array(std::string_view name) { return open(name, FieldType::array); }
  /// A table as an element of the open array.
  TableWriter& open_table() { return open({}, FieldType::table); }
  TableWriter& close();

  /// Good until the next change.
  Table table() const { return Table(out_.view()); }

 private:
  TableWriter& open(std::string_view name, FieldType type);
  void write_name(std::string_view name);
  struct Level {
    std::size_t length_at;
    bool named;
  };
  ByteWriter out_;
  std::vector<Level> open_;
};

}  // namespace braid::amqp
