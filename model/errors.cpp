// Braid, Apache-2.0.
#include "model/errors.hpp"

namespace braid {

std::string_view to_string(Errc error) {
  switch (error) {
    case Errc::none:
      return "none";
    case Errc::unknown_topic:
      return "unknown topic";
    case Errc::unknown_partition:
      return "unknown partition";
    case Errc::invalid_topic_name:
      return "invalid topic name";
    case Errc::topic_exists:
      return "topic exists";
    case Errc::invalid_partitions:
      return "invalid number of partitions";
    case Errc::invalid_setting:
      return "invalid setting";
    case Errc::offset_out_of_range:
      return "offset out of range";
    case Errc::corrupt_batch:
      return "corrupt batch";
    case Errc::invalid_record:
      return "invalid record";
    case Errc::batch_too_large:
      return "batch too large";
    case Errc::unsupported_compression:
      return "unsupported compression";
    case Errc::invalid_timestamp:
      return "invalid timestamp";
    case Errc::out_of_order_sequence:
      return "out of order sequence";
    case Errc::invalid_producer_epoch:
      return "invalid producer epoch";
    case Errc::storage_failed:
      return "storage failed";
    case Errc::unknown_outcome:
      return "unknown outcome";
    case Errc::not_leader:
      return "not leader";
    case Errc::fenced_leader_epoch:
      return "fenced leader epoch";
    case Errc::unknown_leader_epoch:
      return "unknown leader epoch";
    case Errc::overloaded:
      return "overloaded";
    case Errc::shutting_down:
      return "shutting down";
    case Errc::timed_out:
      return "timed out";
    case Errc::damaged:
      return "damaged";
  }
  return "unknown error";
}

}  // namespace braid
