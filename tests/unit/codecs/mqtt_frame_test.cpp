// Braid, Apache-2.0.
//
// The fixed header: when more bytes are needed, what is refused before it is buffered, who may send what.
#include "unit/codecs/mqtt_support.hpp"

using namespace braid;
using namespace braid::mqtt;
using namespace braid::mqtt::testing;

TEST_CASE("the decoder asks for as many bytes as it knows it needs") {
  auto decoder = connected(v5);
  CHECK(step(decoder, "").status == Decoder::Status::need_more);
  CHECK(step(decoder, "").bytes == 2);
  CHECK(step(decoder, raw({0x30})).bytes == 2);
  CHECK(step(decoder, raw({0x30, 0x80})).bytes == 3);
  CHECK(step(decoder, raw({0x30, 0x80, 0x01})).bytes == 3 + 128);
  CHECK(step(decoder, raw({0x30, 5, 0, 1})).bytes == 7);
  const auto two = raw({0xC0, 0, 0xC0, 0});
  CHECK(step(decoder, two).bytes == 2);
}

TEST_CASE("a remaining length of five bytes, or of more bytes than it needs, is malformed [MQTT-1.5.5-1]") {
  for (const auto level : all_levels) {
    CHECK(client_reason(level, raw({0x30, 0x80, 0x80, 0x80, 0x80})) == ReasonCode::malformed_packet);
    CHECK(client_reason(level, raw({0x30, 0x85, 0x00, 0, 1, 'a', 'b', 'c'})) == ReasonCode::malformed_packet);
    CHECK(client_reason(level, raw({0xC0, 0x80, 0x00})) == ReasonCode::malformed_packet);
  }
}

TEST_CASE("a packet above the limit is refused before its body is there") {
  const DecodeLimits limits{.max_packet_bytes = 1000};
  CHECK(client_reason(v5, raw({0x30, 0xE6, 0x07}), limits) == ReasonCode::packet_too_large);  // 998 + 3
  CHECK(from_client(v5, raw({0x30, 0xE5, 0x07}), limits).status == Decoder::Status::need_more);
  CHECK(client_reason(v5, raw({0x30, 0xFF, 0xFF, 0xFF, 0x7F}), limits) == ReasonCode::packet_too_large);
}

TEST_CASE("the first packet must be a CONNECT, which its first byte tells [MQTT-3.1.0-1]") {
  for (int type = 2; type < 16; ++type) CHECK(connect_reason(raw({type << 4})) == ReasonCode::protocol_error);
  CHECK(connect_reason(raw({0x00})) == ReasonCode::malformed_packet);
  CHECK(connect_reason("GET / HTTP/1.1\r\n") == ReasonCode::protocol_error);
}

TEST_CASE("a second CONNECT is a protocol error [MQTT-3.1.0-2]") {
  for (const auto level : all_levels) CHECK(client_reason(level, connect_packet(level)) == ReasonCode::protocol_error);
}

TEST_CASE("packets that only a server sends are refused from a client") {
  for (const auto level : all_levels)
    for (const int first : {0x20, 0x90, 0xB0, 0xD0})
      CHECK(client_reason(level, raw({first})) == ReasonCode::protocol_error);
}

TEST_CASE("packets that only a client sends are refused from a server") {
  for (const auto level : all_levels)
    for (const int first : {0x10, 0x82, 0xA2, 0xC0})
      CHECK(server_reason(level, raw({first})) == ReasonCode::protocol_error);
  Decoder decoder(v5, {});
  CHECK(step(decoder, raw({0x30})).error.reason == ReasonCode::protocol_error);  // before CONNACK [MQTT-3.2.0-1]
  CHECK(server_reason(v5, raw({0x20})) == ReasonCode::protocol_error);           // a second CONNACK
}

TEST_CASE("AUTH is a packet of MQTT 5 alone, and so is a server's DISCONNECT") {
  CHECK(client_reason(v3_1_1, raw({0xF0})) == ReasonCode::malformed_packet);
  CHECK(client_reason(v3_1, raw({0xF0})) == ReasonCode::malformed_packet);
  CHECK(server_reason(v3_1_1, raw({0xE0, 0})) == ReasonCode::protocol_error);
  CHECK(server_reason(v5, raw({0xE0, 0})) == ReasonCode::success);
}

TEST_CASE("the reserved flags of every packet type are checked [MQTT-2.1.3-1]") {
  for (int flags = 1; flags < 16; ++flags) {
    CHECK(connect_reason(raw({0x10 | flags})) == ReasonCode::malformed_packet);
    for (const auto level : {v3_1_1, v5}) {
      for (const int type : {0x40, 0x50, 0x70, 0xC0, 0xE0})
        CHECK(client_reason(level, raw({type | flags})) == ReasonCode::malformed_packet);
      for (const int type : {0x40, 0x50, 0x70, 0x90, 0xB0, 0xD0})
        CHECK(server_reason(level, raw({type | flags})) == ReasonCode::malformed_packet);
    }
    CHECK(client_reason(v5, raw({0xF0 | flags})) == ReasonCode::malformed_packet);
    Decoder client(v5, {});
    CHECK(step(client, raw({0x20 | flags})).error.reason == ReasonCode::malformed_packet);
  }
  for (int flags = 0; flags < 16; ++flags) {
    for (const int type : {0x60, 0x80, 0xA0}) {
      for (const auto level : all_levels) {
        const bool allowed = flags == 2 || (level == v3_1 && flags == 10);  // 3.1 has DUP on these
        const auto outcome = from_client(level, raw({type | flags}));
        CHECK((outcome.status == Decoder::Status::failed) == !allowed);
        if (!allowed) CHECK(outcome.error.reason == ReasonCode::malformed_packet);
      }
    }
  }
}

TEST_CASE("packets without a body have no body") {
  for (const auto level : all_levels) {
    const auto ping = raw({0xC0, 0});
    from_client(level, ping).as<Pingreq>();
    CHECK(client_reason(level, raw({0xC0, 1, 0})) == ReasonCode::malformed_packet);
    const auto pong = raw({0xD0, 0});
    from_server(level, pong).as<Pingresp>();
    CHECK(server_reason(level, raw({0xD0, 1, 0})) == ReasonCode::malformed_packet);
  }
  CHECK(client_reason(v3_1_1, raw({0xE0, 0})) == ReasonCode::success);
  CHECK(client_reason(v3_1_1, raw({0xE0, 1, 0})) == ReasonCode::malformed_packet);
}

TEST_CASE("an error has a sentence that names its reason") {
  const auto outcome = from_client(v5, raw({0x36}));
  CHECK(describe(outcome.error) == "0x81 Malformed packet: a PUBLISH with QoS 3 [MQTT-3.3.1-4]");
}
