// Braid, Apache-2.0.
//
// What the MQTT fuzz targets share: the first byte of an input chooses the protocol level and the side, so that the
// rest is a stream of packets as it would follow a good CONNECT or CONNACK.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "codecs/mqtt/decoder.hpp"
#include "codecs/mqtt/encoder.hpp"

namespace braid::mqtt::fuzzing {

inline void require(bool condition) {
  if (!condition) std::abort();
}

struct Setup {
  ProtocolLevel level = ProtocolLevel::v5;
  bool client_side = false;  ///< the peer is a server
  bool fresh = false;        ///< nothing was exchanged yet

  static Setup from(std::uint8_t byte) {
    constexpr ProtocolLevel levels[] = {ProtocolLevel::v5, ProtocolLevel::v3_1_1, ProtocolLevel::v3_1,
                                        ProtocolLevel::v5};
    return {levels[byte & 3], (byte & 4) != 0, (byte & 8) != 0};
  }

  Decoder decoder() const {
    const DecodeLimits limits{.max_packet_bytes = 1u << 16, .max_topic_levels = 16, .max_user_properties = 8};
    Decoder made = client_side ? Decoder(level, limits) : Decoder(limits);
    if (fresh) return made;
    ByteWriter writer;
    if (client_side) {
      encode(writer, level, Connack{});
    } else {
      Connect connect;
      connect.level = level;
      connect.client_id = "c";
      encode(writer, connect);
    }
    Packet packet;
    require(made.next(writer.view(), packet).status == Decoder::Status::packet);
    return made;
  }
};

/// The level to encode a decoded packet with.
inline ProtocolLevel level_of(const Decoder& decoder) {
  return decoder.level().value_or(ProtocolLevel::v5);
}

inline std::string encoded(ProtocolLevel level, const Packet& packet) {
  ByteWriter writer;
  encode(writer, level, packet);
  return std::string(writer.view());
}

}  // namespace braid::mqtt::fuzzing
