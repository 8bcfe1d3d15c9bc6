// Braid, Apache-2.0.
//
// Packets for tests, written as bytes: a decoder tested with what our own encoder makes would share its mistakes.
#pragma once

#include <catch2/catch.hpp>
#include <initializer_list>
#include <string>
#include <string_view>

#include "codecs/mqtt/decoder.hpp"
#include "codecs/mqtt/encoder.hpp"

namespace braid::mqtt::testing {

inline std::string raw(std::initializer_list<int> bytes) {
  std::string text;
  for (const int byte : bytes) text += static_cast<char>(byte);
  return text;
}
/// A string with its length in front.
inline std::string str(std::string_view text) {
  return raw({static_cast<int>(text.size() >> 8), static_cast<int>(text.size() & 255)}) + std::string(text);
}
/// A block of properties, or a packet's body, with its variable length in front.
inline std::string sized(const std::string& block) {
  std::string length;
  auto left = block.size();
  do {
    length += static_cast<char>((left & 127) | (left > 127 ? 128 : 0));
    left >>= 7;
  } while (left > 0);
  return length + block;
}
inline std::string packet(int first_byte, const std::string& body) {
  return raw({first_byte}) + sized(body);
}

inline std::string connect_packet(ProtocolLevel level, int flags = 0x02, const std::string& payload = str("c"),
                                  const std::string& properties = {}) {
  const auto name = level == ProtocolLevel::v3_1 ? str("MQIsdp") : str("MQTT");
  return packet(0x10, name + raw({static_cast<int>(level), flags, 0, 60}) +
                          (level == ProtocolLevel::v5 ? sized(properties) : "") + payload);
}

struct Outcome {
  Decoder::Status status{};
  std::size_t bytes = 0;
  Packet packet;
  DecodeError error;
  template <class T>
  const T& as() const {
    REQUIRE(status == Decoder::Status::packet);
    REQUIRE(std::holds_alternative<T>(packet));
    return std::get<T>(packet);
  }
};

inline Outcome step(Decoder& decoder, std::string_view bytes) {
  Outcome outcome;
  const auto step = decoder.next(bytes, outcome.packet);
  outcome.status = step.status;
  outcome.bytes = step.bytes;
  if (step.status == Decoder::Status::failed) outcome.error = decoder.error();
  return outcome;
}

/// A broker's decoder behind a good CONNECT.
inline Decoder connected(ProtocolLevel level, const DecodeLimits& limits = {}) {
  Decoder decoder(limits);
  Packet packet;
  const auto bytes = connect_packet(level);
  REQUIRE(decoder.next(bytes, packet).status == Decoder::Status::packet);
  return decoder;
}
/// A client's decoder behind a good CONNACK.
inline Decoder connected_client(ProtocolLevel level, const DecodeLimits& limits = {}) {
  Decoder decoder(level, limits);
  Packet packet;
  const auto bytes = level == ProtocolLevel::v5 ? raw({0x20, 3, 0, 0, 0}) : raw({0x20, 2, 0, 0});
  REQUIRE(decoder.next(bytes, packet).status == Decoder::Status::packet);
  return decoder;
}

/// The views of the outcome show `bytes`, which has to outlive it.
inline Outcome from_client(ProtocolLevel level, std::string_view bytes, const DecodeLimits& limits = {}) {
  auto decoder = connected(level, limits);
  return step(decoder, bytes);
}
inline Outcome from_server(ProtocolLevel level, std::string_view bytes, const DecodeLimits& limits = {}) {
  auto decoder = connected_client(level, limits);
  return step(decoder, bytes);
}

/// The reason why a packet is refused; success when it is taken whole.
inline ReasonCode reason(const Outcome& outcome, std::string_view bytes) {
  if (outcome.status == Decoder::Status::failed) {
    INFO(describe(outcome.error));
    CHECK_FALSE(outcome.error.sentence.empty());
    CHECK(is_failure(outcome.error.reason));
    return outcome.error.reason;
  }
  REQUIRE(outcome.status == Decoder::Status::packet);
  REQUIRE(outcome.bytes == bytes.size());
  return ReasonCode::success;
}
inline ReasonCode client_reason(ProtocolLevel level, const std::string& bytes, const DecodeLimits& limits = {}) {
  return reason(from_client(level, bytes, limits), bytes);
}
inline ReasonCode server_reason(ProtocolLevel level, const std::string& bytes, const DecodeLimits& limits = {}) {
  return reason(from_server(level, bytes, limits), bytes);
}
inline ReasonCode connect_reason(const std::string& bytes, const DecodeLimits& limits = {}) {
  Decoder decoder(limits);
  return reason(step(decoder, bytes), bytes);
}

inline constexpr auto v3_1 = ProtocolLevel::v3_1;
inline constexpr auto v3_1_1 = ProtocolLevel::v3_1_1;
inline constexpr auto v5 = ProtocolLevel::v5;
inline constexpr ProtocolLevel all_levels[] = {v3_1, v3_1_1, v5};

}  // namespace braid::mqtt::testing

namespace Catch {
template <>
struct StringMaker<braid::mqtt::ReasonCode> {
  static std::string convert(braid::mqtt::ReasonCode code) {
    return std::string(braid::mqtt::to_string(code)) + " (" + std::to_string(static_cast<int>(code)) + ")";
  }
};
}  // namespace Catch
