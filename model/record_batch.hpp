// Braid, Apache-2.0.
//
// The record batch: Kafka's format with magic 2, the one form in which messages are appended, stored, replicated and
// fetched. Its 61-byte header is big-endian; records follow, perhaps compressed as one block. Base offset and leader
// epoch lie outside the checksum, so the broker stamps them without touching what the producer sent:
//
//   0 base offset i64 | 8 length of all that follows i32 | 12 leader epoch i32 | 16 magic i8 | 17 CRC32C u32
//   from here on under the checksum:
//   21 attributes i16 | 23 last offset delta i32 | 27 base timestamp i64 | 35 maximum timestamp i64
//   43 producer id i64 | 51 producer epoch i16 | 53 base sequence i32 | 57 number of records i32 | 61 records
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "model/bytes.hpp"
#include "model/compression.hpp"
#include "model/errors.hpp"
#include "model/ids.hpp"
#include "model/result.hpp"
#include "model/types.hpp"

namespace braid {

inline constexpr std::size_t kBatchHeaderBytes = 61;
/// Bytes in front of what the length field counts.
inline constexpr std::size_t kBatchPrefixBytes = 12;
inline constexpr std::int8_t kBatchMagic = 2;

enum class BatchError : std::uint8_t {
  incomplete = 1,            ///< fewer bytes than the header says
  trailing_bytes = 2,        ///< more bytes than one batch
  too_large = 3,             ///< larger than the limit
  unsupported_magic = 4,     ///< a message format before magic 2, or after it
  invalid_header = 5,        ///< a field out of range or in contradiction to another
  checksum_mismatch = 6,     ///<
  unknown_codec = 7,         ///<
  count_mismatch = 8,        ///< number of records, last offset delta and records disagree
  invalid_record = 9,        ///< a record does not fit its length, its batch or the format
  invalid_compression = 10,  ///< the compressed block is damaged
  inflates_too_large = 11,   ///< the records inflate beyond the limit
  not_for_clients = 12,      ///< a control batch, or offsets that only a broker assigns
};
std::string_view to_string(BatchError);
BatchError to_batch_error(CompressionError);
Errc to_errc(BatchError);

struct BatchHeader {
  Offset base_offset{0};
  std::int32_t batch_length = 0;  ///< of what follows this field
  LeaderEpoch partition_leader_epoch{-1};
  std::int8_t magic = kBatchMagic;
  std::uint32_t crc = 0;
  std::int16_t attributes = 0;
  std::int32_t last_offset_delta = 0;
  Timestamp base_timestamp{-1};
  Timestamp max_timestamp{-1};
  ProducerId producer_id{-1};
  ProducerEpoch producer_epoch{-1};
  std::int32_t base_sequence = -1;
  std::int32_t record_count = 0;

  static constexpr std::int16_t kCompressionMask = 0x07, kLogAppendTimeBit = 0x08, kTransactionalBit = 0x10,
                                kControlBit = 0x20, kDeleteHorizonBit = 0x40;

