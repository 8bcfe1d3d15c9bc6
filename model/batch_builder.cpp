// Braid, Apache-2.0.
//
// Encoding records. A record's length stands in front of it as a varint, so it is computed before anything is written.
#include "model/batch_builder.hpp"

#include <algorithm>
#include <limits>

#include "model/compression.hpp"

namespace braid {
namespace {

constexpr std::size_t kSmallestBlockBytes = 512;

std::string_view view_of(std::string_view bytes) {
  return bytes;
}
std::string_view view_of(const Bytes& bytes) {
  return bytes.view();
}
template <class T>
std::optional<std::string_view> view_of(const std::optional<T>& bytes) {
  if (!bytes) return std::nullopt;
  return view_of(*bytes);
}

std::size_t zigzag_size(std::int64_t value) {
  return varint_size(zigzag(value));
}
std::size_t field_size(std::optional<std::string_view> bytes) {
  return bytes ? zigzag_size(static_cast<std::int64_t>(bytes->size())) + bytes->size() : 1;
}

std::uint8_t* put_varint(std::uint8_t* at, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) *at++ = static_cast<std::uint8_t>(value) | 0x80;
  *at++ = static_cast<std::uint8_t>(value);
  return at;
}
std::uint8_t* put_zigzag(std::uint8_t* at, std::int64_t value) {
  return put_varint(at, zigzag(value));
}
std::uint8_t* put_field(std::uint8_t* at, std::optional<std::string_view> bytes) {
  if (!bytes) return put_zigzag(at, -1);
  at = put_zigzag(at, static_cast<std::int64_t>(bytes->size()));
  if (!bytes->empty()) std::memcpy(at, bytes->data(), bytes->size());
  return at + bytes->size();
}

/// A value that is put together as it is written.
struct Pieces {
  std::span<const std::string_view> pieces;
  std::size_t bytes = 0;
};
std::size_t field_size(const Pieces& value) {
  return zigzag_size(static_cast<std::int64_t>(value.bytes)) + value.bytes;
}
std::uint8_t* put_field(std::uint8_t* at, const Pieces& value) {
  at = put_zigzag(at, static_cast<std::int64_t>(value.bytes));
  for (const auto piece : value.pieces) {
    if (!piece.empty()) std::memcpy(at, piece.data(), piece.size());
    at += piece.size();
  }
  return at;
}

}  // namespace

ByteWriter& BatchBuilder::writer() {
  if (!writer_) {
    writer_.emplace(std::max(kSmallestBlockBytes, expected_bytes_));
    writer_->grow(kBatchHeaderBytes);
  }
  return *writer_;
}

template <class Value, class Headers>
bool BatchBuilder::encode(Timestamp timestamp, std::optional<std::string_view> key, const Value& value,
                          const Headers& headers) {
  // Deltas must not overflow, whatever clock the timestamp came from.
  timestamp.value = std::clamp<std::int64_t>(timestamp.value, -1, std::numeric_limits<std::int64_t>::max() - 1);
  const Timestamp base = count_ == 0 ? timestamp : base_timestamp_;
  const std::int64_t timestamp_delta = timestamp.value - base.value;
  std::size_t body = 1 + zigzag_size(timestamp_delta) + zigzag_size(count_) + field_size(key) + field_size(value) +
                     zigzag_size(static_cast<std::int64_t>(headers.size()));
  for (const auto& header : headers) body += field_size(view_of(header.key)) + field_size(view_of(header.value));
  const std::size_t whole = zigzag_size(static_cast<std::int64_t>(body)) + body;
  if (whole > max_bytes_ || bytes() + whole > max_bytes_) return false;

  if (count_ == 0) expected_bytes_ = std::max(expected_bytes_, kBatchHeaderBytes + whole);
  std::uint8_t* at = writer().grow(whole);
  at = put_zigzag(at, static_cast<std::int64_t>(body));
  *at++ = 0;  // attributes
  at = put_zigzag(at, timestamp_delta);
  at = put_zigzag(at, count_);
  at = put_field(at, key);
  at = put_field(at, value);
  at = put_zigzag(at, static_cast<std::int64_t>(headers.size()));
  for (const auto& header : headers) {
    at = put_field(at, view_of(header.key));
    at = put_field(at, view_of(header.value));
  }
  base_timestamp_ = base;
  max_timestamp_ = count_ == 0 ? timestamp : std::max(max_timestamp_, timestamp);
  ++count_;
  return true;
}

bool BatchBuilder::add(Timestamp timestamp, std::optional<std::string_view> key, std::optional<std::string_view> value,
                       std::span<const HeaderView> headers) {
  return encode(timestamp, key, value, headers);
}

bool BatchBuilder::add_pieces(Timestamp timestamp, std::optional<std::string_view> key,
                              std::span<const std::string_view> value, std::span<const HeaderView> headers) {
  Pieces pieces{value};
  for (const auto piece : value) pieces.bytes += piece.size();
  return encode(timestamp, key, pieces, headers);
}

bool BatchBuilder::add(const Message& message) {
  return encode(message.timestamp, view_of(message.key), view_of(message.value), message.headers);
}

Bytes BatchBuilder::finish(Compression codec, const BatchProducer& producer) {
  const std::int16_t transactional = producer.transactional ? BatchHeader::kTransactionalBit : 0;
  if (codec != Compression::none && count_ > 0) {
    const std::string_view records = writer_->view().substr(kBatchHeaderBytes);
    ByteWriter compressed(kBatchHeaderBytes + records.size() / 2 + 256);
    compressed.grow(kBatchHeaderBytes);
    if (compress(codec, records, compressed))
      return seal(compressed, static_cast<std::int16_t>(transactional | static_cast<std::int16_t>(codec)), producer);
  }
  return seal(writer(), transactional, producer);
}

Bytes BatchBuilder::finish_control(const BatchProducer& producer) {
  const std::int16_t transactional = producer.transactional ? BatchHeader::kTransactionalBit : 0;
  return seal(writer(), static_cast<std::int16_t>(transactional | BatchHeader::kControlBit), producer);
}

Bytes BatchBuilder::seal(ByteWriter& batch, std::int16_t attributes, const BatchProducer& producer) {
  BatchHeader header;
  header.batch_length = static_cast<std::int32_t>(batch.size() - kBatchPrefixBytes);
  header.attributes = attributes;
  header.last_offset_delta = std::max(count_ - 1, 0);
  header.base_timestamp = base_timestamp_;
  header.max_timestamp = max_timestamp_;
  header.producer_id = producer.id;
  header.producer_epoch = producer.epoch;
  header.base_sequence = producer.base_sequence;
  header.record_count = count_;
  write_batch_header(batch.data(), header);
  Bytes sealed = batch.finish();
  clear();
  return sealed;
}

void BatchBuilder::clear() {
  writer_.reset();
  expected_bytes_ = 0;
  count_ = 0;
  base_timestamp_ = max_timestamp_ = Timestamp(-1);
}

}  // namespace braid
