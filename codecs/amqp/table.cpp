// Braid, Apache-2.0.
#include "codecs/amqp/table.hpp"

#include <cassert>

namespace braid::amqp {

namespace {

DecodeError bad_table(std::string_view sentence) {
  return {ReplyCode::syntax_error, sentence, {}};
}

Check check_fields(std::string_view encoded, bool named, std::uint32_t depth_left) {
  ByteReader reader(Bytes::literal(encoded));
  while (reader.remaining() > 0) {
    if (named) reader.skip(reader.u8());
    const auto type = static_cast<FieldType>(reader.u8());
    if (reader.failed()) return bad_table("a field table that ends inside a name");
    const auto size = fixed_bytes(type);
    if (!size) return bad_table("a field table with a value of no known type");
    if (type != FieldType::text && type != FieldType::binary && type != FieldType::table && type != FieldType::array) {
      reader.skip(*size);
    } else {
      const auto inside = reader.take_view(reader.u32());
      if (!reader.failed() && (type == FieldType::table || type == FieldType::array)) {
        if (depth_left == 0) return bad_table("tables and arrays nested deeper than the limit allows");
        if (auto error = check_fields(inside, type == FieldType::table, depth_left - 1)) return error;
      }
    }
    if (reader.failed()) return bad_table("a field table that ends inside a value");
  }
  return {};
}

constexpr std::size_t longest_print = 64;

void print_fields(std::string& to, FieldIterator at, char open, char close) {
  to += open;
  bool first = true;
  for (; at != std::default_sentinel; ++at) {
    if (!first) to += ", ";
    first = false;
    if (to.size() > 1024) {
      to += "...";
      break;
    }
    if (open == '{') {
      FieldValue::text(at->name).print(to);
      to += ": ";
    }
    at->value.print(to);
  }
  to += close;
}

}  // namespace

std::optional<std::size_t> fixed_bytes(FieldType type) {
  switch (type) {
    case FieldType::none:
      return 0;
    case FieldType::boolean:
    case FieldType::int8:
    case FieldType::uint8:
      return 1;
    case FieldType::int16:
    case FieldType::uint16:
      return 2;
    case FieldType::int32:
    case FieldType::uint32:
    case FieldType::float32:
    case FieldType::text:
    case FieldType::binary:
    case FieldType::array:
    case FieldType::table:
      return 4;
    case FieldType::decimal:
      return 5;
    case FieldType::int64:
    case FieldType::also_int64:
    case FieldType::float64:
    case FieldType::timestamp:
      return 8;
  }
  return {};
}

std::string_view name_of(FieldType type) {
  switch (type) {
    case FieldType::boolean:
      return "bool";
    case FieldType::int8:
      return "byte";
    case FieldType::uint8:
      return "unsignedbyte";
    case FieldType::int16:
      return "short";
    case FieldType::uint16:
      return "unsignedshort";
    case FieldType::int32:
      return "signedint";
    case FieldType::uint32:
      return "unsignedint";
    case FieldType::int64:
    case FieldType::also_int64:
      return "long";
    case FieldType::float32:
      return "float";
    case FieldType::float64:
      return "double";
    case FieldType::decimal:
      return "decimal";
    case FieldType::text:
      return "longstr";
    case FieldType::array:
      return "array";
    case FieldType::timestamp:
      return "timestamp";
    case FieldType::table:
      return "table";
    case FieldType::none:
      return "void";
    case FieldType::binary:
      return "binary";
  }
  return "unknown";
}

FieldValue FieldValue::table(const Table& value) {
  return {FieldType::table, value.encoded()};
}
FieldValue FieldValue::array(const Array& value) {
  return {FieldType::array, value.encoded()};
}
Table FieldValue::as_table() const {
  return Table(text_);
}
Array FieldValue::as_array() const {
  return Array(text_);
}

bool FieldValue::is_integer() const {
  switch (type_) {
    case FieldType::int8:
    case FieldType::uint8:
    case FieldType::int16:
    case FieldType::uint16:
    case FieldType::int32:
    case FieldType::uint32:
    case FieldType::int64:
    case FieldType::also_int64:
      return true;
    default:
      return false;
  }
}

FieldValue FieldValue::read(ByteReader& reader) {
  const auto type = static_cast<FieldType>(reader.u8());
  const auto of = [type](auto number) { return FieldValue(type, static_cast<std::uint64_t>(number)); };
  switch (type) {
    case FieldType::none:
      return {};
    case FieldType::boolean:
      return of(reader.u8() != 0 ? 1 : 0);
    case FieldType::int8:
      return of(std::int64_t{reader.i8()});
    case FieldType::uint8:
      return of(reader.u8());
    case FieldType::int16:
      return of(std::int64_t{reader.i16()});
    case FieldType::uint16:
      return of(reader.u16());
    case FieldType::int32:
      return of(std::int64_t{reader.i32()});
    case FieldType::uint32:
      return of(reader.u32());
    case FieldType::int64:
    case FieldType::also_int64:
    case FieldType::timestamp:
      return of(reader.u64());
    case FieldType::float32:
      return of(std::bit_cast<std::uint64_t>(static_cast<double>(std::bit_cast<float>(reader.u32()))));
    case FieldType::float64:
      return of(reader.u64());
    case FieldType::decimal: {
      const std::uint64_t scale = reader.u8();
      return of(scale << 32 | reader.u32());
    }
    case FieldType::text:
    case FieldType::binary:
    case FieldType::array:
    case FieldType::table:
      return {type, reader.take_view(reader.u32())};
  }
  reader.fail();
  return {};
}

void FieldValue::write(ByteWriter& out) const {
  out.u8(static_cast<std::uint8_t>(type_));
  switch (type_) {
    case FieldType::none:
      return;
    case FieldType::boolean:
    case FieldType::int8:
    case FieldType::uint8:
      return out.u8(static_cast<std::uint8_t>(number_));
    case FieldType::int16:
    case FieldType::uint16:
      return out.u16(static_cast<std::uint16_t>(number_));
    case FieldType::int32:
    case FieldType::uint32:
      return out.u32(static_cast<std::uint32_t>(number_));
    case FieldType::int64:
    case FieldType::also_int64:
    case FieldType::timestamp:
    case FieldType::float64:
      return out.u64(number_);
    case FieldType::float32:
      return out.u32(std::bit_cast<std::uint32_t>(static_cast<float>(as_real())));
    case FieldType::decimal:
      out.u8(decimal_scale());
      return out.u32(decimal_digits());
    case FieldType::text:
    case FieldType::binary:
    case FieldType::array:
    case FieldType::table:
      out.u32(static_cast<std::uint32_t>(text_.size()));
      return out.raw(text_);
  }
}

void FieldValue::print(std::string& to) const {
  switch (type_) {
    case FieldType::none:
      to += "void";
      return;
    case FieldType::boolean:
      to += as_bool() ? "true" : "false";
      return;
    case FieldType::float32:
    case FieldType::float64:
      to += std::to_string(as_real());
      return;
    case FieldType::decimal:
      to += std::to_string(decimal_digits()) + "e-" + std::to_string(decimal_scale());
      return;
    case FieldType::timestamp:
      to += std::to_string(number_);
      return;
    case FieldType::text:
    case FieldType::binary:
      to += '\'';
      for (const char c : text_.substr(0, longest_print)) {
        constexpr std::string_view digits = "0123456789abcdef";
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f && c != '\'' && c != '\\')
          to += c;
        else
          to.append("\\x") += {digits[byte >> 4], digits[byte & 15]};
      }
      to += text_.size() > longest_print ? "'..." : "'";
      return;
    case FieldType::array:
      return print_fields(to, as_array().begin(), '[', ']');
    case FieldType::table:
      return print_fields(to, as_table().begin(), '{', '}');
    default:
      to += std::to_string(as_integer());
  }
}

