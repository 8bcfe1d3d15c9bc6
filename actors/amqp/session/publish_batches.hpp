// Braid, Apache-2.0.
//
// What the publishes of one read become: a record batch for each set of queues that messages were routed to, so that a
// thousand publishes to one queue, or to the same ten, are one actor message and one journal entry per loop.
//
// Order per queue is kept: no queue is in two batches that are open at a time. A message for a set of queues that
// overlaps with an open batch for another set closes that one first. Batches come out in the order they were closed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/amqp/definitions/interface.hpp"
#include "actors/amqp/message_record.hpp"
#include "codecs/amqp/types.hpp"
#include "model/batch_builder.hpp"

namespace braid::amqp {

/// Messages of one channel whose sequence numbers and places in a batch count up together.
struct Receipt {
  ChannelNumber channel = 0;
  std::uint64_t serial = 0;  ///< of the channel: its number may be another channel's by now
  std::uint64_t first = 0;   ///< sequence number; 0: of a transaction
  std::uint32_t count = 0;
  std::uint32_t record = 0;  ///< of the first, in the batch
};

struct SealedBatch {
  struct Target {
    std::uint32_t loop = 0;
    std::vector<QueueId> queues;
  };
  Bytes batch;
  std::vector<Target> targets;  ///< by loop, each once
  std::uint8_t priority = 0;
  bool persistent = false;
  std::uint32_t count = 0;
  std::vector<Receipt> receipts;
  std::int64_t delay_ms = 0;  ///< not 0: it waits at an exchange, and `targets` is one that says nothing
  std::string delayed_at = {};
};

class PublishBatches {
 public:
  struct Message {
    MessageRecordEncoder::Publish publish;
    bool persistent = false;
    std::uint8_t priority = 0;
  };

  /// For `queues`, which are not empty and each there once. `receipt` (first, channel and serial) when the publisher
  /// wants to know what becomes of it. False: the message is too large for a batch.
  bool add(const VhostView& vhost, std::span<const QueueNumber> queues, const Message& message, Timestamp arrived,
           const Receipt* receipt);
  /// One that waits before the exchange routes it (actors/amqp/delays).
  bool add_delayed(std::string_view exchange, std::int64_t delay_ms, const Message& message, Timestamp arrived,
                   const Receipt* receipt);
  /// Closes all and gives them away.
  std::vector<SealedBatch> take();
  bool empty() const { return open_.empty() && sealed_.empty(); }
  /// Encoded so far.
  std::uint64_t bytes() const;
  void clear();

 private:
  /// More than these at a time are not worth looking through for each message.
  static constexpr std::size_t max_open = 16;
  /// A batch beyond this is closed, so that no single one holds up a loop.
  static constexpr std::size_t good_batch_bytes = 1u << 20;

  struct Open {
    std::vector<QueueNumber> queues;       ///< as they were routed
    std::vector<std::uint32_t> by_number;  ///< the same, sorted
    std::vector<SealedBatch::Target> targets;
    bool has_priorities = false;
    std::uint8_t priority = 0;
    bool persistent = false;
    BatchBuilder builder;
    std::vector<Receipt> receipts;
  };
  Open& open_for(const VhostView& vhost, std::span<const QueueNumber> queues, std::uint8_t priority);
  Open& make(const VhostView& vhost, std::span<const QueueNumber> queues, std::uint8_t priority);
  void seal(Open& open);
  static void note(Open& open, const Receipt& receipt);

  MessageRecordEncoder encoder_;
  std::vector<Open> open_;
  std::vector<SealedBatch> sealed_;
  std::uint64_t sealed_bytes_ = 0;
};

}  // namespace braid::amqp
