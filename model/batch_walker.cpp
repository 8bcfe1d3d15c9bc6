// Braid, Apache-2.0.
//
// Walking records: each is checked as it is read, since the records of a compressed batch were not checked before.
#include "model/batch_walker.hpp"

#include <cassert>

namespace braid {

Result<BatchWalker, BatchError> BatchWalker::open(Bytes batch, std::size_t max_uncompressed_bytes) {
  const auto header = read_batch_header(batch.span());
  if (!header) return Unexpected{header.error()};
  if (batch.size() < header->size()) return Unexpected{BatchError::incomplete};
  if (batch.size() > header->size()) return Unexpected{BatchError::trailing_bytes};
  auto records = batch_records(batch, *header, max_uncompressed_bytes);
  if (!records) return Unexpected{records.error()};
  return BatchWalker(*header, std::move(*records));
}

bool BatchWalker::next(RecordView& record) {
  if (failed_) return false;
  if (read_ == header_.record_count) {
    failed_ = !cursor_.at_end();
    return false;
  }
  RawRecord raw;
  std::int64_t timestamp = 0;
  if (!read_record(cursor_, raw) || raw.offset_delta <= previous_delta_ ||
      raw.offset_delta > header_.last_offset_delta ||
      __builtin_add_overflow(header_.base_timestamp.value, raw.timestamp_delta, &timestamp)) {
    failed_ = true;
    return false;
  }
  ++read_;
  previous_delta_ = raw.offset_delta;
  record.offset = Offset(header_.base_offset.value + raw.offset_delta);
  record.timestamp =
      header_.timestamp_type() == TimestampType::log_append_time ? header_.max_timestamp : Timestamp(timestamp);
  record.key = raw.key;
  record.value = raw.value;
  record.headers = HeaderReader(raw.header_bytes, raw.header_count);
  return true;
}

Bytes BatchWalker::share(std::string_view part) const {
  if (part.empty()) return {};
  const auto* from = reinterpret_cast<const std::uint8_t*>(part.data());
  assert(from >= records_.data() && from + part.size() <= records_.data() + records_.size());
  return records_.slice(static_cast<std::size_t>(from - records_.data()), part.size());
}

std::optional<Bytes> BatchWalker::share(std::optional<std::string_view> part) const {
  if (!part) return std::nullopt;
  return share(*part);
}

Message BatchWalker::message(const RecordView& record) const {
  Message message{record.timestamp, share(record.key), share(record.value), {}};
  HeaderReader headers = record.headers;
  message.headers.reserve(static_cast<std::size_t>(headers.left()));
  for (HeaderView header; headers.next(header);) message.headers.push_back({share(header.key), share(header.value)});
  return message;
}

}  // namespace braid
