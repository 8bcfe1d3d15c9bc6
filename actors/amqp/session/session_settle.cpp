// Braid, Apache-2.0.
//
// What the client says of its deliveries: acknowledged, rejected, or given back. Ranges for the hosts of the queues are
// gathered over a read (settlements.hpp); in a transaction they wait for its commit.
#include <fmt/format.h>

#include "actors/amqp/session/session.hpp"

namespace braid::amqp {

void Session::handle(Channel& channel, const BasicAck& method) {
  settle(channel, method.delivery_tag, method.multiple, Settlement::acknowledge, BasicAck::info.id);
}

void Session::handle(Channel& channel, const BasicNack& method) {
  settle(channel, method.delivery_tag, method.multiple, method.requeue ? Settlement::requeue : Settlement::reject,
         BasicNack::info.id);
}

void Session::handle(Channel& channel, const BasicReject& method) {
  settle(channel, method.delivery_tag, false, method.requeue ? Settlement::requeue : Settlement::reject,
         BasicReject::info.id);
}

void Session::settle(Channel& channel, DeliveryTag tag, bool multiple, Settlement settlement, MethodId method) {
  const auto each = [&](const Held& held) {
    if (channel.transaction)
      channel.transaction->settlements.emplace_back(held, settlement);
    else
      settlements_.add(held, settlement);
  };
  if (tag.value == 0 && multiple)
    channel.unacknowledged.take_all(each);  // all so far, should it be none
  else if (!channel.unacknowledged.take(tag.value, multiple, each))
    return fail(channel, ReplyCode::precondition_failed, fmt::format("unknown delivery tag {}", tag.value), method);
  deliver_parked(channel);
}

void Session::handle(Channel& channel, const BasicRecover& method) {
  if (recover(channel, method.requeue, BasicRecover::info.id)) write(channel.number, BasicRecoverOk{});
}

void Session::handle(Channel& channel, const BasicRecoverAsync& method) {
  recover(channel, method.requeue, BasicRecoverAsync::info.id);
}

bool Session::recover(Channel& channel, bool requeue, MethodId method) {
  if (!requeue) {
    fail(channel, ReplyCode::not_implemented, "requeue=false", method);
    return false;
  }
  channel.unacknowledged.take_all([this](const Held& held) { settlements_.add(held, Settlement::requeue); });
  deliver_parked(channel);
  return true;
}

void Session::send_settlements() {
  settlements_.take_streams([this](std::uint64_t number, std::uint32_t messages) {
    const auto found = consumers_.find(number);
    if (found != consumers_.end() && found->second->stream)
      send(found->second->stream, GrantCredit{QueueId(0), id(), number, messages, 0});
  });
  settlements_.take([this](std::uint32_t loop, std::vector<Settle::Range> ranges) {
    send(services_.queues[loop], Settle{id(), std::move(ranges)});
  });
}

}  // namespace braid::amqp
