// Braid, Apache-2.0.
//
// The words that everything about AMQP 0-9-1 uses: frame types, reply codes, and the wire types that C++ has no type
// of its own for. A short string is a std::string_view in every struct here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace braid::amqp {

using ChannelNumber = std::uint16_t;

/// 2.3.5 and the domain list of the specification; numbers between these do not exist.
enum class FrameType : std::uint8_t { method = 1, header = 2, body = 3, heartbeat = 8 };

inline constexpr std::uint8_t frame_end = 0xce;
/// Type, channel and size in front of a payload, and the end octet behind it: frame-max counts them (4.2.3).
inline constexpr std::size_t frame_header_bytes = 7;
inline constexpr std::size_t frame_overhead_bytes = frame_header_bytes + 1;
/// The least that a peer may ask for, by the specification; RabbitMQ 4.1 and later ask for 8192.
inline constexpr std::uint32_t specified_min_frame_max = 4096;
inline constexpr std::size_t max_short_string_bytes = 255;

/// What a client begins with, and what a client with another protocol is answered (4.2.2).
inline constexpr std::string_view protocol_header{"AMQP\0\0\x09\x01", 8};

/// 1.1 of the specification, with RabbitMQ's meaning where that differs.
enum class ReplyCode : std::uint16_t {
  success = 200,
  content_too_large = 311,
  no_route = 312,
  no_consumers = 313,
  connection_forced = 320,
  invalid_path = 402,
  access_refused = 403,
  not_found = 404,
  resource_locked = 405,
  precondition_failed = 406,
  frame_error = 501,
  syntax_error = 502,
  command_invalid = 503,
  channel_error = 504,
  unexpected_frame = 505,
  resource_error = 506,
  not_allowed = 530,
  not_implemented = 540,
  internal_error = 541,
};

/// What a channel counts its deliveries, and a publisher its publishes, by. 0 in an acknowledgement: all so far.
struct DeliveryTag {
  std::uint64_t value = 0;
  friend constexpr bool operator==(const DeliveryTag&, const DeliveryTag&) = default;
  friend constexpr auto operator<=>(const DeliveryTag&, const DeliveryTag&) = default;
};

/// Up to 2^32 - 1 bytes of anything.
struct LongString {
  std::string_view text;
  friend constexpr bool operator==(const LongString&, const LongString&) = default;
};

/// Class and method number of a method, as its frame begins with.
struct MethodId {
  std::uint16_t class_id = 0;
  std::uint16_t method_id = 0;
  friend constexpr bool operator==(const MethodId&, const MethodId&) = default;
};
inline constexpr std::uint16_t basic_class = 60;  ///< the only one whose methods carry content

}  // namespace braid::amqp
