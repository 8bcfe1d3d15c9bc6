// Braid, Apache-2.0.
//
// What the tests of the AMQP codec share: frames written by hand, and a decoder past its protocol header.
#pragma once

#include <catch2/catch.hpp>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/amqp/codec.hpp"
#include "codecs/amqp/content.hpp"
#include "codecs/amqp/decoder.hpp"
#include "codecs/amqp/encoder.hpp"

namespace braid::amqp::testing {

inline std::string raw(std::initializer_list<int> bytes) {
  std::string text;
  for (const int byte : bytes) text += static_cast<char>(byte);
  return text;
}
inline std::string big32(std::uint32_t value) {
  return raw({static_cast<int>(value >> 24), static_cast<int>(value >> 16 & 255), static_cast<int>(value >> 8 & 255),
              static_cast<int>(value & 255)});
}
inline std::string frame(int type, int channel, const std::string& payload) {
  return raw({type, channel >> 8, channel & 255}) + big32(static_cast<std::uint32_t>(payload.size())) + payload +
         raw({0xce});
}
template <DescribedMethod M>
std::string method_frame(ChannelNumber channel, const M& method) {
  ByteWriter writer;
  encode_method(writer, channel, method);
  return std::string(writer.view());
}
inline std::string joined(FrameWriter& writer) {
  std::string text;
  for (const Bytes& piece : writer.finish()) text += piece.view();
  return text;
}

/// A decoder past the protocol header.
inline Decoder started(std::uint32_t frame_max = 4096) {
  Decoder decoder(frame_max);
  Frame frame;
  REQUIRE(decoder.next(protocol_header, frame).status == Decoder::Status::header);
  return decoder;
}
inline ReplyCode refused(std::string_view bytes) {
  Decoder decoder = started();
  Frame frame;
  REQUIRE(decoder.next(bytes, frame).status == Decoder::Status::failed);
  REQUIRE_FALSE(decoder.error().sentence.empty());
  return decoder.error().code;
}

/// All frames of complete bytes.
inline std::vector<Frame> frames_of(std::string_view bytes) {
  std::vector<Frame> frames;
  Decoder decoder = started(1 << 20);
  while (!bytes.empty()) {
    Frame frame;
    const auto step = decoder.next(bytes, frame);
    REQUIRE(step.status == Decoder::Status::frame);
    frames.push_back(frame);
    bytes.remove_prefix(step.bytes);
  }
  return frames;
}

}  // namespace braid::amqp::testing
