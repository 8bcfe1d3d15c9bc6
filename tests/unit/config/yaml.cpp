// Braid, Apache-2.0.
#include "config/yaml.hpp"

#include <catch2/catch.hpp>

using namespace braid;
using Kind = YamlNode::Kind;

namespace {

YamlError error_of(std::string_view text) {
  auto result = parse_yaml(text);
  if (result) return {0, 0, "no error"};
  return result.error();
}

}  // namespace

TEST_CASE("mappings, lists and scalars are read with their lines and columns") {
  const auto root = parse_yaml("a:\n  b: 1\n  c: [x, 'y']\n\n# note\nd: \"\"\n");
  REQUIRE(root);
  REQUIRE(root->kind == Kind::mapping);
  REQUIRE(root->keys.size() == 2);
  CHECK(root->keys[0].text == "a");
  CHECK(root->keys[0].line == 1);
  const auto& a = root->values[0];
  REQUIRE(a.keys.size() == 2);
  CHECK(a.keys[0].line == 2);
  CHECK(a.keys[0].column == 3);
  CHECK(a.values[0].kind == Kind::scalar);
  CHECK(a.values[0].text == "1");
  CHECK(a.values[0].column == 6);
  const auto& list = a.values[1];
  REQUIRE(list.kind == Kind::sequence);
  REQUIRE(list.items.size() == 2);
  CHECK(list.items[1].text == "y");
  CHECK(list.items[1].line == 3);
  CHECK(list.items[1].column == 10);
  CHECK(root->keys[1].line == 6);
  CHECK(root->values[1].kind == Kind::scalar);
  CHECK(root->values[1].text.empty());
}

TEST_CASE("nothing written is null: no text at all, comments only, a key without a value") {
  for (const auto* text : {"", "\n", "# only a note\n", "---\n", "~", "null"}) {
    CAPTURE(text);
    const auto root = parse_yaml(text);
    REQUIRE(root);
    CHECK(root->kind == Kind::null);
  }
  const auto root = parse_yaml("a:\nb: ~\nc: 'null'\n");
  REQUIRE(root);
  REQUIRE(root->values.size() == 3);
  CHECK(root->values[0].kind == Kind::null);
  CHECK(root->values[1].kind == Kind::null);
  CHECK(root->values[2].kind == Kind::scalar);
}

TEST_CASE("duplicate keys are kept in order, for the reader to report") {
  const auto root = parse_yaml("a: 1\nb: 2\na: 3\n");
  REQUIRE(root);
  REQUIRE(root->keys.size() == 3);
  CHECK(root->keys[2].text == "a");
  CHECK(root->keys[2].line == 3);
}

TEST_CASE("text that is not YAML is an error with its place") {
  const auto tab = error_of("a:\n\tb: 1\n");
  CHECK(tab.line == 2);
  CHECK_FALSE(tab.text.empty());
  const auto open = error_of("a: [1, 2\nb: 3\n");
  CHECK(open.line >= 1);
  CHECK(open.text != "no error");
  CHECK(error_of("a: \"x\n").text != "no error");
  CHECK(error_of("a: 1\n  b: 2\n").text != "no error");
}

TEST_CASE("what a settings file has no use for is refused by name") {
  CHECK(error_of("a: &x 1\n").text.starts_with("anchors and aliases"));
  CHECK(error_of("a: &x 1\nb: *x\n").line == 1);
  CHECK(error_of("a: !!int 1\n").text.starts_with("tags"));
  CHECK(error_of("a: 1\n---\nb: 2\n").text == "a settings file holds one document");
}

TEST_CASE("bytes that no text has, and directives, are refused before the library sees them") {
  const auto control = error_of("a: 1\nb: \xc3\xa4\x01\n");
  CHECK(control.text == "a control character has no place in a settings file");
  CHECK(control.line == 2);
  CHECK(control.column == 5);
  CHECK(error_of("\xff\xfe").text == "not UTF-8: this is no settings file");
  CHECK(error_of("%YAML 1.2\n---\na: 1\n").text.starts_with("directives"));
  CHECK(error_of(std::string_view("%\0\0\0\0\x95", 6)).text != "no error");  // libfyaml 0.7.12 loops on it for ever
  CHECK(error_of("a: '%'\n").text == "no error");
}

TEST_CASE("depth and size have limits") {
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "[";
  CHECK(error_of(deep).text != "no error");
  std::string nested = "a: ";
  for (int i = 0; i < 20; ++i) nested += "[";
  for (int i = 0; i < 20; ++i) nested += "]";
  CHECK(error_of(nested).text == "nested too deeply");
  CHECK(error_of(std::string((1u << 20) + 1, ' ')).text == "larger than 1MiB: this is no settings file");
}

TEST_CASE("a quoted text reads back as the same text, and never as a number or a truth") {
  for (const std::string text : {"plain",
                                 "/a/b.c",
                                 "127.0.0.1",
                                 "",
                                 "a: b",
                                 "- x",
                                 "-",
                                 "1",
                                 "1e5",
                                 "0x10",
                                 ".5",
                                 "true",
                                 "No",
                                 "null",
                                 "~",
                                 "a\"b\\c",
                                 "line\nbreak\ttab",
                                 "#",
                                 "'",
                                 "{a}",
                                 "&x",
                                 "*x",
                                 "!x"}) {
    const auto quoted = quote_yaml(text);
    CAPTURE(text, quoted);
    const auto root = parse_yaml("a: " + quoted + "\n");
    REQUIRE(root);
    REQUIRE(root->values.size() == 1);
    CHECK(root->values[0].kind == Kind::scalar);
    CHECK(root->values[0].text == text);
  }
  CHECK(quote_yaml("127.0.0.1") == "127.0.0.1");
  CHECK(quote_yaml("5") == "\"5\"");
  CHECK(quote_yaml("on") == "\"on\"");
}
