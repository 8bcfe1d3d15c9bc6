// Braid, Apache-2.0.
//
// What a decoder says when bytes are wrong, and how the rest of the broker's errors look to an MQTT client. An error is
// a reason code, for the peer, and a sentence, for the log; the sentence is static text, since nothing that a peer
// sends is worth an allocation once it is known to be wrong.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codecs/mqtt/types.hpp"
#include "model/errors.hpp"

namespace braid::mqtt {

struct DecodeError {
  ReasonCode reason = ReasonCode::malformed_packet;
  std::string_view sentence;
};

/// Nothing, or the reason why not.
using Check = std::optional<DecodeError>;

constexpr DecodeError malformed(std::string_view sentence) {
  return {ReasonCode::malformed_packet, sentence};
}
constexpr DecodeError protocol_error(std::string_view sentence) {
  return {ReasonCode::protocol_error, sentence};
}

/// "0x82 Protocol error: a second CONNECT on one connection [MQTT-3.1.0-2]"
std::string describe(const DecodeError&);

/// The reason code for a failure behind the session, as PUBACK, SUBACK and DISCONNECT carry it.
ReasonCode reason_code(Errc);

/// The CONNACK return code of MQTT 3.1 and 3.1.1 for a reason, and nothing where those protocols have none: then the
/// connection is closed without a CONNACK.
std::optional<std::uint8_t> return_code(ReasonCode);
/// The other way round, for return codes 0 to 5.
std::optional<ReasonCode> from_return_code(std::uint8_t);

}  // namespace braid::mqtt
