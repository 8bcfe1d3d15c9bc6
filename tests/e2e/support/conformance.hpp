// Braid, Apache-2.0.
//
// What the conformance tests of MQTT share. A test names the statements that it is about as tags, with the version:
// "[5.0 MQTT-3.1.0-1]"; docs/mqtt-conformance.md is made from them. Each program starts one broker, and its tests use
// names of their own so that they do not meet.
#pragma once

#include <catch2/catch.hpp>

#include "e2e/support/broker.hpp"
#include "e2e/support/command.hpp"
#include "e2e/support/mqtt_wire.hpp"

namespace braid::e2e::conformance {

/// Settings of this program's broker, before its first use.
std::vector<std::string>& settings();
Broker& broker();
inline std::uint16_t port() {
  return broker().mqtt();
}

inline constexpr int levels[] = {3, 4, 5};

/// A connected client of some level, with an identifier of its own unless one is given.
wire::Client connected(int level = 5, wire::Connect connect = {});

/// Subscribes to `filter`, and to a name that has a retained message: what came before that one was retained, too.
std::vector<wire::Received> retained_for(wire::Client& client, const std::string& filter, unsigned options = 0);

/// Sends bytes over a connection of its own behind a good CONNECT; how the broker ends it: the reason code of its
/// DISCONNECT, or 0 when it just closes, as it must before MQTT 5.
unsigned end_after(int level, std::string_view bytes);
/// The same for bytes in place of a CONNECT: the reason or return code of the CONNACK, or -1 when there is none.
int refusal_of(std::string_view bytes);

}  // namespace braid::e2e::conformance
