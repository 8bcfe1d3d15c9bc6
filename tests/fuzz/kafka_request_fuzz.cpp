// Braid, Apache-2.0.
//
// Header and body of any request in any version, and the same bytes read as the response to it. What is accepted must
// encode to bytes that decode and encode to themselves.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "codecs/kafka/header.hpp"
#include "codecs/kafka/registry.hpp"

namespace {

using namespace braid;
using namespace braid::kafka;

void must(bool holds, std::string_view message, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(message.size()), message.data(), static_cast<int>(what.size()),
               what.data());
  std::abort();
}

template <class Message>
Bytes encoded(const Message& message, std::int16_t version) {
  FrameWriter writer;
  must(encode(writer, message, version).has_value(), Message::info.name, "what was decoded cannot be encoded");
  const std::size_t size = writer.size();
  ByteWriter whole(size + 1);
  for (const Bytes& part : writer.finish()) whole.raw(part);
  must(whole.size() == size, Message::info.name, "size of the chain");
  return whole.finish();
}

template <class Message>
void check(const Bytes& body, std::int16_t version) {
  // Small, so that the fuzzer also sees this limit at work.
  const DecodeLimits limits{1 << 20};
  const auto message = decode<Message>(body, version, limits);
  if (!message) {
    must(!to_string(message.error()).empty(), Message::info.name, "an error without text");
    return;
  }
  must(!print(*message, version).empty(), Message::info.name, "printed as nothing");
  const Bytes once = encoded(*message, version);
  ByteReader reader(once);
  const auto again = decode<Message>(reader, version, limits);
  must(again.has_value() && reader.remaining() == 0, Message::info.name, "what was encoded cannot be decoded");
  must(encoded(*again, version) == once, Message::info.name, "the second encoding differs from the first");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto request = read_request(Bytes::copy({reinterpret_cast<const char*>(data), size}));
  if (!request || request->support != Request::Support::supported) return 0;
  const std::int16_t version = request->header.request_api_version;
  Apis::with(request->header.api_key(), [&](auto api) {
    check<typename decltype(api)::Request>(request->body, version);
    check<typename decltype(api)::Response>(request->body, version);
  });
  return 0;
}
