// Braid, Apache-2.0.
//
// Inflation of hostile blocks. The first byte chooses the codec; the rest is both inflated and, as plain text, taken
// through compression and back.
#include <cstdlib>

#include "model/compression.hpp"

using namespace braid;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto codec = static_cast<Compression>(data[0] % 6);
  const Bytes input = Bytes::copy(std::span(data + 1, size - 1));
  for (std::size_t limit : {std::size_t{0}, std::size_t{100}, std::size_t{1} << 20}) {
    const auto output = decompress(codec, input, limit);
    if (output && output->size() > limit) std::abort();
  }
  ByteWriter compressed;
  if (compress(codec, input.view(), compressed)) {
    const auto output = decompress(codec, compressed.finish(), input.size());
    if (!output || !(*output == input)) std::abort();
  } else if (is_known(codec)) {
    std::abort();
  }
  return 0;
}
