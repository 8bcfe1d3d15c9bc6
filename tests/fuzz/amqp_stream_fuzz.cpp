// Braid, Apache-2.0.
//
// TCP cuts a stream anywhere. However the bytes arrive, the same frames and the same messages must come out, and an
// error must be the same error; and a decoder that asks for bytes must really need them. The first three bytes of an
// input choose the pieces, the rest is the stream behind the protocol header.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "codecs/amqp/codec.hpp"
#include "codecs/amqp/content.hpp"
#include "codecs/amqp/decoder.hpp"
#include "codecs/amqp/encoder.hpp"

using namespace braid;
using namespace braid::amqp;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

struct Seen {
  std::vector<std::string> events;
  bool failed = false;
  friend bool operator==(const Seen&, const Seen&) = default;
};

/// What a session does with frames, as far as the codec goes.
class Session {
 public:
  Seen seen;

  void frame(const Frame& frame) {
    auto& content = contents_[frame.channel];
    if (frame.type != FrameType::heartbeat && content.active()) {
      if (auto error = content.take(frame, limits_)) return fail(*error);
      if (!content.active()) message(content);
      return;
    }
    if (frame.type == FrameType::heartbeat) return seen.events.push_back("heartbeat"), void();
    if (frame.type != FrameType::method) return fail({ReplyCode::unexpected_frame, "content without a method", {}});
    Method method;
    if (auto error = decode_method(frame.payload, limits_.table, method)) return fail(*error);
    seen.events.push_back(print(method));
    if (info_of(method).kind == MethodKind::content) content.begin(info_of(method).id);
  }
  void end_of_read(const Bytes& read) {
    for (auto& [channel, content] : contents_)
      if (content.active()) content.keep(read);
  }
  void fail(const DecodeError& error) {
    seen.failed = true;
    seen.events.push_back(describe(error));
  }

 private:
  void message(ContentAssembler& content) {
    std::string body;
    for (const auto piece : content.body()) body += piece;
    require(body.size() == content.header().body_bytes);
    seen.events.push_back(std::string(content.header().encoded) + body);
    content.reset();
  }
  ContentLimits limits_{.max_body_bytes = 4096, .table = {.max_bytes = 4096, .max_depth = 8}};
  std::map<ChannelNumber, ContentAssembler> contents_;
};

Seen feed(std::string_view stream, std::string_view pieces) {
  Session session;
  Decoder decoder(2048, Decoder::Peer::server);
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t wanted = 0;
  for (std::size_t piece = 0; !session.seen.failed; ++piece) {
    const std::size_t length =
        pieces.empty() ? stream.size() : 1 + static_cast<std::uint8_t>(pieces[piece % pieces.size()]);
    end = length < stream.size() - end ? end + length : stream.size();
    // A copy of its own size, so that a sanitizer sees every read beyond what has arrived, and every view that stays.
    const auto arrived = Bytes::copy(stream.substr(begin, end - begin));
    std::size_t taken = 0;
    while (!session.seen.failed) {
      Frame frame;
      const auto left = arrived.view().substr(taken);
      const auto step = decoder.next(left, frame);
      if (step.status == Decoder::Status::need_more) {
        require(step.bytes > left.size());
        wanted = step.bytes;
        break;
      }
      require(left.size() >= wanted || step.status == Decoder::Status::failed);
      wanted = 0;
      if (step.status == Decoder::Status::failed) {
        session.fail(decoder.error());
        break;
      }
      session.frame(frame);
      taken += step.bytes;
    }
    begin += taken;
    session.end_of_read(arrived);
    if (end == stream.size()) break;
  }
  return session.seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const std::string_view pieces(reinterpret_cast<const char*>(data), 3);
  const std::string_view stream(reinterpret_cast<const char*>(data) + 3, size - 3);
  const auto whole = feed(stream, {});
  require(feed(stream, pieces) == whole);
  if (stream.size() < 512) require(feed(stream, std::string_view("\0", 1)) == whole);
  return 0;
}
