// Braid, Apache-2.0.
//
// Any bytes as a field table. What passes the check is walked, printed, and written again: the same values must come
// back, and a second writing must not differ from the first.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "codecs/amqp/table.hpp"

using namespace braid;
using namespace braid::amqp;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

std::string rewritten(const Table& table) {
  TableWriter writer;
  for (const Field& field : table) writer.put(field.name, field.value);
  return std::string(writer.table().encoded());
}

std::size_t walk(FieldIterator at, unsigned depth) {
  require(depth <= 32);
  std::size_t values = 0;
  for (; at != std::default_sentinel; ++at) {
    ++values;
    require(fixed_bytes(at->value.type()).has_value() && name_of(at->value.type()) != "unknown");
    if (at->value.type() == FieldType::table) values += walk(at->value.as_table().begin(), depth + 1);
    if (at->value.type() == FieldType::array) values += walk(at->value.as_array().begin(), depth + 1);
  }
  return values;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view encoded(reinterpret_cast<const char*>(data), size);
  if (const auto error = check_table(encoded, {.max_bytes = 1u << 16, .max_depth = 32})) {
    require(error->code == ReplyCode::syntax_error && !error->sentence.empty());
    return 0;
  }
  const Table table(encoded);
  walk(table.begin(), 0);
  require(!print(table).empty());
  const std::string once = rewritten(table);
  require(once.size() == size);  // every type keeps its size; booleans other than 1 become 1
  require(rewritten(Table(once)) == once);
  FieldIterator at = table.begin();
  FieldIterator again = Table(once).begin();
  for (; at != std::default_sentinel; ++at, ++again) {
    require(again != std::default_sentinel && at->name == again->name && at->value == again->value);
    require(table.find(at->name).has_value());
  }
  return 0;
}
