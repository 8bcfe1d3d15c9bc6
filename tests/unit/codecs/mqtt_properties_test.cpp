// Braid, Apache-2.0.
//
// Properties: which may stand where, how often, with which values; and that a block travels on as it came.
#include "codecs/mqtt/properties.hpp"

#include <map>

#include "unit/codecs/mqtt_support.hpp"

using namespace braid;
using namespace braid::mqtt;
using namespace braid::mqtt::testing;

namespace {

/// A valid encoding of each property, and where it may stand: packets as letters, W the will, after the table of
/// section 2.2.2.2; capital letters for what a client sends, small ones for what a server sends.
struct Known {
  std::string encoded;
  std::string places;
  bool repeatable = false;
};
const std::map<int, Known>& known() {
  // c CONNECT/CONNACK, p PUBLISH, w will, a PUBACK..PUBCOMP, s SUBSCRIBE/SUBACK, u UNSUBSCRIBE/UNSUBACK, d DISCONNECT,
  // x AUTH
  static const std::map<int, Known> all = {
      {0x01, {raw({0x01, 1}), "PWp"}},
      {0x02, {raw({0x02, 0, 0, 0, 1}), "PWp"}},
      {0x03, {raw({0x03}) + str("t"), "PWp"}},
      {0x08, {raw({0x08}) + str("t"), "PWp"}},
      {0x09, {raw({0x09}) + str("t"), "PWp"}},
      {0x0B, {raw({0x0B, 1}), "Sp", true}},
      {0x11, {raw({0x11, 0, 0, 0, 1}), "CcD"}},
      {0x12, {raw({0x12}) + str("t"), "c"}},
      {0x13, {raw({0x13, 0, 1}), "c"}},
      {0x15, {raw({0x15}) + str("t"), "CcXx"}},
      {0x16, {raw({0x16}) + str("t"), "CcXx"}},
      {0x17, {raw({0x17, 1}), "C"}},
      {0x18, {raw({0x18, 0, 0, 0, 1}), "W"}},
      {0x19, {raw({0x19, 1}), "C"}},
      {0x1A, {raw({0x1A}) + str("t"), "c"}},
      {0x1C, {raw({0x1C}) + str("t"), "cd"}},
      {0x1F, {raw({0x1F}) + str("t"), "cAaDdXxsu"}},
      {0x21, {raw({0x21, 0, 1}), "Cc"}},
      {0x22, {raw({0x22, 0, 1}), "Cc"}},
      {0x23, {raw({0x23, 0, 1}), "Pp"}},
      {0x24, {raw({0x24, 1}), "c"}},
      {0x25, {raw({0x25, 1}), "c"}},
      {0x26, {raw({0x26}) + str("k") + str("v"), "CcPpWAaSsUuDdXx", true}},
      {0x27, {raw({0x27, 0, 0, 0, 1}), "Cc"}},
      {0x28, {raw({0x28, 1}), "c"}},
      {0x29, {raw({0x29, 1}), "c"}},
      {0x2A, {raw({0x2A, 1}), "c"}},
  };
  return all;
}

struct Place {
  char letter;
  PropertyPlace where;
  Sender sender;
};
const Place places[] = {
    {'C', place(PacketType::connect), Sender::client},    {'c', place(PacketType::connack), Sender::server},
    {'P', place(PacketType::publish), Sender::client},    {'p', place(PacketType::publish), Sender::server},
    {'W', PropertyPlace::will, Sender::client},           {'A', place(PacketType::puback), Sender::client},
    {'a', place(PacketType::puback), Sender::server},     {'A', place(PacketType::pubrec), Sender::client},
    {'a', place(PacketType::pubrec), Sender::server},     {'A', place(PacketType::pubrel), Sender::client},
    {'a', place(PacketType::pubrel), Sender::server},     {'A', place(PacketType::pubcomp), Sender::client},
    {'a', place(PacketType::pubcomp), Sender::server},    {'S', place(PacketType::subscribe), Sender::client},
    {'s', place(PacketType::suback), Sender::server},     {'U', place(PacketType::unsubscribe), Sender::client},
    {'u', place(PacketType::unsuback), Sender::server},   {'D', place(PacketType::disconnect), Sender::client},
    {'d', place(PacketType::disconnect), Sender::server}, {'X', place(PacketType::auth), Sender::client},
    {'x', place(PacketType::auth), Sender::server},
};

Check parse(const std::string& block, PropertyPlace where, Sender sender, Properties& into, std::uint16_t limit = 100) {
  return parse_properties(block, where, sender, limit, into);
}

ReasonCode publish_reason(const std::string& block, std::uint16_t limit = 100) {
  Properties properties;
  const auto error = parse(block, place(PacketType::publish), Sender::client, properties, limit);
  return error ? error->reason : ReasonCode::success;
}

}  // namespace

