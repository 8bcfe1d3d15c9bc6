// Braid, Apache-2.0.
//
// Each packet's size is known before its first byte is written, so a packet is written front to back, once.
#include "codecs/mqtt/encoder.hpp"

#include <cassert>

#include "codecs/mqtt/errors.hpp"

namespace braid::mqtt {

namespace {

void fixed_header(ByteWriter& writer, PacketType type, unsigned flags, std::size_t remaining) {
  assert(remaining <= max_variable_integer);
  writer.u8(static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4 | flags));
  writer.varint(remaining);
}

void string(ByteWriter& writer, std::string_view text) {
  assert(text.size() <= max_string_bytes);
  writer.u16(static_cast<std::uint16_t>(text.size()));
  writer.raw(text);
}

std::size_t block_bytes(ProtocolLevel level, const Properties& properties) {
  if (level != ProtocolLevel::v5) return 0;
  return property_block_bytes(properties.block.size());
}
void block(ByteWriter& writer, ProtocolLevel level, const Properties& properties) {
  if (level != ProtocolLevel::v5) return;
  writer.varint(properties.block.size());
  writer.raw(properties.block);
}

constexpr unsigned publish_flags(QoS qos, bool duplicate, bool retain) {
  return static_cast<unsigned>(qos) << 1 | (duplicate ? 8u : 0u) | (retain ? 1u : 0u);
}
/// PUBREL, SUBSCRIBE and UNSUBSCRIBE have 0010 [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1].
constexpr unsigned reserved_flags(PacketType type) {
  return type == PacketType::pubrel || type == PacketType::subscribe || type == PacketType::unsubscribe ? 2 : 0;
}

std::size_t delivery_property_bytes(const OutboundPublish& publish) {
  std::size_t bytes = publish.application_properties.size();
  if (publish.topic_alias != 0) bytes += 3;
  if (publish.message_expiry_interval_s) bytes += 5;
  for (const auto identifier : publish.subscription_identifiers) bytes += 1 + varint_size(identifier);
  return bytes;
}

std::size_t publish_remaining(ProtocolLevel level, const OutboundPublish& publish, std::size_t property_bytes) {
  return 2 + publish.topic.size() + (publish.qos == QoS::at_most_once ? 0 : 2) +
         (level == ProtocolLevel::v5 ? varint_size(property_bytes) + property_bytes : 0) + publish.payload_bytes;
}

/// SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK: identifier, properties, a list that is there already.
void encode_list(ByteWriter& writer, ProtocolLevel level, PacketType type, PacketId id, const Properties& properties,
                 std::string_view list) {
  fixed_header(writer, type, reserved_flags(type), 2 + block_bytes(level, properties) + list.size());
  writer.u16(id.value);
  block(writer, level, properties);
  writer.raw(list);
}

/// DISCONNECT and AUTH: all of it is left out when it says nothing.
void encode_reason(ByteWriter& writer, PacketType type, ReasonCode reason, const Properties& properties) {
  if (reason == ReasonCode::success && properties.block.empty()) return fixed_header(writer, type, 0, 0);
  const bool reason_alone = properties.block.empty() && type == PacketType::disconnect;
  fixed_header(writer, type, 0, 1 + (reason_alone ? 0 : block_bytes(ProtocolLevel::v5, properties)));
  writer.u8(static_cast<std::uint8_t>(reason));
  if (!reason_alone) block(writer, ProtocolLevel::v5, properties);
}

}  // namespace

void encode(ByteWriter& writer, ProtocolLevel level, const Packet& packet) {
  std::visit(
      [&](const auto& what) {
        using T = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<T, Connect>)
          encode(writer, what);
        else if constexpr (std::is_same_v<T, Pingreq>)
          encode_pingreq(writer);
        else if constexpr (std::is_same_v<T, Pingresp>)
          encode_pingresp(writer);
        else
          encode(writer, level, what);
      },
      packet);
}

