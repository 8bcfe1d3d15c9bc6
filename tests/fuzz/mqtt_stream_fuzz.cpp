// Braid, Apache-2.0.
//
// TCP cuts a stream anywhere. However the bytes arrive, the same packets must come out, and an error must be the same
// error; and a decoder that asks for bytes must really need them.
#include <cstddef>
#include <vector>

#include "mqtt_fuzz.hpp"

using namespace braid;
using namespace braid::mqtt;
using namespace braid::mqtt::fuzzing;

namespace {

struct Seen {
  std::vector<std::string> packets;
  bool failed = false;
  ReasonCode reason = ReasonCode::success;
  friend bool operator==(const Seen&, const Seen&) = default;
};

/// Feeds the stream in pieces; piece n has as many bytes as `pieces` says, over and over.
Seen feed(const Setup& setup, std::string_view stream, std::string_view pieces) {
  Seen seen;
  Decoder decoder = setup.decoder();
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t wanted = 0;
  for (std::size_t piece = 0; !seen.failed; ++piece) {
    const std::size_t length =
        pieces.empty() ? stream.size() : 1 + static_cast<std::uint8_t>(pieces[piece % pieces.size()]);
    end = length < stream.size() - end ? end + length : stream.size();
    for (;;) {
      Packet packet;
      // A copy of its own size, so that a sanitizer sees every read beyond what has arrived.
      const std::vector<char> arrived(stream.begin() + static_cast<std::ptrdiff_t>(begin),
                                      stream.begin() + static_cast<std::ptrdiff_t>(end));
      const auto step = decoder.next({arrived.data(), arrived.size()}, packet);
      if (step.status == Decoder::Status::need_more) {
        require(step.bytes > arrived.size());
        wanted = step.bytes;
        break;
      }
      require(step.status == Decoder::Status::failed || arrived.size() >= wanted);
      wanted = 0;
      if (step.status == Decoder::Status::failed) {
        seen.failed = true;
        seen.reason = decoder.error().reason;
        break;
      }
      seen.packets.push_back(encoded(level_of(decoder), packet));
      begin += step.bytes;
    }
    if (end == stream.size()) break;
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const Setup setup = Setup::from(data[0]);
  const std::string_view pieces(reinterpret_cast<const char*>(data) + 1, 3);
  const std::string_view stream(reinterpret_cast<const char*>(data) + 4, size - 4);
  const auto whole = feed(setup, stream, {});
  require(feed(setup, stream, pieces) == whole);
  if (stream.size() < 512) require(feed(setup, stream, std::string_view("\0", 1)) == whole);
  return 0;
}
