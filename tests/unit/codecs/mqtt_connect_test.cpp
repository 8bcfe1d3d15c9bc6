// Braid, Apache-2.0.
//
// CONNECT, CONNACK, DISCONNECT and AUTH: sections 3.1, 3.2, 3.14 and 3.15.
#include "unit/codecs/mqtt_support.hpp"

using namespace braid;
using namespace braid::mqtt;
using namespace braid::mqtt::testing;

namespace {

constexpr auto malformed_reason = ReasonCode::malformed_packet;

Outcome decode_connect(std::string_view bytes) {
  Decoder decoder;
  return step(decoder, bytes);
}

}  // namespace

TEST_CASE("a CONNECT with everything in it is taken apart") {
  const auto properties =
      raw({0x11, 0, 0, 0, 100, 0x21, 0, 20, 0x27, 0, 1, 0, 0, 0x22, 0, 10, 0x19, 1, 0x17, 0, 0x26}) + str("k") +
      str("v") + raw({0x15}) + str("SCRAM") + raw({0x16}) + str("xyz");
  const auto will_properties = raw({0x18, 0, 0, 0, 5, 0x01, 1, 0x02, 0, 0, 0, 9, 0x03}) + str("text") + raw({0x08}) +
                               str("answers") + raw({0x09}) + str("id") + raw({0x26}) + str("a") + str("b");
  const auto bytes = connect_packet(
      v5, 0xF6, str("client") + sized(will_properties) + str("wills/1") + str("gone") + str("user") + str("secret"),
      properties);
  const auto outcome = decode_connect(bytes);
  CHECK(outcome.bytes == bytes.size());
  const auto& connect = outcome.as<Connect>();
  CHECK(connect.level == v5);
  CHECK(connect.clean_start);
  CHECK(connect.keep_alive_s == 60);
  CHECK(connect.client_id == "client");
  CHECK(connect.user_name == "user");
  CHECK(connect.password == "secret");
  CHECK(connect.properties.session_expiry_interval_s == 100);
  CHECK(connect.properties.receive_maximum == 20);
  CHECK(connect.properties.maximum_packet_size == 65536);
  CHECK(connect.properties.topic_alias_maximum == 10);
  CHECK(connect.properties.request_response_information == 1);
  CHECK(connect.properties.request_problem_information == 0);
  CHECK(connect.properties.user_property_count == 1);
  CHECK(connect.properties.text(PropertyId::authentication_method) == "SCRAM");
  CHECK(connect.properties.text(PropertyId::authentication_data) == "xyz");
  REQUIRE(connect.will);
  CHECK(connect.will->topic == "wills/1");
  CHECK(connect.will->payload == "gone");
  CHECK(connect.will->qos == QoS::exactly_once);
  CHECK(connect.will->retain);
  CHECK(connect.will->properties.will_delay_interval_s == 5);
  CHECK(connect.will->properties.payload_format_indicator == 1);
  CHECK(connect.will->properties.message_expiry_interval_s == 9);
  CHECK(connect.will->properties.text(PropertyId::content_type) == "text");
  CHECK(connect.will->properties.text(PropertyId::response_topic) == "answers");
  CHECK(connect.will->properties.text(PropertyId::correlation_data) == "id");
}

TEST_CASE("the three protocols are told apart by name and level [MQTT-3.1.2-1] [MQTT-3.1.2-2]") {
  for (const auto level : all_levels) {
    const auto bytes = connect_packet(level);
    CHECK(decode_connect(bytes).as<Connect>().level == level);
  }
  const auto with = [](const std::string& name, int level) {
    return packet(0x10, str(name) + raw({level, 2, 0, 60}) + str("c"));
  };
  for (const int level : {0, 1, 2, 3, 6, 132, 255})
    CHECK(connect_reason(with("MQTT", level)) == ReasonCode::unsupported_protocol_version);
  for (const int level : {2, 4, 5})
    CHECK(connect_reason(with("MQIsdp", level)) == ReasonCode::unsupported_protocol_version);
  CHECK(connect_reason(with("mqtt", 4)) == ReasonCode::unsupported_protocol_version);
  CHECK(connect_reason(with("AMQP", 0)) == ReasonCode::unsupported_protocol_version);

  Decoder decoder;
  CHECK(step(decoder, with("MQTT", 6)).status == Decoder::Status::failed);
  CHECK_FALSE(decoder.level());
  CHECK(decoder.announced_level() == 6);
  CHECK_FALSE(decoder.connected());
}

