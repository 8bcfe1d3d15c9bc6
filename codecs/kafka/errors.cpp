// Braid, Apache-2.0.
#include "codecs/kafka/errors.hpp"

namespace braid::kafka {

std::string_view to_string(ErrorCode error) {
  switch (error) {
#define BRAID_KAFKA_ERROR_CODE(name, number) \
  case ErrorCode::name:                      \
    return #name;
    BRAID_KAFKA_ERROR_CODES(BRAID_KAFKA_ERROR_CODE)
#undef BRAID_KAFKA_ERROR_CODE
  }
  return "unknown error code";
}

ErrorCode to_error_code(Errc error) {
  switch (error) {
    case Errc::none:
      return ErrorCode::none;
    case Errc::unknown_topic:
    case Errc::unknown_partition:
      return ErrorCode::unknown_topic_or_partition;
    case Errc::invalid_topic_name:
      return ErrorCode::invalid_topic_exception;
    case Errc::topic_exists:
      return ErrorCode::topic_already_exists;
    case Errc::invalid_partitions:
      return ErrorCode::invalid_partitions;
    case Errc::invalid_setting:
      return ErrorCode::invalid_config;
    case Errc::offset_out_of_range:
      return ErrorCode::offset_out_of_range;
    case Errc::corrupt_batch:
      return ErrorCode::corrupt_message;
    case Errc::invalid_record:
      return ErrorCode::invalid_record;
    case Errc::batch_too_large:
      return ErrorCode::message_too_large;
    case Errc::unsupported_compression:
      return ErrorCode::unsupported_compression_type;
    case Errc::invalid_timestamp:
      return ErrorCode::invalid_timestamp;
    case Errc::out_of_order_sequence:
      return ErrorCode::out_of_order_sequence_number;
    case Errc::invalid_producer_epoch:
      return ErrorCode::invalid_producer_epoch;
    case Errc::storage_failed:
      return ErrorCode::kafka_storage_error;
    case Errc::unknown_outcome:
      // Retriable, and idempotent producers find out by their sequence numbers which of the two it was.
      return ErrorCode::request_timed_out;
    case Errc::not_leader:
      return ErrorCode::not_leader_or_follower;
    case Errc::fenced_leader_epoch:
      return ErrorCode::fenced_leader_epoch;
    case Errc::unknown_leader_epoch:
      return ErrorCode::unknown_leader_epoch;
    case Errc::overloaded:
      // Nothing was done. Every client retries this one after its back-off, without asking for metadata first.
      return ErrorCode::request_timed_out;
    case Errc::shutting_down:
      return ErrorCode::not_leader_or_follower;
    case Errc::timed_out:
      return ErrorCode::request_timed_out;
    case Errc::damaged:
      // Consumers tell their application about this one; kafka_storage_error they would retry for ever in silence.
      return ErrorCode::corrupt_message;
  }
  return ErrorCode::unknown_server_error;
}

}  // namespace braid::kafka
