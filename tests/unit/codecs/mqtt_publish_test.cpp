// Braid, Apache-2.0.
//
// PUBLISH and its acknowledgements, SUBSCRIBE, UNSUBSCRIBE and their answers: sections 3.3 to 3.11.
#include "unit/codecs/mqtt_support.hpp"

using namespace braid;
using namespace braid::mqtt;
using namespace braid::mqtt::testing;

namespace {

std::string publish(const std::string& properties, const std::string& topic = "t") {
  return packet(0x30, str(topic) + sized(properties) + "payload");
}

}  // namespace

TEST_CASE("a PUBLISH is taken apart without a copy") {
  const auto bytes = packet(
      0x3B, str("a/b") + raw({0x12, 0x34}) +
                sized(raw({0x01, 1, 0x23, 0, 7, 0x26}) + str("k") + str("v") + raw({0x26}) + str("k") + str("w")) +
                "payload");
  const auto outcome = from_client(v5, bytes);
  const auto& packet = outcome.as<Publish>();
  CHECK(packet.topic == "a/b");
  CHECK(packet.payload == "payload");
  CHECK(packet.payload.data() >= bytes.data());
  CHECK(packet.payload.data() < bytes.data() + bytes.size());
  CHECK(packet.packet_id == PacketId{0x1234});
  CHECK(packet.qos == QoS::at_least_once);
  CHECK(packet.duplicate);
  CHECK(packet.retain);
  CHECK(packet.properties.payload_format_indicator == 1);
  CHECK(packet.properties.topic_alias == 7);
  CHECK_FALSE(packet.properties.has(PropertyId::message_expiry_interval));
  std::string pairs;  // in order, twins kept [MQTT-3.3.2-18]
  for (const Property& property : packet.properties.all())
    if (property.id == PropertyId::user_property)
      pairs += std::string(property.name) + "=" + std::string(property.text) + ";";
  CHECK(pairs == "k=v;k=w;");
}

TEST_CASE("a payload can be shared with the buffer that it came in") {
  const auto buffer = Bytes::copy(packet(0x30, str("t") + "payload"));
  const auto outcome = from_client(v3_1_1, buffer.view());
  const auto payload = slice_of(buffer, outcome.as<Publish>().payload);
  CHECK(payload.view() == "payload");
  CHECK(payload.data() == buffer.data() + 5);
  CHECK(slice_of(buffer, "").empty());
}

TEST_CASE("QoS 3 is malformed [MQTT-3.3.1-4], and QoS 0 with DUP an error [MQTT-3.3.1-2]") {
  for (const auto level : all_levels) CHECK(client_reason(level, raw({0x36})) == ReasonCode::malformed_packet);
  CHECK(client_reason(v5, raw({0x38})) == ReasonCode::protocol_error);
  CHECK(client_reason(v3_1_1, raw({0x38})) == ReasonCode::protocol_error);
}

TEST_CASE("packet identifier 0 is refused wherever there is one [MQTT-2.2.1-3]") {
  for (const auto level : all_levels) {
    const std::string none = level == v5 ? raw({0}) : "";
    CHECK(client_reason(level, packet(0x32, str("t") + raw({0, 0}) + none)) == ReasonCode::protocol_error);
    CHECK(client_reason(level, packet(0x34, str("t") + raw({0, 0}) + none)) == ReasonCode::protocol_error);
    CHECK(client_reason(level, packet(0x82, raw({0, 0}) + none + str("t") + raw({0}))) == ReasonCode::protocol_error);
    CHECK(client_reason(level, packet(0xA2, raw({0, 0}) + none + str("t"))) == ReasonCode::protocol_error);
    for (const int type : {0x40, 0x50, 0x62, 0x70})
      CHECK(client_reason(level, raw({type, 2, 0, 0})) == ReasonCode::protocol_error);
  }
}

TEST_CASE("the topic name of a PUBLISH has no wildcard [MQTT-3.3.2-2] and is well-formed [MQTT-3.3.2-1]") {
  for (const auto& topic : {"a/+", "#", "a#"})
    CHECK(client_reason(v5, publish({}, topic)) == ReasonCode::topic_name_invalid);
  CHECK(client_reason(v5, publish({}, "\xED\xBF\xBF")) == ReasonCode::malformed_packet);
  CHECK(client_reason(v5, publish({}, std::string("a\0", 2))) == ReasonCode::malformed_packet);
  CHECK(client_reason(v5, publish({}, "1/2/3"), {.max_topic_levels = 2}) == ReasonCode::topic_name_invalid);
  CHECK(client_reason(v3_1_1, packet(0x30, str(""))) == ReasonCode::protocol_error);
}