TEST_CASE("the level is known for the refusal of a CONNECT that is wrong further on") {
  Decoder decoder;
  CHECK(step(decoder, connect_packet(v5, 0x03)).status == Decoder::Status::failed);
  CHECK(decoder.level() == v5);
  CHECK_FALSE(decoder.connected());
}

TEST_CASE("an unsupported level is refused in words its client may know") {
  ByteWriter writer;
  encode_unsupported_level(writer, 6);
  CHECK(writer.view() == raw({0x20, 3, 0, 0x84, 0}));
  ByteWriter old;
  encode_unsupported_level(old, 2);
  CHECK(old.view() == raw({0x20, 2, 0, 1}));
}

TEST_CASE("the flags of CONNECT are checked") {
  for (const auto level : {v3_1_1, v5}) {
    const auto refused = [level](int flags, const std::string& payload = str("c")) {
      return connect_reason(connect_packet(level, flags, payload));
    };
    CHECK(refused(0x03) == malformed_reason);         // [MQTT-3.1.2-3]
    CHECK(refused(0x02 | 0x08) == malformed_reason);  // [MQTT-3.1.2-11]
    CHECK(refused(0x02 | 0x10) == malformed_reason);
    CHECK(refused(0x02 | 0x20) == malformed_reason);  // [MQTT-3.1.2-13]
    CHECK(refused(0x06 | 0x18, str("c") + (level == v5 ? raw({0}) : "") + str("t") + str("p")) ==
          malformed_reason);  // [MQTT-3.1.2-12]
  }
}

TEST_CASE("user name and password are there exactly when their flags say so [MQTT-3.1.2-16] to [MQTT-3.1.2-19]") {
  for (const auto level : {v3_1_1, v5}) {
    CHECK(connect_reason(connect_packet(level, 0x82, str("c"))) == malformed_reason);
    CHECK(connect_reason(connect_packet(level, 0xC2, str("c") + str("u"))) == malformed_reason);
    CHECK(connect_reason(connect_packet(level, 0x02, str("c") + str("u"))) == malformed_reason);
    CHECK(connect_reason(connect_packet(level, 0x82, str("c") + str("u") + str("p"))) == malformed_reason);
    CHECK(connect_reason(connect_packet(level, 0xC2, str("c") + str("u") + str("p"))) == ReasonCode::success);
    CHECK(connect_reason(connect_packet(level, 0xC2, str("c") + str("") + str(""))) == ReasonCode::success);
  }
}

TEST_CASE("a password without a user name is legal in 5.0 and refused in 3.1.1 (3.1.1: [MQTT-3.1.2-22])") {
  CHECK(connect_reason(connect_packet(v5, 0x42, str("c") + str("p"))) == ReasonCode::success);
  CHECK(connect_reason(connect_packet(v3_1_1, 0x42, str("c") + str("p"))) == ReasonCode::protocol_error);
}

TEST_CASE("in 3.1 the length of the packet wins over the flags of user name and password") {
  const auto bytes = connect_packet(v3_1, 0xC2, str("c") + str("u"));
  const auto outcome = decode_connect(bytes);
  CHECK(outcome.as<Connect>().user_name == "u");
  CHECK_FALSE(outcome.as<Connect>().password);
  CHECK(connect_reason(connect_packet(v3_1, 0xC2, str("c"))) == ReasonCode::success);
  CHECK(connect_reason(connect_packet(v3_1, 0xC2, str("c") + raw({0}))) == malformed_reason);
}

