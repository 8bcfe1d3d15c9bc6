// Braid, Apache-2.0.
#include "model/recompression.hpp"

#include <limits>

#include "model/byte_io.hpp"

namespace braid {

Result<Bytes, BatchError> recompress(const Bytes& batch, BatchHeader header, Compression codec,
                                     std::optional<int> level, std::size_t max_uncompressed_bytes) {
  const auto records = batch_records(batch, header, max_uncompressed_bytes);
  if (!records) return Unexpected{records.error()};
  ByteWriter output(kBatchHeaderBytes + (codec == Compression::none ? records->size() : records->size() / 2) + 256);
  output.grow(kBatchHeaderBytes);
  if (!compress(codec, records->view(), output, level)) {
    codec = Compression::none;
    output.raw(records->view());
  }
  if (output.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    return Unexpected{BatchError::too_large};
  header.attributes = static_cast<std::int16_t>((header.attributes & ~BatchHeader::kCompressionMask) |
                                                static_cast<std::int16_t>(codec));
  header.batch_length = static_cast<std::int32_t>(output.size() - kBatchPrefixBytes);
  write_batch_header(output.data(), header);
  return output.finish();
}

}  // namespace braid
