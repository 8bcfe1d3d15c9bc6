// Braid, Apache-2.0.
//
// What can go wrong between a session and the log. One list, numbers never reused; an entry exists only if a caller
// can react to it. Each protocol maps the list to its own codes in one table (`codecs/*/errors`). Decoders and the
// journal have error types of their own, for errors that no other room has to tell apart.
#pragma once

#include <cstdint>
#include <string_view>

namespace braid {

enum class Errc : std::uint8_t {
  none = 0,
  unknown_topic = 1,
  unknown_partition = 2,
  invalid_topic_name = 3,
  topic_exists = 4,
  invalid_partitions = 5,
  invalid_setting = 6,
  offset_out_of_range = 7,
  corrupt_batch = 8,   ///< CRC, sizes or counts of a batch do not fit together
  invalid_record = 9,  ///< a well-formed batch that this topic cannot take
  batch_too_large = 10,
  unsupported_compression = 11,
  invalid_timestamp = 12,
  out_of_order_sequence = 13,
  invalid_producer_epoch = 14,
  storage_failed = 15,   ///< the disk is full or failing; nothing was acknowledged, trying again may succeed
  unknown_outcome = 16,  ///< it may or may not have happened (a failed sync, a partition restarted meanwhile)
  not_leader = 17,
  fenced_leader_epoch = 18,
  unknown_leader_epoch = 19,
  overloaded = 20,  ///< a limit in bytes or requests was met; trying again later may succeed
  shutting_down = 21,
  timed_out = 22,
  damaged = 23,  ///< what is stored there does not match its checksum
};

std::string_view to_string(Errc);

}  // namespace braid
