// Braid, Apache-2.0.
//
// A delivery as a record, for queues on the log. Unlike what topics store, nobody else reads these: the MQTT property
// block is kept as it is, and what the delivery adds to the message (granted quality of service, identifiers, times) is
// one small header.
#pragma once

#include <optional>

#include "actors/routing/interface.hpp"
#include "model/batch_builder.hpp"
#include "model/batch_walker.hpp"

namespace braid::mqtt {

/// What a delivery counts for in limits; the same before it went to the log and when it comes back.
inline std::size_t queue_cost(const Delivery& delivery) {
  return delivery.publication->payload.size() + delivery.publication->topic.size() +
         delivery.publication->properties.size() + sizeof(Delivery);
}

/// False when the batch is full.
bool add_delivery(BatchBuilder& batch, Timestamp now, const Delivery& delivery);
/// Nothing when the record is none that `add_delivery` wrote. The delivery shares the walker's memory.
std::optional<Delivery> read_delivery(const BatchWalker& walker, const RecordView& record);

}  // namespace braid::mqtt
