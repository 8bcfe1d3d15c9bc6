// Braid, Apache-2.0.
//
// The parts of the codec that do not depend on the message.
#include "codecs/kafka/codec.hpp"

namespace braid::kafka {

namespace {

std::string_view describe(DecodeError::Code code) {
  switch (code) {
    case DecodeError::Code::unsupported_version:
      return "unsupported version";
    case DecodeError::Code::truncated:
      return "message ends inside the field";
    case DecodeError::Code::negative_length:
      return "negative length";
    case DecodeError::Code::unexpected_null:
      return "null where this version does not allow it";
    case DecodeError::Code::count_too_large:
      return "more elements than the message has bytes for";
    case DecodeError::Code::too_much_memory:
      return "elements would take more memory than the limit";
    case DecodeError::Code::tagged_field_size:
      return "tagged field is not as long as it says";
  }
  return "unknown error";
}

std::string_view describe(EncodeError::Code code) {
  switch (code) {
    case EncodeError::Code::unsupported_version:
      return "unsupported version";
    case EncodeError::Code::field_not_in_version:
      return "field is set but does not exist in this version";
    case EncodeError::Code::unexpected_null:
      return "null where this version does not allow it";
    case EncodeError::Code::too_long:
      return "too long for its length prefix";
  }
  return "unknown error";
}

template <class Error>
std::string join(const Error& error) {
  std::string text(error.field);
  if (!text.empty()) text += ": ";
  return text += describe(error.code);
}

}  // namespace

std::string to_string(const DecodeError& error) {
  return join(error);
}
std::string to_string(const EncodeError& error) {
  return join(error);
}

}  // namespace braid::kafka
