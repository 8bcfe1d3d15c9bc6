// Braid, Apache-2.0.
//
// What a decoder says when bytes are wrong: a reply code, which decides whether the channel or the connection closes,
// and a sentence. The sentence is static text, since nothing that a peer sends is worth an allocation once it is known
// to be wrong.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codecs/amqp/types.hpp"
#include "model/errors.hpp"

namespace braid::amqp {

struct DecodeError {
  ReplyCode code = ReplyCode::frame_error;
  std::string_view sentence;
  MethodId method;  ///< that was being read, for connection.close and channel.close; zeros when none was
};

/// Nothing, or the reason why not.
using Check = std::optional<DecodeError>;

/// Whether the code closes the connection; the others close only the channel (the "hard" and "soft" errors of 1.1).
bool closes_connection(ReplyCode);

/// "PRECONDITION_FAILED": what RabbitMQ begins a reply text with, and what clients look for.
std::string_view name_of(ReplyCode);

/// "PRECONDITION_FAILED - unknown delivery tag 7": a reply text, cut to what a short string holds.
std::string reply_text(ReplyCode, std::string_view sentence);

/// "501 FRAME_ERROR - a frame without its end octet"
std::string describe(const DecodeError&);

/// The reply code for a failure behind the session.
ReplyCode reply_code(Errc);

}  // namespace braid::amqp