void encode(ByteWriter& writer, const Connect& packet) {
  const auto name = packet.level == ProtocolLevel::v3_1 ? std::string_view("MQIsdp") : std::string_view("MQTT");
  std::size_t remaining =
      2 + name.size() + 4 + block_bytes(packet.level, packet.properties) + 2 + packet.client_id.size();
  unsigned flags = packet.clean_start ? 0x02 : 0;
  if (packet.will) {
    flags |= 0x04 | static_cast<unsigned>(packet.will->qos) << 3 | (packet.will->retain ? 0x20u : 0u);
    remaining += block_bytes(packet.level, packet.will->properties) + 4 + packet.will->topic.size() +
                 packet.will->payload.size();
  }
  if (packet.user_name) {
    flags |= 0x80;
    remaining += 2 + packet.user_name->size();
  }
  if (packet.password) {
    flags |= 0x40;
    remaining += 2 + packet.password->size();
  }
  fixed_header(writer, PacketType::connect, 0, remaining);
  string(writer, name);
  writer.u8(static_cast<std::uint8_t>(packet.level));
  writer.u8(static_cast<std::uint8_t>(flags));
  writer.u16(packet.keep_alive_s);
  block(writer, packet.level, packet.properties);
  string(writer, packet.client_id);
  if (packet.will) {
    block(writer, packet.level, packet.will->properties);
    string(writer, packet.will->topic);
    string(writer, packet.will->payload);
  }
  if (packet.user_name) string(writer, *packet.user_name);
  if (packet.password) string(writer, *packet.password);
}

void encode(ByteWriter& writer, ProtocolLevel level, const Connack& packet) {
  fixed_header(writer, PacketType::connack, 0, 2 + block_bytes(level, packet.properties));
  const bool has_flags = level != ProtocolLevel::v3_1;
  writer.u8(has_flags && packet.session_present && packet.reason == ReasonCode::success ? 1 : 0);  // [MQTT-3.2.2-6]
  if (level == ProtocolLevel::v5) {
    writer.u8(static_cast<std::uint8_t>(packet.reason));
  } else {
    const auto code = return_code(packet.reason);
    assert(code);
    writer.u8(*code);
  }
  block(writer, level, packet.properties);
}

void encode_unsupported_level(ByteWriter& writer, std::uint8_t announced_level) {
  const bool newer = announced_level > static_cast<std::uint8_t>(ProtocolLevel::v5);
  Connack refusal;
  refusal.reason = ReasonCode::unsupported_protocol_version;
  encode(writer, newer ? ProtocolLevel::v5 : ProtocolLevel::v3_1_1, refusal);
}

std::size_t publish_bytes(ProtocolLevel level, const OutboundPublish& publish) {
  return packet_bytes(publish_remaining(level, publish, delivery_property_bytes(publish)));
}

void encode_publish_header(ByteWriter& writer, ProtocolLevel level, const OutboundPublish& publish) {
  const auto property_bytes = delivery_property_bytes(publish);
  fixed_header(writer, PacketType::publish,
               publish_flags(publish.qos, publish.duplicate && publish.qos != QoS::at_most_once, publish.retain),
               publish_remaining(level, publish, property_bytes));
  string(writer, publish.topic);
  if (publish.qos != QoS::at_most_once) {
    assert(publish.packet_id.value != 0);
    writer.u16(publish.packet_id.value);
  }
  if (level != ProtocolLevel::v5) return;
  writer.varint(property_bytes);
  if (publish.topic_alias != 0) {
    writer.u8(static_cast<std::uint8_t>(PropertyId::topic_alias));
    writer.u16(publish.topic_alias);
  }
  if (publish.message_expiry_interval_s) {
    writer.u8(static_cast<std::uint8_t>(PropertyId::message_expiry_interval));
    writer.u32(*publish.message_expiry_interval_s);
  }
  for (const auto identifier : publish.subscription_identifiers) {
    assert(identifier >= 1 && identifier <= max_variable_integer);
    writer.u8(static_cast<std::uint8_t>(PropertyId::subscription_identifier));
    writer.varint(identifier);
  }
  writer.raw(publish.application_properties);
}

void encode(ByteWriter& writer, ProtocolLevel level, const Publish& packet) {
  const bool has_id = packet.qos != QoS::at_most_once;
  fixed_header(
      writer, PacketType::publish, publish_flags(packet.qos, packet.duplicate && has_id, packet.retain),
      2 + packet.topic.size() + (has_id ? 2 : 0) + block_bytes(level, packet.properties) + packet.payload.size());
  string(writer, packet.topic);
  if (has_id) writer.u16(packet.packet_id.value);
  block(writer, level, packet.properties);
  writer.raw(packet.payload);
}

