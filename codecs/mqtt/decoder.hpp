// Braid, Apache-2.0.
//
// Finds packets in what a connection has received, checks them and takes them apart. The decoder sees bytes and keeps
// three facts: who is at the other end, which protocol level the CONNECT chose, and the limits. Everything that the
// specification says about a packet by itself is decided here, with the most specific reason code; what depends on the
// session (packet identifiers in use, aliases, quotas) is the session's.
//
// A packet is refused as early as its first byte or its length allows, so that nobody makes the broker buffer what it
// will not take. Nothing is allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "codecs/mqtt/errors.hpp"
#include "codecs/mqtt/packets.hpp"

namespace braid::mqtt {

struct DecodeLimits {
  std::uint32_t max_packet_bytes = 1u << 20;
  std::uint32_t max_topic_levels = default_max_topic_levels;
  std::uint16_t max_user_properties = 128;  ///< per block
  std::uint16_t topic_alias_maximum = 65535;
};

class Decoder {
 public:
  enum class Status : std::uint8_t { packet, need_more, failed };
  struct Step {
    Status status;
    std::size_t bytes;  ///< packet: how long it was; need_more: how many bytes the buffer has to hold at least
  };

  /// The broker's side: the peer is a client, its level is what its CONNECT says.
  explicit Decoder(const DecodeLimits& limits = {}) : limits_(limits) {}
  /// A client's side (bridges, tests): the level is known, and the first packet is a CONNACK or an AUTH.
  Decoder(ProtocolLevel level, const DecodeLimits& limits)
      : limits_(limits), sender_(Sender::server), level_(level), announced_level_(static_cast<std::uint8_t>(level)) {}

  /// Takes the packet at the front of `buffered` apart; its views show the buffer. After `failed` the stream cannot be
  /// trusted any more: answer with error().reason and close.
  Step next(std::string_view buffered, Packet& into);
  const DecodeError& error() const { return error_; }

  /// Known once the CONNECT's level was read, even if the rest of it was refused.
  std::optional<ProtocolLevel> level() const { return level_; }
  /// The level byte of a CONNECT whose level is unsupported, for the refusal; nothing when its name was not MQTT's.
  std::optional<std::uint8_t> announced_level() const { return announced_level_; }
  /// A valid CONNECT (or CONNACK) has been decoded.
  bool connected() const { return connected_; }
  const DecodeLimits& limits() const { return limits_; }
  void set_limits(const DecodeLimits& limits) { limits_ = limits; }

 private:
  Check check_first_byte(std::uint8_t first) const;
  Check decode(std::uint8_t first, std::string_view body, Packet& into);
  Check decode_connect(ByteReader&, Connect&);
  Check decode_will(ByteReader&, Will&) const;
  Check decode_connack(ByteReader&, Connack&) const;
  Check decode_publish(std::uint8_t flags, std::string_view body, Publish&) const;
  template <PacketType Type>
  Check decode_acknowledgement(ByteReader&, Acknowledgement<Type>&) const;
  template <class Request>
  Check decode_requests(ByteReader&, RequestList<Request>&) const;
  Check decode_subscribe(ByteReader&, Subscribe&) const;
  Check decode_unsubscribe(ByteReader&, Unsubscribe&) const;
  Check decode_suback(ByteReader&, Suback&) const;
  Check decode_unsuback(ByteReader&, Unsuback&) const;
  Check decode_disconnect(ByteReader&, Disconnect&) const;
  Check decode_auth(ByteReader&, Auth&) const;
  /// Length and block; nothing before MQTT 5.
  Check read_properties(ByteReader&, PropertyPlace, Properties&) const;
  Check read_packet_id(ByteReader&, PacketId&) const;
  bool v5() const { return level_ == ProtocolLevel::v5; }

  DecodeLimits limits_;
  Sender sender_ = Sender::client;
  std::optional<ProtocolLevel> level_;
  std::optional<std::uint8_t> announced_level_;
  bool connected_ = false;
  DecodeError error_;
};

}  // namespace braid::mqtt
