// Braid, Apache-2.0.
//
// Direct reply-to: an answer goes from the session of whoever answers to the session of whoever asked, and through no
// queue. The address is `amq.rabbitmq.reply-to.` and, in hexadecimal digits, the asker's session, its channel and a
// secret, so that nobody can answer who was not asked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/bytes.hpp"
#include "runtime/spelling.hpp"

namespace braid::amqp {

inline constexpr std::string_view reply_queue = "amq.rabbitmq.reply-to";

struct ReplyAddress {
  std::uint64_t session = 0;
  std::uint64_t channel = 0;  ///< its serial
  std::uint64_t secret = 0;
  friend bool operator==(const ReplyAddress&, const ReplyAddress&) = default;
};
std::string print(const ReplyAddress&);
/// Nothing when the text is no address.
std::optional<ReplyAddress> parse_reply_address(std::string_view);

struct DirectReply {
  ReplyAddress to;
  Bytes routing_key, properties, body;
};
/// What one read of a session answers to one other session.
struct DirectReplies {
  std::vector<DirectReply> replies;
};

}  // namespace braid::amqp

BRAID_MESSAGE(braid::amqp::DirectReplies)
