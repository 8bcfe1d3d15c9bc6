// Braid, Apache-2.0.
//
// Reads the records of a batch one after the other, for the protocols that deliver single messages. Keys and values
// are looked at where they lie: in the batch itself or, for a compressed one, in the block it inflates to. A consumer
// that keeps a value asks for a slice (`share`), which keeps that memory alive.
//
//   auto walker = BatchWalker::open(batch, limit);
//   if (!walker) return walker.error();
//   RecordView record;
//   while (walker->next(record)) deliver(record.offset, walker->share(record.value));
//   if (walker->failed()) ...                // a malformed record: nothing behind it can be trusted
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "model/bytes.hpp"
#include "model/ids.hpp"
#include "model/message.hpp"
#include "model/record_batch.hpp"
#include "model/record_format.hpp"
#include "model/result.hpp"

namespace braid {

/// A record; its views live as long as the walker or a slice that it shared.
struct RecordView {
  Offset offset{-1};
  Timestamp timestamp{-1};
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  HeaderReader headers;
};

class BatchWalker {
 public:
  /// Takes one whole batch; inflates it, to at most `max_uncompressed_bytes`, when it is compressed. The checksum is
  /// not looked at again: that is done when a batch enters the node and when it comes back from the disk.
  static Result<BatchWalker, BatchError> open(Bytes batch, std::size_t max_uncompressed_bytes);

  const BatchHeader& header() const { return header_; }

  /// Steps to the next record; false at the end and at a malformed record.
  bool next(RecordView& record);
  bool failed() const { return failed_; }

  /// A slice of this walker's memory that outlives it. `part` is a view out of one of its records.
  Bytes share(std::string_view part) const;
  std::optional<Bytes> share(std::optional<std::string_view> part) const;
  /// The whole record as a message; payloads stay where they are.
  Message message(const RecordView& record) const;

 private:
  BatchWalker(BatchHeader header, Bytes records)
      : header_(header), records_(std::move(records)), cursor_(records_.view()) {}

  BatchHeader header_;
  Bytes records_;
  RecordCursor cursor_;
  std::int32_t read_ = 0;
  std::int32_t previous_delta_ = -1;
  bool failed_ = false;
};

}  // namespace braid
