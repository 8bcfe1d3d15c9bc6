// Braid, Apache-2.0.
//
// Exchanges, queues and bindings. What is only looked at is answered from the loop's copy of the virtual host; changes
// are made by the definitions actor, which answers when every loop has them.

#include <algorithm>

#include "actors/amqp/session/session.hpp"

namespace braid::amqp {

namespace {

Bytes copy_of(const Table& table) {
  return Bytes::copy(table.encoded());
}

std::uint32_t as_count(std::uint64_t messages) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(messages, UINT32_MAX));
}

/// DefineBinding or DropBinding, which say the same of a binding; the queue's name is the caller's to find.
template <class Request, class Method>
Request binding_of(const Method& method, const VhostView& vhost, std::uint64_t session) {
  Request request;
  request.vhost = vhost.name();
  request.key = method.routing_key;
  request.arguments = copy_of(method.arguments);
  request.who = connection_number(session);
  if constexpr (requires { method.source; }) {
    request.to_exchange = true;
    request.source = method.source;
    request.destination = method.destination;
  } else {
    request.source = method.exchange;
  }
  return request;
}

}  // namespace

/// Asks for a change, and answers `Ok` when it is made.
template <class Ok, class Request>
void Session::define(Channel& channel, Request request, MethodId method, bool nowait) {
  await<Defined>(channel, services_.amqp_definitions, std::move(request),
                 [this, method, nowait](Channel& there, const Defined& reply) {
                   if (reply.refusal) return fail(there, *reply.refusal, method);
                   if (!nowait) write(there.number, Ok{});
                 });
}

// -- exchanges --------------------------------------------------------------------------------------------------------

void Session::handle(Channel& channel, const ExchangeDeclare& method) {
  if (method.passive) {
    if (const auto refused = vhost_->topology().check_exchange(method.exchange))
      return fail(channel, *refused, ExchangeDeclare::info.id);
    if (!method.nowait) write(channel.number, ExchangeDeclareOk{});
    return;
  }
  DefineExchange request;
  request.vhost = vhost_->name();
  request.name = method.exchange;
  request.type = method.type;
  request.durable = method.durable;
  request.auto_delete = method.auto_delete;
  request.internal = method.internal;
  request.arguments = copy_of(method.arguments);
  define<ExchangeDeclareOk>(channel, std::move(request), ExchangeDeclare::info.id, method.nowait);
}

void Session::handle(Channel& channel, const ExchangeDelete& method) {
  define<ExchangeDeleteOk>(channel, DropExchange{vhost_->name(), std::string(method.exchange), method.if_unused},
                           ExchangeDelete::info.id, method.nowait);
}

void Session::handle(Channel& channel, const ExchangeBind& method) {
  define<ExchangeBindOk>(channel, binding_of<DefineBinding>(method, *vhost_, id()), ExchangeBind::info.id,
                         method.nowait);
}

void Session::handle(Channel& channel, const ExchangeUnbind& method) {
  define<ExchangeUnbindOk>(channel, binding_of<DropBinding>(method, *vhost_, id()), ExchangeUnbind::info.id,
                           method.nowait);
}

// -- queues -----------------------------------------------------------------------------------------------------------

std::optional<std::string> Session::queue_name(Channel& channel, std::string_view name, MethodId method) {
  if (!name.empty()) return std::string(name);
  if (!channel.last_queue.empty()) return channel.last_queue;
  fail(channel, ReplyCode::not_found, "no previously declared queue", method);
  return {};
}

void Session::handle(Channel& channel, const QueueDeclare& method) {
  if (declare_reply_queue(channel, method)) return;
  if (find_undeclared_stream(channel, method)) return;
  DefineQueue request;
  request.vhost = vhost_->name();
  request.name = method.queue;
  request.passive = method.passive;
  request.durable = method.durable;
  request.exclusive = method.exclusive;
  request.auto_delete = method.auto_delete;
  request.arguments = copy_of(method.arguments);
  request.session = QueueConsumer(SessionActor(this));
  const bool exclusive = method.exclusive && !method.passive, nowait = method.nowait;
  // Its answer counts the messages, and those of this connection's publishes are expected among them.
  after_publishes(channel, [this, request = std::move(request), exclusive, nowait](Channel& there) {
    await<QueueDefined>(
        there, services_.amqp_definitions, request,
        [this, exclusive, nowait](Channel& still, const QueueDefined& reply) {
          if (reply.refusal) return fail(still, *reply.refusal, QueueDeclare::info.id);
          still.last_queue = reply.name;
          if (exclusive &&
              std::find(exclusive_queues_.begin(), exclusive_queues_.end(), reply.name) == exclusive_queues_.end())
            exclusive_queues_.push_back(reply.name);
          if (!nowait)
            write(still.number, QueueDeclareOk{reply.name, as_count(reply.messages), as_count(reply.consumers)});
        });
  });
}

template <class Ok, class Request, class Method>
void Session::change_queue_binding(Channel& channel, const Method& method, bool nowait) {
  auto name = queue_name(channel, method.queue, Method::info.id);
  if (!name) return;
  auto request = binding_of<Request>(method, *vhost_, id());
  // Without either name the key is the queue's (queue.bind, rule "default routing key").
  if (method.queue.empty() && method.routing_key.empty()) request.key = *name;
  request.destination = *std::move(name);
  define<Ok>(channel, std::move(request), Method::info.id, nowait);
}

void Session::handle(Channel& channel, const QueueBind& method) {
  change_queue_binding<QueueBindOk, DefineBinding>(channel, method, method.nowait);
}

void Session::handle(Channel& channel, const QueueUnbind& method) {
  change_queue_binding<QueueUnbindOk, DropBinding>(channel, method, false);
}

void Session::handle(Channel& channel, const QueuePurge& method) {
  auto name = queue_name(channel, method.queue, QueuePurge::info.id);
  if (!name) return;
  EmptyQueue request{vhost_->name(), *std::move(name), connection_number(id())};
  after_publishes(channel, [this, request = std::move(request), nowait = method.nowait](Channel& there) {
    await<QueueDropped>(there, services_.amqp_definitions, request,
                        [this, nowait](Channel& still, const QueueDropped& reply) {
                          if (reply.refusal) return fail(still, *reply.refusal, QueuePurge::info.id);
                          if (!nowait) write(still.number, QueuePurgeOk{as_count(reply.messages)});
                        });
  });
}

void Session::handle(Channel& channel, const QueueDelete& method) {
  auto name = queue_name(channel, method.queue, QueueDelete::info.id);
  if (!name) return;
  DropQueue request{vhost_->name(), *std::move(name), method.if_unused, method.if_empty, connection_number(id())};
  after_publishes(channel, [this, request = std::move(request), nowait = method.nowait](Channel& there) {
    await<QueueDropped>(there, services_.amqp_definitions, request,
                        [this, nowait, name = request.name](Channel& still, const QueueDropped& reply) {
                          if (reply.refusal) return fail(still, *reply.refusal, QueueDelete::info.id);
                          std::erase(exclusive_queues_, name);
                          if (!nowait) write(still.number, QueueDeleteOk{as_count(reply.messages)});
                        });
  });
}

}  // namespace braid::amqp
