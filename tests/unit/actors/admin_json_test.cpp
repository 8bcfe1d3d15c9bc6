// Braid, Apache-2.0.
#include <catch2/catch.hpp>

#include "actors/admin/json.hpp"
#include "config/yaml.hpp"

using namespace braid;

namespace {

std::string error_of(std::string_view text) {
  const auto json = parse_json(text);
  return json ? "none" : json.error();
}

}  // namespace

TEST_CASE("json: what is read is written again, in the same order") {
  for (const std::string text : {R"({"b":1,"a":[true,false,null],"c":{"d":"x\n\"y\""},"e":-2.5,"f":[],"g":{}})", "[]",
                                 "1", R"("text")", "null", "9223372036854775807", R"({"":""})"}) {
    const auto json = parse_json(text);
    CAPTURE(text);
    REQUIRE(json);
    CHECK(to_json(*json) == text);
    const auto again = parse_json(to_json(*json, true));
    REQUIRE(again);
    CHECK(to_json(*again) == text);
  }
}

TEST_CASE("json: numbers keep their type, and one too large for 64 bits becomes a float") {
  CHECK(parse_json("5")->get<std::int64_t>() != nullptr);
  CHECK(parse_json("5.0")->get<double>() != nullptr);
  CHECK(parse_json("18446744073709551615")->get<double>() != nullptr);
  CHECK(parse_json("-9223372036854775808")->get<std::int64_t>() != nullptr);
}

TEST_CASE("json: bad text is an error with its place, and a name given twice or deep nesting is refused") {
  CHECK(error_of("{\"a\":}").find("line 1, column 6") != std::string::npos);
  CHECK(error_of("") != "none");
  CHECK(error_of("{} {}") != "none");
  CHECK(error_of("\"\xff\"") != "none");
  CHECK(error_of(R"({"a":1,"a":2})") == "the name 'a' comes twice");
  CHECK(error_of(R"({"a":{"a":1},"b":{"a":1}})") == "none");
  CHECK(error_of(std::string(32, '[') + std::string(32, ']')) == "none");
  CHECK(error_of(std::string(33, '[') + std::string(33, ']')) == "nested too deeply");
  CHECK(error_of(std::string(1'000'000, '[')) == "nested too deeply");
}

TEST_CASE("json: members are found by name, and types have names for messages") {
  const auto json = parse_json(R"({"a":"x","b":[]})");
  REQUIRE(json);
  REQUIRE(json->find("a") != nullptr);
  CHECK(json->find("a")->type_name() == "a text");
  CHECK(json->find("b")->type_name() == "a list");
  CHECK(json->type_name() == "an object");
  CHECK(json->find("c") == nullptr);
  CHECK(json->find("a")->find("b") == nullptr);
}

TEST_CASE("json: bytes that are not UTF-8 are replaced when they are written") {
  CHECK(to_json(Json(std::string("a\xff") + "b")) ==
        "\"a\xef\xbf\xbd"
        "b\"");
}

TEST_CASE("json: the YAML form is in block style and YAML reads it") {
  const auto json = parse_json(
      R"({"topics":[{"name":"a","n":1,"config":{}},{"name":"true","n":2,"config":{"x":"5"}}],"l":[[1,2],[]]})");
  REQUIRE(json);
  CHECK(to_yaml(*json) ==
        "topics:\n  - name: a\n    \"n\": 1\n    config: {}\n  - name: \"true\"\n    \"n\": 2\n    config:\n"
        "      x: \"5\"\nl:\n  - - 1\n    - 2\n  - []\n");
  const auto yaml = parse_yaml(to_yaml(*json));
  REQUIRE(yaml);
  REQUIRE(yaml->keys.size() == 2);
  CHECK(yaml->values[0].items.size() == 2);
  CHECK(yaml->values[1].items[0].items[1].text == "2");
  CHECK(to_yaml(Json("text")) == "text\n");
  CHECK(to_yaml(Json(Json::Array{})) == "[]\n");
}
