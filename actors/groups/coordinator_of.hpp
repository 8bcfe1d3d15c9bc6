// Braid, Apache-2.0.
//
// Which coordinator has a group. Kafka's rule: the group's name, hashed as Java hashes strings, picks a partition of
// `__consumer_offsets`, and whoever has that partition has the group. Tools that compute it themselves agree with us.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "actors/services.hpp"

namespace braid {

/// java.lang.String.hashCode of the text, which is UTF-8 here and UTF-16 there. Bytes that are no UTF-8 count as
/// U+FFFD each, as Java's decoder has it.
std::int32_t java_string_hash(std::string_view text);

/// The group's partition of an offsets topic with `partitions` of them (1 at least).
PartitionIndex offsets_partition(std::string_view group, std::int32_t partitions);

/// Nothing when the offsets topic is not there (yet).
std::optional<GroupCoordinator> coordinator_of(const Services& services, std::string_view group);

}  // namespace braid
