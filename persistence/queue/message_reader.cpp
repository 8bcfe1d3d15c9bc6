// Braid, Apache-2.0.
#include "persistence/queue/message_reader.hpp"

#include <algorithm>
#include <charconv>

#include "model/record_batch.hpp"

namespace braid {
namespace {

std::int64_t expiration_of(const RawRecord& record) {
  HeaderReader headers(record.header_bytes, record.header_count);
  HeaderView header;
  while (headers.next(header)) {
    if (header.key != kExpirationHeader || !header.value) continue;
    std::int64_t value = 0;
    const char* end = header.value->data() + header.value->size();
    const auto parsed = std::from_chars(header.value->data(), end, value);
    if (parsed.ec == std::errc() && parsed.ptr == end && value >= 0) return value;
  }
  return MessageReader::kNever;
}

}  // namespace

bool MessageReader::feed(Bytes batch, Offset base) {
  const auto header = read_batch_header(batch);
  if (!header || header->size() != batch.size() || header->compression() != Compression::none) return false;
  const Offset end(base.value + header->last_offset_delta + 1);
  if (!empty() && base < loaded_end()) return false;
  if (empty()) {
    position_ = kBatchHeaderBytes;
    at_ = base;
  }
  bytes_ += batch.size();
  batches_.push_back({std::move(batch), base, end, header->base_timestamp});
  return true;
}

void MessageReader::pop() {
  bytes_ -= front().bytes.size();
  batches_[front_].bytes = Bytes();
  if (++front_ == batches_.size() || front_ >= 64) {
    batches_.erase(batches_.begin(), batches_.begin() + static_cast<std::ptrdiff_t>(front_));
    front_ = 0;
  }
  position_ = kBatchHeaderBytes;
  if (!empty()) at_ = front().base;
}

void MessageReader::clear() {
  batches_ = {};
  front_ = 0;
  bytes_ = 0;
  found_ = Offset(-1);
}

bool MessageReader::step(Message& message) {
  const Loaded& loaded = front();
  const std::uint8_t* begin = loaded.bytes.data();
  RecordCursor cursor(begin + position_, begin + loaded.bytes.size());
  RawRecord record;
  if (cursor.at_end() || !read_record(cursor, record)) return false;
  message.begin = position_;
  message.end = static_cast<std::uint32_t>(loaded.bytes.size() - cursor.remaining());
  message.bytes = record.value ? static_cast<std::uint32_t>(record.value->size()) : 0;
  message.arrived = Timestamp(loaded.timestamp.value + record.timestamp_delta);
  message.expiration_ms = record.header_count == 0 ? kNever : expiration_of(record);
  position_ = message.end;
  at_ = Offset(at_.value + 1);
  return true;
}

MessageReader::Look MessageReader::find(Offset offset, Message& message) {
  while (!empty() && front().end <= offset) pop();
  if (empty()) return Look::wanted;
  if (front().base > offset) {
    // Either there is a gap in the log, or what came before was let go.
    if (found_.value >= 0 && offset <= found_) {
      clear();
      return Look::wanted;
    }
    gone_until_ = front().base;
    return Look::gone;
  }
  if (offset == found_ && at_.value == offset.value + 1) {
    message = last_;
    return Look::found;
  }
  if (offset < at_) {
    position_ = kBatchHeaderBytes;
    at_ = front().base;
  }
  while (at_ <= offset) {
    if (!step(message)) {
      gone_until_ = front().end;
      return Look::gone;
    }
  }
  found_ = offset;
  last_ = message;
  return Look::found;
}

bool measure_batch(const Bytes& batch, std::vector<std::uint32_t>& sizes) {
  const auto header = read_batch_header(batch);
  if (!header || header->size() != batch.size() || header->compression() != Compression::none ||
      header->base_offset.value != 0 || header->record_count != header->last_offset_delta + 1)
    return false;
  RecordCursor cursor(batch.data() + kBatchHeaderBytes, batch.data() + batch.size());
  RawRecord record;
  for (std::int32_t i = 0; i < header->record_count; ++i) {
    if (cursor.at_end() || !read_record(cursor, record) || record.offset_delta != i) return false;
    sizes.push_back(record.value ? static_cast<std::uint32_t>(record.value->size()) : 0);
  }
  return cursor.at_end();
}

}  // namespace braid
