// Braid, Apache-2.0.
//
// Streams: queues on their way to the topic of their name. A declaration makes the topic when there is none, with what
// its arguments say of retention; one that is there stays as it is. Messages are routed to the queue like to any other,
// so a confirmed one reaches its topic whatever happens, and the bridge (actors/topic_bridge) carries them there.
#include <algorithm>

#include "actors/amqp/definitions/definitions.hpp"
#include "actors/amqp/interval.hpp"

namespace braid::amqp {

namespace {

/// A record has the headers of its message, at most 1 MiB, twice.
constexpr std::int64_t kMaxHeaderBytes = 4ll << 20;

/// As a stream is in RabbitMQ: one log, which keeps everything unless it is told otherwise.
NewTopic topic_of(const std::string& name, const Table& arguments, const Settings& settings) {
  NewTopic topic;
  topic.name = name;
  topic.config["retention.ms"] = "-1";
  topic.config["retention.bytes"] = "-1";
  if (const auto age = arguments.find("x-max-age"))
    topic.config["retention.ms"] = std::to_string(parse_interval_ms(age->as_text()).value_or(-1));
  if (const auto bytes = arguments.find("x-max-length-bytes"))
    topic.config["retention.bytes"] = std::to_string(bytes->as_integer());
  // What the session takes, the topic has to take.
  const auto largest = static_cast<std::int64_t>(settings.amqp_protocol.max_message_bytes) + kMaxHeaderBytes;
  topic.config["max.message.bytes"] =
      std::to_string(std::max<std::int64_t>(largest, settings.topic_defaults.max_message_bytes));
  return topic;
}

TopologyError topic_problem(const std::string& queue, Errc error, const std::string& reason) {
  const bool refused =
      error == Errc::invalid_topic_name || error == Errc::invalid_setting || error == Errc::invalid_partitions;
  return {refused ? ReplyCode::precondition_failed : ReplyCode::internal_error,
          "no topic for stream queue '" + queue + "': " + (reason.empty() ? std::string(to_string(error)) : reason)};
}

}  // namespace

void DefinitionsKeeper::declare_stream(const DefineQueue& request, const QueueDefinition& wanted, DeclareQueue to_host,
                                       Promise<QueueDefined> promise) {
  const auto refuse = [](Promise<QueueDefined>& to, TopologyError error) {
    to.deliver({std::move(error), {}, {}, 0, 0});
  };
  if (request.vhost != default_vhost)
    return refuse(promise, {ReplyCode::precondition_failed, "stream queue '" + request.name + "' in vhost '" +
                                                                request.vhost + "': topics are in vhost '/' only"});
  if (const TopicRef topic = services_.directory.find(request.name)) {
    if (topic->internal)
      return refuse(promise, {ReplyCode::access_refused, "topic '" + request.name + "' is the broker's own"});
    return declare_at_host(request, wanted, QueueType::stream, std::move(to_host), std::move(promise));
  }
  CreateTopics create;
  create.topics.push_back(topic_of(request.name, wanted.table(), services_.settings));
  const auto held = std::make_shared<Promise<QueueDefined>>(std::move(promise));
  ask(
      this, services_.catalog, std::move(create),
      [this, request, wanted, to_host = std::move(to_host), held, refuse](const TopicsApplied& applied) {
        Errc error = applied.error;
        std::string reason = applied.reason;
        if (error == Errc::none && !applied.topics.empty()) {
          error = applied.topics.front().error;
          reason = applied.topics.front().reason;
        }
        if (error != Errc::none && error != Errc::topic_exists)
          return refuse(*held, topic_problem(request.name, error, reason));
        QueueDefinition made = wanted;
        made.owns_topic = error == Errc::none;
        DeclareQueue queue = to_host;
        if (!queue.passive) queue.definition = made.encode();
        declare_at_host(request, made, QueueType::stream, std::move(queue), std::move(*held));
      },
      [held, refuse](const caf::error&) {
        refuse(*held, {ReplyCode::internal_error, "the node is shutting down"});
      });
}

/// Its queue is gone; with it goes the topic that was made for it.
void DefinitionsKeeper::drop_stream(const std::string& name, Promise<QueueDropped> promise) {
  if (own_topics_.erase(name) == 0) return answer_later(std::move(promise), QueueDropped{});
  DeleteTopics drop;
  drop.topics.push_back({name, {}});
  const auto held = std::make_shared<Promise<QueueDropped>>(std::move(promise));
  ask(
      this, services_.catalog, std::move(drop),
      [this, name, held](const TopicsApplied& applied) {
        Errc error = applied.error;
        if (error == Errc::none && !applied.topics.empty()) error = applied.topics.front().error;
        QueueDropped reply;
        if (error != Errc::none && error != Errc::unknown_topic)
          reply.refusal = topic_problem(name, error, applied.reason);
        answer_later(std::move(*held), std::move(reply));
      },
      [held](const caf::error&) {
        held->deliver({TopologyError{ReplyCode::internal_error, "the node is shutting down"}, 0});
      });
}

}  // namespace braid::amqp
