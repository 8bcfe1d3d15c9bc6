// Braid, Apache-2.0.
//
// The format of packets: sections 1.5 and 2 of MQTT 3.1.1 and 5.0, and 3.12.
#include <algorithm>

#include "e2e/support/conformance.hpp"

using namespace braid::e2e;
using namespace braid::e2e::conformance;
using namespace braid::e2e::wire;

namespace {

/// Ill-formed: surrogates, overlong forms, beyond U+10FFFF, cut short, stray.
const std::string kIllFormed[] = {"\xed\xa0\x80",
                                  "a\xed\xbf\xbf",
                                  "\xc0\xaf",
                                  "\xe0\x80\xaf",
                                  "\xf0\x80\x80\xaf",
                                  "\xf4\x90\x80\x80",
                                  "\xf8\x88\x80\x80",
                                  "\xe2\x82",
                                  "\x80",
                                  "\xff",
                                  "\xfe",
                                  "a\xc3",
                                  "\xc1\xbf\xbf",
                                  "\xf5\x80\x80\x80"};
const std::string kNul("a\0b", 3);

/// A packet with `text` in each of the strings that a client can send behind its CONNECT.
std::vector<std::string> with_text(int level, const std::string& text) {
  std::vector<std::string> packets = {
      encode(Publish{.level = level, .topic = text, .payload = "x"}),
      encode(Publish{.level = level, .topic = text, .payload = "x", .qos = 1, .id = 1}),
      subscribe(level, 1, {{text, 0}}),
      subscribe(level, 1, {{"good", 0}, {text, 0}}),
      unsubscribe(level, 1, {text}),
  };
  if (level < 5) return packets;
  const auto publish = [](const std::string& properties) {
    return encode(Publish{.topic = "t", .payload = "x", .properties = properties});
  };
  packets.push_back(publish(property(content_type, text)));
  packets.push_back(publish(property(response_topic, text)));
  packets.push_back(publish(property(user_property, text, "v")));
  packets.push_back(publish(property(user_property, "n", text)));
  packets.push_back(subscribe(5, 1, {{"t", 0}}, property(user_property, "n", text)));
  packets.push_back(unsubscribe(5, 1, {"t"}, property(user_property, text, "v")));
  packets.push_back(disconnect(0, property(reason_string, text)));
  packets.push_back(disconnect(0, property(user_property, text, text)));
  for (const unsigned type : {PUBACK, PUBREC, PUBREL, PUBCOMP})
    packets.push_back(acknowledge(type, 1, 0, property(reason_string, text)));
  return packets;
}

}  // namespace

TEST_CASE("text that is not well-formed UTF-8 ends the connection, wherever it stands",
          "[3.1.1 MQTT-1.5.3-1][3.1.1 MQTT-3.3.2-1][3.1.1 MQTT-3.8.3-1][3.1.1 MQTT-3.10.3-1][5.0 MQTT-1.5.4-1]"
          "[5.0 MQTT-1.5.7-1][5.0 MQTT-3.3.2-1][5.0 MQTT-3.3.2-13][5.0 MQTT-3.3.2-19][5.0 MQTT-3.8.3-1]"
          "[5.0 MQTT-3.10.3-1]") {
  for (const int level : {4, 5})
    for (const auto& text : kIllFormed)
      for (const auto& bytes : with_text(level, text)) {
        CAPTURE(level, text, bytes);
        CHECK(end_after(level, bytes) == (level == 5 ? 0x81u : 0u));
      }
}

TEST_CASE("U+0000 is refused wherever text stands",
          "[3.1.1 MQTT-1.5.3-2][3.1.1 MQTT-4.7.3-2][5.0 MQTT-1.5.4-2][5.0 MQTT-4.7.3-2]") {
  for (const int level : levels)
    for (const auto& bytes : with_text(level, kNul)) {
      CAPTURE(level, bytes);
      CHECK(end_after(level, bytes) == (level == 5 ? 0x81u : 0u));
    }
  // Binary data may hold it.
  auto client = connected(5);
  CHECK(client.publish({.topic = "t", .payload = kNul, .qos = 1, .properties = property(correlation_data, kNul)}) <
        0x80);
}

TEST_CASE("a byte order mark is a character like any other", "[3.1.1 MQTT-1.5.3-3][5.0 MQTT-1.5.4-3]") {
  for (const int level : {4, 5}) {
    const auto name = unique("mark"), marked = "\xef\xbb\xbf" + name;
    auto client = connected(level);
    client.subscribe(marked);
    auto other = connected(5);
    other.publish({.topic = name, .payload = "without", .qos = 1});
    other.publish({.topic = marked, .payload = "with", .qos = 1});
    const auto message = client.expect_publish();
    CHECK(message.topic == marked);
    CHECK(message.payload == "with");
  }
}

