// Braid, Apache-2.0.
//
// Any bytes as the payload of a method frame, and as a content header. What is taken is encoded, taken again, and must
// be encoded to the very same bytes.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "codecs/amqp/codec.hpp"
#include "codecs/amqp/encoder.hpp"

using namespace braid;
using namespace braid::amqp;

namespace {

constexpr TableLimits limits{.max_bytes = 1u << 16, .max_depth = 16};

void require(bool condition) {
  if (!condition) std::abort();
}

std::string encoded(const Method& method) {
  ByteWriter writer;
  encode_method(writer, 1, method);
  return std::string(writer.view());
}

void try_method(std::string_view payload) {
  Method method;
  if (const auto error = decode_method(payload, limits, method)) {
    require(closes_connection(error->code) && !error->sentence.empty());
    return;
  }
  require(print(method).starts_with(info_of(method).name));
  const auto once = encoded(method);
  require(once.size() == frame_overhead_bytes + payload.size());
  Method again;
  require(!decode_method(std::string_view(once).substr(frame_header_bytes, payload.size()), limits, again));
  require(again.index() == method.index() && encoded(again) == once);
}

void try_content_header(std::string_view payload) {
  ContentHeader header;
  if (const auto error = decode_content_header(payload, limits, header)) {
    require(!error->sentence.empty());
    return;
  }
  require(header.encoded.size() + 12 == payload.size());
  ByteWriter writer;
  encode_properties(writer, header.properties);
  require(writer.view() == header.encoded);
  require(!print(header.properties).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view payload(reinterpret_cast<const char*>(data), size);
  try_method(payload);
  try_content_header(payload);
  return 0;
}
