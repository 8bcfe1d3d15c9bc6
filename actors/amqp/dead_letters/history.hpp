// Braid, Apache-2.0.
//
// What a message remembers of the queues that it left without being consumed: the "x-death" header and its neighbours,
// as RabbitMQ 4 writes them. The newest death comes first; dying again in the same queue for the same reason counts up.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/amqp/message_record.hpp"
#include "model/ids.hpp"
#include "persistence/queue/types.hpp"

namespace braid::amqp {

std::string_view name_of(DeadReason reason);

struct Death {
  std::string_view queue;
  DeadReason reason = DeadReason::rejected;
  std::optional<std::string_view> new_routing_key;  ///< the queue's own for dead letters
};

/// One message after the other; what it shows is good until the next.
class DeathHistory {
 public:
  /// False when the message's properties cannot be read.
  bool record(const MessageRecord& message, const Death& death, Timestamp now);

  /// As the message goes on: without its expiration, and without CC when it has a new routing key.
  std::string_view encoded() const { return encoded_.view(); }
  const BasicProperties& properties() const { return properties_; }
  /// Whether it comes back to a queue that it left before, and no client rejected it since: it would go round for ever.
  bool is_cycle(std::string_view target_queue) const;

 private:
  struct Entry {
    std::string_view queue, reason;
  };
  void write_deaths(const MessageRecord& message, const Death& death, Timestamp now, const Table& before);
  void write_neighbours(const MessageRecord& message, const Death& death, const Table& before);

  TableWriter headers_;
  ByteWriter encoded_{0};
  BasicProperties properties_;
  std::vector<Entry> deaths_;  ///< newest first
};

}  // namespace braid::amqp
