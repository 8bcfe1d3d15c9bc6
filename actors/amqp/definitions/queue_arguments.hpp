// Braid, Apache-2.0.
//
// What a queue is declared with: checked as RabbitMQ checks it, turned into the rules that the queue's host keeps, and
// kept as it was said, so that a later declaration can be compared and dead letters find their exchange.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/amqp/definitions/interface.hpp"
#include "codecs/amqp/table.hpp"
#include "model/result.hpp"
#include "persistence/queue/types.hpp"

namespace braid::amqp {

/// A declaration as it is kept with the queue; opaque to its host.
struct QueueDefinition {
  bool durable = false, exclusive = false, auto_delete = false;
  Bytes arguments;
  bool owns_topic = false;  ///< a stream whose declaration has made its topic, which goes with it

  Table table() const { return Table(arguments.view()); }
  Bytes encode() const;
  /// Nothing for what `encode` has not written.
  static std::optional<QueueDefinition> decode(const Bytes& encoded);
};

/// What follows from a declaration.
struct QueueRules {
  QueueSettings settings;
  QueueType type = QueueType::classic;
};

/// `queue` is "queue 'q' in vhost '/'", for the texts. The definition's table has been checked for its form.
Result<QueueRules, TopologyError> check_queue(const QueueDefinition& wanted, const std::string& queue,
                                              bool server_named);

/// Whether a queue that is there is what a second declaration asks for.
Refusal check_equivalent(const QueueDefinition& current, const QueueDefinition& wanted, const std::string& queue);

/// Of a queue that was declared.
QueueType type_of(const QueueDefinition& definition);
/// Of a queue that was declared: the time in which its consumers settle a delivery; 0: it says nothing of it.
std::int64_t consumer_timeout_ms_of(const QueueDefinition& definition);
/// "drop-head" and its like.
std::optional<Overflow> overflow_of(std::string_view name);

}  // namespace braid::amqp
