// Braid, Apache-2.0.
//
// What of a queue survives a restart, as keys and values of the state log of its shard:
//
//   'D' queue                  its definition: name, owner, rules, and what the protocol keeps with it
//   'P' queue priority         how far its messages are acknowledged (Queue::Change without a page)
//   'C' queue priority page    what is acknowledged past that
//
// Numbers in keys are big-endian, so that a dump of the log sorts.
#pragma once

#include <optional>
#include <string>

#include "actors/queues/interface.hpp"
#include "actors/state_log.hpp"
#include "persistence/queue/queue.hpp"

namespace braid {

struct StoredQueue {
  std::string name;
  QueueOwner owner = QueueOwner::amqp;
  QueueSettings settings;
  Bytes definition;
};

struct QueueStateKey {
  char kind = 0;  ///< one of the letters above
  QueueId queue;
  std::uint8_t priority = 0;
  std::uint64_t page = 0;
};

Bytes encode_key(const QueueStateKey& key);
/// Nothing for what is no key of ours.
std::optional<QueueStateKey> decode_key(const Bytes& key);

Bytes encode_definition(const StoredQueue& queue);
std::optional<StoredQueue> decode_definition(const Bytes& value);

StateChange to_state(QueueId queue, const Queue::Change& change);

}  // namespace braid
