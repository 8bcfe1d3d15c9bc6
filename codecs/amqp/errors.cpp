// Braid, Apache-2.0.
#include "codecs/amqp/errors.hpp"

namespace braid::amqp {

bool closes_connection(ReplyCode code) {
  switch (code) {
    case ReplyCode::success:
    case ReplyCode::content_too_large:
    case ReplyCode::no_route:
    case ReplyCode::no_consumers:
    case ReplyCode::access_refused:
    case ReplyCode::not_found:
    case ReplyCode::resource_locked:
    case ReplyCode::precondition_failed:
      return false;
    default:
      return true;
  }
}

std::string_view name_of(ReplyCode code) {
  switch (code) {
    case ReplyCode::success:
      return "OK";
    case ReplyCode::content_too_large:
      return "CONTENT_TOO_LARGE";
    case ReplyCode::no_route:
      return "NO_ROUTE";
    case ReplyCode::no_consumers:
      return "NO_CONSUMERS";
    case ReplyCode::connection_forced:
      return "CONNECTION_FORCED";
    case ReplyCode::invalid_path:
      return "INVALID_PATH";
    case ReplyCode::access_refused:
      return "ACCESS_REFUSED";
    case ReplyCode::not_found:
      return "NOT_FOUND";
    case ReplyCode::resource_locked:
      return "RESOURCE_LOCKED";
    case ReplyCode::precondition_failed:
      return "PRECONDITION_FAILED";
    case ReplyCode::frame_error:
      return "FRAME_ERROR";
    case ReplyCode::syntax_error:
      return "SYNTAX_ERROR";
    case ReplyCode::command_invalid:
      return "COMMAND_INVALID";
    case ReplyCode::channel_error:
      return "CHANNEL_ERROR";
    case ReplyCode::unexpected_frame:
      return "UNEXPECTED_FRAME";
    case ReplyCode::resource_error:
      return "RESOURCE_ERROR";
    case ReplyCode::not_allowed:
      return "NOT_ALLOWED";
    case ReplyCode::not_implemented:
      return "NOT_IMPLEMENTED";
    case ReplyCode::internal_error:
      return "INTERNAL_ERROR";
  }
  return "UNKNOWN";
}

std::string reply_text(ReplyCode code, std::string_view sentence) {
  std::string text(name_of(code));
  if (!sentence.empty()) text.append(" - ").append(sentence);
  if (text.size() > max_short_string_bytes) {
    constexpr std::string_view ellipsis = "...";
    std::size_t length = max_short_string_bytes - ellipsis.size();
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;  // whole code points
    text.resize(length);
    text += ellipsis;
  }
  return text;
}

std::string describe(const DecodeError& error) {
  return std::to_string(static_cast<unsigned>(error.code)) + " " + reply_text(error.code, error.sentence);
}

ReplyCode reply_code(Errc error) {
  switch (error) {
    case Errc::none:
      return ReplyCode::success;
    case Errc::unknown_topic:
    case Errc::unknown_partition:
      return ReplyCode::not_found;
    case Errc::topic_exists:
    case Errc::invalid_topic_name:
    case Errc::invalid_partitions:
    case Errc::invalid_setting:
    case Errc::invalid_record:
    case Errc::batch_too_large:
    case Errc::invalid_timestamp:
    case Errc::offset_out_of_range:
      return ReplyCode::precondition_failed;
    case Errc::overloaded:
      return ReplyCode::resource_error;
    case Errc::shutting_down:
      return ReplyCode::connection_forced;
    default:
      return ReplyCode::internal_error;
  }
}

}  // namespace braid::amqp
