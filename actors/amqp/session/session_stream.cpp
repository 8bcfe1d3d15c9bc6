// Braid, Apache-2.0.
//
// A topic is a stream queue of its name in the virtual host "/", for those who read: consumers say where they begin
// (x-stream-offset), get as much as their prefetch, and their acknowledgements make room for more. Nothing is taken out
// of the topic. A queue that was declared under the same name goes first.
#include <fmt/format.h>

#include "actors/amqp/session/session.hpp"

namespace braid::amqp {

TopicRef Session::find_stream(std::string_view name) const {
  if (vhost_->name() != default_vhost) return nullptr;
  TopicRef topic = services_.directory.find(name);
  return topic && !topic->internal ? topic : nullptr;
}

bool Session::find_undeclared_stream(Channel& channel, const QueueDeclare& method) {
  if (!method.passive || method.queue.empty() || vhost_->find_queue(method.queue) || !find_stream(method.queue))
    return false;
  channel.last_queue = method.queue;
  if (!method.nowait) write(channel.number, QueueDeclareOk{method.queue, 0, 0});
  return true;
}

void Session::consume_stream(Channel& channel, const BasicConsume& method, const std::string& name) {
  constexpr MethodId id_of_method = BasicConsume::info.id;
  if (method.no_ack)
    return fail(
        channel, ReplyCode::not_implemented,
        fmt::format("automatic acknowledgement not supported by stream queue '{}' in vhost '{}'", name, vhost_->name()),
        id_of_method);
  if (channel.prefetch == 0)
    return fail(
        channel, ReplyCode::precondition_failed,
        fmt::format("consumer prefetch count is not set for stream queue '{}' in vhost '{}'", name, vhost_->name()),
        id_of_method);
  StreamOffset begin;
  if (const auto offset = method.arguments.find("x-stream-offset")) {
    const auto parsed = parse_stream_offset(*offset, loop().wall_clock());
    if (!parsed) {
      std::string text;
      offset->print(text);
      return fail(channel, ReplyCode::precondition_failed, fmt::format("invalid arg 'x-stream-offset': {}", text),
                  id_of_method);
    }
    begin = *parsed;
  }
  auto consumer = std::make_unique<Consumer>();
  consumer->number = next_consumer_++;
  consumer->channel = channel.number;
  consumer->tag = method.consumer_tag.empty() ? make_tag() : std::string(method.consumer_tag);
  consumer->queue_name = name;
  consumer->loop = stream_loop;
  consumer->timeout_ms = settings().consumer_timeout_ms;
  note_timeout(consumer->timeout_ms);
  if (!method.nowait) write(channel.number, BasicConsumeOk{consumer->tag});
  consumer->stream = spawn_stream_reader(
      services_, {find_stream(name), begin, QueueConsumer(SessionActor(this)), consumer->number, channel.prefetch});
  channel.consumers.emplace(consumer->tag, consumer->number);
  consumers_.emplace(consumer->number, std::move(consumer));
}

}  // namespace braid::amqp