void FieldIterator::advance() {
  if (reader_.remaining() == 0) {
    done_ = true;
    return;
  }
  field_.name = named_ ? reader_.take_view(reader_.u8()) : std::string_view{};
  field_.value = FieldValue::read(reader_);
  if (reader_.failed()) done_ = true;  // only where nobody had it checked
}

std::optional<FieldValue> Table::find(std::string_view name) const {
  for (const Field& field : *this)
    if (field.name == name) return field.value;
  return {};
}

Check check_table(std::string_view encoded, const TableLimits& limits) {
  if (encoded.size() > limits.max_bytes) return bad_table("a field table larger than the limit allows");
  return check_fields(encoded, true, limits.max_depth);
}

std::string print(const Table& table) {
  std::string text;
  FieldValue::table(table).print(text);
  return text;
}

void TableWriter::write_name(std::string_view name) {
  if (!open_.empty() && !open_.back().named) return;
  assert(name.size() <= max_short_string_bytes);
  out_.u8(static_cast<std::uint8_t>(name.size()));
  out_.raw(name);
}

TableWriter& TableWriter::put(std::string_view name, const FieldValue& value) {
  write_name(name);
  value.write(out_);
  return *this;
}

TableWriter& TableWriter::add(const FieldValue& value) {
  assert(!open_.empty() && !open_.back().named);
  value.write(out_);
  return *this;
}

TableWriter& TableWriter::open(std::string_view name, FieldType type) {
  write_name(name);
  out_.u8(static_cast<std::uint8_t>(type));
  open_.push_back({out_.size(), type == FieldType::table});
  out_.u32(0);
  return *this;
}

TableWriter& TableWriter::close() {
  const std::size_t at = open_.back().length_at;
  out_.patch(at, static_cast<std::uint32_t>(out_.size() - at - 4));
  open_.pop_back();
  return *this;
}

}  // namespace braid::amqp
