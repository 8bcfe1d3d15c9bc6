// Braid, Apache-2.0.
//
// Puts the frames of one message together: the content header behind its method, then bodies until all bytes are there
// (4.2.6). One assembler per channel, since the frames of different channels mix.
//
// A message that lies in one read is shown where it lies, and nothing is copied or counted. One that goes on in the
// next read keeps its blocks alive: the session calls `keep` with the read at its end, and the views stay good, those
// of the method in front too. Somebody who sends a large body in tiny frames would make views and blocks cost more than
// the body; from the first such frame on the body is gathered in one block instead.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "codecs/amqp/decoder.hpp"
#include "codecs/amqp/properties.hpp"
#include "model/bytes.hpp"

namespace braid::amqp {

struct ContentLimits {
  std::uint64_t max_body_bytes = std::uint64_t{16} << 20;
  TableLimits table = {};
};

class ContentAssembler {
 public:
  /// A frame of a body that is not its last and has fewer bytes than this is gathered.
  static constexpr std::size_t gather_below_bytes = 512;

  /// A method with content was decoded: its header comes next.
  void begin(MethodId method);
  /// Whether frames are still missing.
  bool active() const { return state_ != State::idle; }
  /// The next frame of the channel, whatever it is, while active(). After an error the assembler is idle.
  Check take(const Frame& frame, const ContentLimits& limits);

  /// After the last frame: the message, until the next begin() or reset().
  const ContentHeader& header() const { return header_; }
  /// In order; mostly one.
  std::span<const std::string_view> body() const { return pieces_; }

  /// The buffer that the frames so far were in goes on; called at the end of each read while active().
  void keep(const Bytes& read) { kept_.push_back(read); }
  /// Drops what is there, for a channel that closes and after a message was taken.
  void reset();
  std::size_t memory_bytes() const;

 private:
  enum class State : std::uint8_t { idle, header, body };
  Check take_header(const Frame& frame, const ContentLimits& limits);
  Check take_body(const Frame& frame);
  Check fail(ReplyCode code, std::string_view sentence);
  void gather(std::string_view piece);

  State state_ = State::idle;
  bool gathering_ = false;
  MethodId method_;
  ContentHeader header_;
  std::uint64_t missing_bytes_ = 0;
  std::vector<std::string_view> pieces_;
  std::vector<Bytes> kept_;
  ByteWriter gathered_{0};
};

}  // namespace braid::amqp
