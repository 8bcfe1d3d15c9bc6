// Braid, Apache-2.0.
#include "codecs/websocket/frames.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "support/seed.hpp"

using namespace braid;
using namespace braid::websocket;

namespace {

constexpr unsigned kContinue = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10, kFinal = 0x80;

/// As a client sends it: masked.
std::string frame(unsigned first, std::string_view payload, std::string_view mask = "\x12\x34\x56\x78") {
  std::string bytes = binary_header(payload.size());
  bytes[0] = static_cast<char>(first);
  bytes[1] = static_cast<char>(static_cast<unsigned char>(bytes[1]) | 0x80u);
  bytes += mask;
  for (std::size_t i = 0; i < payload.size(); ++i) bytes.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
  return bytes;
}

struct Fed {
  std::string payload, output;
  Frames::End end;
};
Fed feed(const std::string& bytes, std::size_t step = SIZE_MAX) {
  Frames frames;
  ReceiveBuffer payload;
  for (std::size_t at = 0; at < bytes.size(); at += std::min(step, bytes.size() - at))
    frames.feed(std::string_view(bytes).substr(at, step), payload);
  return {std::string(payload.readable()), frames.take_output(), frames.end()};
}
std::string closing(std::uint16_t status) {
  return close_frame(status);
}

}  // namespace

TEST_CASE("binary frames of every length form become one stream of bytes, however they are cut") {
  std::string all, wanted;
  for (const std::size_t size : {0, 1, 125, 126, 127, 65535, 65536, 200000}) {
    const std::string payload(size, static_cast<char>('a' + size % 7));
    all += frame(kFinal | kBinary, payload);
    wanted += payload;
  }
  for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{1000}, SIZE_MAX}) {
    const auto fed = feed(all, step);
    CHECK(fed.payload == wanted);
    CHECK(fed.output.empty());
    CHECK(fed.end == Frames::End::none);
  }
}

TEST_CASE("fragments are put together, with pings answered between them") {
  const auto fed = feed(frame(kBinary, "one ") + frame(kFinal | kPing, "are you there") + frame(kContinue, "two ") +
                        frame(kFinal | kPong, "unasked") + frame(kFinal | kContinue, "three"));
  CHECK(fed.payload == "one two three");
  CHECK(fed.output ==
        "\x8a\x0d"
        "are you there");
  CHECK(fed.end == Frames::End::none);
}

TEST_CASE("a text frame ends the connection, and nothing behind it is looked at") {
  for (const auto& text : {frame(kFinal | kText, "hello"), frame(kText, "hel"), frame(kFinal | kText, "")}) {
    const auto fed = feed(frame(kFinal | kBinary, "before") + text + frame(kFinal | kBinary, "behind"));
    CHECK(fed.payload == "before");
    CHECK(fed.end == Frames::End::refused);
    CHECK(fed.output == closing(status_unsupported));
  }
}

TEST_CASE("a closing frame is answered with its status, and what follows is dropped") {
  const auto fed = feed(frame(kFinal | kBinary, "x") + frame(kFinal | kClose, std::string_view("\x03\xe8", 2)) +
                        frame(kFinal | kBinary, "y"));
  CHECK(fed.payload == "x");
  CHECK(fed.end == Frames::End::closed);
  CHECK(fed.output == closing(status_normal));
  CHECK(feed(frame(kFinal | kClose, {})).end == Frames::End::closed);
}

TEST_CASE("frames that break the protocol are refused") {
  const std::string cases[] = {
      std::string("\x82\x01x", 3),  // not masked
      frame(kFinal | 3, "x"),       // reserved types
      frame(kFinal | 11, "x"),
      frame(kFinal | 0x40 | kBinary, "x"),                      // reserved bits
      frame(kPing, "x"),                                        // a control frame in fragments
      frame(kFinal | kPing, std::string(126, 'x')),             // a control frame too long
      frame(kFinal | kContinue, "x"),                           // goes on with nothing
      frame(kBinary, "x") + frame(kFinal | kBinary, "y"),       // begins inside another
      std::string("\x82\xfe\x00\x01\0\0\0\0x", 9),              // a length in more bytes than it needs
      std::string("\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0", 14),    // a length with the highest bit
      frame(kFinal | kClose, "x"),                              // half a status
      frame(kFinal | kClose, std::string_view("\x03\xed", 2)),  // a status that is never sent
  };
  for (const auto& bytes : cases) {
    CAPTURE(bytes);
    CHECK(feed(bytes).end != Frames::End::none);
    CHECK(feed(bytes, 1).end != Frames::End::none);
    CHECK(feed(bytes + frame(kFinal | kBinary, "behind")).payload.find("behind") == std::string::npos);
  }
}

TEST_CASE("a random stream of frames gives the same however it is cut") {
  const auto seed = test_seed();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    std::string all, wanted;
    for (auto messages = random() % 5; messages > 0; --messages) {
      const auto fragments = 1 + random() % 4;
      for (std::size_t i = 0; i < fragments; ++i) {
        std::string part(random() % 300, '\0');
        for (auto& byte : part) byte = static_cast<char>(random());
        all += frame((i == 0 ? kBinary : kContinue) | (i + 1 == fragments ? kFinal : 0), part);
        wanted += part;
        if (random() % 3 == 0) all += frame(kFinal | kPing, "p");
      }
    }
    CHECK(feed(all, 1 + random() % 50).payload == wanted);
  }
}