TEST_CASE("lengths and numbers use as few bytes as they can, and four at most", "[5.0 MQTT-1.5.5-1]") {
  const auto raw = [](std::string_view bytes) { return std::string(bytes); };
  // PINGREQ with a remaining length of 0 in two, three and four bytes; a length of five bytes.
  for (const int level : levels) {
    CHECK(end_after(level, raw({"\xc0\x80\x00", 3})) == (level == 5 ? 0x81u : 0u));
    CHECK(end_after(level, raw({"\xc0\x80\x80\x00", 4})) == (level == 5 ? 0x81u : 0u));
    CHECK(end_after(level, raw({"\xc0\x80\x80\x80\x00", 5})) == (level == 5 ? 0x81u : 0u));
    CHECK(end_after(level, raw("\x30\xff\xff\xff\xff\x01")) == (level == 5 ? 0x81u : 0u));
    CHECK(end_after(level, raw("\x30\x80\x80\x80\x80\x80")) == (level == 5 ? 0x81u : 0u));
  }
  // A property length of 0 in two bytes.
  CHECK(end_after(5, packet(0x30, str("t") + raw({"\x80\x00", 2}))) == 0x81);
  CHECK(end_after(5, packet(0x82, u16(1) + raw({"\x80\x00", 2}) + str("t") + '\0')) == 0x81);
  CHECK(end_after(5, packet(0x30, str("t") + raw("\xff\xff\xff\xff\x01"))) == 0x81);
  // A subscription identifier of 1 in two bytes.
  CHECK(end_after(5, packet(0x82, u16(1) + '\x03' + raw({"\x0b\x81\x00", 3}) + str("t") + '\0')) == 0x81);
}

TEST_CASE("reserved flags of the fixed header have to be as they are listed, on every type",
          "[3.1.1 MQTT-2.2.2-1][3.1.1 MQTT-2.2.2-2][3.1.1 MQTT-3.6.1-1][3.1.1 MQTT-3.8.1-1][3.1.1 MQTT-3.10.1-1]"
          "[5.0 MQTT-2.1.3-1][5.0 MQTT-3.6.1-1][5.0 MQTT-3.8.1-1][5.0 MQTT-3.10.1-1]") {
  for (const int level : {4, 5}) {
    const std::string packets[] = {acknowledge(PUBACK, 1),
                                   acknowledge(PUBREC, 1),
                                   acknowledge(PUBREL, 1),
                                   acknowledge(PUBCOMP, 1),
                                   subscribe(level, 1, {{"t", 0}}),
                                   unsubscribe(level, 1, {"t"}),
                                   pingreq(),
                                   disconnect()};
    for (const auto& bytes : packets)
      for (unsigned flags = 0; flags < 16; ++flags) {
        const auto listed = static_cast<unsigned>(bytes[0]) & 15u;
        auto wrong = bytes;
        wrong[0] = static_cast<char>((static_cast<unsigned>(bytes[0]) & 0xf0u) | flags);
        if (flags == listed) continue;
        CAPTURE(level, flags, static_cast<unsigned>(bytes[0]) >> 4 & 15u);
        CHECK(end_after(level, wrong) == (level == 5 ? 0x81u : 0u));
      }
  }
}

TEST_CASE("packet type 0, and types that only a server sends, end the connection", "[5.0 MQTT-4.13.1-1]") {
  const auto zeros = [](std::size_t size) { return std::string(size, '\0'); };
  for (const int level : levels) {
    CAPTURE(level);
    CHECK(end_after(level, packet(0x00, {})) == (level == 5 ? 0x81u : 0u));
    CHECK(end_after(level, packet(CONNACK << 4, zeros(3))) == (level == 5 ? 0x82u : 0u));
    CHECK(end_after(level, packet(SUBACK << 4, u16(1) + zeros(2))) == (level == 5 ? 0x82u : 0u));
    CHECK(end_after(level, packet(UNSUBACK << 4, u16(1) + zeros(2))) == (level == 5 ? 0x82u : 0u));
    CHECK(end_after(level, packet(PINGRESP << 4, {})) == (level == 5 ? 0x82u : 0u));
  }
}

