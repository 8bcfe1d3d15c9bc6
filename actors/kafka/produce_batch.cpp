// Braid, Apache-2.0.
#include "actors/kafka/produce_batch.hpp"

#include "actors/partition/batch_check.hpp"
#include "model/recompression.hpp"

namespace braid::kafka {

namespace {

constexpr std::int16_t kFirstVersionWithZstd = 7;

BatchRefusal refusal(BatchError error) {
  return {to_error_code(to_errc(error)), to_string(error)};
}

}  // namespace

BatchRefusal check_form(const Bytes& batch, std::int16_t version) {
  if (batch.empty()) return {ErrorCode::invalid_record, "no record batch for a partition"};
  const auto header = peek_batch_header(batch.span());
  if (!header && header.error() == BatchError::unsupported_magic)
    return {ErrorCode::invalid_record, "only record batches of message format 2 are taken"};
  // Anything else that is wrong with the length may have happened on the way.
  if (!header) return {ErrorCode::corrupt_message, to_string(header.error())};
  if (header->size() > batch.size()) return {ErrorCode::corrupt_message, to_string(BatchError::incomplete)};
  if (header->size() < batch.size()) return {ErrorCode::invalid_record, "more than one record batch for a partition"};
  if (header->compression() == Compression::zstd && version < kFirstVersionWithZstd)
    return {ErrorCode::unsupported_compression_type, "zstd needs version 7 of Produce"};
  // As for a request with a transactional id: this ends the producer at once instead of letting it try for ever.
  if (header->is_transactional())
    return {ErrorCode::transactional_id_authorization_failed, "transactions are not served"};
  return {};
}

BatchRefusal compress_for(const TopicSettings& topic, Bytes& batch) {
  if (!topic.compression) return {};
  const auto header = peek_batch_header(batch.span());
  if (!header || header->compression() == *topic.compression)
    return {};  // what is wrong with it the partition will say
  BatchLimits limits;
  limits.max_bytes = static_cast<std::size_t>(topic.max_message_bytes);
  limits.max_uncompressed_bytes = kMaxUncompressedBatchBytes;
  limits.check_compressed = true;
  const auto valid = validate_batch(batch, limits);
  if (!valid) return refusal(valid.error());
  auto compressed =
      recompress(batch, *valid, *topic.compression, topic.compression_level(), kMaxUncompressedBatchBytes);
  if (!compressed) return refusal(compressed.error());
  batch = std::move(*compressed);
  return {};
}

}  // namespace braid::kafka
