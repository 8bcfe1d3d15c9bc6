// Braid, Apache-2.0.
//
// The packets that open and close a connection: CONNECT with its flags, which three protocols read differently,
// CONNACK, DISCONNECT and AUTH.
#include "codecs/mqtt/decoder.hpp"
#include "codecs/mqtt/reasons.hpp"
#include "model/utf8.hpp"

namespace braid::mqtt {

namespace {

struct ConnectFlags {
  std::uint8_t byte;
  bool reserved() const { return byte & 0x01; }
  bool clean_start() const { return byte & 0x02; }
  bool will() const { return byte & 0x04; }
  std::uint8_t will_qos() const { return (byte >> 3) & 3; }
  bool will_retain() const { return byte & 0x20; }
  bool password() const { return byte & 0x40; }
  bool user_name() const { return byte & 0x80; }
};

Check check_flags(ConnectFlags flags, ProtocolLevel level) {
  if (flags.reserved()) return malformed("a CONNECT with its reserved flag set [MQTT-3.1.2-3]");
  if (flags.will_qos() == 3) return malformed("a will with QoS 3 [MQTT-3.1.2-12]");
  if (!flags.will() && flags.will_qos() != 0) return malformed("a will QoS without a will [MQTT-3.1.2-11]");
  if (!flags.will() && flags.will_retain()) return malformed("Will Retain without a will [MQTT-3.1.2-13]");
  if (flags.password() && !flags.user_name() && level != ProtocolLevel::v5)
    return protocol_error("a password without a user name, which MQTT 5 alone allows (3.1.1: [MQTT-3.1.2-22])");
  return {};
}

Check check_authentication(const Properties& properties) {
  if (properties.has(PropertyId::authentication_data) && !properties.has(PropertyId::authentication_method))
    return protocol_error("Authentication Data without an Authentication Method (3.1.2.11.10)");
  return {};
}

}  // namespace

Check Decoder::decode_connect(ByteReader& reader, Connect& packet) {
  const auto name = reader.take_view(reader.u16());
  const std::uint8_t level = reader.u8();
  if (reader.failed()) return malformed("a CONNECT that ends before its protocol level (3.1.2)");
  if (name != "MQTT" && name != "MQIsdp")
    return DecodeError{ReasonCode::unsupported_protocol_version, "a protocol name other than MQTT [MQTT-3.1.2-1]"};
  announced_level_ = level;
  const bool supported = name == "MQTT" ? level == 4 || level == 5 : level == 3;
  if (!supported)
    return DecodeError{ReasonCode::unsupported_protocol_version,
                       "a protocol level other than 3.1, 3.1.1 and 5.0 [MQTT-3.1.2-2]"};
  level_ = packet.level = static_cast<ProtocolLevel>(level);
  const ConnectFlags flags{reader.u8()};
  packet.keep_alive_s = reader.u16();
  packet.clean_start = flags.clean_start();
  if (reader.failed()) return malformed("a CONNECT that ends before its keep alive (3.1.2)");
  if (auto error = check_flags(flags, packet.level)) return error;
  if (auto error = read_properties(reader, place(PacketType::connect), packet.properties)) return error;
  if (auto error = check_authentication(packet.properties)) return error;

  packet.client_id = reader.take_view(reader.u16());
  if (reader.failed()) return malformed("a CONNECT without its client identifier [MQTT-3.1.3-3]");
  if (!is_mqtt_utf8(packet.client_id))
    return malformed("a client identifier that is not well-formed UTF-8 [MQTT-3.1.3-4]");
  if (packet.client_id.empty() && !v5() && (!packet.clean_start || packet.level == ProtocolLevel::v3_1))
    return DecodeError{ReasonCode::client_identifier_not_valid,
                       "an empty client identifier for a session that is to be kept (3.1.1: [MQTT-3.1.3-8])"};
  if (flags.will()) {
    Will& will = packet.will.emplace();
    will.qos = static_cast<QoS>(flags.will_qos());
    will.retain = flags.will_retain();
    if (auto error = decode_will(reader, will)) return error;
  }
  // MQTT 3.1 lets the remaining length win over these two flags: what is missing at the end counts as not given.
  const bool optional = packet.level == ProtocolLevel::v3_1;
  if (flags.user_name() && !(optional && reader.remaining() == 0)) {
    packet.user_name = reader.take_view(reader.u16());
    if (!is_mqtt_utf8(*packet.user_name)) return malformed("a user name that is not well-formed UTF-8 [MQTT-3.1.3-11]");
  }
  if (flags.password() && !(optional && reader.remaining() == 0)) packet.password = reader.take_view(reader.u16());
  if (reader.failed())
    return malformed("a CONNECT whose flags promise more than its payload holds [MQTT-3.1.2-17] [MQTT-3.1.2-19]");
  if (reader.remaining() > 0)
    return malformed("a CONNECT with more payload than its flags say [MQTT-3.1.2-16] [MQTT-3.1.2-18]");
  return {};
}

Check Decoder::decode_will(ByteReader& reader, Will& will) const {
  if (auto error = read_properties(reader, PropertyPlace::will, will.properties)) return error;
  will.topic = reader.take_view(reader.u16());
  will.payload = reader.take_view(reader.u16());
  if (reader.failed()) return malformed("a will that is cut short [MQTT-3.1.2-9]");
  switch (check_topic_name(will.topic, limits_.max_topic_levels)) {
    case TopicFault::none:
      return {};
    case TopicFault::not_utf8:
      return malformed("a will topic that is not well-formed UTF-8 [MQTT-3.1.3-11]");
    default:
      return DecodeError{ReasonCode::topic_name_invalid,
                         "a will topic that is empty, too deep or has a wildcard [MQTT-4.7.3-1] [MQTT-3.3.2-2]"};
  }
}

Check Decoder::decode_connack(ByteReader& reader, Connack& packet) const {
  const std::uint8_t flags = reader.u8();
  const std::uint8_t code = reader.u8();
  if (reader.failed()) return malformed("a CONNACK that is cut short (3.2.2)");
  if (level_ != ProtocolLevel::v3_1) {  // 3.1 leaves the byte unused
    if (flags & 0xfe) return malformed("reserved CONNACK flags [MQTT-3.2.2-1]");
    packet.session_present = flags & 1;
  }
  if (v5()) {
    if (!reasons::connack.has(code)) return protocol_error("a reason code that CONNACK cannot have [MQTT-3.2.2-8]");
    packet.reason = static_cast<ReasonCode>(code);
  } else {
    const auto reason = from_return_code(code);
    if (!reason) return protocol_error("a CONNACK return code above 5 (3.1.1: 3.2.2.3)");
    packet.reason = *reason;
  }
  if (packet.session_present && packet.reason != ReasonCode::success)
    return protocol_error("Session Present in a CONNACK that refuses [MQTT-3.2.2-6]");
  if (auto error = read_properties(reader, place(PacketType::connack), packet.properties)) return error;
  return check_authentication(packet.properties);
}

Check Decoder::decode_disconnect(ByteReader& reader, Disconnect& packet) const {
  if (!v5() || reader.remaining() == 0) return {};
  const std::uint8_t code = reader.u8();
  if (!reasons::disconnect(sender_).has(code))
    return protocol_error("a reason code that DISCONNECT cannot have from this side [MQTT-3.14.2-1]");
  packet.reason = static_cast<ReasonCode>(code);
  if (reader.remaining() == 0) return {};
  return read_properties(reader, place(PacketType::disconnect), packet.properties);
}

Check Decoder::decode_auth(ByteReader& reader, Auth& packet) const {
  if (reader.remaining() == 0 && sender_ == Sender::server) return {};  // success in its short form (3.15.2.1)
  const std::uint8_t code = reader.u8();
  if (reader.failed() || !reasons::auth(sender_).has(code))
    return protocol_error("a reason code that AUTH cannot have from this side [MQTT-3.15.2-1]");
  packet.reason = static_cast<ReasonCode>(code);
  if (auto error = read_properties(reader, place(PacketType::auth), packet.properties)) return error;
  if (!packet.properties.has(PropertyId::authentication_method))
    return protocol_error("an AUTH without an Authentication Method (3.15.2.2.2)");
  return {};
}

}  // namespace braid::mqtt