TEST_CASE("a packet identifier is not 0", "[3.1.1 MQTT-2.3.1-1][5.0 MQTT-2.2.1-3]") {
  for (const int level : levels) {
    CAPTURE(level);
    const unsigned wanted = level == 5 ? 0x82 : 0;
    CHECK(end_after(level, encode(Publish{.level = level, .topic = "t", .payload = "x", .qos = 1, .id = 0})) == wanted);
    CHECK(end_after(level, encode(Publish{.level = level, .topic = "t", .payload = "x", .qos = 2, .id = 0})) == wanted);
    CHECK(end_after(level, subscribe(level, 0, {{"t", 0}})) == wanted);
    CHECK(end_after(level, unsubscribe(level, 0, {"t"})) == wanted);
    for (const unsigned type : {PUBACK, PUBREC, PUBREL, PUBCOMP})
      CHECK(end_after(level, acknowledge(type, 0)) == wanted);
  }
}

TEST_CASE("a publish of quality of service 0 has no packet identifier, either way",
          "[3.1.1 MQTT-2.3.1-5][5.0 MQTT-2.2.1-2]") {
  for (const int level : levels) {
    const auto topic = unique("plain/");
    auto client = connected(level);
    client.subscribe(topic, 0);
    // What looks like an identifier is payload, and comes back as that.
    auto publisher = connected(level);
    publisher.publish({.topic = topic, .payload = std::string("\0\x07x", 3), .qos = 0});
    const auto message = client.expect_publish();
    CHECK(message.qos == 0);
    CHECK(message.payload == std::string("\0\x07x", 3));
    CHECK(message.bytes == 2 + 2 + topic.size() + (level == 5 ? 1 : 0) + 3);
  }
}

TEST_CASE("the broker gives its publishes identifiers that are not 0 and not in use",
          "[3.1.1 MQTT-2.3.1-4][5.0 MQTT-2.2.1-4][5.0 MQTT-4.3.2-1][5.0 MQTT-4.3.3-1]") {
  const auto topic = unique("numbers/");
  auto client = connected(5);
  client.subscribe(topic, 2);
  auto publisher = connected(5);
  std::vector<unsigned> used;
  for (int i = 0; i < 100; ++i) publisher.publish({.topic = topic, .payload = "x", .qos = 1 + i % 2u});
  for (int i = 0; i < 100; ++i) {
    const auto message = client.expect_publish();
    CHECK(message.id != 0);
    CHECK(std::find(used.begin(), used.end(), message.id) == used.end());
    used.push_back(message.id);
  }
}

TEST_CASE("answers have the identifier of what they answer",
          "[3.1.1 MQTT-2.3.1-6][3.1.1 MQTT-2.3.1-7][5.0 MQTT-2.2.1-5][5.0 MQTT-2.2.1-6][5.0 MQTT-3.8.4-2]"
          "[3.1.1 MQTT-3.8.4-2][5.0 MQTT-3.10.4-5][3.1.1 MQTT-3.10.4-4]") {
  for (const int level : levels) {
    auto client = connected(level);
    for (const unsigned id : {1u, 255u, 256u, 65535u, 300u}) {
      CAPTURE(level, id);
      client.send(encode(Publish{.level = level, .topic = "n", .payload = "x", .qos = 1, .id = id}));
      CHECK(client.expect_answer(PUBACK).id == id);
      client.send(encode(Publish{.level = level, .topic = "n", .payload = "x", .qos = 2, .id = id}));
      CHECK(client.expect_answer(PUBREC).id == id);
      client.send(acknowledge(PUBREL, id));
      CHECK(client.expect_answer(PUBCOMP).id == id);
      client.send(subscribe(level, id, {{"other", 0}}));
      CHECK(client.expect_answers(SUBACK).id == id);
      client.send(unsubscribe(level, id, {"other"}));
      CHECK(client.expect_answers(UNSUBACK).id == id);
    }
  }
}

TEST_CASE("a property length is there even when it is 0; short acknowledgements leave it out", "[5.0 MQTT-2.2.2-1]") {
  // Missing altogether.
  CHECK(end_after(5, packet(0x30, str("t"))) == 0x81);
  CHECK(end_after(5, packet(0x82, u16(1))) == 0x81);
  // Beyond the packet.
  CHECK(end_after(5, packet(0x30, str("t") + '\x05')) == 0x81);
  const auto topic = unique("short/");
  for (const auto& form : {0, 1, 2}) {
    auto client = connected(5);
    client.subscribe(topic, 1);
    connected(5).publish({.topic = topic, .payload = "x", .qos = 1});
    const auto message = client.expect_publish();
    if (form == 0) client.send(acknowledge(PUBACK, message.id));
    if (form == 1) client.send(acknowledge(PUBACK, message.id, 0));
    if (form == 2) client.send(acknowledge(PUBACK, message.id, 0, std::string()));
    CHECK(client.ping().empty());
    // What the broker sends to MQTT 5 has the length, too: expect_publish reads it.
  }
}

