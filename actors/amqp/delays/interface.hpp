// Braid, Apache-2.0.
//
// Messages that wait before their exchange routes them (x-delayed-message). They wait in queues like any others, on the
// log: one queue for each exchange and delay, with that delay as its time to live, so the next message to leave is
// always the oldest, and what waits costs no memory. Its dead letters are the messages that have waited.
//
// A delay is kept to four digits, rounded up: a message is never early, and late by a thousandth of its delay at most.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/queues/interface.hpp"
#include "model/bytes.hpp"
#include "runtime/spelling.hpp"

namespace braid {
struct Services;
}

namespace braid::amqp {

/// One batch as for PublishToQueues, without `braid.expiration`: the time to live of a message begins when it has
/// waited. Answered when it is as durable as PublishToQueues promises.
struct DelayMessages {
  std::string vhost, exchange;
  std::int64_t delay_ms = 0;  ///< as amqp::delay_ms says of the message
  Bytes batch;
  bool persistent = true;
};
/// One per loop: `services.amqp_delays` of the session's own.
using DelayActor = Interface<Answers<DelayMessages, Published>>;
DelayActor spawn_delays(Services& services);

/// The longest delay, as for any time to live: 2^32 - 1 ms, about 49 days.
inline constexpr std::int64_t max_delay_ms = 4294967295;
std::int64_t rounded_delay_ms(std::int64_t delay_ms);

/// How the queue of a delay is named at its host.
std::string delay_queue_name(std::string_view vhost, std::string_view exchange, std::int64_t delay_ms);
struct DelayQueue {
  std::string_view vhost, exchange;
};
std::optional<DelayQueue> parse_delay_queue_name(std::string_view name);

}  // namespace braid::amqp

BRAID_MESSAGE(braid::amqp::DelayMessages)
