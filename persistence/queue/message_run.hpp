// Braid, Apache-2.0.
//
// Messages of a queue as they travel to whoever gets them: a run of records that follow each other in one stored batch,
// as a slice of it. Nothing is decoded on the way and no payload is copied.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/batch_walker.hpp"
#include "model/bytes.hpp"
#include "model/ids.hpp"

namespace braid {

/// Messages that follow each other in one record batch, not copied. `RunWalker` reads them.
struct MessageRun {
  Bytes records;              ///< their encoded records and nothing else
  Offset batch_offset;        ///< of the batch they are in; their own are relative to it
  Timestamp batch_timestamp;  ///< likewise
  Offset first;               ///< of the first message here; the others follow without a gap
  std::uint32_t count = 0;
  std::uint8_t priority = 0;
  bool redelivered = false;      ///< given to a consumer before
  std::uint16_t deliveries = 0;  ///< counted returns so far (`x-delivery-count`)
};

/// Steps through a run; RecordView::offset is the message's offset in its queue.
class RunWalker {
 public:
  explicit RunWalker(const MessageRun& run) : run_(run), cursor_(run.records.view()) {}
  bool next(RecordView& record) {
    RawRecord raw;
    if (cursor_.at_end() || !read_record(cursor_, raw)) return false;
    record.offset = Offset(run_.batch_offset.value + raw.offset_delta);
    record.timestamp = Timestamp(run_.batch_timestamp.value + raw.timestamp_delta);
    record.key = raw.key;
    record.value = raw.value;
    record.headers = HeaderReader(raw.header_bytes, raw.header_count);
    return true;
  }
  /// What lies behind the `walked` messages that `next` has yielded.
  MessageRun rest(std::uint32_t walked) const {
    MessageRun behind = run_;
    behind.records = run_.records.slice(run_.records.size() - cursor_.remaining());
    behind.first.value += walked;
    behind.count -= walked;
    return behind;
  }
  /// A slice that outlives the run. `part` is a view out of one of its records.
  Bytes share(std::string_view part) const {
    if (part.empty()) return {};
    return run_.records.slice(
        static_cast<std::size_t>(reinterpret_cast<const std::uint8_t*>(part.data()) - run_.records.data()),
        part.size());
  }

 private:
  const MessageRun& run_;
  RecordCursor cursor_;
};

}  // namespace braid
