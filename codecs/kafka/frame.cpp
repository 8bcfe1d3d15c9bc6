// Braid, Apache-2.0.
#include "codecs/kafka/frame.hpp"

#include "model/byte_io.hpp"

namespace braid::kafka {

/// The smallest MQTT CONNECT. AMQP's greeting is shorter, but is known by its first four bytes.
constexpr std::size_t enough_to_guess_bytes = 14;

FrameProbe probe_frame(std::string_view received, std::int32_t largest_frame_bytes, bool first) {
  using Kind = FrameProbe::Kind;
  if (received.size() < frame_prefix_bytes) return {};
  const auto length = load_big<std::int32_t>(reinterpret_cast<const std::uint8_t*>(received.data()));
  if (length < smallest_request_bytes || length > largest_frame_bytes) {
    if (first) {
      const WireProtocol protocol = guess_protocol(received);
      if (protocol != WireProtocol::unknown && protocol != WireProtocol::kafka)
        return {Kind::other_protocol, frame_prefix_bytes, protocol};
      if (received.size() < enough_to_guess_bytes) return {Kind::need_more, enough_to_guess_bytes};
    }
    if (length < smallest_request_bytes) return {Kind::invalid, frame_prefix_bytes};
    return {Kind::too_large, static_cast<std::size_t>(length)};
  }
  const std::size_t whole = frame_prefix_bytes + static_cast<std::size_t>(length);
  return {received.size() < whole ? Kind::need_more : Kind::frame, whole};
}

}  // namespace braid::kafka
