// Braid, Apache-2.0.
//
// Reading, checking and stamping record batches.
#include "model/record_batch.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

#include "model/byte_io.hpp"
#include "model/crc32c.hpp"
#include "model/record_format.hpp"

namespace braid {
namespace {

constexpr std::size_t kBaseOffsetAt = 0, kLengthAt = 8, kLeaderEpochAt = 12, kMagicAt = 16, kCrcAt = 17,
                      kAttributesAt = 21, kLastOffsetDeltaAt = 23, kBaseTimestampAt = 27, kMaxTimestampAt = 35,
                      kProducerIdAt = 43, kProducerEpochAt = 51, kBaseSequenceAt = 53, kRecordCountAt = 57;

// Length, attributes, two deltas, two null lengths and the number of headers, a byte each.
constexpr std::size_t kSmallestRecordBytes = 7;

Unexpected<BatchError> error(BatchError what) {
  return Unexpected{what};
}

bool fields_agree(const BatchHeader& header) {
  if (header.base_offset.value < 0 || header.last_offset_delta < 0) return false;
  if (header.base_offset.value > std::numeric_limits<std::int64_t>::max() - header.last_offset_delta - 1) return false;
  if (header.base_timestamp.value < -1 || header.max_timestamp.value < -1) return false;
  if (header.producer_id.value < -1) return false;
  // Without a producer epoch and sequence mean nothing: kafkajs and sarama leave zeros there.
  if (!header.has_producer()) return !header.is_transactional();
  if (header.producer_epoch.value < 0) return false;
  return header.base_sequence >= 0 || (header.base_sequence == -1 && header.is_control());
}

/// Magic and length are right, and all of the header is there; fields may say anything.
Result<BatchHeader, BatchError> load_header(std::span<const std::uint8_t> bytes) {
  // The magic is looked at first: a batch of an older format can be shorter than our header.
  if (bytes.size() <= kMagicAt) return error(BatchError::incomplete);
  const std::uint8_t* at = bytes.data();
  BatchHeader header;
  header.magic = load_big<std::int8_t>(at + kMagicAt);
  if (header.magic != kBatchMagic) return error(BatchError::unsupported_magic);
  header.batch_length = load_big<std::int32_t>(at + kLengthAt);
  if (header.batch_length < static_cast<std::int32_t>(kBatchHeaderBytes - kBatchPrefixBytes))
    return error(BatchError::invalid_header);
  if (bytes.size() < kBatchHeaderBytes) return error(BatchError::incomplete);
  header.base_offset.value = load_big<std::int64_t>(at + kBaseOffsetAt);
  header.partition_leader_epoch.value = load_big<std::int32_t>(at + kLeaderEpochAt);
  header.crc = load_big<std::uint32_t>(at + kCrcAt);
  header.attributes = load_big<std::int16_t>(at + kAttributesAt);
  header.last_offset_delta = load_big<std::int32_t>(at + kLastOffsetDeltaAt);
  header.base_timestamp.value = load_big<std::int64_t>(at + kBaseTimestampAt);
  header.max_timestamp.value = load_big<std::int64_t>(at + kMaxTimestampAt);
  header.producer_id.value = load_big<std::int64_t>(at + kProducerIdAt);
  header.producer_epoch.value = load_big<std::int16_t>(at + kProducerEpochAt);
  header.base_sequence = load_big<std::int32_t>(at + kBaseSequenceAt);
  header.record_count = load_big<std::int32_t>(at + kRecordCountAt);
  return header;
}

Outcome<BatchError> check_header(const BatchHeader& header) {
  if (!fields_agree(header)) return error(BatchError::invalid_header);
  if (header.record_count < 0 || header.record_count > static_cast<std::int64_t>(header.last_offset_delta) + 1)
    return error(BatchError::count_mismatch);
  return ok;
}

/// Walks the records of a batch; `records` is the inflated block.
Outcome<BatchError> check_records(const BatchHeader& header, std::string_view records, bool dense, RecordTimes& times) {
  RecordCursor cursor(records);
  RawRecord record;
  std::int64_t previous = -1;
  constexpr std::int64_t none = std::numeric_limits<std::int64_t>::max();
  std::int64_t earliest = none, latest = -1;
  for (std::int32_t i = 0; i < header.record_count; ++i) {
    if (cursor.at_end()) return error(BatchError::count_mismatch);
    if (!read_record(cursor, record)) return error(BatchError::invalid_record);
    if (record.offset_delta <= previous || record.offset_delta > header.last_offset_delta)
      return error(BatchError::invalid_record);
    if (dense && record.offset_delta != i) return error(BatchError::invalid_record);
    previous = record.offset_delta;
    std::int64_t timestamp;
    if (__builtin_add_overflow(header.base_timestamp.value, record.timestamp_delta, &timestamp) || timestamp < -1)
      return error(BatchError::invalid_record);
    if (timestamp >= 0) earliest = std::min(earliest, timestamp);
    latest = std::max(latest, timestamp);
  }
  if (!cursor.at_end()) return error(BatchError::count_mismatch);
  times = {true, Timestamp(earliest == none ? -1 : earliest), Timestamp(latest)};
  return ok;
}

}  // namespace

Result<BatchHeader, BatchError> read_batch_header(std::span<const std::uint8_t> bytes) {
  const auto header = load_header(bytes);
  if (!header) return header;
  if (auto checked = check_header(*header); !checked) return error(checked.error());
  return header;
}

bool checksum_matches(const Bytes& batch, const BatchHeader& header) {
  if (batch.size() < kBatchHeaderBytes) return false;
  return crc32c(batch.span().subspan(kAttributesAt)) == header.crc;
}

Result<BatchHeader, BatchError> peek_batch_header(std::span<const std::uint8_t> bytes) {
  return load_header(bytes);
}

Result<BatchHeader, BatchError> validate_batch(const Bytes& batch, const BatchLimits& limits, RecordTimes* times) {
  const auto loaded = load_header(batch.span());
  if (!loaded) return loaded;
  const BatchHeader& header = *loaded;
  if (header.size() > limits.max_bytes) return error(BatchError::too_large);
  if (batch.size() < header.size()) return error(BatchError::incomplete);
  if (batch.size() > header.size()) return error(BatchError::trailing_bytes);
  if (!checksum_matches(batch, header)) return error(BatchError::checksum_mismatch);
  // Fields are judged under a right checksum only, so that damage on the way is not taken for a producer's mistake.
  if (auto checked = check_header(header); !checked) return error(checked.error());
  if (!is_known(header.compression())) return error(BatchError::unknown_codec);
  if (limits.from_client) {
    if (header.is_control() || header.base_offset.value != 0) return error(BatchError::not_for_clients);
    if (header.record_count != header.last_offset_delta + std::int64_t{1}) return error(BatchError::count_mismatch);
  }
  Bytes records = batch.slice(kBatchHeaderBytes);
  if (header.compression() != Compression::none) {
    // A number of records that cannot be inside would burn as many offsets.
    if (static_cast<std::size_t>(header.record_count) > limits.max_uncompressed_bytes / kSmallestRecordBytes)
      return error(BatchError::count_mismatch);
    if (!limits.check_compressed) return header;
    auto inflated = batch_records(batch, header, limits.max_uncompressed_bytes);
    if (!inflated) return error(inflated.error());
    records = std::move(*inflated);
  }
  RecordTimes found;
  if (auto checked = check_records(header, records.view(), limits.from_client, found); !checked)
    return error(checked.error());
  if (times) *times = found;
  return header;
}

Result<Bytes, BatchError> batch_records(const Bytes& batch, const BatchHeader& header, std::size_t max_bytes) {
  Bytes records = batch.slice(kBatchHeaderBytes);
  // What compaction leaves of a batch whose records are all gone keeps its codec, but has nothing to inflate.
  if (header.compression() == Compression::none || (header.record_count == 0 && records.empty())) return records;
  auto inflated = decompress(header.compression(), records, max_bytes);
  if (!inflated) return error(to_batch_error(inflated.error()));
  return std::move(*inflated);
}

void stamp_batch(Bytes& batch, Offset base_offset, LeaderEpoch epoch) {
  assert(batch.size() >= kBatchHeaderBytes);
  store_big(batch.stamp() + kBaseOffsetAt, base_offset.value);
  store_big(batch.stamp() + kLeaderEpochAt, epoch.value);
}

void rewrite_to_log_append_time(Bytes& batch, Timestamp now) {
  assert(batch.size() >= kBatchHeaderBytes);
  std::uint8_t* at = batch.stamp();
  const auto attributes = load_big<std::int16_t>(at + kAttributesAt);
  store_big(at + kAttributesAt, static_cast<std::int16_t>(attributes | BatchHeader::kLogAppendTimeBit));
  store_big(at + kMaxTimestampAt, now.value);
  store_big(at + kCrcAt, crc32c(batch.span().subspan(kAttributesAt)));
}

void rewrite_max_timestamp(Bytes& batch, Timestamp latest) {
  assert(batch.size() >= kBatchHeaderBytes);
  std::uint8_t* at = batch.stamp();
  store_big(at + kMaxTimestampAt, latest.value);
  store_big(at + kCrcAt, crc32c(batch.span().subspan(kAttributesAt)));
}

void write_batch_header(std::uint8_t* batch, const BatchHeader& header) {
  assert(header.size() >= kBatchHeaderBytes);
  store_big(batch + kBaseOffsetAt, header.base_offset.value);
  store_big(batch + kLengthAt, header.batch_length);
  store_big(batch + kLeaderEpochAt, header.partition_leader_epoch.value);
  store_big(batch + kMagicAt, header.magic);
  store_big(batch + kAttributesAt, header.attributes);
  store_big(batch + kLastOffsetDeltaAt, header.last_offset_delta);
  store_big(batch + kBaseTimestampAt, header.base_timestamp.value);
  store_big(batch + kMaxTimestampAt, header.max_timestamp.value);
  store_big(batch + kProducerIdAt, header.producer_id.value);
  store_big(batch + kProducerEpochAt, header.producer_epoch.value);
  store_big(batch + kBaseSequenceAt, header.base_sequence);
  store_big(batch + kRecordCountAt, header.record_count);
  store_big(batch + kCrcAt, crc32c(std::span<const std::uint8_t>(batch, header.size()).subspan(kAttributesAt)));
}

bool BatchSequence::next() {
  if (failed_ || rest_.empty()) return false;
  const auto read = read_batch_header(rest_.span());
  if (!read) {
    failed_ = read.error() != BatchError::incomplete;
    return false;
  }
  if (rest_.size() < read->size()) return false;
  header_ = *read;
  batch_ = rest_.slice(0, header_.size());
  rest_ = rest_.slice(header_.size());
  return true;
}

std::string_view to_string(BatchError what) {
  switch (what) {
    case BatchError::incomplete:
      return "record batch is incomplete";
    case BatchError::trailing_bytes:
      return "bytes follow the record batch";
    case BatchError::too_large:
      return "record batch is too large";
    case BatchError::unsupported_magic:
      return "message format is not magic 2";
    case BatchError::invalid_header:
      return "record batch header is invalid";
    case BatchError::checksum_mismatch:
      return "record batch does not match its checksum";
    case BatchError::unknown_codec:
      return "compression codec of the record batch is unknown";
    case BatchError::count_mismatch:
      return "record batch has another number of records than it says";
    case BatchError::invalid_record:
      return "record is malformed";
    case BatchError::invalid_compression:
      return "compressed records are damaged";
    case BatchError::inflates_too_large:
      return "compressed records inflate beyond the limit";
    case BatchError::not_for_clients:
      return "record batch is one that only a broker may write";
  }
  return "record batch error";
}

BatchError to_batch_error(CompressionError what) {
  switch (what) {
    case CompressionError::unknown_codec:
      return BatchError::unknown_codec;
    case CompressionError::too_large:
      return BatchError::inflates_too_large;
    case CompressionError::corrupt:
    case CompressionError::out_of_memory:
      break;
  }
  return BatchError::invalid_compression;
}

Errc to_errc(BatchError what) {
  switch (what) {
    case BatchError::too_large:
    case BatchError::inflates_too_large:
      return Errc::batch_too_large;
    case BatchError::unknown_codec:
      return Errc::unsupported_compression;
    case BatchError::trailing_bytes:
    case BatchError::unsupported_magic:
    case BatchError::count_mismatch:
    case BatchError::invalid_record:
    case BatchError::not_for_clients:
    case BatchError::invalid_header:
    case BatchError::invalid_compression:
      return Errc::invalid_record;
    // These may be damage on the way: clients send the batch again.
    case BatchError::incomplete:
    case BatchError::checksum_mismatch:
      break;
  }
  return Errc::corrupt_batch;
}

}  // namespace braid
