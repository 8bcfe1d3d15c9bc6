// Braid, Apache-2.0.
//
// Packets to bytes. Everything is appended to a ByteWriter, so that the answers to one read leave in one piece. A
// message for many subscribers is not copied: `encode_publish_header` writes what differs between them, the payload is
// sent behind it as the shared slice that it is.
//
// A packet's properties are written from `properties.block`; PropertyWriter makes one. For MQTT 3 properties and reason
// codes are left out or translated. Callers keep to the limits of the wire (strings of 65,535 bytes); what comes from
// another protocol is checked where it comes in.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "codecs/mqtt/packets.hpp"
#include "model/byte_io.hpp"

namespace braid::mqtt {

void encode(ByteWriter&, ProtocolLevel, const Packet&);

void encode(ByteWriter&, const Connect&);
/// With MQTT 3 only for reasons that have a return code (errors.hpp); the others close without a CONNACK.
void encode(ByteWriter&, ProtocolLevel, const Connack&);
void encode(ByteWriter&, ProtocolLevel, const Publish&);
template <PacketType Type>
void encode(ByteWriter&, ProtocolLevel, const Acknowledgement<Type>&);
void encode(ByteWriter&, ProtocolLevel, const Subscribe&);
void encode(ByteWriter&, ProtocolLevel, const Suback&);
void encode(ByteWriter&, ProtocolLevel, const Unsubscribe&);
void encode(ByteWriter&, ProtocolLevel, const Unsuback&);
void encode(ByteWriter&, ProtocolLevel, const Disconnect&);
void encode(ByteWriter&, ProtocolLevel, const Auth&);
void encode_pingreq(ByteWriter&);
void encode_pingresp(ByteWriter&);

/// The frequent answers: PUBACK, PUBREC, PUBREL, PUBCOMP without properties.
void encode_acknowledgement(ByteWriter&, ProtocolLevel, PacketType, PacketId, ReasonCode = ReasonCode::success);

/// Refuses a CONNECT in the words of a level that we do not speak: 0x84 in the form of MQTT 5 for higher levels, return
/// code 1 for lower ones [MQTT-3.1.2-2].
void encode_unsupported_level(ByteWriter&, std::uint8_t announced_level);

/// A delivery to one subscriber.
struct OutboundPublish {
  std::string_view topic;  ///< empty when the alias alone stands for it
  std::size_t payload_bytes = 0;
  PacketId packet_id;  ///< unless QoS 0
  QoS qos = QoS::at_most_once;
  bool duplicate = false;
  bool retain = false;
  std::uint16_t topic_alias = 0;                           ///< 0: none
  std::optional<std::uint32_t> message_expiry_interval_s;  ///< what is left of it [MQTT-3.3.2-6]
  std::span<const std::uint32_t> subscription_identifiers;
  std::string_view application_properties;  ///< see append_application_properties
};
/// Size of the whole packet, payload included: to be compared with the client's Maximum Packet Size before anything is
/// written [MQTT-3.1.2-24]. More than max_packet_bytes cannot be sent at all.
std::size_t publish_bytes(ProtocolLevel, const OutboundPublish&);
/// Fixed header, topic name, packet identifier and properties; the payload goes behind it.
void encode_publish_header(ByteWriter&, ProtocolLevel, const OutboundPublish&);

/// Size of a whole packet whose body has so many bytes.
constexpr std::size_t packet_bytes(std::size_t remaining) {
  return 1 + varint_size(remaining) + remaining;
}
/// Bytes that a property block takes with its length.
constexpr std::size_t property_block_bytes(std::size_t properties) {
  return varint_size(properties) + properties;
}

/// One line for a Subscribe's or Unsubscribe's list.
void append_request(ByteWriter&, std::string_view filter, SubscriptionOptions);
void append_request(ByteWriter&, std::string_view filter);

}  // namespace braid::mqtt
