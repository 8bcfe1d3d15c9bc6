// Braid, Apache-2.0.
//
// Queues by name. Whether a declaration fits one that is there is decided with what the queue's host says of it, so two
// that come at once agree on who was first.
#include <algorithm>
#include <array>

#include "actors/amqp/definitions/definitions.hpp"
#include "actors/amqp/definitions/policy.hpp"

namespace braid::amqp {

namespace {

constexpr std::string_view reserved_prefix = "amq.";
constexpr std::size_t kMaxQueueNameBytes = 255;

std::string named(std::string_view queue, std::string_view vhost) {
  return "queue '" + std::string(queue) + "' in vhost '" + std::string(vhost) + "'";
}

TopologyError storage_problem(QueueErrc error) {
  if (error == QueueErrc::overloaded) return {ReplyCode::resource_error, "too many queues"};
  return {ReplyCode::internal_error, error == QueueErrc::unknown_outcome ? "it is not known whether it has happened"
                                                                         : "the queue's storage failed"};
}
TopologyError host_is_gone() {
  return {ReplyCode::internal_error, "the node is shutting down"};
}

}  // namespace

/// As RabbitMQ names them: 16 random bytes in the alphabet of base64 for URLs.
std::string DefinitionsKeeper::new_queue_name() {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string queue = "amq.gen-";
  std::uint64_t bits = 0;
  for (int i = 0; i < 22; ++i) {
    if (i % 10 == 0) bits = loop().random();
    queue += alphabet[bits & 63];
    bits >>= 6;
  }
  return queue;
}

void DefinitionsKeeper::declare(const DefineQueue& given, Promise<QueueDefined> promise) {
  const auto refuse = [&promise](TopologyError error) { promise.deliver({std::move(error), {}, {}, 0, 0}); };
  const auto view = services_.amqp.find(given.vhost);
  if (!view) return refuse(no_vhost(given.vhost));
  DefineQueue request = given;
  std::erase_if(request.name, [](char c) { return c == '\r' || c == '\n'; });
  if (request.passive) {
    const QueuePlace* place = view->find_queue(request.name);
    if (!place) return refuse(view->no_queue(request.name));
    const auto who = connection_number(request.session ? request.session.id() : 0);
    if (auto refused = view->check_access(request.name, *place, who)) return refuse(std::move(*refused));
    return find(request, *view, *place, std::move(promise));
  }
  const bool server_named = request.name.empty();
  if (server_named)
    request.name = new_queue_name();
  else if (request.name.starts_with(reserved_prefix))
    return refuse({ReplyCode::access_refused, "queue name '" + request.name + "' contains reserved prefix '" +
                                                  std::string(reserved_prefix) + "*'"});
  if (request.name.size() > kMaxQueueNameBytes)
    return refuse({ReplyCode::precondition_failed, "a queue's name has at most 255 bytes"});

  const QueueDefinition wanted{request.durable, request.exclusive, request.auto_delete, request.arguments.compact()};
  const std::string text = named(request.name, request.vhost);
  DeclareQueue to_host;
  to_host.name = host_name(request.vhost, request.name);
  to_host.owner = QueueOwner::amqp;
  const auto rules = check_queue(wanted, text, server_named);
  QueueType type = QueueType::classic;
  if (const QueuePlace* place = view->find_queue(request.name)) {
    // It must be what is asked for, whatever else would be wrong with the question.
    to_host.passive = true;
    type = place->type;
  } else {
    if (!rules) return refuse(rules.error());
    const std::size_t there = view->topology().queues() - own_objects(*view) + being_declared(request.vhost);
    if (auto full = check_limit("declare", "queue", request.name, "queue", *view, there,
                                services_.settings.amqp_protocol.max_queues))
      return refuse(std::move(*full));
    type = rules->type;
    to_host.settings = with_policy(wanted, rules->settings, view->rules_for_queue(request.name, type));
    to_host.definition = wanted.encode();
    if (request.exclusive) to_host.exclusive_to = request.session;
  }
  if (rules && rules->type == QueueType::stream && type == QueueType::stream)
    return declare_stream(request, wanted, std::move(to_host), std::move(promise));
  declare_at_host(request, wanted, type, std::move(to_host), std::move(promise));
}

void DefinitionsKeeper::declare_at_host(const DefineQueue& request, const QueueDefinition& wanted, QueueType type,
                                        DeclareQueue to_host, Promise<QueueDefined> promise) {
  const auto host = queue_loop(services_, to_host.name);
  const auto held = std::make_shared<Promise<QueueDefined>>(std::move(promise));
  const bool may_make = !to_host.passive;
  if (may_make) ++declaring_[request.vhost];
  const auto answered = [this, may_make, vhost = request.vhost] {
    if (may_make && --declaring_[vhost] == 0) declaring_.erase(vhost);
  };
  ask(
      this, services_.queues[host], std::move(to_host),
      [this, request, wanted, type, held, answered](const QueueDeclared& answer) {
        answered();
        declared(request, wanted, type, answer, std::move(*held));
      },
      [held, answered](const caf::error&) {
        answered();
        held->deliver({host_is_gone(), {}, {}, 0, 0});
      });
}

void DefinitionsKeeper::declared(const DefineQueue& request, const QueueDefinition& wanted, QueueType type,
                                 const QueueDeclared& answer, Promise<QueueDefined> promise) {
  const auto refuse = [&promise](TopologyError error) { promise.deliver({std::move(error), {}, {}, 0, 0}); };
  const auto view = services_.amqp.find(request.vhost);
  const auto host = static_cast<std::uint32_t>(queue_loop(services_, host_name(request.vhost, request.name)));
  if (answer.error == QueueErrc::unknown_queue) {
    // It went while we asked, and the host's word of it is on its way or has come: now it is a new one.
    if (const QueuePlace* place = view ? view->find_queue(request.name) : nullptr)
      forget_queue(request.vhost, request.name, place->queue);
    return declare(request, std::move(promise));
  }
  if (answer.error != QueueErrc::none) return refuse(storage_problem(answer.error));
  if (!view) {  // deleted meanwhile
    if (answer.created)
      ask(
          this, services_.queues[host], DeleteQueue{answer.queue}, [](const QueueEmptied&) {},
          [](const caf::error&) {});
    return refuse(no_vhost(request.vhost));
  }
  bool owns_topic = wanted.owns_topic;
  if (!answer.created) {
    const auto current = QueueDefinition::decode(answer.definition);
    if (answer.owner != QueueOwner::amqp || !current)
      return refuse({ReplyCode::internal_error, "the queue is not one of AMQP"});
    // Who declares an exclusive queue as a shared one is refused, even its owner.
    if (answer.exclusive_to != (request.exclusive && request.session ? request.session.id() : 0))
      return refuse(view->locked(request.name));
    if (auto refused = check_equivalent(*current, wanted, named(request.name, request.vhost)))
      return refuse(std::move(*refused));
    owns_topic = current->owns_topic;
  }
  const QueuePlace* known = view->find_queue(request.name);
  if (known && known->queue != answer.queue) {
    forget_queue(request.vhost, request.name, known->queue);
    known = nullptr;
  }
  if (!known) {
    apply({AddQueue{request.vhost, request.name,
                    QueuePlace{answer.queue, host, answer.settings.max_priority, type, wanted.durable,
                               wanted.auto_delete, answer.settings.single_active_consumer,
                               connection_number(answer.exclusive_to), consumer_timeout_ms_of(wanted)}}});
    if (type == QueueType::stream) send(bridge_, StartBridge{answer.queue, host, request.name});
  }
  if (owns_topic) own_topics_.insert(request.name);
  QueueDefined reply{{}, request.name, answer.queue, 0, 0};
  if (type != QueueType::stream) {  // there the messages are in the topic, and who consumes is the bridge
    reply.messages = answer.ready;
    reply.consumers = answer.consumers;
  }
  answer_later(std::move(promise), std::move(reply));
}

void DefinitionsKeeper::find(const DefineQueue& request, const VhostView& view, const QueuePlace& place,
                             Promise<QueueDefined> promise) {
  const auto held = std::make_shared<Promise<QueueDefined>>(std::move(promise));
  ask(
      this, services_.queues[place.loop], DescribeQueues{{place.queue}},
      [this, held, name = request.name, stream = place.type == QueueType::stream,
       missing = view.no_queue(request.name)](const QueuesDescribed& described) {
        if (described.queues.empty()) return held->deliver({missing, {}, {}, 0, 0});
        const auto& queue = described.queues.front();
        answer_later(std::move(*held),
                     QueueDefined{{}, name, queue.queue, stream ? 0 : queue.ready, stream ? 0 : queue.consumers});
      },
      [held](const caf::error&) {
        held->deliver({host_is_gone(), {}, {}, 0, 0});
      });
}

void DefinitionsKeeper::remove(const DropQueue& request, Promise<QueueDropped> promise) {
  const auto refuse = [&promise](TopologyError error) { promise.deliver({std::move(error), 0}); };
  const auto view = services_.amqp.find(request.vhost);
  if (!view) return refuse(no_vhost(request.vhost));
  const QueuePlace* place = view->find_queue(request.name);
  if (!place) return answer_later(std::move(promise), QueueDropped{});
  if (auto refused = view->check_access(request.name, *place, request.who)) return refuse(std::move(*refused));
  if (place->type != QueueType::classic && (request.if_unused || request.if_empty))
    return refuse({ReplyCode::not_implemented,
                   "cannot delete " + named(request.name, request.vhost) + ". queue.delete operations with " +
                       (request.if_unused ? "if-unused" : "if-empty") + " flag set are not supported by " +
                       (place->type == QueueType::quorum ? "quorum" : "stream") + " queues"});
  const auto held = std::make_shared<Promise<QueueDropped>>(std::move(promise));
  ask(
      this, services_.queues[place->loop], DeleteQueue{place->queue, request.if_unused, request.if_empty},
      [this, request, queue = place->queue, type = place->type, held](const QueueEmptied& answer) {
        removed(request, queue, type, answer, std::move(*held));
      },
      [held](const caf::error&) {
        held->deliver({host_is_gone(), 0});
      });
}

void DefinitionsKeeper::removed(const DropQueue& request, QueueId queue, QueueType type, const QueueEmptied& answer,
                                Promise<QueueDropped> promise) {
  const auto refuse = [&promise](TopologyError error) { promise.deliver({std::move(error), 0}); };
  const std::string text = named(request.name, request.vhost);
  if (answer.error == QueueErrc::in_use) return refuse({ReplyCode::precondition_failed, text + " in use"});
  if (answer.error == QueueErrc::not_empty) return refuse({ReplyCode::precondition_failed, text + " not empty"});
  if (answer.error != QueueErrc::none && answer.error != QueueErrc::unknown_queue)
    return refuse(storage_problem(answer.error));
  forget_queue(request.vhost, request.name, queue);
  if (type == QueueType::stream) return drop_stream(request.name, std::move(promise));
  answer_later(std::move(promise), QueueDropped{{}, answer.messages});
}

void DefinitionsKeeper::purge(const EmptyQueue& request, Promise<QueueDropped> promise) {
  const auto refuse = [&promise](TopologyError error) { promise.deliver({std::move(error), 0}); };
  const auto view = services_.amqp.find(request.vhost);
  if (!view) return refuse(no_vhost(request.vhost));
  const QueuePlace* place = view->find_queue(request.name);
  if (!place) return refuse(view->no_queue(request.name));
  if (auto refused = view->check_access(request.name, *place, request.who)) return refuse(std::move(*refused));
  if (place->type == QueueType::stream)
    return refuse({ReplyCode::not_implemented,
                   "queue.purge not supported by stream queues " + named(request.name, request.vhost)});
  const auto held = std::make_shared<Promise<QueueDropped>>(std::move(promise));
  ask(
      this, services_.queues[place->loop], PurgeQueue{place->queue},
      [held, missing = view->no_queue(request.name)](const QueueEmptied& answer) {
        if (answer.error == QueueErrc::unknown_queue) return held->deliver({missing, 0});
        if (answer.error != QueueErrc::none) return held->deliver({storage_problem(answer.error), 0});
        held->deliver({{}, answer.messages});
      },
      [held](const caf::error&) {
        held->deliver({host_is_gone(), 0});
      });
}

void DefinitionsKeeper::gone(const QueueGone& gone) {
  if (const auto queue = parse_host_name(gone.name))
    forget_queue(std::string(queue->vhost), std::string(queue->queue), gone.queue);
}

/// Unless the name stands for another queue by now.
void DefinitionsKeeper::forget_queue(const std::string& vhost, const std::string& name, QueueId queue) {
  const auto view = services_.amqp.find(vhost);
  const QueuePlace* place = view ? view->find_queue(name) : nullptr;
  if (!place || place->queue != queue) return;
  apply({RemoveQueue{vhost, name}});
  schedule();
}

}  // namespace braid::amqp
