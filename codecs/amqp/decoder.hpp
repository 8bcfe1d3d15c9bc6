// Braid, Apache-2.0.
//
// Finds frames in what a connection has received: the protocol header first, frames from then on. Payloads are shown
// where they lie. A frame is refused by its type or its announced size, before its bytes are there, so that nobody
// makes the broker buffer what it will not take.
//
// What a frame means is decided elsewhere: `decode_method`, `ContentAssembler`, and the session for all that depends on
// what came before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "codecs/amqp/errors.hpp"
#include "codecs/amqp/types.hpp"

namespace braid::amqp {

struct Frame {
  FrameType type = FrameType::heartbeat;
  ChannelNumber channel = 0;
  std::string_view payload;
};

class Decoder {
 public:
  enum class Status : std::uint8_t {
    header,  ///< the client speaks AMQP 0-9-1 and waits for connection.start
    frame,
    need_more,
    failed,
    wrong_protocol,  ///< it does not: answer with `protocol_header` of types.hpp and close (4.2.2)
  };
  struct Step {
    Status status;
    std::size_t bytes;  ///< header, frame: how long it was; need_more: how many bytes the buffer has to hold at least
  };
  enum class Peer : std::uint8_t { client, server };

  /// RabbitMQ takes frames of eight bytes more than was agreed, since some clients do not count the overhead; so do we.
  explicit Decoder(std::uint32_t frame_max, Peer peer = Peer::client)
      : max_payload_bytes_(frame_max), header_seen_(peer == Peer::server) {}

  /// Takes what is at the front of `buffered`. After `failed` the stream cannot be trusted any more: answer with
  /// connection.close from error() and ignore what follows.
  Step next(std::string_view buffered, Frame& into);
  const DecodeError& error() const { return error_; }

  /// What connection.tune-ok agreed on. Frames include the overhead of eight bytes.
  void set_frame_max(std::uint32_t frame_max) { max_payload_bytes_ = frame_max; }

 private:
  Step take_protocol_header(std::string_view buffered);
  Step fail(const DecodeError& error);

  std::uint32_t max_payload_bytes_;
  bool header_seen_;
  DecodeError error_;
};

}  // namespace braid::amqp