TEST_CASE("a property that stands twice, or where it may not, or does not exist, ends the connection",
          "[5.0 MQTT-4.13.1-1]") {
  const auto publish = [](const std::string& properties) {
    return end_after(5, encode(Publish{.topic = "t", .payload = "x", .properties = properties}));
  };
  for (const unsigned id : {payload_format, message_expiry, topic_alias})
    CHECK(publish(property(id, 1u) + property(id, 1u)) == 0x82);
  for (const unsigned id : {content_type, response_topic, correlation_data})
    CHECK(publish(property(id, "x") + property(id, "x")) == 0x82);
  CHECK(publish(property(session_expiry, 1u)) == 0x81);
  CHECK(publish(property(reason_string, "x")) == 0x81);
  CHECK(publish(property(payload_format, 2u)) == 0x82);
  for (unsigned id = 0; id < 128; ++id) {
    const bool known = (id >= 1 && id <= 3) || (id >= 8 && id <= 9) || id == 11 || (id >= 17 && id <= 19) ||
                       (id >= 21 && id <= 26) || id == 28 || id == 31 || (id >= 33 && id <= 42);
    if (!known) CHECK(publish(std::string(1, static_cast<char>(id)) + "xx") == 0x81);
  }
  CHECK(end_after(5, subscribe(5, 1, {{"t", 0}}, property(topic_alias, 1u))) == 0x81);
  CHECK(end_after(5, subscribe(5, 1, {{"t", 0}},
                               property(subscription_identifier, 1u) + property(subscription_identifier, 2u))) == 0x82);
  CHECK(end_after(5, unsubscribe(5, 1, {"t"}, property(subscription_identifier, 1u))) == 0x81);
  CHECK(end_after(5, acknowledge(PUBACK, 1, 0, property(topic_alias, 1u))) == 0x81);
}

TEST_CASE("a packet of the largest size is taken and one byte more is refused", "[5.0 MQTT-3.2.2-15]") {
  constexpr std::size_t most = 1u << 20;
  const auto of_size = [](int level, std::size_t size) {
    // One byte of type, three of length, two and one of topic name, one of property length.
    return encode(
        Publish{.level = level, .topic = "l", .payload = std::string(size - 4 - 3 - (level == 5 ? 1 : 0), 'x')});
  };
  for (const int level : levels) {
    CAPTURE(level);
    REQUIRE(of_size(level, most).size() == most);
    auto client = connected(level);
    client.send(of_size(level, most));
    CHECK(client.ping().empty());
    CHECK(end_after(level, of_size(level, most + 1).substr(0, 4)) == (level == 5 ? 0x95u : 0u));
  }
}

TEST_CASE("PINGREQ is answered", "[3.1.1 MQTT-3.12.4-1][5.0 MQTT-3.12.4-1]") {
  for (const int level : levels) {
    auto client = connected(level);
    client.send(pingreq() + pingreq() + pingreq());
    for (int i = 0; i < 3; ++i) CHECK(client.expect(PINGRESP).bytes == 2);
    CHECK(end_after(level, packet(PINGREQ << 4, "x")) == (level == 5 ? 0x81u : 0u));
  }
}

TEST_CASE("packets may be cut anywhere on their way", "[3.1.1 MQTT-7.1.1-1][5.0 MQTT-4.2.0-1]") {
  for (const int level : levels) {
    const auto topic = unique("cut/");
    Client client(port());
    client.level = level;
    const auto bytes = encode(Connect{.level = level, .client_id = unique("cut")}) + subscribe(level, 1, {{topic, 0}});
    const auto drip = [&client](const std::string& all) {
      for (const char byte : all) client.send(std::string(1, byte));
    };
    drip(bytes);
    CHECK(client.expect_connack().reason == 0);
    CHECK(client.expect_answers(SUBACK).id == 1);
    drip(encode(Publish{.level = level, .topic = topic, .payload = "whole"}) + pingreq());
    bool seen = false;
    for (int i = 0; i < 2; ++i) {
      const auto packet = client.read();
      REQUIRE(packet);
      seen = seen || (packet->type() == PUBLISH && packet->body.ends_with("whole"));
    }
    CHECK(seen);
  }
}
