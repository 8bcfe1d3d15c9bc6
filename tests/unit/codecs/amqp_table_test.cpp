// Braid, Apache-2.0.
//
// Field tables: all types in RabbitMQ's dialect, nesting, limits, what is cut short.
#include "unit/codecs/amqp_support.hpp"

using namespace braid;
using namespace braid::amqp;
using namespace braid::amqp::testing;

namespace {

std::string named(char type, const std::string& value) {
  return raw({1}) + "k" + type + value;
}
template <class Range>
int count_of(const Range& range) {
  int count = 0;
  for ([[maybe_unused]] const Field& field : range) ++count;
  return count;
}
FieldValue only_value(const std::string& encoded) {
  REQUIRE_FALSE(check_table(encoded, {}));
  const Table table(encoded);
  REQUIRE(count_of(table) == 1);
  return table.begin()->value;
}
ReplyCode refused_table(const std::string& encoded, const TableLimits& limits = {}) {
  const auto error = check_table(encoded, limits);
  REQUIRE(error);
  return error->code;
}

}  // namespace

TEST_CASE("all types of field values that RabbitMQ's clients write are read as RabbitMQ reads them") {
  CHECK(only_value(named('t', raw({2}))).as_bool());
  CHECK(only_value(named('b', raw({0xff}))).as_integer() == -1);
  CHECK(only_value(named('B', raw({0xff}))).as_integer() == 255);
  CHECK(only_value(named('s', raw({0xff, 0xfe}))).as_integer() == -2);
  CHECK(only_value(named('u', raw({0xff, 0xfe}))).as_integer() == 65534);
  CHECK(only_value(named('I', raw({0xff, 0xff, 0xff, 0xfd}))).as_integer() == -3);
  CHECK(only_value(named('i', raw({0xff, 0xff, 0xff, 0xfd}))).as_integer() == 4294967293);
  CHECK(only_value(named('l', raw({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc}))).as_integer() == -4);
  CHECK(only_value(named('L', raw({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc}))).as_integer() == -4);
  CHECK(only_value(named('f', raw({0x3f, 0xc0, 0, 0}))).as_real() == 1.5);
  CHECK(only_value(named('d', raw({0x3f, 0xf8, 0, 0, 0, 0, 0, 0}))).as_real() == 1.5);
  const auto decimal = only_value(named('D', raw({2, 0, 0, 0, 150})));
  CHECK(decimal.decimal_scale() == 2);
  CHECK(decimal.decimal_digits() == 150);
  CHECK(only_value(named('S', raw({0, 0, 0, 2}) + "ab")).as_text() == "ab");
  CHECK(only_value(named('x', raw({0, 0, 0, 2}) + "ab")).as_text() == "ab");
  CHECK(only_value(named('T', raw({0, 0, 0, 0, 0, 0, 0, 9}))).as_integer() == 9);
  CHECK(only_value(named('V', "")).type() == FieldType::none);
  const auto of_array = named('A', raw({0, 0, 0, 3}) + "V" + "t" + raw({1}));
  CHECK(count_of(only_value(of_array).as_array()) == 2);
  const auto of_table = named('F', raw({0, 0, 0, 4}) + raw({1}) + "i" + "t" + raw({1}));
  CHECK(only_value(of_table).as_table().find("i")->as_bool());
  CHECK(refused_table(named('F', raw({0, 0, 0, 4}) + raw({1}) + "i" + "?" + raw({1}))) == ReplyCode::syntax_error);
}

TEST_CASE("what a table writer writes is read back, nested tables and arrays too") {
  TableWriter writer;
  writer.put("text", "value").put("yes", true).put("many", std::int64_t{1} << 40).put("few", 7);
  writer.put("half", FieldValue::real(0.5)).put("when", FieldValue::timestamp(12)).put("nothing", FieldValue());
  writer.open_table("inner").put("deep", "er").close();
  writer.open_array("list").add(FieldValue::integer(1)).open_table().put("in", "array").close().close();
  const auto table = writer.table();
  REQUIRE_FALSE(check_table(table.encoded(), {}));
  CHECK(print(table) ==
        "{'text': 'value', 'yes': true, 'many': 1099511627776, 'few': 7, 'half': 0.500000, 'when': 12, "
        "'nothing': void, 'inner': {'deep': 'er'}, 'list': [1, {'in': 'array'}]}");
  CHECK(table.find("inner")->as_table().find("deep")->as_text() == "er");
  CHECK_FALSE(table.find("absent"));
  TableWriter copy;
  for (const Field& field : table) copy.put(field.name, field.value);
  CHECK(copy.table() == table);
}

TEST_CASE("the first of two fields of one name counts") {
  TableWriter writer;
  writer.put("a", 1).put("a", 2);
  CHECK(writer.table().find("a")->as_integer() == 1);
}

TEST_CASE("a table that is cut short anywhere is refused") {
  TableWriter writer;
  writer.put("text", "value").put("many", std::int64_t{7}).open_table("t").put("x", true).close();
  writer.open_array("a").add(FieldValue::text("y")).close();
  const std::string whole(writer.table().encoded());
  std::size_t good = 0;
  for (std::size_t length = 0; length < whole.size(); ++length)
    if (!check_table(whole.substr(0, length), {})) ++good;
  CHECK(good == 4);  // where a field ends: nothing, one, two, three of them
  CHECK(refused_table(named('z', raw({1}))) == ReplyCode::syntax_error);
  CHECK(refused_table(named('S', raw({0xff, 0xff, 0xff, 0xff}) + "x")) == ReplyCode::syntax_error);
}

TEST_CASE("tables have limits: bytes and depth") {
  TableWriter writer;
  for (int depth = 0; depth < 10; ++depth) writer.open_table("t");
  for (int depth = 0; depth < 10; ++depth) writer.close();
  CHECK_FALSE(check_table(writer.table().encoded(), {.max_depth = 10}));
  CHECK(refused_table(std::string(writer.table().encoded()), {.max_depth = 9}) == ReplyCode::syntax_error);
  CHECK(refused_table(std::string(writer.table().encoded()), {.max_bytes = 10}) == ReplyCode::syntax_error);
  // A hostile one: arrays in arrays, as deep as a frame allows.
  std::string nest;
  for (int depth = 0; depth < 20000; ++depth) nest = "A" + big32(static_cast<std::uint32_t>(nest.size())) + nest;
  CHECK(refused_table(raw({1}) + "k" + nest) == ReplyCode::syntax_error);
}
