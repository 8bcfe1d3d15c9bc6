// Braid, Apache-2.0.
//
// Methods and messages to frames. A delivery is written as the wire wants it: method, header and the first of a small
// body into one run of bytes, a large body as slices of where it lies, cut at frame-max.
//
// Encoders trust their caller within the wire's limits: short strings of 255 bytes, methods that fit into a frame.
#pragma once

#include "codecs/amqp/field_writer.hpp"
#include "codecs/amqp/properties.hpp"
#include "codecs/amqp/registry.hpp"
#include "codecs/frame_writer.hpp"

namespace braid::amqp {

namespace detail {

inline void write_frame_header(std::uint8_t* to, FrameType type, ChannelNumber channel, std::size_t payload_bytes) {
  to[0] = static_cast<std::uint8_t>(type);
  store_big(to + 1, channel);
  store_big(to + 3, static_cast<std::uint32_t>(payload_bytes));
  to[frame_header_bytes + payload_bytes] = frame_end;
}

}  // namespace detail

/// A method frame. For methods without content, and by encode_content for those with.
template <DescribedMethod M>
void encode_method(ByteWriter& out, ChannelNumber channel, const M& method) {
  const std::size_t payload_bytes = 4 + FieldSizer::of(method);
  std::uint8_t* to = out.grow(frame_overhead_bytes + payload_bytes);
  detail::write_frame_header(to, FrameType::method, channel, payload_bytes);
  FieldWriter writer(to + frame_header_bytes);
  writer.write(M::info.id.class_id);
  writer.write(M::info.id.method_id);
  writer.all(method);
}
void encode_method(ByteWriter&, ChannelNumber, const Method&);

void encode_heartbeat(ByteWriter&);

/// Header and body frames. `properties` are flags and properties as they came in, or as encode_properties wrote them.
/// `frame_max` of 0 is no limit.
void encode_header_and_body(FrameWriter&, ChannelNumber, std::uint32_t frame_max, std::string_view properties,
                            const Bytes& body);

/// A whole message: basic.deliver, basic.return, basic.get-ok, and basic.publish for bridges.
template <DescribedMethod M>
requires(M::info.kind == MethodKind::content) void encode_content(FrameWriter& out, ChannelNumber channel,
                                                                  std::uint32_t frame_max, const M& method,
                                                                  std::string_view properties, const Bytes& body) {
  encode_method(out.bytes(), channel, method);
  encode_header_and_body(out, channel, frame_max, properties, body);
}

}  // namespace braid::amqp
