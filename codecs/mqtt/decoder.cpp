// Braid, Apache-2.0.
//
// The frame (fixed header, length, limits) and the packets of the flow of messages. The packets that open and close a
// connection are in decoder_connection.cpp.
#include "codecs/mqtt/decoder.hpp"

#include "codecs/mqtt/reasons.hpp"
#include "model/utf8.hpp"

namespace braid::mqtt {

namespace {

template <class... Types>
constexpr std::uint32_t set_of(Types... types) {
  return ((1u << static_cast<unsigned>(types)) | ...);
}
constexpr std::uint32_t both_ways =
    set_of(PacketType::publish, PacketType::puback, PacketType::pubrec, PacketType::pubrel, PacketType::pubcomp,
           PacketType::disconnect, PacketType::auth);
constexpr std::uint32_t client_packets =
    both_ways | set_of(PacketType::connect, PacketType::subscribe, PacketType::unsubscribe, PacketType::pingreq);
constexpr std::uint32_t server_packets =
    both_ways | set_of(PacketType::connack, PacketType::suback, PacketType::unsuback, PacketType::pingresp);

constexpr std::uint8_t duplicate_flag = 0x08;

}  // namespace

Decoder::Step Decoder::next(std::string_view buffered, Packet& into) {
  if (buffered.empty()) return {Status::need_more, 2};
  const auto failed = [this](const DecodeError& error) {
    error_ = error;
    return Step{Status::failed, 0};
  };
  const auto byte = [buffered](std::size_t index) { return static_cast<std::uint8_t>(buffered[index]); };
  const std::uint8_t first = byte(0);
  if (auto error = check_first_byte(first)) return failed(*error);

  std::uint32_t remaining = 0;
  std::size_t header_bytes = 1;
  for (int shift = 0;; shift += 7) {
    if (shift == 28) return failed(malformed("a remaining length of more than four bytes [MQTT-1.5.5-1]"));
    if (header_bytes == buffered.size()) return {Status::need_more, header_bytes + 1};
    const std::uint8_t part = byte(header_bytes++);
    remaining |= static_cast<std::uint32_t>(part & 0x7f) << shift;
    if (part & 0x80) continue;
    if (part == 0 && shift > 0)
      return failed(malformed("a remaining length in more bytes than it needs [MQTT-1.5.5-1]"));
    break;
  }
  const std::size_t total = header_bytes + remaining;
  if (total > limits_.max_packet_bytes)
    return failed({ReasonCode::packet_too_large, "a packet larger than the limit allows [MQTT-3.1.2-24]"});
  if (buffered.size() < total) return {Status::need_more, total};
  if (auto error = decode(first, buffered.substr(header_bytes, remaining), into)) return failed(*error);
  return {Status::packet, total};
}

Check Decoder::check_first_byte(std::uint8_t first) const {
  const auto type = static_cast<PacketType>(first >> 4);
  const std::uint8_t flags = first & 0x0f;
  if (first >> 4 == 0) return malformed("packet type 0 is reserved (2.1.2)");
  const bool from_client = sender_ == Sender::client;
  if (!connected_) {
    if (from_client && type != PacketType::connect)
      return protocol_error("the first packet is not a CONNECT [MQTT-3.1.0-1]");
    if (!from_client && type != PacketType::connack && !(v5() && type == PacketType::auth))
      return protocol_error("the server's first packet is not a CONNACK [MQTT-3.2.0-1]");
  } else if (type == PacketType::connect) {
    return protocol_error("a second CONNECT on one connection [MQTT-3.1.0-2]");
  } else if (type == PacketType::connack) {
    return protocol_error("a CONNACK that nobody waits for [MQTT-3.2.0-2]");
  }
  if (!(((from_client ? client_packets : server_packets) >> (first >> 4)) & 1))
    return protocol_error("a packet type that only the other side may send (2.1.2)");
  if (level_ && !v5()) {
    if (type == PacketType::auth) return malformed("packet type 15 is reserved before MQTT 5 (2.2.1)");
    if (type == PacketType::disconnect && !from_client)
      return protocol_error("a DISCONNECT from a server, which only MQTT 5 has [MQTT-3.14.0-1]");
  }
  switch (type) {
    case PacketType::publish:
      if ((flags & 0x06) == 0x06) return malformed("a PUBLISH with QoS 3 [MQTT-3.3.1-4]");
      if ((flags & 0x0e) == duplicate_flag && level_ != ProtocolLevel::v3_1)
        return protocol_error("a PUBLISH with QoS 0 and DUP [MQTT-3.3.1-2]");
      return {};
    case PacketType::pubrel:
    case PacketType::subscribe:
    case PacketType::unsubscribe:
      // MQTT 3.1 had DUP on these packets too.
      if (flags != 0x02 && !(level_ == ProtocolLevel::v3_1 && flags == (0x02 | duplicate_flag)))
        return malformed("reserved flags of PUBREL, SUBSCRIBE or UNSUBSCRIBE that are not 0010 [MQTT-2.1.3-1]");
      return {};
    default:
      if (flags != 0) return malformed("reserved flags of the fixed header that are not 0 [MQTT-2.1.3-1]");
      return {};
  }
}

Check Decoder::decode(std::uint8_t first, std::string_view body, Packet& into) {
  const auto type = static_cast<PacketType>(first >> 4);
  if (type == PacketType::publish) return decode_publish(first & 0x0f, body, into.emplace<Publish>());
  ByteReader reader(Bytes::literal(body));
  Check error;
  switch (type) {
    case PacketType::connect:
      error = decode_connect(reader, into.emplace<Connect>());
      break;
    case PacketType::connack:
      error = decode_connack(reader, into.emplace<Connack>());
      break;
    case PacketType::publish:
      break;
    case PacketType::puback:
      error = decode_acknowledgement(reader, into.emplace<Puback>());
      break;
    case PacketType::pubrec:
      error = decode_acknowledgement(reader, into.emplace<Pubrec>());
      break;
    case PacketType::pubrel:
      error = decode_acknowledgement(reader, into.emplace<Pubrel>());
      break;
    case PacketType::pubcomp:
      error = decode_acknowledgement(reader, into.emplace<Pubcomp>());
      break;
    case PacketType::subscribe:
      error = decode_subscribe(reader, into.emplace<Subscribe>());
      break;
    case PacketType::suback:
      error = decode_suback(reader, into.emplace<Suback>());
      break;
    case PacketType::unsubscribe:
      error = decode_unsubscribe(reader, into.emplace<Unsubscribe>());
      break;
    case PacketType::unsuback:
      error = decode_unsuback(reader, into.emplace<Unsuback>());
      break;
    case PacketType::pingreq:
      into.emplace<Pingreq>();
      break;
    case PacketType::pingresp:
      into.emplace<Pingresp>();
      break;
    case PacketType::disconnect:
      error = decode_disconnect(reader, into.emplace<Disconnect>());
      break;
    case PacketType::auth:
      error = decode_auth(reader, into.emplace<Auth>());
      break;
  }
  if (error) return error;
  if (reader.failed()) return malformed("a packet that ends before its fields do");
  if (reader.remaining() > 0) return malformed("a packet with bytes behind its last field");
  if (type == PacketType::connect || type == PacketType::connack) connected_ = true;
  return {};
}

Check Decoder::read_properties(ByteReader& reader, PropertyPlace where, Properties& into) const {
  if (!v5()) return {};
  const auto before = reader.position();
  const auto length = reader.varint(28);
  if (reader.failed()) return malformed("a property length that is cut short or has more than four bytes (2.2.2.1)");
  if (reader.position() - before != varint_size(length))
    return malformed("a property length in more bytes than it needs [MQTT-1.5.5-1]");
  if (length == 0) return {};
  if (length > reader.remaining()) return malformed("a property length that reaches beyond its packet (2.2.2.1)");
  return parse_properties(reader.take_view(length), where, sender_, limits_.max_user_properties, into);
}

Check Decoder::read_packet_id(ByteReader& reader, PacketId& into) const {
  into = PacketId{reader.u16()};
  if (reader.failed()) return malformed("a packet without its packet identifier (2.2.1)");
  if (into.value == 0) return protocol_error("packet identifier 0 [MQTT-2.2.1-3]");
  return {};
}

Check Decoder::decode_publish(std::uint8_t flags, std::string_view body, Publish& packet) const {
  ByteReader reader(Bytes::literal(body));
  packet.qos = static_cast<QoS>((flags >> 1) & 3);
  packet.retain = (flags & 1) != 0;
  packet.duplicate = (flags & duplicate_flag) != 0 && packet.qos != QoS::at_most_once;
  packet.topic = reader.take_view(reader.u16());
  if (reader.failed()) return malformed("a PUBLISH that ends before its topic name does (3.3.2.1)");
  if (packet.qos != QoS::at_most_once) {
    if (auto error = read_packet_id(reader, packet.packet_id)) return error;
  }
  if (auto error = read_properties(reader, place(PacketType::publish), packet.properties)) return error;
  packet.payload = reader.take_view(reader.remaining());

  if (packet.properties.has(PropertyId::topic_alias) && packet.properties.topic_alias > limits_.topic_alias_maximum)
    return DecodeError{ReasonCode::topic_alias_invalid, "a Topic Alias above the maximum [MQTT-3.3.2-9]"};
  switch (check_topic_name(packet.topic, limits_.max_topic_levels)) {
    case TopicFault::none:
      return {};
    case TopicFault::empty:
      if (packet.properties.has(PropertyId::topic_alias)) return {};
      return protocol_error("a PUBLISH with neither a topic name nor a Topic Alias (3.3.2.1) [MQTT-4.7.3-1]");
    case TopicFault::wildcard:
      return DecodeError{ReasonCode::topic_name_invalid, "a topic name with a wildcard [MQTT-3.3.2-2]"};
    case TopicFault::too_many_levels:
      return DecodeError{ReasonCode::topic_name_invalid, "a topic name with more levels than the limit allows"};
    default:
      return malformed("a topic name that is not well-formed UTF-8 or has U+0000 [MQTT-3.3.2-1]");
  }
}

template <PacketType Type>
Check Decoder::decode_acknowledgement(ByteReader& reader, Acknowledgement<Type>& packet) const {
  if (auto error = read_packet_id(reader, packet.packet_id)) return error;
  if (reader.remaining() == 0 || !v5()) return {};  // short form [MQTT-2.2.2-1]; leftover bytes are the caller's find
  const std::uint8_t code = reader.u8();
  if (!reasons::acknowledgement(Type).has(code))
    return protocol_error("a reason code that this acknowledgement cannot have [MQTT-3.4.2-1]");
  packet.reason = static_cast<ReasonCode>(code);
  if (reader.remaining() == 0) return {};
  return read_properties(reader, place(Type), packet.properties);
}

template <class Request>
Check Decoder::decode_requests(ByteReader& reader, RequestList<Request>& list) const {
  constexpr bool subscribe = RequestList<Request>::has_options;
  const auto encoded = reader.take_view(reader.remaining());
  ByteReader lines(Bytes::literal(encoded));
  std::uint32_t count = 0;
  for (; lines.remaining() > 0; ++count) {
    const auto filter = lines.take_view(lines.u16());
    const std::uint8_t options = subscribe ? lines.u8() : 0;
    if (lines.failed()) return malformed("a topic filter that ends before its length says (3.8.3)");
    if (!is_mqtt_utf8(filter)) return malformed("a topic filter that is not well-formed UTF-8 [MQTT-3.8.3-1]");
    if (v5()) {
      if (options & 0xc0) return malformed("reserved bits of the Subscription Options [MQTT-3.8.3-5]");
      if ((options & 0x03) == 3) return protocol_error("a subscription with QoS 3 (3.8.3.1)");
      if ((options & 0x30) == 0x30) return protocol_error("a subscription with Retain Handling 3 (3.8.3.1)");
      if ((options & 0x04) && is_shared(filter))
        return protocol_error("No Local on a shared subscription [MQTT-3.8.3-4]");
    } else if ((options & 0xfc) || (options & 0x03) == 3) {
      return malformed("a requested QoS that is not 0, 1 or 2 (3.1.1: [MQTT-3.8.3-4])");
    }
  }
  if (count == 0)
    return protocol_error("a SUBSCRIBE or UNSUBSCRIBE without a topic filter [MQTT-3.8.3-2] [MQTT-3.10.3-2]");
  list = {encoded, count, limits_.max_topic_levels};
  return {};
}

Check Decoder::decode_subscribe(ByteReader& reader, Subscribe& packet) const {
  if (auto error = read_packet_id(reader, packet.packet_id)) return error;
  if (auto error = read_properties(reader, place(PacketType::subscribe), packet.properties)) return error;
  return decode_requests(reader, packet.requests);
}

Check Decoder::decode_unsubscribe(ByteReader& reader, Unsubscribe& packet) const {
  if (auto error = read_packet_id(reader, packet.packet_id)) return error;
  if (auto error = read_properties(reader, place(PacketType::unsubscribe), packet.properties)) return error;
  return decode_requests(reader, packet.requests);
}

Check Decoder::decode_suback(ByteReader& reader, Suback& packet) const {
  if (auto error = read_packet_id(reader, packet.packet_id)) return error;
  if (auto error = read_properties(reader, place(PacketType::suback), packet.properties)) return error;
  packet.reasons = {reader.take_view(reader.remaining())};
  const ReasonSet& allowed = v5() ? reasons::suback : reasons::suback_v3;
  for (const char code : packet.reasons.encoded)
    if (!allowed.has(static_cast<std::uint8_t>(code)))
      return protocol_error("a reason code that SUBACK cannot have [MQTT-3.9.3-2]");
  if (packet.reasons.size() == 0) return protocol_error("a SUBACK without a reason code [MQTT-3.8.4-6]");
  return {};
}

Check Decoder::decode_unsuback(ByteReader& reader, Unsuback& packet) const {
  if (auto error = read_packet_id(reader, packet.packet_id)) return error;
  if (!v5()) return {};
  if (auto error = read_properties(reader, place(PacketType::unsuback), packet.properties)) return error;
  packet.reasons = {reader.take_view(reader.remaining())};
  for (const char code : packet.reasons.encoded)
    if (!reasons::unsuback.has(static_cast<std::uint8_t>(code)))
      return protocol_error("a reason code that UNSUBACK cannot have [MQTT-3.11.3-2]");
  if (packet.reasons.size() == 0) return protocol_error("an UNSUBACK without a reason code [MQTT-3.11.3-1]");
  return {};
}

}  // namespace braid::mqtt
