// Braid, Apache-2.0.
#include "codecs/amqp/decoder.hpp"

#include <algorithm>

#include "model/byte_io.hpp"

namespace braid::amqp {

namespace {

/// Of AMQP 0-9, which is what 0-9-1 was called before it had a number of its own. RabbitMQ takes it too.
constexpr std::string_view protocol_header_0_9{"AMQP\x01\x01\x00\x09", 8};

bool begins_like(std::string_view buffered, std::string_view header) {
  const std::size_t length = std::min(buffered.size(), header.size());
  return buffered.substr(0, length) == header.substr(0, length);
}

}  // namespace

Decoder::Step Decoder::fail(const DecodeError& error) {
  error_ = error;
  return {Status::failed, 0};
}

Decoder::Step Decoder::take_protocol_header(std::string_view buffered) {
  if (!begins_like(buffered, protocol_header) && !begins_like(buffered, protocol_header_0_9))
    return {Status::wrong_protocol, 0};
  if (buffered.size() < protocol_header.size()) return {Status::need_more, protocol_header.size()};
  header_seen_ = true;
  return {Status::header, protocol_header.size()};
}

Decoder::Step Decoder::next(std::string_view buffered, Frame& into) {
  if (!header_seen_) return take_protocol_header(buffered);
  if (buffered.empty()) return {Status::need_more, frame_overhead_bytes};
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(buffered.data());
  into.type = static_cast<FrameType>(bytes[0]);
  switch (into.type) {
    case FrameType::method:
    case FrameType::header:
    case FrameType::body:
    case FrameType::heartbeat:
      break;
    default:
      return fail({ReplyCode::frame_error, "a frame of no known type", {}});
  }
  if (buffered.size() < frame_header_bytes) return {Status::need_more, frame_overhead_bytes};
  into.channel = load_big<std::uint16_t>(bytes + 1);
  const auto payload_bytes = load_big<std::uint32_t>(bytes + 3);
  if (payload_bytes > max_payload_bytes_)
    return fail({ReplyCode::frame_error, "a frame larger than the frame-max that was agreed on", {}});
  if (into.type == FrameType::heartbeat) {
    if (into.channel != 0) return fail({ReplyCode::unexpected_frame, "a heartbeat on a channel other than 0", {}});
    if (payload_bytes != 0) return fail({ReplyCode::frame_error, "a heartbeat with a payload", {}});
  } else if (into.type != FrameType::method && into.channel == 0) {
    return fail({ReplyCode::unexpected_frame, "content on channel 0", {}});
  }
  const std::size_t total = frame_overhead_bytes + payload_bytes;
  if (buffered.size() < total) return {Status::need_more, total};
  if (bytes[total - 1] != frame_end) return fail({ReplyCode::frame_error, "a frame without its end octet", {}});
  into.payload = buffered.substr(frame_header_bytes, payload_bytes);
  return {Status::frame, total};
}

}  // namespace braid::amqp
