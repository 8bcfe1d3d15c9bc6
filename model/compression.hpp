// Braid, Apache-2.0.
//
// The codecs of Kafka's record batches behind two functions. A batch is compressed by its producer and kept as it
// came; it is inflated only when somebody has to see single records (an MQTT subscriber, a deep check). What a few
// bytes inflate to is chosen by the peer, so every inflation is bounded, and nothing is kept between calls.
//
// Snappy is read in both framings in use: one raw block (librdkafka) and the blocks of the Java library, which is also
// what we write. LZ4 is the frame format with independent blocks (the Java client refuses linked ones). Zstandard
// frames may lack their content size. Several gzip members, LZ4 or zstd frames in a row count as one stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "model/byte_io.hpp"
#include "model/bytes.hpp"
#include "model/result.hpp"
#include "model/types.hpp"

namespace braid {

enum class CompressionError : std::uint8_t {
  unknown_codec = 1,
  corrupt = 2,        ///< not a whole stream of this codec
  too_large = 3,      ///< inflates to more than was allowed
  out_of_memory = 4,  ///< the library had no memory for its state
};
std::string_view to_string(CompressionError);

constexpr bool is_known(Compression codec) {
  return codec <= Compression::zstd;
}
std::string_view to_string(Compression);

/// Appends `input` compressed to `output`; with Compression::none it is copied. On an error `output` is as before.
/// Levels count as Kafka counts them (gzip 1 to 9, lz4 1 to 17, zstd -131072 to 22); what is beyond a library's own
/// range is clamped to it, and codecs without levels take no notice.
Outcome<CompressionError> compress(Compression codec, std::string_view input, ByteWriter& output,
                                   std::optional<int> level = {});

/// Inflates a whole stream of at most `max_bytes`; Compression::none yields the input itself, shared.
Result<Bytes, CompressionError> decompress(Compression codec, const Bytes& input, std::size_t max_bytes);

}  // namespace braid
