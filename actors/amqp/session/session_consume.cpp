// Braid, Apache-2.0.
//
// Consumers, and messages one at a time (basic.get). A consumer's prefetch is the credit that its queue's host gives
// it; what a channel may have in all is kept and shared out here (session_deliver.cpp).
#include <fmt/format.h>

#include <algorithm>

#include "actors/amqp/session/session.hpp"

namespace braid::amqp {

void Session::handle(Channel& channel, const BasicQos& method) {
  if (method.prefetch_size != 0)
    return fail(channel, ReplyCode::not_implemented, fmt::format("prefetch_size!=0 ({})", method.prefetch_size),
                BasicQos::info.id);
  if (method.global)
    channel.prefetch_all = method.prefetch_count;
  else
    channel.prefetch = method.prefetch_count;
  write(channel.number, BasicQosOk{});
  deliver_parked(channel);
}

std::string Session::make_tag() {
  return fmt::format("amq.ctag-{:016x}{:016x}", loop().random(), loop().random());
}

void Session::handle(Channel& channel, const BasicConsume& method) {
  constexpr MethodId id_of_method = BasicConsume::info.id;
  if (method.queue == reply_queue) return consume_replies(channel, method);
  const auto name = queue_name(channel, method.queue, id_of_method);
  if (!name) return;
  const QueuePlace* place = vhost_->find_queue(*name);
  const bool is_stream = !place || place->type == QueueType::stream;
  if (is_stream && !find_stream(*name)) return fail(channel, vhost_->no_queue(*name), id_of_method);
  const auto refused = place ? vhost_->check_access(*name, *place, connection_number(id())) : std::nullopt;
  if (refused) return fail(channel, *refused, id_of_method);
  if (!method.consumer_tag.empty() && (channel.consumers.find(method.consumer_tag) != channel.consumers.end() ||
                                       (channel.takes_replies && channel.reply_tag == method.consumer_tag)))
    return fail(channel, ReplyCode::not_allowed, fmt::format("attempt to reuse consumer tag '{}'", method.consumer_tag),
                id_of_method);
  if (channel.consumers.size() >= settings().max_consumers)
    return fail(channel, ReplyCode::not_allowed,
                fmt::format("reached maximum ({}) of consumers per channel", settings().max_consumers), id_of_method);
  if (is_stream) return consume_stream(channel, method, *name);
  if (place->single_active_consumer && method.exclusive)
    return fail(channel, ReplyCode::access_refused,
                fmt::format("queue '{}' in vhost '{}' in exclusive use", *name, vhost_->name()), id_of_method);

  StartConsuming request;
  if (const auto priority = method.arguments.find("x-priority")) {
    if (!priority->is_integer() || priority->as_integer() < INT32_MIN || priority->as_integer() > INT32_MAX)
      return fail(channel, ReplyCode::precondition_failed,
                  fmt::format("invalid arg 'x-priority' for queue '{}' in vhost '{}': it is no 32-bit integer", *name,
                              vhost_->name()),
                  id_of_method);
    request.priority = static_cast<std::int32_t>(priority->as_integer());
  }
  std::int64_t timeout_ms = timeout_ms_of(*name, *place);
  if (const auto own = method.arguments.find("x-consumer-timeout")) {
    if (!own->is_integer() || own->as_integer() <= 0)
      return fail(channel, ReplyCode::precondition_failed,
                  fmt::format("invalid arg 'x-consumer-timeout' for queue '{}' in vhost '{}': it is no number of "
                              "milliseconds",
                              *name, vhost_->name()),
                  id_of_method);
    timeout_ms = own->as_integer();
  }
  auto made = std::make_unique<Consumer>();
  Consumer& consumer = *made;
  consumer.number = next_consumer_++;
  consumer.channel = channel.number;
  consumer.tag = method.consumer_tag.empty() ? make_tag() : std::string(method.consumer_tag);
  consumer.queue_name = *name;
  consumer.queue = place->queue;
  consumer.loop = place->loop;
  consumer.no_ack = method.no_ack;
  consumer.timeout_ms = timeout_ms;
  note_timeout(timeout_ms);
  consumer.counts_returns = place->type == QueueType::quorum;
  request.queue = place->queue;
  request.session = QueueConsumer(SessionActor(this));
  request.consumer = consumer.number;
  request.no_ack = method.no_ack;
  request.exclusive = method.exclusive;
  std::uint32_t prefetch = settings().max_unacknowledged;
  if (channel.prefetch != 0) prefetch = std::min<std::uint32_t>(prefetch, channel.prefetch);
  consumer.on_demand = request.on_demand = channel.prefetch_all != 0 && !method.no_ack;
  request.prefetch = prefetch;
  request.window_bytes = settings().delivery_window_bytes;
  channel.consumers.emplace(consumer.tag, consumer.number);
  consumers_.emplace(consumer.number, std::move(made));
  await<ConsumeStarted>(channel, services_.queues[consumer.loop], std::move(request),
                        [this, number = consumer.number, nowait = method.nowait](
                            Channel& there, const ConsumeStarted& reply) { started(there, number, reply, nowait); });
}

void Session::started(Channel& channel, std::uint64_t number, const ConsumeStarted& reply, bool nowait) {
  const auto found = consumers_.find(number);
  if (found == consumers_.end()) return;
  Consumer& consumer = *found->second;
  if (reply.error == QueueErrc::none) {
    if (!nowait) write(channel.number, BasicConsumeOk{consumer.tag});
    return;
  }
  const std::string name = consumer.queue_name;
  channel.consumers.erase(consumer.tag);
  consumers_.erase(found);
  constexpr MethodId method = BasicConsume::info.id;
  if (reply.error == QueueErrc::in_use)
    return fail(channel, ReplyCode::access_refused,
                fmt::format("queue '{}' in vhost '{}' in exclusive use", name, vhost_->name()), method);
  if (reply.error == QueueErrc::unknown_queue) return fail(channel, vhost_->no_queue(name), method);
  fail(channel, ReplyCode::resource_error, fmt::format("queue '{}' takes no more consumers", name), method);
}

void Session::handle(Channel& channel, const BasicCancel& method) {
  const std::string tag(method.consumer_tag);
  const bool nowait = method.nowait;
  if (channel.takes_replies && channel.reply_tag == tag) {
    stop_replies(channel);
    if (!nowait) write(channel.number, BasicCancelOk{tag});
    return;
  }
  const auto known = channel.consumers.find(tag);
  if (known == channel.consumers.end()) {
    if (!nowait) write(channel.number, BasicCancelOk{tag});
    return;
  }
  const std::uint64_t number = known->second;
  const Consumer& consumer = *consumers_.at(number);
  give_back_parked(channel, number);
  if (consumer.stream) {
    stop_consuming(consumer, false);
    erase_consumer(channel, number);
    if (!nowait) write(channel.number, BasicCancelOk{tag});
    return;
  }
  // What was on its way may still be delivered, until the answer; what was delivered stays the client's to settle.
  await<ConsumeStopped>(channel, services_.queues[consumer.loop],
                        StopConsuming{consumer.queue, id(), number, false, false},
                        [this, number, tag, nowait](Channel& there, const ConsumeStopped&) {
                          give_back_parked(there, number);
                          erase_consumer(there, number);
                          if (!nowait) write(there.number, BasicCancelOk{tag});
                        });
}

void Session::erase_consumer(Channel& channel, std::uint64_t number) {
  const auto found = consumers_.find(number);
  if (found == consumers_.end()) return;
  channel.promised -= found->second->promised;
  channel.consumers.erase(found->second->tag);
  consumers_.erase(found);
  note_room(channel);
}

void Session::cancelled(const ConsumerCancelled& message) {
  const auto found = consumers_.find(message.consumer);
  if (found == consumers_.end()) return;
  Channel* channel = find(found->second->channel);
  const std::string tag = found->second->tag;
  if (!channel || channel->closing) {
    consumers_.erase(found);
    return;
  }
  erase_consumer(*channel, message.consumer);
  if (channel->parked)
    std::erase_if(*channel->parked, [&](const Parked& each) { return each.consumer == message.consumer; });
  if (wants_cancel_notice_ && is_open()) write(channel->number, BasicCancel{tag, true});
}

// -- one at a time ----------------------------------------------------------------------------------------------------

void Session::handle(Channel& channel, const BasicGet& method) {
  const auto name = queue_name(channel, method.queue, BasicGet::info.id);
  if (!name) return;
  if (channel.unacknowledged.size() >= settings().max_unacknowledged)
    return fail(channel, ReplyCode::precondition_failed,
                fmt::format("reached maximum ({}) of unacknowledged deliveries", settings().max_unacknowledged),
                BasicGet::info.id);
  after_publishes(channel, [this, name = *name, no_ack = method.no_ack](Channel& there) {
    const QueuePlace* place = vhost_->find_queue(name);
    if ((!place || place->type == QueueType::stream) && find_stream(name))
      return fail(
          there, ReplyCode::not_implemented,
          fmt::format("basic.get not supported by stream queues queue '{}' in vhost '{}'", name, vhost_->name()),
          BasicGet::info.id);
    if (!place) return fail(there, vhost_->no_queue(name), BasicGet::info.id);
    if (const auto refused = vhost_->check_access(name, *place, connection_number(id())))
      return fail(there, *refused, BasicGet::info.id);
    await<MessageGot>(there, services_.queues[place->loop],
                      GetMessage{place->queue, QueueConsumer(SessionActor(this)), there.getter, no_ack},
                      [this, name, where = *place, no_ack](Channel& still, const MessageGot& reply) {
                        got(still, name, where, no_ack, reply);
                      });
  });
}

void Session::got(Channel& channel, const std::string& name, const QueuePlace& place, bool no_ack,
                  const MessageGot& reply) {
  switch (reply.error) {
    case QueueErrc::none:
      break;
    case QueueErrc::unknown_queue:
      return fail(channel, vhost_->no_queue(name), BasicGet::info.id);
    case QueueErrc::single_active:
      return fail(
          channel, ReplyCode::resource_locked,
          fmt::format("cannot obtain access to queue '{}' in vhost '{}'. basic.get operations are not supported "
                      "by queues with single active consumer",
                      name, vhost_->name()),
          BasicGet::info.id);
    default:
      return fail(channel, ReplyCode::internal_error, fmt::format("queue '{}' cannot be read", name),
                  BasicGet::info.id);
  }
  if (reply.runs.empty()) return write(channel.number, BasicGetEmpty{});
  const MessageRun& run = reply.runs.front();
  RunWalker walker(run);
  RecordView record;
  if (!walker.next(record)) return write(channel.number, BasicGetEmpty{});
  MessageRecord message;
  record_reader_.read(record, message);
  const std::uint64_t tag = channel.next_tag++;
  if (!no_ack) {
    const std::int64_t timeout_ms = timeout_ms_of(name, place);
    channel.unacknowledged.add(
        {tag, 1, run.priority, place.loop, false, run.first, place.queue, channel.getter, loop().now_ms(), timeout_ms});
    note_timeout(timeout_ms);
  }
  BasicGetOk answer;
  answer.delivery_tag = {tag};
  answer.redelivered = run.redelivered;
  answer.exchange = message.exchange;
  answer.routing_key = message.routing_key;
  answer.message_count = static_cast<std::uint32_t>(std::min<std::uint64_t>(reply.ready, UINT32_MAX));
  encode_content(out(message.body.size()), channel.number, frame_max_, answer,
                 told_of_returns(message.properties, run, place.type == QueueType::quorum), walker.share(message.body));
  ++services_.metrics.amqp_delivered;
}

}  // namespace braid::amqp