TEST_CASE("each property is allowed exactly where section 2.2.2.2 allows it, and twice only if it may be") {
  for (int id = 0; id < 256; ++id) {
    const auto found = known().find(id);
    for (const Place& at : places) {
      CAPTURE(id, at.letter);
      Properties properties;
      if (found == known().end()) {
        CHECK(parse(raw({id, 0, 0, 0, 0, 0, 0, 0}), at.where, at.sender, properties)->reason ==
              ReasonCode::malformed_packet);
        continue;
      }
      const auto& [encoded, allowed, repeatable] = found->second;
      const auto once = parse(encoded, at.where, at.sender, properties);
      if (allowed.find(at.letter) == std::string::npos) {
        REQUIRE(once);
        // An error rather than malformed when the other side may have it in this very packet type.
        const char other = static_cast<char>(at.letter ^ 0x20);
        const bool both_send =
            std::string_view("PADX").find(static_cast<char>(at.letter & ~0x20)) != std::string_view::npos;
        const bool other_side = both_send && allowed.find(other) != std::string::npos;
        CHECK(once->reason == (other_side ? ReasonCode::protocol_error : ReasonCode::malformed_packet));
        continue;
      }
      CHECK_FALSE(once);
      CHECK(properties.has(static_cast<PropertyId>(id)));
      CHECK(properties.block == encoded);
      const auto twice = parse(encoded + encoded, at.where, at.sender, properties);
      if (repeatable && !(id == 0x0B && at.letter == 'S')) {
        CHECK_FALSE(twice);
      } else {
        REQUIRE(twice);
        CHECK(twice->reason == ReasonCode::protocol_error);
      }
      for (std::size_t length = 1; length < encoded.size(); ++length) {
        const auto cut = parse(encoded.substr(0, length), at.where, at.sender, properties);
        REQUIRE(cut);
        CHECK(cut->reason == ReasonCode::malformed_packet);
      }
    }
  }
}

TEST_CASE("a property in a packet that cannot have it is malformed, one that only the other side sends an error") {
  CHECK(publish_reason(raw({0x21, 0, 1})) == ReasonCode::malformed_packet);
  CHECK(publish_reason(raw({0x0B, 1})) == ReasonCode::protocol_error);
  CHECK(publish_reason(raw({0x7F})) == ReasonCode::malformed_packet);
}

TEST_CASE("numbers of a property take no more bytes than they need [MQTT-1.5.5-1]") {
  Properties properties;
  const auto where = place(PacketType::subscribe);
  CHECK_FALSE(parse(raw({0x0B, 0xFF, 0xFF, 0xFF, 0x7F}), where, Sender::client, properties));
  CHECK(properties.subscription_identifier == 268435455);
  CHECK(parse(raw({0x0B, 0x81, 0x00}), where, Sender::client, properties)->reason == ReasonCode::malformed_packet);
  CHECK(parse(raw({0x0B, 0x80, 0x80, 0x80, 0x80, 0x01}), where, Sender::client, properties)->reason ==
        ReasonCode::malformed_packet);
}

