// Braid, Apache-2.0.
//
// The hash by which Kafka's Java client chooses the partition of a keyed record. A message published over MQTT or AMQP
// has to land in the partition that a Kafka producer would choose for the same key, or order per key is lost.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/ids.hpp"

namespace braid {

/// 32-bit murmur2 with the Java client's seed.
std::uint32_t murmur2(std::string_view key);

/// The partition for a key out of `partitions` (> 0): the hash without its sign bit, modulo the number of partitions.
PartitionIndex partition_for_key(std::string_view key, std::int32_t partitions);

}  // namespace braid
