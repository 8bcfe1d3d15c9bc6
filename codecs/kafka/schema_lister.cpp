// Braid, Apache-2.0.
#include "codecs/kafka/schema_lister.hpp"

#include <array>

namespace braid::kafka {

FieldSchema& SchemaLister::add(std::string_view name, WireType type, bool array, const Field& field) {
  constexpr std::array<std::string_view, 12> names{"bool",    "int8", "int16",  "uint16", "int32",   "int64",
                                                   "float64", "uuid", "string", "bytes",  "records", "struct"};
  FieldSchema& schema = fields_.emplace_back();
  schema.name = name;
  schema.type = array ? "[]" : "";
  schema.type += names[static_cast<std::size_t>(type)];
  schema.field = field;
  return schema;
}

void SchemaLister::set_integer(FieldSchema& schema, std::int64_t value) {
  schema.default_value = std::to_string(value);
}
void SchemaLister::set_text(FieldSchema& schema, std::string_view value) {
  schema.default_value = value;
}

}  // namespace braid::kafka
