// Braid, Apache-2.0.
//
// What routers and retained messages are told. Whatever is published, over any protocol, travels as record batches:
// a record's key is its MQTT topic name, its headers are the user properties and the standard properties under their
// reserved names (docs/protocol-mapping.md). A batch is walked once per loop that has a matching subscriber.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/bytes.hpp"
#include "model/errors.hpp"
#include "model/ids.hpp"
#include "persistence/catalog/topic.hpp"
#include "runtime/spelling.hpp"

namespace braid {

/// A byte per record of a published batch.
struct PublishFlags {
  static constexpr std::uint8_t qos_mask = 0x03;
  static constexpr std::uint8_t retain = 0x04;
};

/// To the router of a loop: deliver to that loop's subscribers. Sent by the partition once the batch is committed, or
/// by the publishing session when the name belongs to no topic (live traffic; `topic` is null).
struct PublishBatch {
  std::shared_ptr<const Topic> topic;
  Bytes batch;
  Bytes publish_flags;          ///< empty: QoS 1, not retained (records from Kafka)
  std::uint64_t publisher = 0;  ///< client that published (client_number), for No Local; 0 for none
};

/// Loop `loop` has (or no longer has) subscribers whose filters begin with `first_level`; an empty level stands for
/// filters that begin with a wildcard. Answered when it is in force, so that a SUBACK can wait for it.
struct InterestChanged {
  LoopIndex loop;
  Bytes first_level;
  bool wildcard_first = false;
  bool interested = false;
};
struct InterestNoted {};

}  // namespace braid

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::PublishBatch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::InterestChanged)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::InterestNoted)
