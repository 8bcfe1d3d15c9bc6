// Braid, Apache-2.0.
//
// Policies, and what follows from them. The rules of a queue are kept by its host, with what a policy gave them; so a
// change of a policy asks the hosts what they have and changes the queues for which something else is wanted now. The
// alternate exchange of an exchange is the directory's business, on every loop.
#include "actors/amqp/definitions/definitions.hpp"
#include "actors/amqp/definitions/policy.hpp"
#include "actors/amqp/delays/interface.hpp"
#include "runtime/log.hpp"

namespace braid::amqp {

namespace {
/// Every declaration looks at all of them.
constexpr std::size_t kMaxPolicies = 1000;
}  // namespace

void DefinitionsKeeper::define(const DefinePolicy& request, Promise<Defined> promise) {
  const auto refuse = [&promise](std::string text) {
    promise.deliver({TopologyError{ReplyCode::precondition_failed, std::move(text)}});
  };
  const auto view = services_.amqp.find(request.vhost);
  if (!view) return promise.deliver({no_vhost(request.vhost)});
  if (check_table(request.definition.view(), {})) return refuse("the definition is too large");
  const PolicyMap& there = view->policies(request.of_operator);
  if (!there.contains(request.name) && there.size() >= kMaxPolicies)
    return refuse("a vhost has at most " + std::to_string(kMaxPolicies) +
                  (request.of_operator ? " operator policies" : " policies"));
  DefinePolicy policy = request;
  policy.definition = request.definition.compact();
  if (auto refused = apply({policy})) return promise.deliver({std::move(refused)});
  next_.edits.push_back(amqp::store(policy));
  refresh_queues(request.vhost, [this, held = std::make_shared<Promise<Defined>>(std::move(promise))] {
    answer_later(std::move(*held), Defined{});
  });
}

void DefinitionsKeeper::drop(const DropPolicy& request, Promise<Defined> promise) {
  if (!services_.amqp.find(request.vhost)) return promise.deliver({no_vhost(request.vhost)});
  if (auto refused = apply({request})) return promise.deliver({std::move(refused)});
  DefinePolicy gone;
  gone.vhost = request.vhost;
  gone.name = request.name;
  gone.of_operator = request.of_operator;
  next_.edits.push_back(forget(amqp::store(gone)));
  refresh_queues(request.vhost, [this, held = std::make_shared<Promise<Defined>>(std::move(promise))] {
    answer_later(std::move(*held), Defined{});
  });
}

std::optional<QueueSettings> DefinitionsKeeper::wanted_settings(const QueueDescription& queue) const {
  if (queue.owner != QueueOwner::amqp || parse_delay_queue_name(queue.name)) return std::nullopt;
  const auto name = parse_host_name(queue.name);
  const auto definition = QueueDefinition::decode(queue.definition);
  const auto view = name ? services_.amqp.find(name->vhost) : nullptr;
  if (!view || !definition || (name->queue == bridge_queue && name->vhost == default_vhost)) return std::nullopt;
  const auto rules = check_queue(*definition, queue.name, false);
  if (!rules) return std::nullopt;
  QueueSettings wanted = with_policy(*definition, rules->settings, view->rules_for_queue(name->queue, rules->type));
  // The host's own business.
  wanted.durable = queue.settings.durable;
  wanted.max_priority = queue.settings.max_priority;
  return wanted;
}

void DefinitionsKeeper::refresh_queues(const std::string& vhost, std::function<void()> finished) {
  const auto missing = std::make_shared<std::size_t>(1);
  const auto one_less = [missing, finished = std::move(finished)] {
    if (--*missing == 0) finished();
  };
  for (const QueueHost& host : services_.queues) {
    ++*missing;
    ask(
        this, host, DescribeQueues{},
        [this, host, vhost, missing, one_less](const QueuesDescribed& described) {
          for (const QueueDescription& queue : described.queues) {
            const auto name = parse_host_name(queue.name);
            if (!name || name->vhost != vhost) continue;
            const auto wanted = wanted_settings(queue);
            if (!wanted || *wanted == queue.settings) continue;
            ++*missing;
            ask(
                this, host, ChangeQueue{queue.queue, *wanted},
                [one_less, text = queue.name](const QueueChanged& changed) {
                  // In force nevertheless, and set right again at the next start.
                  if (changed.error == QueueErrc::storage_failed)
                    BRAID_LOG_LIMITED(error, "amqp", {}, "new rules of queue {} could not be stored", text);
                  one_less();
                },
                [one_less](const caf::error&) { one_less(); });
          }
          one_less();
        },
        [one_less](const caf::error&) { one_less(); });
  }
  one_less();
}

}  // namespace braid::amqp
