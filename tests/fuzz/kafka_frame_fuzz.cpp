// Braid, Apache-2.0.
//
// Frames found in a stream, and the requests in them, must not depend on how the network cut it. The first byte seeds
// the cuts; what follows is received once in pieces and once at a stroke.
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "codecs/kafka/frame.hpp"
#include "codecs/kafka/header.hpp"
#include "codecs/kafka/registry.hpp"
#include "model/receive_buffer.hpp"

namespace {

using namespace braid;
using namespace braid::kafka;

constexpr std::int32_t largest_frame_bytes = 4096;

struct Connection {
  ReceiveBuffer buffer;
  std::vector<std::string> frames;
  bool refused = false;

  void receive(std::string_view bytes) {
    const auto room = buffer.writable(bytes.size());
    std::copy(bytes.begin(), bytes.end(), room.begin());
    buffer.commit(bytes.size());
    while (!refused) {
      const FrameProbe probe = probe_frame(buffer.readable(), largest_frame_bytes, frames.empty());
      if (probe.kind == FrameProbe::Kind::need_more) {
        if (probe.bytes <= buffer.size()) fail("asks for what is there already");
        return buffer.want(probe.bytes);
      }
      refused = probe.kind != FrameProbe::Kind::frame;
      if (refused) return;
      const Bytes frame = buffer.take(probe.bytes).slice(frame_prefix_bytes);
      frames.push_back(frame.str());
      if (const auto request = read_request(frame)) read(*request);
    }
  }
  /// Notes the request as it is understood: slices of the receive block, wherever that lies.
  void read(const Request& request) {
    frames.push_back(print(request.header, 2));
    if (request.support != Request::Support::supported) return;
    const std::int16_t version = request.header.request_api_version;
    Apis::with(request.header.api_key(), [&](auto api) {
      const DecodeLimits limits{1 << 20};
      const auto body = decode<typename decltype(api)::Request>(request.body, version, limits);
      frames.push_back(body ? print(*body, version) : to_string(body.error()));
    });
  }
  [[noreturn]] static void fail(const char* what) {
    std::fprintf(stderr, "%s\n", what);
    std::abort();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::minstd_rand random(data[0] + 1u);

  Connection at_once;
  if (!stream.empty()) at_once.receive(stream);
  Connection in_pieces;
  for (std::size_t done = 0; done < stream.size() && !in_pieces.refused;) {
    const std::size_t piece = 1 + random() % (random() % 2 ? 5 : 500);
    in_pieces.receive(stream.substr(done, piece));
    done += std::min(piece, stream.size() - done);
  }
  if (at_once.frames != in_pieces.frames) Connection::fail("other frames when received in pieces");
  if (at_once.refused != in_pieces.refused) Connection::fail("refused in one case only");
  return 0;
}
