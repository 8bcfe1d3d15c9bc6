// Braid, Apache-2.0.
#include "codecs/amqp/encoder.hpp"

#include <algorithm>

namespace braid::amqp {

void encode_method(ByteWriter& out, ChannelNumber channel, const Method& method) {
  std::visit([&](const auto& fields) { encode_method(out, channel, fields); }, method);
}

void encode_heartbeat(ByteWriter& out) {
  detail::write_frame_header(out.grow(frame_overhead_bytes), FrameType::heartbeat, 0, 0);
}

void encode_header_and_body(FrameWriter& out, ChannelNumber channel, std::uint32_t frame_max,
                            std::string_view properties, const Bytes& body) {
  const std::size_t header_bytes = 12 + properties.size();
  const std::size_t max_piece =
      frame_max > frame_overhead_bytes ? frame_max - frame_overhead_bytes : std::numeric_limits<std::uint32_t>::max();
  const bool small = body.size() < FrameWriter::share_from_bytes && body.size() <= max_piece;
  const std::size_t inline_bytes = small && !body.empty() ? frame_overhead_bytes + body.size() : 0;

  std::uint8_t* to = out.bytes().grow(frame_overhead_bytes + header_bytes + inline_bytes);
  detail::write_frame_header(to, FrameType::header, channel, header_bytes);
  FieldWriter writer(to + frame_header_bytes);
  writer.write(basic_class);
  writer.write(std::uint16_t{0});
  writer.write(std::uint64_t{body.size()});
  writer.raw(properties);
  if (small) {
    if (body.empty()) return;
    to += frame_overhead_bytes + header_bytes;
    detail::write_frame_header(to, FrameType::body, channel, body.size());
    std::memcpy(to + frame_header_bytes, body.data(), body.size());
    return;
  }
  for (std::size_t at = 0; at < body.size(); at += max_piece) {
    const std::size_t length = std::min(max_piece, body.size() - at);
    std::uint8_t* head = out.bytes().grow(frame_header_bytes);
    head[0] = static_cast<std::uint8_t>(FrameType::body);
    store_big(head + 1, channel);
    store_big(head + 3, static_cast<std::uint32_t>(length));
    out.slice(body.slice(at, length));
    out.bytes().u8(frame_end);
  }
}

}  // namespace braid::amqp
