// Braid, Apache-2.0.
//
// Packets to bytes, and back again unchanged.
#include "codecs/mqtt/encoder.hpp"

#include <array>

#include "codecs/mqtt/topic_alias.hpp"
#include "unit/codecs/mqtt_support.hpp"

using namespace braid;
using namespace braid::mqtt;
using namespace braid::mqtt::testing;

TEST_CASE("the answers to one read go into one writer") {
  ByteWriter writer;
  encode_acknowledgement(writer, v5, PacketType::puback, PacketId{1});
  encode_acknowledgement(writer, v5, PacketType::puback, PacketId{258}, ReasonCode::quota_exceeded);
  encode_acknowledgement(writer, v3_1_1, PacketType::puback, PacketId{3}, ReasonCode::quota_exceeded);
  encode_acknowledgement(writer, v5, PacketType::pubrel, PacketId{4});
  encode_pingresp(writer);
  CHECK(writer.view() == raw({0x40, 2, 0, 1, 0x40, 3, 1, 2, 0x97, 0x40, 2, 0, 3, 0x62, 2, 0, 4, 0xD0, 0}));
}

TEST_CASE("a delivery is a small header in front of the shared payload") {
  PropertyWriter application;
  REQUIRE(application.user("k", "v"));
  const std::array<std::uint32_t, 2> identifiers = {1, 300};
  OutboundPublish publish;
  publish.topic = "a/b";
  publish.payload_bytes = 7;
  publish.packet_id = PacketId{9};
  publish.qos = QoS::at_least_once;
  publish.retain = true;
  publish.topic_alias = 4;
  publish.message_expiry_interval_s = 60;
  publish.subscription_identifiers = identifiers;
  publish.application_properties = application.view();
  ByteWriter writer;
  encode_publish_header(writer, v5, publish);
  CHECK(publish_bytes(v5, publish) == writer.size() + 7);
  writer.raw("payload");
  const auto bytes = std::string(writer.view());
  const auto outcome = from_server(v5, bytes);
  CHECK(outcome.bytes == bytes.size());
  const auto& decoded = outcome.as<Publish>();
  CHECK(decoded.topic == "a/b");
  CHECK(decoded.payload == "payload");
  CHECK(decoded.packet_id == PacketId{9});
  CHECK(decoded.retain);
  CHECK_FALSE(decoded.duplicate);
  CHECK(decoded.properties.topic_alias == 4);
  CHECK(decoded.properties.message_expiry_interval_s == 60);
  CHECK(decoded.properties.subscription_identifier_count == 2);
  CHECK(decoded.properties.user_property_count == 1);

  ByteWriter old;
  encode_publish_header(old, v3_1_1, publish);
  CHECK(publish_bytes(v3_1_1, publish) == old.size() + 7);
  CHECK(old.view() == raw({0x33, 14}) + str("a/b") + raw({0, 9}));
}

TEST_CASE("a delivery at QoS 0 has no packet identifier and no DUP [MQTT-3.3.1-2] [MQTT-2.2.1-2]") {
  OutboundPublish publish;
  publish.topic = "t";
  publish.duplicate = true;
  publish.packet_id = PacketId{9};
  ByteWriter writer;
  encode_publish_header(writer, v5, publish);
  CHECK(writer.view() == raw({0x30, 4}) + str("t") + raw({0}));
}

TEST_CASE("sizes are right at every width of the length") {
  for (const std::size_t payload : {0u, 100u, 120u, 121u, 122u, 123u, 127u, 128u, 16370u, 16383u, 2097140u, 2097152u}) {
    OutboundPublish publish;
    publish.topic = "t";
    publish.payload_bytes = payload;
    ByteWriter writer;
    encode_publish_header(writer, v5, publish);
    CHECK(publish_bytes(v5, publish) == writer.size() + payload);
    auto decoder = connected_client(v5, {.max_packet_bytes = max_packet_bytes});
    CHECK(step(decoder, writer.view()).bytes == (payload == 0 ? writer.size() : writer.size() + payload));
  }
}

