// Braid, Apache-2.0.
//
// Which reason codes a packet may carry, and from whom: the tables of sections 3.2.2.2, 3.4.2.1, 3.5.2.1, 3.6.2.1,
// 3.7.2.1, 3.9.3, 3.11.3, 3.14.2.1 and 3.15.2.1 as bit sets.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

#include "codecs/mqtt/properties.hpp"
#include "codecs/mqtt/types.hpp"

namespace braid::mqtt {

class ReasonSet {
 public:
  constexpr ReasonSet() = default;
  constexpr ReasonSet(std::initializer_list<std::uint8_t> codes) {
    for (const auto code : codes) bits_[code >> 6] |= 1ull << (code & 63);
  }
  constexpr bool has(std::uint8_t code) const { return (bits_[code >> 6] >> (code & 63)) & 1; }

 private:
  std::array<std::uint64_t, 4> bits_{};
};

namespace reasons {

inline constexpr ReasonSet connack = {0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
                                      0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F};
inline constexpr ReasonSet received = {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99};
inline constexpr ReasonSet released = {0x00, 0x92};
inline constexpr ReasonSet suback = {0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2};
inline constexpr ReasonSet suback_v3 = {0x00, 0x01, 0x02, 0x80};
inline constexpr ReasonSet unsuback = {0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91};
inline constexpr ReasonSet client_disconnect = {0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90,
                                                0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99};
inline constexpr ReasonSet server_disconnect = {0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D,
                                                0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
                                                0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2};
inline constexpr ReasonSet client_auth = {0x18, 0x19};
inline constexpr ReasonSet server_auth = {0x00, 0x18};

constexpr const ReasonSet& disconnect(Sender sender) {
  return sender == Sender::client ? client_disconnect : server_disconnect;
}
constexpr const ReasonSet& auth(Sender sender) {
  return sender == Sender::client ? client_auth : server_auth;
}
constexpr const ReasonSet& acknowledgement(PacketType type) {
  return type == PacketType::puback || type == PacketType::pubrec ? received : released;
}

}  // namespace reasons
}  // namespace braid::mqtt
