// Braid, Apache-2.0.
//
// Direct reply-to: a channel that consumes from `amq.rabbitmq.reply-to` gets what others publish, through the default
// exchange, to the address that its own publishes bear. See direct_reply.hpp.
#include <fmt/format.h>

#include <algorithm>

#include "actors/amqp/session/session.hpp"

namespace braid::amqp {

namespace {

/// The number of a consumer of replies: random, and beyond those that the system numbers its actors with.
constexpr std::uint64_t kSecretBit = 1ull << 63;

/// The session whose channel still waits for replies at this address.
caf::strong_actor_ptr asker(caf::actor_system& system, const ReplyAddress& address) {
  if (!(address.secret & kSecretBit)) return nullptr;
  auto found = system.registry().get(address.secret);
  return found && found->id() == address.session ? found : nullptr;
}

}  // namespace

std::string Session::reply_address(const Channel& channel) const {
  return print(ReplyAddress{id(), channel.serial, channel.reply_secret});
}

void Session::consume_replies(Channel& channel, const BasicConsume& method) {
  constexpr MethodId id_of_method = BasicConsume::info.id;
  if (!method.no_ack)
    return fail(channel, ReplyCode::precondition_failed, "reply consumer cannot acknowledge", id_of_method);
  if (channel.takes_replies)
    return fail(channel, ReplyCode::precondition_failed, "reply consumer already set", id_of_method);
  if (!method.consumer_tag.empty() && channel.consumers.find(method.consumer_tag) != channel.consumers.end())
    return fail(channel, ReplyCode::not_allowed, fmt::format("attempt to reuse consumer tag '{}'", method.consumer_tag),
                id_of_method);
  channel.takes_replies = true;
  channel.reply_secret = loop().random() | kSecretBit;
  // It is taken out in stop_replies, or by the end of this actor.
  system().registry().put(channel.reply_secret, caf::strong_actor_ptr(ctrl()));
  channel.reply_tag = method.consumer_tag.empty() ? make_tag() : std::string(method.consumer_tag);
  if (!method.nowait) write(channel.number, BasicConsumeOk{channel.reply_tag});
}

void Session::stop_replies(Channel& channel) {
  if (!std::exchange(channel.takes_replies, false)) return;
  system().registry().erase(channel.reply_secret);
  channel.reply_tag.clear();
}

bool Session::publish_reply(Channel& channel, const ContentHeader& header) {
  const auto address = parse_reply_address(channel.publish.routing_key);
  if (!address) return false;
  DirectReply reply;
  reply.to = *address;
  reply.routing_key = Bytes::copy(channel.publish.routing_key);
  reply.properties = Bytes::copy(header.encoded);
  const auto pieces = channel.content.body();
  ByteWriter body(std::max<std::size_t>(static_cast<std::size_t>(header.body_bytes), 1));
  for (const auto piece : pieces) body.raw(piece);
  reply.body = body.finish();
  if (!asker(system(), *address)) {
    if (channel.publish.mandatory) write_return(out(), channel, channel.publish, ReplyCode::no_route, header.encoded);
    return true;
  }
  const auto same = [&](const auto& each) { return each.first == address->session; };
  auto to = std::find_if(replies_.begin(), replies_.end(), same);
  if (to == replies_.end()) to = replies_.insert(replies_.end(), {address->session, {}});
  to->second.replies.push_back(std::move(reply));
  return true;
}

void Session::send_replies() {
  for (auto& [session, replies] : std::exchange(replies_, {}))
    if (const auto there = asker(system(), replies.replies.front().to))
      send(caf::actor_cast<SessionActor>(there), std::move(replies));
}

void Session::take_replies(const DirectReplies& message) {
  if (!is_open()) return;
  for (const DirectReply& reply : message.replies) {
    const auto same = [&](const auto& each) { return each.second->serial == reply.to.channel; };
    const auto found = std::find_if(channels_.begin(), channels_.end(), same);
    if (found == channels_.end()) continue;
    Channel& channel = *found->second;
    if (channel.closing || !channel.takes_replies || channel.reply_secret != reply.to.secret) continue;
    BasicDeliver method;
    method.consumer_tag = channel.reply_tag;
    method.delivery_tag = {channel.next_tag++};
    method.routing_key = reply.routing_key.view();
    encode_content(out(reply.body.size()), channel.number, frame_max_, method, reply.properties.view(), reply.body);
    ++services_.metrics.amqp_delivered;
  }
}

/// The name of the queue that is none exists for everybody; an address exists as long as its asker.
bool Session::declare_reply_queue(Channel& channel, const QueueDeclare& method) {
  const auto address = parse_reply_address(method.queue);
  if (method.queue != reply_queue && !address) return false;
  if (address && !asker(system(), *address)) {
    fail(channel, vhost_->no_queue(method.queue), QueueDeclare::info.id);
    return true;
  }
  if (!method.nowait) write(channel.number, QueueDeclareOk{method.queue, 0, 1});
  return true;
}

}  // namespace braid::amqp