TEST_CASE("a topic alias is neither 0 nor above the maximum, and stands for an empty name only if it is there") {
  const DecodeLimits limits{.topic_alias_maximum = 5};
  CHECK(client_reason(v5, publish(raw({0x23, 0, 0}))) == ReasonCode::topic_alias_invalid);  // [MQTT-3.3.2-8]
  CHECK(client_reason(v5, publish(raw({0x23, 0, 5})), limits) == ReasonCode::success);
  CHECK(client_reason(v5, publish(raw({0x23, 0, 6})), limits) == ReasonCode::topic_alias_invalid);  // [MQTT-3.3.2-9]
  CHECK(client_reason(v5, publish(raw({0x23, 0, 5}), ""), limits) == ReasonCode::success);
  CHECK(client_reason(v5, publish({}, "")) == ReasonCode::protocol_error);
}

TEST_CASE("a client's PUBLISH has no subscription identifier [MQTT-3.3.4-6], a server's may have several") {
  CHECK(client_reason(v5, publish(raw({0x0B, 1}))) == ReasonCode::protocol_error);
  const auto bytes = publish(raw({0x0B, 1, 0x0B, 0x80, 0x01}));
  const auto outcome = from_server(v5, bytes);
  CHECK(outcome.as<Publish>().properties.subscription_identifier_count == 2);
  CHECK(outcome.as<Publish>().properties.subscription_identifier == 128);
  CHECK(server_reason(v5, publish(raw({0x0B, 0}))) == ReasonCode::protocol_error);
}

TEST_CASE("a Response Topic is a topic name [MQTT-3.3.2-14], a payload format 0 or 1") {
  CHECK(client_reason(v5, publish(raw({0x08}) + str("a/b"))) == ReasonCode::success);
  CHECK(client_reason(v5, publish(raw({0x08}) + str("a/#"))) == ReasonCode::protocol_error);
  CHECK(client_reason(v5, publish(raw({0x08}) + str(""))) == ReasonCode::protocol_error);
  CHECK(client_reason(v5, publish(raw({0x08}) + str("\xFF"))) == ReasonCode::malformed_packet);
  CHECK(client_reason(v5, publish(raw({0x01, 2}))) == ReasonCode::protocol_error);
}

TEST_CASE("acknowledgements have a short form, a middle form and a long form [MQTT-2.2.2-1]") {
  const auto check = [](auto tag, int first) {
    using Ack = decltype(tag);
    const auto shortest = raw({first, 2, 0, 9});
    CHECK(from_client(v5, shortest).as<Ack>().packet_id == PacketId{9});
    CHECK(from_client(v5, shortest).as<Ack>().reason == ReasonCode::success);
    CHECK(from_client(v3_1_1, shortest).as<Ack>().packet_id == PacketId{9});
    const int code = Ack::type == PacketType::puback || Ack::type == PacketType::pubrec ? 0x97 : 0x92;
    const auto middle = raw({first, 3, 0, 9, code});
    CHECK(static_cast<int>(from_client(v5, middle).as<Ack>().reason) == code);
    CHECK(client_reason(v3_1_1, middle) == ReasonCode::malformed_packet);
    const auto empty = raw({first, 4, 0, 9, code, 0});
    CHECK(static_cast<int>(from_client(v5, empty).as<Ack>().reason) == code);
    const auto longest = packet(first, raw({0, 9, code}) + sized(raw({0x1F}) + str("because")));
    const auto outcome = from_client(v5, longest);
    CHECK(outcome.template as<Ack>().properties.text(PropertyId::reason_string) == "because");
    CHECK(client_reason(v5, raw({first, 3, 0, 9, 0x01})) == ReasonCode::protocol_error);
    CHECK(client_reason(v5, raw({first, 5, 0, 9, 0, 0, 0})) == ReasonCode::malformed_packet);
    CHECK(client_reason(v5, raw({first, 1, 9})) == ReasonCode::malformed_packet);
  };
  check(Puback{}, 0x40);
  check(Pubrec{}, 0x50);
  check(Pubrel{}, 0x62);
  check(Pubcomp{}, 0x70);
}

TEST_CASE("a SUBSCRIBE yields its filters in order, each with options and a verdict of its own [MQTT-3.8.4-5]") {
  const auto bytes =
      packet(0x82, raw({0, 5}) + sized(raw({0x0B, 0xC8, 0x01})) + str("a/+") + raw({0x2D}) + str("a/#/b") +
                       raw({0x00}) + str("$share/g/x") + raw({0x02}) + str("") + raw({0x01}));
  const auto outcome = from_client(v5, bytes);
  const auto& subscribe = outcome.as<Subscribe>();
  CHECK(subscribe.packet_id == PacketId{5});
  CHECK(subscribe.properties.subscription_identifier == 200);
  CHECK(subscribe.requests.size() == 4);
  std::vector<SubscriptionRequest> requests;
  for (const auto& request : subscribe.requests) requests.push_back(request);
  REQUIRE(requests.size() == 4);
  CHECK(requests[0].filter == "a/+");
  CHECK(requests[0].options == SubscriptionOptions{QoS::at_least_once, true, true, RetainHandling::do_not_send});
  CHECK(requests[0].fault == TopicFault::none);
  CHECK(requests[1].fault == TopicFault::misplaced_hash);
  CHECK(requests[2].fault == TopicFault::none);
  CHECK(requests[2].options.maximum_qos == QoS::exactly_once);
  CHECK(requests[3].fault == TopicFault::empty);
}

