// Braid, Apache-2.0.
//
// Makes a record batch of the messages that one read of a socket brought. Each record is encoded straight into the
// batch's block from wherever its parts lie, so a message costs one copy of its payload and no allocation.
//
//   BatchBuilder builder;
//   builder.add(now, topic_name, payload);
//   Bytes batch = builder.finish();          // the builder is empty again
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "model/byte_io.hpp"
#include "model/bytes.hpp"
#include "model/ids.hpp"
#include "model/message.hpp"
#include "model/record_batch.hpp"
#include "model/record_format.hpp"
#include "model/types.hpp"

namespace braid {

/// Identity of an idempotent or transactional producer, for one batch.
struct BatchProducer {
  ProducerId id{-1};
  ProducerEpoch epoch{-1};
  std::int32_t base_sequence = -1;
  bool transactional = false;
};

class BatchBuilder {
 public:
  static constexpr std::size_t kMaxBatchBytes = 1u << 30;

  explicit BatchBuilder(std::size_t max_bytes = kMaxBatchBytes) : max_bytes_(max_bytes) {}

  /// Appends a record. False, and nothing added, when the batch would become larger than `max_bytes`: finish it and
  /// begin another (or, when it is empty, refuse the message).
  bool add(Timestamp, std::optional<std::string_view> key, std::optional<std::string_view> value,
           std::span<const HeaderView> headers = {});
  bool add(const Message&);
  /// A value that lies in pieces, one behind the other.
  bool add_pieces(Timestamp, std::optional<std::string_view> key, std::span<const std::string_view> value,
                  std::span<const HeaderView> headers = {});

  /// The first block will have room for this much, so that a batch whose size is about known is allocated once.
  void reserve(std::size_t bytes) { expected_bytes_ = bytes; }

  std::int32_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  /// Size of the batch if it were finished now, uncompressed.
  std::size_t bytes() const { return writer_ ? writer_->size() : kBatchHeaderBytes; }
  Timestamp max_timestamp() const { return max_timestamp_; }

  /// The batch, offsets from 0; the builder is empty afterwards. Should a codec fail for want of memory, the batch
  /// comes uncompressed. A batch without records is what compaction leaves behind; producers must not make one.
  Bytes finish(Compression codec = Compression::none, const BatchProducer& producer = {});
  /// A control batch (transaction markers and the like) out of what was added.
  Bytes finish_control(const BatchProducer& producer);
  void clear();

 private:
  template <class Value, class Headers>
  bool encode(Timestamp, std::optional<std::string_view> key, const Value& value, const Headers&);
  ByteWriter& writer();
  Bytes seal(ByteWriter& batch, std::int16_t attributes, const BatchProducer& producer);

  std::size_t max_bytes_;
  std::size_t expected_bytes_ = 0;
  std::optional<ByteWriter> writer_;
  std::int32_t count_ = 0;
  Timestamp base_timestamp_{-1};
  Timestamp max_timestamp_{-1};
};

}  // namespace braid