TEST_CASE("an empty client identifier needs MQTT 5 or a clean session (3.1.1: [MQTT-3.1.3-8])") {
  CHECK(connect_reason(connect_packet(v5, 0x00, str(""))) == ReasonCode::success);
  CHECK(connect_reason(connect_packet(v5, 0x02, str(""))) == ReasonCode::success);
  CHECK(connect_reason(connect_packet(v3_1_1, 0x02, str(""))) == ReasonCode::success);
  CHECK(connect_reason(connect_packet(v3_1_1, 0x00, str(""))) == ReasonCode::client_identifier_not_valid);
  CHECK(connect_reason(connect_packet(v3_1, 0x02, str(""))) == ReasonCode::client_identifier_not_valid);
  CHECK(return_code(ReasonCode::client_identifier_not_valid) == 2);
}

TEST_CASE("strings of CONNECT are well-formed UTF-8 without U+0000 [MQTT-1.5.4-1] [MQTT-1.5.4-2]") {
  const std::string bad[] = {"\xED\xA0\x80", "\xC0\xAF", "\xFF", std::string(1, '\0'), "\xF4\x90\x80\x80", "\xE2\x82"};
  for (const auto& text : bad) {
    CHECK(connect_reason(connect_packet(v5, 0x02, str(text))) == malformed_reason);
    CHECK(connect_reason(connect_packet(v5, 0x82, str("c") + str(text))) == malformed_reason);
    CHECK(connect_reason(connect_packet(v5, 0x06, str("c") + raw({0}) + str(text) + str("p"))) == malformed_reason);
    CHECK(connect_reason(connect_packet(v5, 0x02, str("c"), raw({0x26}) + str(text) + str("v"))) == malformed_reason);
    CHECK(connect_reason(connect_packet(v5, 0x02, str("c"), raw({0x26}) + str("k") + str(text))) == malformed_reason);
    CHECK(connect_reason(connect_packet(v5, 0x02, str("c"), raw({0x15}) + str(text))) == malformed_reason);
    CHECK(connect_reason(connect_packet(v5, 0x42, str("c") + str(text))) ==
          ReasonCode::success);  // passwords are bytes
  }
  CHECK(connect_reason(connect_packet(v5, 0x02,
                                      str("\xEF\xBB\xBF"
                                          "c"))) == ReasonCode::success);  // [MQTT-1.5.4-3]
}

TEST_CASE("the topic of a will is a topic name") {
  const auto with = [](const std::string& topic) {
    return connect_reason(connect_packet(v5, 0x06, str("c") + raw({0}) + str(topic) + str("p")));
  };
  CHECK(with("a/b") == ReasonCode::success);
  CHECK(with("a/+") == ReasonCode::topic_name_invalid);
  CHECK(with("") == ReasonCode::topic_name_invalid);
  const auto response = raw({0x08}) + str("a/#");
  CHECK(connect_reason(connect_packet(v5, 0x06, str("c") + sized(response) + str("t") + str("p"))) ==
        ReasonCode::protocol_error);  // [MQTT-3.3.2-14]
}

TEST_CASE("a CONNECT that is cut short anywhere is malformed") {
  const auto whole = connect_packet(v5, 0xC6, str("client") + raw({0}) + str("t") + str("p") + str("u") + str("s"));
  for (std::size_t length = 2; length < whole.size(); ++length) {
    auto cut = whole.substr(0, length);
    cut[1] = static_cast<char>(length - 2);
    CAPTURE(length);
    CHECK(connect_reason(cut) == malformed_reason);
  }
}

TEST_CASE("limits and methods in CONNECT have sensible values") {
  const auto with = [](const std::string& properties) {
    return connect_reason(connect_packet(v5, 0x02, str("c"), properties));
  };
  CHECK(with(raw({0x21, 0, 0})) == ReasonCode::protocol_error);
  CHECK(with(raw({0x27, 0, 0, 0, 0})) == ReasonCode::protocol_error);
  CHECK(with(raw({0x17, 2})) == ReasonCode::protocol_error);
  CHECK(with(raw({0x19, 2})) == ReasonCode::protocol_error);
  CHECK(with(raw({0x16}) + str("data")) == ReasonCode::protocol_error);  // data without a method
}

