// Braid, Apache-2.0.
//
// Names of the topics in which the broker keeps state of its own.
#pragma once

#include <string_view>

namespace braid {

inline constexpr std::string_view kOffsetsTopic = "__consumer_offsets";
inline constexpr std::string_view kRetainedTopic = "__retained";
inline constexpr std::string_view kSpillTopic = "__spill";    ///< lent to queues, see spill/partition_pool.hpp
inline constexpr std::string_view kQueuesTopic = "__queues";  ///< one partition per shard

}  // namespace braid
