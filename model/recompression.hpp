// Braid, Apache-2.0.
//
// A topic may ask for one codec whatever its producers send (`compression.type`). Then, and only then, a batch is
// inflated and compressed anew; records, sequence and producer stay as they are.
#pragma once

#include <optional>

#include "model/record_batch.hpp"

namespace braid {

/// `batch` is a whole batch whose header is `header`; its records inflate to at most `max_uncompressed_bytes`, else the
/// error says what is wrong with them. Should the codec fail for want of memory, the result is uncompressed.
Result<Bytes, BatchError> recompress(const Bytes& batch, BatchHeader header, Compression codec,
                                     std::optional<int> level, std::size_t max_uncompressed_bytes);

}  // namespace braid
