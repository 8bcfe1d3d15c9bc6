// Braid, Apache-2.0.
//
// What happens to a produced batch before its partition gets it: it must have the one form that may be produced, and a
// topic may want it compressed in another way. Done on the connection's loop, so that compressing for one topic keeps
// no other partition waiting. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "codecs/kafka/errors.hpp"
#include "config/topic_settings.hpp"
#include "model/bytes.hpp"

namespace braid::kafka {

struct BatchRefusal {
  ErrorCode error = ErrorCode::none;
  std::string_view reason;  ///< for people; of static storage
};

/// What can be said without looking at the checksum: there must be exactly one batch, of the one format, in a codec
/// that the request's version knows, and not of a transaction.
BatchRefusal check_form(const Bytes& batch, std::int16_t version);

/// Compresses the batch anew if the topic asks for another codec than it has.
BatchRefusal compress_for(const TopicSettings& topic, Bytes& batch);

}  // namespace braid::kafka
