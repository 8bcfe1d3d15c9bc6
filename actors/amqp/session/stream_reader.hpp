// Braid, Apache-2.0.
//
// A topic as an AMQP consumer reads it: a stream, from an offset on, of which nothing is taken away. An actor per
// consumer, on the loop of its session: it reads the partitions of the topic, as far as the consumer has credit, and
// sends what a queue's host would send (DeliverMessages). Records stay the slices of the log that they are.
//
// Order is that of each partition. A topic with one partition is one stream, as RabbitMQ's.
#pragma once

#include <cstdint>
#include <optional>

#include "actors/partition/interface.hpp"
#include "actors/queues/interface.hpp"
#include "actors/services.hpp"
#include "codecs/amqp/table.hpp"

namespace braid::amqp {

/// Where a consumer begins: the argument x-stream-offset.
struct StreamOffset {
  enum class From : std::uint8_t { first, last, next, offset, timestamp };
  From from = From::next;
  std::int64_t value = 0;  ///< offset, or milliseconds since 1970
};
/// "first", "last", "next", an offset, a timestamp, or an interval back from `now` ("5m"); nothing when it is none.
std::optional<StreamOffset> parse_stream_offset(const FieldValue& value, Timestamp now);

struct StreamConsumer {
  TopicRef topic;
  StreamOffset begin;
  QueueConsumer session;
  std::uint64_t consumer = 0;
  std::uint32_t credit = 0;  ///< messages, to begin with
};
/// The session's consumer is no more.
struct StopStream {};

/// GrantCredit: messages that were acknowledged.
using StreamReader = Interface<Takes<GrantCredit>, Takes<StopStream>, Takes<Wake>>;

StreamReader spawn_stream_reader(Services& services, StreamConsumer consumer);

}  // namespace braid::amqp

BRAID_MESSAGE(braid::amqp::StopStream)