TEST_CASE("every packet survives encoding and decoding") {
  const auto properties = raw({0x26}) + str("k") + str("v");
  const auto will = raw({0x18, 0, 0, 0, 5});
  const auto method = raw({0x15}) + str("m");
  const std::string from_clients[] = {
      packet(0x3D, str("t") + raw({0, 1}) + sized(properties) + "p"),
      packet(0x40, raw({0, 1, 0x10}) + sized(properties)),
      packet(0x50, raw({0, 1, 0x80}) + sized(properties)),
      packet(0x62, raw({0, 1, 0x92}) + sized(properties)),
      packet(0x70, raw({0, 1, 0x92}) + sized(properties)),
      packet(0x82, raw({0, 1}) + sized(properties) + str("a/#") + raw({0x2D}) + str("b") + raw({0})),
      packet(0xA2, raw({0, 1}) + sized(properties) + str("a/#") + str("b")),
      raw({0xC0, 0}),
      raw({0xE0, 0}),
      raw({0xE0, 1, 4}),
      packet(0xE0, raw({4}) + sized(properties)),
      packet(0xF0, raw({0x18}) + sized(method)),
  };
  const std::string from_servers[] = {
      packet(0x90, raw({0, 1}) + sized(properties) + raw({0, 1, 2, 0x8F})),
      packet(0xB0, raw({0, 1}) + sized(properties) + raw({0, 0x11})),
      raw({0xD0, 0}),
      packet(0xE0, raw({0x8E}) + sized(properties)),
  };
  const auto same = [](const Outcome& outcome, const std::string& bytes) {
    REQUIRE(outcome.status == Decoder::Status::packet);
    ByteWriter writer;
    encode(writer, v5, outcome.packet);
    CHECK(writer.view() == bytes);
    CHECK(static_cast<int>(type_of(outcome.packet)) == static_cast<std::uint8_t>(bytes[0]) >> 4);
  };
  for (const auto& bytes : from_clients) same(from_client(v5, bytes), bytes);
  for (const auto& bytes : from_servers) same(from_server(v5, bytes), bytes);
  const auto connect =
      connect_packet(v5, 0xF6, str("c") + sized(will) + str("t") + str("p") + str("u") + str("s"), properties);
  Decoder broker;
  same(step(broker, connect), connect);
  Decoder client(v5, {});
  const auto connack = packet(0x20, raw({1, 0}) + sized(properties));
  same(step(client, connack), connack);
  for (const auto level : {v3_1, v3_1_1}) {
    const auto old = connect_packet(level, 0xEC, str("c") + str("t") + str("p") + str("u") + str("s"));
    Decoder decoder;
    const auto outcome = step(decoder, old);
    REQUIRE(outcome.status == Decoder::Status::packet);
    ByteWriter writer;
    encode(writer, level, outcome.packet);
    CHECK(writer.view() == old);
  }
}

TEST_CASE("a list of filters that was written is the list that is read") {
  ByteWriter lines;
  append_request(lines, "a/+", {QoS::exactly_once, false, true, RetainHandling::send_if_new});
  append_request(lines, "b", {});
  Subscribe subscribe;
  subscribe.packet_id = PacketId{1};
  subscribe.requests = {lines.view(), 2, default_max_topic_levels};
  ByteWriter writer;
  encode(writer, v5, subscribe);
  const auto outcome = from_client(v5, writer.view());
  const auto& read = outcome.as<Subscribe>();
  REQUIRE(read.requests.size() == 2);
  const auto first = *read.requests.begin();
  CHECK(first.filter == "a/+");
  CHECK(first.options == SubscriptionOptions{QoS::exactly_once, false, true, RetainHandling::send_if_new});
}

TEST_CASE("inbound aliases learn names and fill them in") {
  InboundAliases aliases(10);
  Publish packet;
  packet.properties.topic_alias = 3;
  CHECK(aliases.resolve(packet)->reason == ReasonCode::protocol_error);  // stands for nothing yet
  packet.topic = "a/b";
  CHECK_FALSE(aliases.resolve(packet));
  packet.topic = {};
  CHECK_FALSE(aliases.resolve(packet));
  CHECK(packet.topic == "a/b");
  packet.topic = "c";  // a new name for the same alias
  CHECK_FALSE(aliases.resolve(packet));
  packet.topic = {};
  CHECK_FALSE(aliases.resolve(packet));
  CHECK(packet.topic == "c");
  packet.properties.topic_alias = 11;
  CHECK(aliases.resolve(packet)->reason == ReasonCode::topic_alias_invalid);
}

TEST_CASE(
    "outbound aliases keep to the client's maximum and count only what was sent [MQTT-3.1.2-26] [MQTT-3.1.2-27]") {
  OutboundAliases none(0);
  CHECK(none.use("a").alias == 0);
  OutboundAliases aliases(2);
  const auto dropped = aliases.use("a");
  CHECK(dropped.alias == 1);
  CHECK_FALSE(dropped.known);
  aliases.sent("b", aliases.use("b"));  // "a" was never sent, so 1 is free
  CHECK(aliases.use("b").alias == 1);
  CHECK(aliases.use("b").known);
  aliases.sent("a", aliases.use("a"));
  CHECK(aliases.use("a").alias == 2);
  CHECK(aliases.use("c").alias == 0);
}

TEST_CASE("failures behind the session have a reason code") {
  for (int code = 0; code < 24; ++code) {
    const auto reason = reason_code(static_cast<Errc>(code));
    CHECK(is_failure(reason) == (code != 0));
  }
  CHECK(reason_code(Errc::overloaded) == ReasonCode::quota_exceeded);
  CHECK(reason_code(Errc::batch_too_large) == ReasonCode::packet_too_large);
}