  Compression compression() const { return static_cast<Compression>(attributes & kCompressionMask); }
  TimestampType timestamp_type() const {
    return attributes & kLogAppendTimeBit ? TimestampType::log_append_time : TimestampType::create_time;
  }
  bool is_transactional() const { return attributes & kTransactionalBit; }
  bool is_control() const { return attributes & kControlBit; }
  bool has_producer() const { return producer_id.value >= 0; }
  Offset last_offset() const { return Offset(base_offset.value + last_offset_delta); }
  Offset next_offset() const { return Offset(base_offset.value + last_offset_delta + 1); }
  /// Sequence of the last record; sequences wrap from 2^31-1 to 0. -1 when the batch has no producer or no sequence.
  std::int32_t last_sequence() const {
    if (!has_producer() || base_sequence < 0) return -1;
    return static_cast<std::int32_t>(
        (static_cast<std::uint32_t>(base_sequence) + static_cast<std::uint32_t>(last_offset_delta)) & 0x7fffffffu);
  }
  /// The whole batch in bytes.
  std::size_t size() const { return kBatchPrefixBytes + static_cast<std::size_t>(batch_length); }
};

/// Reads the header at the front of `bytes`, which may hold more or less than the batch. Fields are in range and do not
/// contradict each other when it succeeds; the batch may still be incomplete, and its checksum is not looked at.
Result<BatchHeader, BatchError> read_batch_header(std::span<const std::uint8_t> bytes);
inline Result<BatchHeader, BatchError> read_batch_header(const Bytes& bytes) {
  return read_batch_header(bytes.span());
}

struct BatchLimits {
  std::size_t max_bytes = 100u << 20;  ///< the batch as it is, compressed or not
  /// With check_compressed, what a compressed batch may inflate to.
  std::size_t max_uncompressed_bytes = 100u << 20;
  /// Inflate compressed batches and check their records too. Uncompressed records are always checked.
  bool check_compressed = false;
  /// As sent by a producer: offsets from 0 and without gaps, no control batch. Batches from the log or from another
  /// node are exempt from that (compaction leaves gaps and even empty batches).
  bool from_client = true;
};

/// What a header says, whether or not it can be true; only magic and length are looked at. For refusing a batch by its
/// form before its checksum is known to be right.
Result<BatchHeader, BatchError> peek_batch_header(std::span<const std::uint8_t> bytes);

/// The times in a batch as its records have them. A header's maximum is the producer's word only.
struct RecordTimes {
  bool known = false;                  ///< the records were looked at
  Timestamp earliest{-1}, latest{-1};  ///< of the records that have one; -1 when none has
};

/// Exactly one whole batch, intact by its checksum, every length and count consistent. `times` is filled in when the
/// records are looked at: always for uncompressed ones.
Result<BatchHeader, BatchError> validate_batch(const Bytes& batch, const BatchLimits& limits = {},
                                               RecordTimes* times = nullptr);

/// Whether the checksum of a whole batch, whose header was read, is right. For what comes back from the disk.
bool checksum_matches(const Bytes& batch, const BatchHeader& header);

/// The records of a whole batch: the bytes behind the header, inflated to at most `max_bytes` when compressed.
Result<Bytes, BatchError> batch_records(const Bytes& batch, const BatchHeader& header, std::size_t max_bytes);

/// Writes base offset and leader epoch into a batch in place. The caller is its only reader (see Bytes::stamp).
void stamp_batch(Bytes& batch, Offset base_offset, LeaderEpoch epoch);

/// Turns a batch to log append time in place: one attribute bit, the maximum timestamp, and the checksum over them.
void rewrite_to_log_append_time(Bytes& batch, Timestamp now);
/// Puts the maximum of the records' own times into a header that says something else, in place.
void rewrite_max_timestamp(Bytes& batch, Timestamp latest);

/// Writes `header` over the first 61 bytes of a batch and puts the checksum of the whole batch into it; `batch` has
/// header.size() bytes, which header.batch_length must say.
void write_batch_header(std::uint8_t* batch, const BatchHeader& header);

/// Several batches one behind the other, as a fetch or a read of the journal yields them.
///
///   for (BatchSequence batches(bytes); batches.next();) use(batches.header(), batches.batch());
class BatchSequence {
 public:
  explicit BatchSequence(Bytes bytes) : rest_(std::move(bytes)) {}

  /// Steps to the next whole batch; false at the end, which is where an incomplete or malformed batch begins.
  bool next();
  const BatchHeader& header() const { return header_; }
  const Bytes& batch() const { return batch_; }

  /// What follows the current batch; empty when the whole sequence was read.
  const Bytes& rest() const { return rest_; }
  /// next() stopped at bytes that no number of further bytes would make a batch.
  bool failed() const { return failed_; }

 private:
  Bytes rest_;
  Bytes batch_;
  BatchHeader header_;
  bool failed_ = false;
};

}  // namespace braid
