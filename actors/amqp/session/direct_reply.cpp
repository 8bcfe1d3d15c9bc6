// Braid, Apache-2.0.
#include "actors/amqp/session/direct_reply.hpp"

#include <fmt/format.h>

#include <charconv>

namespace braid::amqp {

std::string print(const ReplyAddress& address) {
  return fmt::format("{}.{:016x}{:016x}{:016x}", reply_queue, address.session, address.channel, address.secret);
}

std::optional<ReplyAddress> parse_reply_address(std::string_view text) {
  constexpr std::size_t digits = 16;
  if (!text.starts_with(reply_queue)) return {};
  text.remove_prefix(reply_queue.size());
  if (text.size() != 1 + 3 * digits || text.front() != '.') return {};
  text.remove_prefix(1);
  ReplyAddress address;
  for (std::uint64_t* part : {&address.session, &address.channel, &address.secret}) {
    const char* end = text.data() + digits;
    if (std::from_chars(text.data(), end, *part, 16).ptr != end) return {};
    text.remove_prefix(digits);
  }
  return address;
}

}  // namespace braid::amqp
