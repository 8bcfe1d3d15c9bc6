// Braid, Apache-2.0.
//
// Finds frames in what has been received. A frame is a length of four bytes and that many bytes. Read as a length, the
// first bytes of any other protocol are a number beyond every sensible limit; so when the first length is not plausible
// the bytes are looked at again, and the log can say what the client speaks instead of "frame too large".
#pragma once

#include <cstdint>
#include <string_view>

#include "codecs/protocol_guess.hpp"

namespace braid::kafka {

inline constexpr std::size_t frame_prefix_bytes = 4;
/// The least that a request can be: key, version and correlation id.
inline constexpr std::int32_t smallest_request_bytes = 8;
/// Kafka's `socket.request.max.bytes`.
inline constexpr std::int32_t default_largest_frame_bytes = 100 << 20;

struct FrameProbe {
  enum class Kind : std::uint8_t {
    need_more,      ///< `bytes` in all must be there before asking again
    frame,          ///< the first `bytes` bytes, prefix included, are a frame
    too_large,      ///< a length of `bytes`, beyond the limit
    invalid,        ///< a length that no request can have
    other_protocol  ///< the client speaks `protocol`
  };
  Kind kind = Kind::need_more;
  std::size_t bytes = frame_prefix_bytes;
  WireProtocol protocol = WireProtocol::unknown;
};

/// Looks at the front of the bytes received and not consumed yet. `first` is true until a frame of the connection has
/// been seen: only then are bytes guessed at.
FrameProbe probe_frame(std::string_view received, std::int32_t largest_frame_bytes, bool first);

}  // namespace braid::kafka