TEST_CASE("CONNACK speaks each protocol's language") {
  Connack refused;
  refused.reason = ReasonCode::not_authorized;
  refused.session_present = true;  // must not be sent with an error [MQTT-3.2.2-6]
  ByteWriter writer;
  encode(writer, v5, refused);
  encode(writer, v3_1_1, refused);
  CHECK(writer.view() == raw({0x20, 3, 0, 0x87, 0, 0x20, 2, 0, 5}));

  Decoder old(v3_1_1, {});
  const auto answer = raw({0x20, 2, 0, 4});
  CHECK(step(old, answer).as<Connack>().reason == ReasonCode::bad_user_name_or_password);
  Decoder again(v3_1_1, {});
  CHECK(step(again, raw({0x20, 2, 0, 6})).error.reason == ReasonCode::protocol_error);
  Decoder both(v5, {});
  CHECK(step(both, raw({0x20, 3, 1, 0x87, 0})).error.reason == ReasonCode::protocol_error);
  Decoder flags(v5, {});
  CHECK(step(flags, raw({0x20, 3, 2, 0, 0})).error.reason == malformed_reason);
  Decoder code(v5, {});
  CHECK(step(code, raw({0x20, 3, 0, 0x10, 0})).error.reason == ReasonCode::protocol_error);
}

TEST_CASE("reasons that MQTT 3 cannot say have no return code") {
  CHECK_FALSE(return_code(ReasonCode::malformed_packet));
  CHECK_FALSE(return_code(ReasonCode::packet_too_large));
  CHECK(return_code(ReasonCode::unsupported_protocol_version) == 1);
  CHECK(return_code(ReasonCode::server_busy) == 3);
  for (std::uint8_t code = 0; code <= 5; ++code) CHECK(return_code(*from_return_code(code)) == code);
  CHECK_FALSE(from_return_code(6));
}

TEST_CASE("DISCONNECT has a short form, a middle form and a long form") {
  const auto shortest = raw({0xE0, 0});
  CHECK(from_client(v5, shortest).as<Disconnect>().reason == ReasonCode::normal_disconnection);
  const auto middle = raw({0xE0, 1, 4});
  CHECK(from_client(v5, middle).as<Disconnect>().reason == ReasonCode::disconnect_with_will);
  const auto longest = raw({0xE0, 7, 0, 5, 0x11, 0, 0, 1, 0});
  CHECK(from_client(v5, longest).as<Disconnect>().properties.session_expiry_interval_s == 256);
  CHECK(client_reason(v5, raw({0xE0, 1, 0x8E})) == ReasonCode::protocol_error);  // only a server takes over
  CHECK(server_reason(v5, raw({0xE0, 1, 0x8E})) == ReasonCode::success);
  CHECK(server_reason(v5, raw({0xE0, 1, 0x04})) == ReasonCode::protocol_error);
  CHECK(server_reason(v5, longest) == ReasonCode::protocol_error);  // expiry from a server [MQTT-3.14.2-2]
  CHECK(client_reason(v5, packet(0xE0, raw({0}) + sized(raw({0x1C}) + str("other")))) == ReasonCode::protocol_error);
  CHECK(server_reason(v5, packet(0xE0, raw({0x9C}) + sized(raw({0x1C}) + str("other")))) == ReasonCode::success);
}

TEST_CASE("AUTH needs a method, and a reason that its sender may give") {
  const auto method = raw({0x15}) + str("SCRAM");
  CHECK(client_reason(v5, packet(0xF0, raw({0x18}) + sized(method))) == ReasonCode::success);
  CHECK(client_reason(v5, packet(0xF0, raw({0x19}) + sized(method))) == ReasonCode::success);
  CHECK(client_reason(v5, packet(0xF0, raw({0x00}) + sized(method))) == ReasonCode::protocol_error);
  CHECK(client_reason(v5, raw({0xF0, 0})) == ReasonCode::protocol_error);
  CHECK(server_reason(v5, raw({0xF0, 0})) == ReasonCode::success);
  CHECK(server_reason(v5, packet(0xF0, raw({0x19}) + sized(method))) == ReasonCode::protocol_error);
  CHECK(client_reason(v5, packet(0xF0, raw({0x18}) + sized(""))) == ReasonCode::protocol_error);
  Decoder waiting(v5, {});
  CHECK(step(waiting, packet(0xF0, raw({0x18}) + sized(method))).status == Decoder::Status::packet);
}