void encode_acknowledgement(ByteWriter& writer, ProtocolLevel level, PacketType type, PacketId id, ReasonCode reason) {
  const bool with_reason = level == ProtocolLevel::v5 && reason != ReasonCode::success;
  auto* at = writer.grow(with_reason ? 5 : 4);
  at[0] = static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4 | reserved_flags(type));
  at[1] = with_reason ? 3 : 2;
  store_big(at + 2, id.value);
  if (with_reason) at[4] = static_cast<std::uint8_t>(reason);
}

template <PacketType Type>
void encode(ByteWriter& writer, ProtocolLevel level, const Acknowledgement<Type>& packet) {
  if (level != ProtocolLevel::v5 || packet.properties.block.empty())
    return encode_acknowledgement(writer, level, Type, packet.packet_id, packet.reason);
  fixed_header(writer, Type, reserved_flags(Type), 3 + block_bytes(level, packet.properties));
  writer.u16(packet.packet_id.value);
  writer.u8(static_cast<std::uint8_t>(packet.reason));
  block(writer, level, packet.properties);
}
template void encode(ByteWriter&, ProtocolLevel, const Puback&);
template void encode(ByteWriter&, ProtocolLevel, const Pubrec&);
template void encode(ByteWriter&, ProtocolLevel, const Pubrel&);
template void encode(ByteWriter&, ProtocolLevel, const Pubcomp&);

void encode(ByteWriter& writer, ProtocolLevel level, const Subscribe& packet) {
  encode_list(writer, level, PacketType::subscribe, packet.packet_id, packet.properties, packet.requests.encoded());
}

void encode(ByteWriter& writer, ProtocolLevel level, const Suback& packet) {
  if (level == ProtocolLevel::v5)
    return encode_list(writer, level, PacketType::suback, packet.packet_id, packet.properties, packet.reasons.encoded);
  // MQTT 3.1.1 has one failure; 3.1 has none, and its clients take what is not 0 to 2 for one all the same.
  fixed_header(writer, PacketType::suback, 0, 2 + packet.reasons.size());
  writer.u16(packet.packet_id.value);
  for (std::size_t index = 0; index < packet.reasons.size(); ++index)
    writer.u8(is_failure(packet.reasons[index]) ? 0x80 : static_cast<std::uint8_t>(packet.reasons[index]));
}

void encode(ByteWriter& writer, ProtocolLevel level, const Unsubscribe& packet) {
  encode_list(writer, level, PacketType::unsubscribe, packet.packet_id, packet.properties, packet.requests.encoded());
}

void encode(ByteWriter& writer, ProtocolLevel level, const Unsuback& packet) {
  encode_list(writer, level, PacketType::unsuback, packet.packet_id, packet.properties,
              level == ProtocolLevel::v5 ? packet.reasons.encoded : std::string_view{});
}

void encode(ByteWriter& writer, ProtocolLevel level, const Disconnect& packet) {
  if (level != ProtocolLevel::v5) return fixed_header(writer, PacketType::disconnect, 0, 0);
  encode_reason(writer, PacketType::disconnect, packet.reason, packet.properties);
}

void encode(ByteWriter& writer, ProtocolLevel level, const Auth& packet) {
  assert(level == ProtocolLevel::v5);
  (void)level;
  encode_reason(writer, PacketType::auth, packet.reason, packet.properties);
}

void encode_pingreq(ByteWriter& writer) {
  fixed_header(writer, PacketType::pingreq, 0, 0);
}
void encode_pingresp(ByteWriter& writer) {
  fixed_header(writer, PacketType::pingresp, 0, 0);
}

void append_request(ByteWriter& writer, std::string_view filter, SubscriptionOptions options) {
  string(writer, filter);
  writer.u8(options.encoded());
}
void append_request(ByteWriter& writer, std::string_view filter) {
  string(writer, filter);
}

}  // namespace braid::mqtt
