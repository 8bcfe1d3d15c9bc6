// Braid, Apache-2.0.
//
// Names of topics, and what counts as text.
#include "model/names.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "model/utf8.hpp"
#include "support/seed.hpp"

using namespace braid;

TEST_CASE("topic names of the allowed characters and length are valid") {
  for (std::string_view name : {"a", "...", "..a", "sensors", "a.b_c-D9", "__consumer_offsets", "-", "0"})
    CHECK(is_valid_topic_name(name));
  CHECK(is_valid_topic_name(std::string(249, 'x')));
}

TEST_CASE("other topic names are refused with a reason") {
  for (std::string_view name : {"", ".", "..", "a/b", "a b", "a:b", "\xc3\xa9", "a\n", "a+", "#", "a,b"}) {
    CAPTURE(name);
    CHECK_FALSE(is_valid_topic_name(name));
    CHECK_FALSE(topic_name_problem(name).empty());
  }
  CHECK_FALSE(is_valid_topic_name(std::string(250, 'x')));
  CHECK_FALSE(is_valid_topic_name(std::string_view("a\0b", 3)));
}

TEST_CASE("exactly 65 bytes may occur in a topic name") {
  int allowed = 0;
  for (int byte = 0; byte < 256; ++byte) allowed += is_valid_topic_name(std::string{'a', static_cast<char>(byte)});
  CHECK(allowed == 26 + 26 + 10 + 3);
}

TEST_CASE("names collide when they differ in '.' and '_' alone") {
  CHECK(topic_names_collide("a.b", "a_b"));
  CHECK(topic_names_collide("a_b.c", "a.b_c"));
  CHECK_FALSE(topic_names_collide("a.b", "a.b"));
  CHECK_FALSE(topic_names_collide("a.b", "a-b"));
  CHECK_FALSE(topic_names_collide("a.b", "a.bc"));
  CHECK(topic_collision_key("a.b_c") == topic_collision_key("a_b.c"));
  CHECK(topic_collision_key("a.b") != topic_collision_key("a-b"));
}

namespace {

std::string encoded(std::uint32_t code_point) {
  std::string text;
  auto put = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xc0 | code_point >> 6);
    put(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    put(0xe0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3f));
    put(0x80 | (code_point & 0x3f));
  } else {
    put(0xf0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3f));
    put(0x80 | (code_point >> 6 & 0x3f));
    put(0x80 | (code_point & 0x3f));
  }
  return text;
}

/// Decodes by the plain definition and encodes again: well-formed is what comes back the same.
bool reference_is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto lead = static_cast<std::uint8_t>(text[0]);
    const std::size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (length == 0 || length > text.size()) return false;
    std::uint32_t code_point = length == 1 ? lead : lead & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
      const auto byte = static_cast<std::uint8_t>(text[i]);
      if ((byte & 0xc0) != 0x80) return false;
      code_point = code_point << 6 | (byte & 0x3f);
    }
    if (code_point > 0x10ffff || (code_point >= 0xd800 && code_point <= 0xdfff)) return false;
    if (encoded(code_point) != text.substr(0, length)) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace

TEST_CASE("every code point but the surrogates is text, and U+0000 is none to MQTT [MQTT-1.5.4-1] [MQTT-1.5.4-2]") {
  bool as_expected = true;
  for (std::uint32_t code_point = 0; code_point < 0x120000; ++code_point) {
    const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
    const bool valid = !surrogate && code_point <= 0x10ffff;
    const std::string text = encoded(code_point);
    as_expected &= is_utf8(text) == valid;
    as_expected &= is_mqtt_utf8(text) == (valid && code_point != 0);
    as_expected &= is_mqtt_utf8("some ascii in front, " + text + " and behind") == (valid && code_point != 0);
  }
  CHECK(as_expected);
}

TEST_CASE("every sequence of up to three bytes is judged as the definition judges it") {
  bool as_expected = true;
  std::string text;
  for (std::uint32_t bits = 0; bits < 1u << 24; ++bits) {
    // Two of three leading bytes in the ASCII range are left out: they teach nothing.
    if ((bits >> 16) < 0x80 && (bits >> 16) % 0x40 != 1) continue;
    text = {static_cast<char>(bits >> 16), static_cast<char>(bits >> 8), static_cast<char>(bits)};
    if (is_utf8(text) != reference_is_utf8(text)) as_expected = false;
  }
  for (std::uint32_t bits = 0; bits < 1u << 16; ++bits) {
    text = {static_cast<char>(bits >> 8), static_cast<char>(bits)};
    if (is_utf8(text) != reference_is_utf8(text)) as_expected = false;
  }
  CHECK(as_expected);
}

TEST_CASE("random mixtures of text and damage are judged as the definition judges them") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (auto pieces = random() % 12; pieces > 0; --pieces) {
      switch (random() % 4) {
        case 0:
          text += encoded(static_cast<std::uint32_t>(random() % 0x110000));
          break;
        case 1:
          text.append(random() % 20, 'a');
          break;
        case 2:
          text += encoded(static_cast<std::uint32_t>(random() % 0x800));
          break;
        default:
          if (random() % 4 == 0) text.push_back(static_cast<char>(random()));
      }
    }
    CAPTURE(text);
    REQUIRE(is_utf8(text) == reference_is_utf8(text));
    REQUIRE(is_mqtt_utf8(text) == (reference_is_utf8(text) && text.find('\0') == std::string::npos));
  }
}

TEST_CASE("U+0000 is found at every position of a text") {
  for (std::size_t length = 1; length < 40; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      std::string text(length, 'a');
      CHECK(is_mqtt_utf8(text));
      text[at] = '\0';
      CHECK_FALSE(is_mqtt_utf8(text));
      CHECK(is_utf8(text));
      text[at] = '\x01';
      CHECK(is_mqtt_utf8(text));
    }
  }
}
