// Braid, Apache-2.0.
//
// The vocabulary of queues: what one promises, how a message of one is named, and what can become of it. Shared by the
// state machine (this room), the actors that drive it, and the protocols on top.
#pragma once

#include <cstdint>
#include <optional>

#include "model/ids.hpp"

namespace braid {

/// A queue for as long as it lives and this process runs. What outlives the process refers to queues by name.
using QueueId = StrongId<struct QueueIdTag, std::uint64_t>;

/// A queue's log is one partition per message priority, all in one journal. Their ids lie above all that the catalog
/// gives out, so that the journal needs no catalog entry per queue.
inline constexpr std::uint64_t kQueuePartitionBit = 1ull << 62;
inline constexpr unsigned kPriorityBits = 8;
inline constexpr PartitionId queue_partition(QueueId queue, std::uint8_t priority) {
  return PartitionId(kQueuePartitionBit | queue.value << kPriorityBits | priority);
}
inline constexpr bool is_queue_partition(PartitionId partition) {
  return (partition.value & kQueuePartitionBit) != 0;
}
inline constexpr QueueId queue_of(PartitionId partition) {
  return QueueId((partition.value & ~kQueuePartitionBit) >> kPriorityBits);
}
inline constexpr std::uint8_t priority_of(PartitionId partition) {
  return static_cast<std::uint8_t>(partition.value);
}

/// What happens when a queue is at its limit.
enum class Overflow : std::uint8_t {
  drop_head = 0,                   ///< the oldest ready messages go
  reject_publish = 1,              ///< the new ones are refused
  reject_publish_dead_letter = 2,  ///< refused, and handed to the dead-letter output as well
};

/// Rules of one queue. The engine keeps to them and knows nothing of where they come from (arguments, policies).
struct QueueSettings {
  bool durable = true;                  ///< survives a restart; a queue that is not is gone with the process
  bool auto_delete = false;             ///< goes when its last consumer has gone
  bool single_active_consumer = false;  ///< one consumer at a time gets messages, the others wait
  bool dead_letter = false;             ///< what is refused, expires or is dropped goes to the dead-letter output
  std::uint8_t max_priority = 0;        ///< messages have priorities 0 to this
  Overflow overflow = Overflow::drop_head;
  std::optional<std::int64_t> message_ttl_ms;     ///< from arrival; 0: delivered at once or not at all
  std::optional<std::int64_t> expires_ms;         ///< the queue goes when it was unused for so long
  std::optional<std::uint64_t> max_length;        ///< ready messages
  std::optional<std::uint64_t> max_length_bytes;  ///< bodies of ready messages
  std::optional<std::uint32_t> delivery_limit;    ///< returns after which a message is not delivered again
  friend bool operator==(const QueueSettings&, const QueueSettings&) = default;
};

/// Why a message left its queue other than by being acknowledged.
enum class DeadReason : std::uint8_t { rejected = 0, expired = 1, maxlen = 2, delivery_limit = 3 };

/// What a consumer says of a message that it was given.
enum class Settlement : std::uint8_t {
  acknowledge = 0,
  reject = 1,             ///< it leaves the queue, to the dead-letter output if there is one
  requeue = 2,            ///< back to its place; counts towards the delivery limit
  requeue_uncounted = 3,  ///< back to its place; the consumer could not help it (a channel closed in order)
};

}  // namespace braid
