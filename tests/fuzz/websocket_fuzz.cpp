// Braid, Apache-2.0.
//
// Any bytes to the WebSocket handshake and, behind a good one, to the frames, cut in any way. That good frames yield
// the same however they are cut is a randomized test's (websocket_frames_test.cpp); of bad ones libwslay sees more or
// less, depending on the cut, before it gives up.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "codecs/websocket/frames.hpp"
#include "codecs/websocket/handshake.hpp"

using namespace braid;
using namespace braid::websocket;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check_handshake(std::uint8_t choice, std::string_view stream) {
  const Policy policy{.root_path = (choice & 2) != 0,
                      .local_hosts = (choice & 4) != 0,
                      .origins = (choice & 8) != 0 ? std::string_view("https://a.example, *.b") : std::string_view(),
                      .max_bytes = 512};
  const auto whole = shake_hands(stream, policy);
  using Outcome = Handshake::Outcome;
  if (whole.outcome == Outcome::accepted) {
    require(whole.bytes <= stream.size() && whole.bytes <= policy.max_bytes);
    require(whole.response.starts_with("HTTP/1.1 101 ") && whole.response.ends_with("\r\n\r\n"));
  }
  if (whole.outcome == Outcome::refused) {
    require(!whole.reason.empty());
    require(whole.response.empty() || whole.response.starts_with("HTTP/1.1 "));
  }
  // Once decided, more bytes change nothing.
  bool decided = false;
  for (std::size_t size = 0; size <= stream.size(); size += 1 + stream.size() / 40) {
    const auto part = shake_hands(stream.substr(0, size), policy);
    require(!decided || part.outcome != Outcome::need_more);
    decided = part.outcome != Outcome::need_more;
    if (decided && part.outcome == Outcome::accepted)
      require(whole.outcome == Outcome::accepted && whole.bytes == part.bytes && whole.response == part.response);
  }
  is_for_mqtt(stream);
}

struct Fed {
  std::string payload;
};

Fed feed(std::string_view stream, std::size_t step) {
  Frames frames;
  ReceiveBuffer payload;
  Fed fed;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    // A copy of its own size, so that a sanitizer sees every read beyond it.
    const std::string part(stream.substr(at, step));
    frames.feed(part, payload);
    frames.take_output();
    fed.payload += payload.readable();
    payload.clear();
  }
  require(frames.end() != Frames::End::refused || !frames.reason().empty());
  return fed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (data[0] & 1) {
    check_handshake(data[0], stream);
    return 0;
  }
  for (const std::size_t step : {stream.size() + 1, std::size_t{1} + data[1]})
    require(feed(stream, step).payload.size() <= stream.size());
  return 0;
}