TEST_CASE("the options of a subscription are checked") {
  const auto with = [](ProtocolLevel level, int options, const std::string& filter = "a") {
    return client_reason(level,
                         packet(0x82, raw({0, 5}) + (level == v5 ? raw({0}) : "") + str(filter) + raw({options})));
  };
  for (const int options : {0x40, 0x80, 0xC0})
    CHECK(with(v5, options) == ReasonCode::malformed_packet);  // [MQTT-3.8.3-5]
  CHECK(with(v5, 0x03) == ReasonCode::protocol_error);
  CHECK(with(v5, 0x30) == ReasonCode::protocol_error);
  CHECK(with(v5, 0x04) == ReasonCode::success);
  CHECK(with(v5, 0x04, "$share/g/a") == ReasonCode::protocol_error);  // [MQTT-3.8.3-4]
  CHECK(with(v5, 0x2E) == ReasonCode::success);
  for (const int options : {0x03, 0x04, 0x10, 0x80}) CHECK(with(v3_1_1, options) == ReasonCode::malformed_packet);
  for (const int options : {0, 1, 2}) CHECK(with(v3_1_1, options) == ReasonCode::success);
}

TEST_CASE(
    "SUBSCRIBE and UNSUBSCRIBE have at least one filter [MQTT-3.8.3-2] [MQTT-3.10.3-2], in UTF-8 [MQTT-3.8.3-1]") {
  for (const auto level : all_levels) {
    const std::string none = level == v5 ? raw({0}) : "";
    for (const int first : {0x82, 0xA2}) {
      CHECK(client_reason(level, packet(first, raw({0, 5}) + none)) == ReasonCode::protocol_error);
      const std::string options = first == 0x82 ? raw({0}) : "";
      CHECK(client_reason(level, packet(first, raw({0, 5}) + none + str("\xC0\x80") + options)) ==
            ReasonCode::malformed_packet);
      CHECK(client_reason(level, packet(first, raw({0, 5}) + none + raw({0, 9, 'a'}))) == ReasonCode::malformed_packet);
    }
    CHECK(client_reason(level, packet(0x82, raw({0, 5}) + none + str("a"))) == ReasonCode::malformed_packet);
  }
  CHECK(client_reason(v5, packet(0x82, raw({0, 5}) + sized(raw({0x0B, 0})) + str("a") + raw({0}))) ==
        ReasonCode::protocol_error);
  CHECK(client_reason(v5, packet(0x82, raw({0, 5}) + sized(raw({0x0B, 1, 0x0B, 2})) + str("a") + raw({0}))) ==
        ReasonCode::protocol_error);
}

TEST_CASE("an UNSUBSCRIBE yields its filters in order") {
  const auto bytes = packet(0xA2, raw({0, 5, 0}) + str("a/+") + str("b+"));
  const auto outcome = from_client(v5, bytes);
  std::vector<UnsubscriptionRequest> requests;
  for (const auto& request : outcome.as<Unsubscribe>().requests) requests.push_back(request);
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].filter == "a/+");
  CHECK(requests[0].fault == TopicFault::none);
  CHECK(requests[1].fault == TopicFault::misplaced_plus);
}

TEST_CASE("SUBACK and UNSUBACK carry one reason per request in MQTT 5, and what MQTT 3 knows of it") {
  const auto codes = raw({0, 1, 2, 0x8F, 0x97});
  Suback suback;
  suback.packet_id = PacketId{3};
  suback.reasons = {codes};
  ByteWriter writer;
  encode(writer, v5, suback);
  CHECK(writer.view() == raw({0x90, 8, 0, 3, 0, 0, 1, 2, 0x8F, 0x97}));
  const auto outcome = from_server(v5, writer.view());
  CHECK(outcome.as<Suback>().reasons.size() == 5);
  CHECK(outcome.as<Suback>().reasons[3] == ReasonCode::topic_filter_invalid);
  ByteWriter old;
  encode(old, v3_1_1, suback);
  CHECK(old.view() == raw({0x90, 7, 0, 3, 0, 1, 2, 0x80, 0x80}));
  CHECK(server_reason(v3_1_1, std::string(old.view())) == ReasonCode::success);
  CHECK(server_reason(v3_1_1, raw({0x90, 3, 0, 3, 0x8F})) == ReasonCode::protocol_error);
  CHECK(server_reason(v5, raw({0x90, 4, 0, 3, 0, 0x03})) == ReasonCode::protocol_error);
  CHECK(server_reason(v5, raw({0x90, 3, 0, 3, 0})) == ReasonCode::protocol_error);

  Unsuback unsuback;
  unsuback.packet_id = PacketId{3};
  const auto done = raw({0, 0x11});
  unsuback.reasons = {done};
  ByteWriter both;
  encode(both, v5, unsuback);
  encode(both, v3_1_1, unsuback);
  CHECK(both.view() == raw({0xB0, 5, 0, 3, 0, 0, 0x11, 0xB0, 2, 0, 3}));
}