TEST_CASE("a property length is as long as it needs to be, and does not reach beyond its packet") {
  const auto body = [](const std::string& length, const std::string& rest) {
    return client_reason(v5, packet(0x30, str("t") + length + rest));
  };
  CHECK(body(raw({0}), "x") == ReasonCode::success);
  CHECK(body("", "") == ReasonCode::malformed_packet);
  CHECK(body(raw({0x80, 0x00}), "x") == ReasonCode::malformed_packet);
  CHECK(body(raw({0x80, 0x80, 0x80, 0x80, 0x01}), "x") == ReasonCode::malformed_packet);
  CHECK(body(raw({5}), "x") == ReasonCode::malformed_packet);
}

TEST_CASE("user properties are limited in number") {
  const auto one = raw({0x26}) + str("k") + str("v");
  CHECK(publish_reason(one + one + one, 3) == ReasonCode::success);
  CHECK(publish_reason(one + one + one + one, 3) == ReasonCode::quota_exceeded);
}

TEST_CASE("what is absent has the value of the specification") {
  const Properties none;
  CHECK(none.receive_maximum == 65535);
  CHECK(none.topic_alias_maximum == 0);
  CHECK(none.request_problem_information == 1);
  CHECK(none.maximum_packet_size == 268435460);
  CHECK(none.maximum_qos == 2);
  CHECK(none.retain_available == 1);
  CHECK_FALSE(none.text(PropertyId::content_type));
  CHECK(none.all().begin() == none.all().end());
}

TEST_CASE("what subscribers get of a block is what the publisher meant for them, in its order") {
  PropertyWriter writer;
  writer.number(PropertyId::message_expiry_interval, 60);
  CHECK(writer.user("z", "1"));
  writer.number(PropertyId::payload_format_indicator, 1);
  writer.number(PropertyId::topic_alias, 3);
  CHECK(writer.text(PropertyId::content_type, "text/plain"));
  CHECK(writer.user("a", ""));
  CHECK(writer.text(PropertyId::correlation_data, std::string("\0\xff", 2)));
  Properties properties;
  REQUIRE_FALSE(parse(std::string(writer.view()), place(PacketType::publish), Sender::client, properties));
  const std::string block(writer.view());
  REQUIRE_FALSE(parse(block, place(PacketType::publish), Sender::client, properties));
  CHECK_FALSE(only_application_properties(properties));
  ByteWriter out;
  append_application_properties(out, properties);
  const auto expected = raw({0x26}) + str("z") + str("1") + raw({0x01, 1, 0x03}) + str("text/plain") + raw({0x26}) +
                        str("a") + str("") + raw({0x09}) + str(std::string_view("\0\xff", 2));
  CHECK(out.view() == expected);
  Properties clean;
  REQUIRE_FALSE(parse(expected, place(PacketType::publish), Sender::client, clean));
  CHECK(only_application_properties(clean));
  ByteWriter same;
  append_application_properties(same, clean);
  CHECK(same.view() == expected);
}

TEST_CASE("what MQTT cannot carry is refused and leaves the block as it was") {
  PropertyWriter writer;
  CHECK(writer.user("k", "v"));
  const auto size = writer.size();
  CHECK_FALSE(writer.user("k", "\xFF"));
  CHECK_FALSE(writer.user(std::string_view("\0", 1), "v"));
  CHECK_FALSE(writer.user(std::string(65536, 'k'), "v"));
  CHECK_FALSE(writer.text(PropertyId::content_type, "\xED\xA0\x80"));
  CHECK_FALSE(writer.text(PropertyId::response_topic, "a/#"));
  CHECK_FALSE(writer.text(PropertyId::correlation_data, std::string(65536, 'x')));
  CHECK(writer.size() == size);
  CHECK(writer.text(PropertyId::correlation_data, "\xFF"));
}

TEST_CASE("walking a block that was never checked stops at the first fault") {
  const auto count = [](const std::string& block) {
    int properties = 0;
    for (const Property& property : PropertyRange(block)) properties += property.id != PropertyId{} ? 1 : 0;
    return properties;
  };
  CHECK(count("") == 0);
  CHECK(count(raw({0x01, 1})) == 1);
  CHECK(count(raw({0x01, 1, 0x7E, 1, 0x01, 1})) == 1);
  CHECK(count(raw({0x01, 1, 0x26, 0, 9, 'a'})) == 1);
}
