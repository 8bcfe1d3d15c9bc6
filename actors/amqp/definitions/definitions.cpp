// Braid, Apache-2.0.
#include "actors/amqp/definitions/definitions.hpp"

#include <algorithm>

#include "actors/amqp/dead_letters/router.hpp"
#include "actors/amqp/definitions/policy.hpp"
#include "actors/amqp/delays/interface.hpp"
#include "actors/topic_bridge/names.hpp"
#include "cluster/catalog_service.hpp"
#include "runtime/log.hpp"

namespace braid::amqp {

namespace {

constexpr std::int64_t kDefinitionsRetryMs = 1000;
/// Of one command to the catalog, about.
constexpr std::size_t kCommandBytes = 8u << 20;
constexpr std::size_t kMaxVhostNameBytes = 255;

std::string without_line_ends(const std::string& name) {
  std::string clean;
  std::copy_if(name.begin(), name.end(), std::back_inserter(clean), [](char c) { return c != '\r' && c != '\n'; });
  return clean;
}

/// As it is kept: names without line ends, arguments in one order, and nobody's.
DefineBinding clean(const DefineBinding& binding) {
  DefineBinding cleaned = binding;
  cleaned.source = without_line_ends(binding.source);
  cleaned.destination = without_line_ends(binding.destination);
  cleaned.arguments = Bytes::copy(in_order(Table(binding.arguments.view())));
  return cleaned;
}

}  // namespace

DefinitionsKeeper::DefinitionsKeeper(caf::actor_config& config, Loop& loop, Services& services,
                                     std::vector<DefinitionReplica> replicas, std::vector<QueueListener> listeners,
                                     TopicBridge bridge, std::vector<Definition> stored)
    : Pinned(config, loop),
      services_(services),
      replicas_(std::move(replicas)),
      listeners_(std::move(listeners)),
      bridge_(std::move(bridge)),
      stored_(std::move(stored)) {}

DefinitionsActor spawn_definitions(const std::vector<Services*>& services, std::vector<Definition> stored) {
  std::vector<DefinitionReplica> replicas;
  std::vector<QueueListener> listeners;
  for (Services* each : services) {
    if (each != services.front()) replicas.push_back(spawn_definition_replica(each->loop, each->amqp));
    listeners.push_back(spawn_dead_letter_router(*each));
  }
  auto definitions =
      spawn_on<DefinitionsKeeper>(services.front()->loop, *services.front(), std::move(replicas), std::move(listeners),
                                  spawn_topic_bridge(*services.front()), std::move(stored));
  for (Services* each : services) {
    each->amqp_definitions = definitions;
    each->amqp_delays = spawn_delays(*each);
  }
  return definitions;
}

DefinitionsKeeper::behavior_type DefinitionsKeeper::make_behavior() {
  find_queues();
  return {
      [this](const OpenVhost& request) { return restored_.when_open(this, request, &DefinitionsKeeper::open); },
      [this](const DefineExchange& request) {
        return restored_.when_open<DefineExchange, Defined>(this, request, &DefinitionsKeeper::define);
      },
      [this](const DropExchange& request) {
        return restored_.when_open(this, request, &DefinitionsKeeper::change<DropExchange>);
      },
      [this](const DefineBinding& request) { return restored_.when_open(this, request, &DefinitionsKeeper::bind); },
      [this](const DropBinding& request) {
        return restored_.when_open(this, request, &DefinitionsKeeper::change<DropBinding>);
      },
      [this](const DefineVhost& request) {
        return restored_.when_open<DefineVhost, Defined>(this, request, &DefinitionsKeeper::define);
      },
      [this](const DropVhost& request) {
        return restored_.when_open<DropVhost, Defined>(this, request, &DefinitionsKeeper::drop);
      },
      [this](const DefinePolicy& request) {
        return restored_.when_open<DefinePolicy, Defined>(this, request, &DefinitionsKeeper::define);
      },
      [this](const DropPolicy& request) {
        return restored_.when_open<DropPolicy, Defined>(this, request, &DefinitionsKeeper::drop);
      },
      [this](const DefineQueue& request) { return restored_.when_open(this, request, &DefinitionsKeeper::declare); },
      [this](const DropQueue& request) { return restored_.when_open(this, request, &DefinitionsKeeper::remove); },
      [this](const EmptyQueue& request) { return restored_.when_open(this, request, &DefinitionsKeeper::purge); },
      [this](const QueueGone& message) { gone(message); },
  };
}

// -- start ------------------------------------------------------------------------------------------------------------

/// Virtual hosts and exchanges first, then the queues that the hosts have, then what connects them.
void DefinitionsKeeper::find_queues() {
  answers_missing_ = services_.queues.size() + 1;
  for (const auto& host : services_.queues)
    ask(
        this, host, DescribeQueues{}, [this](const QueuesDescribed& described) { found(described); },
        [this](const caf::error&) { found({}); });
  found({});
}

void DefinitionsKeeper::found(const QueuesDescribed& described) {
  for (const auto& queue : described.queues)
    if (queue.owner == QueueOwner::amqp && !parse_delay_queue_name(queue.name)) found_.push_back(queue);
  if (--answers_missing_ == 0) restore();
}

void DefinitionsKeeper::restore() {
  std::vector<DefinitionEdit> stale;
  const auto restore_if = [&](bool bindings) {
    for (const auto& each : stored_) {
      if ((each.kind == DefinitionKind::amqp_binding) != bindings) continue;
      auto change = load(each);
      const DefinitionChange copy = change.value_or(DefinitionChange{});
      const Refusal refused = change ? apply(std::move(*change)) : TopologyError{};
      if (!refused) {
        if (const auto* binding = std::get_if<DefineBinding>(&copy.what)) count_binding(*binding, true);
        continue;
      }
      // A binding of a queue that is not there any more; anything else would be damage that the catalog cannot see.
      if (!bindings) log::error("amqp", "a stored definition was refused: {}", refused->text);
      stale.push_back({each.kind, each.key, std::nullopt});
    }
  };
  restore_if(false);
  const std::string bridge_name = host_name(default_vhost, bridge_queue);
  for (const auto& queue : found_) {
    if (queue.name == bridge_name) continue;
    const auto name = parse_host_name(queue.name);
    const auto definition = QueueDefinition::decode(queue.definition);
    const auto view = name ? services_.amqp.find(name->vhost) : nullptr;
    const auto rules = view && definition ? check_queue(*definition, queue.name, false)
                                          : Result<QueueRules, TopologyError>(Unexpected{TopologyError{}});
    const auto loop_index = static_cast<std::uint32_t>(queue_loop(services_, queue.name));
    if (!rules) {
      log::warning("amqp", "a queue that belongs to no virtual host is deleted");
      ask(
          this, services_.queues[loop_index], DeleteQueue{queue.queue}, [](const QueueEmptied&) {},
          [](const caf::error&) {});
      continue;
    }
    QueuePlace place{queue.queue,
                     loop_index,
                     rules->settings.max_priority,
                     rules->type,
                     definition->durable,
                     definition->auto_delete,
                     rules->settings.single_active_consumer,
                     connection_number(queue.exclusive_to),
                     consumer_timeout_ms_of(*definition)};
    apply({AddQueue{std::string(name->vhost), std::string(name->queue), place}});
    // A policy may have been stored and the process ended before its queues had the new rules.
    if (const auto wanted = wanted_settings(queue); wanted && *wanted != queue.settings)
      ask(
          this, services_.queues[loop_index], ChangeQueue{queue.queue, *wanted}, [](const QueueChanged&) {},
          [](const caf::error&) {});
    if (place.type == QueueType::stream) send(bridge_, StartBridge{place.queue, place.loop, std::string(name->queue)});
    if (definition->owns_topic) own_topics_.insert(std::string(name->queue));
  }
  restore_if(true);
  if (!stored_.empty() || !found_.empty())
    log::info("amqp", "{} definitions and {} queues restored", stored_.size() - stale.size(), found_.size());
  stored_ = {};
  found_ = {};
  services_.amqp.for_each([this](VhostView& view) { watch(view); });
  next_.edits = std::move(stale);
  start_bridge();
}

/// amq.topic leads to the bridge before anybody can publish to it.
void DefinitionsKeeper::start_bridge() {
  if (services_.queues.empty()) return get_ready();
  DeclareQueue request;
  request.name = host_name(default_vhost, bridge_queue);
  request.definition = QueueDefinition{true, false, false, {}}.encode();
  const auto host = static_cast<std::uint32_t>(queue_loop(services_, request.name));
  ask(
      this, services_.queues[host], std::move(request),
      [this, host](const QueueDeclared& declared) { bridge_declared(declared, host); },
      [this](const caf::error&) { get_ready(); });
}

void DefinitionsKeeper::bridge_declared(const QueueDeclared& declared, std::uint32_t host) {
  if (declared.error != QueueErrc::none) {
    log::error("amqp", "amq.topic does not reach MQTT and topics: its queue could not be declared");
    return get_ready();
  }
  QueuePlace place;
  place.queue = declared.queue;
  place.loop = host;
  place.exclusive_to = bridge_owner;
  const std::string vhost(default_vhost), queue(bridge_queue);
  apply({AddQueue{vhost, queue, place}});
  apply({DefineBinding{vhost, false, std::string(bridge_exchange), queue, "#", {}, bridge_owner}});
  send(bridge_, StartBridge{declared.queue, host, {}});
  get_ready();
}

void DefinitionsKeeper::get_ready() {
  when_everywhere([this](bool) {
    listen();
    restored_.open();
  });
}

/// From now on hosts tell when a queue goes; what went since they were asked is missing in the answer.
void DefinitionsKeeper::listen() {
  for (std::size_t at = 0; at < services_.queues.size(); ++at)
    ask(
        this, services_.queues[at], ListenToQueues{QueueOwner::amqp, listeners_[at]},
        [this, at](const QueuesDescribed& described) {
          std::vector<QueueGone> missing;
          services_.amqp.for_each([&](VhostView& view) {
            view.for_each_queue([&](std::string_view queue, const QueuePlace& place) {
              const bool there = std::any_of(described.queues.begin(), described.queues.end(),
                                             [&](const auto& each) { return each.queue == place.queue; });
              if (place.loop == at && !there)
                missing.push_back({place.queue, host_name(view.name(), queue), QueueOwner::amqp});
            });
          });
          for (const auto& each : missing) gone(each);
        },
        [](const caf::error&) {});
}

// -- batches ----------------------------------------------------------------------------------------------------------

void DefinitionsKeeper::watch(VhostView& view) {
  Vhost& topology = view.topology();
  topology.watch({.binding_goes =
                      [this, &topology](const Binding& binding) {
                        const Destination to = binding.destination;
                        const DefineBinding gone{topology.name(),
                                                 to.is_exchange(),
                                                 std::string(topology.exchange_name(binding.source)),
                                                 std::string(to.is_exchange() ? topology.exchange_name(to.exchange())
                                                                              : topology.queue_name(to.queue())),
                                                 binding.key,
                                                 Bytes::copy(binding.arguments),
                                                 ConnectionNumber::none};
                        count_binding(gone, false);
                        if (topology.is_durable(binding)) next_.edits.push_back(forget(amqp::store(gone)));
                      },
                  .exchange_goes =
                      [this, &topology](ExchangeNumber number) {
                        const auto info = topology.info(number);
                        if (!info.durable) return;
                        DefineExchange exchange;
                        exchange.vhost = topology.name();
                        exchange.name = info.name;
                        next_.edits.push_back(forget(amqp::store(exchange)));
                      }});
}

void DefinitionsKeeper::count_binding(const DefineBinding& binding, bool is_new) {
  if (binding.source != bridge_exchange || binding.vhost != default_vhost || binding.destination == bridge_queue)
    return;
  const auto filter = to_topic_filter(binding.key);
  if (!filter) return;
  const Bytes bytes = Bytes::copy(*filter);
  // What is added and removed within one batch is neither.
  const auto change = [&bytes](std::vector<Bytes>& list, std::vector<Bytes>& opposite) {
    if (std::erase(opposite, bytes) == 0) list.push_back(bytes);
  };
  auto& count = topic_filters_[*filter];
  if (is_new) {
    if (count++ == 0) change(next_filters_.add, next_filters_.remove);
  } else if (--count == 0) {
    topic_filters_.erase(*filter);
    change(next_filters_.remove, next_filters_.add);
  }
}

Refusal DefinitionsKeeper::apply(DefinitionChange change) {
  auto refused = services_.amqp.apply(change);
  if (!refused && !replicas_.empty()) next_.changes.push_back(std::move(change));
  return refused;
}

void DefinitionsKeeper::when_everywhere(Answer answer) {
  next_.answers.push_back(std::move(answer));
  schedule();
}

void DefinitionsKeeper::schedule() {
  if (busy_ || scheduled_) return;
  scheduled_ = true;
  loop().at_turn_end(guard([this] {
    scheduled_ = false;
    if (!busy_ && !next_.empty()) start_batch();
  }));
}

void DefinitionsKeeper::start_batch() {
  busy_ = true;
  storing_failed_ = false;
  retry_.cancel();
  now_ = std::exchange(next_, {});
  parts_missing_ = 1;
  if (!now_.changes.empty()) {
    const auto changes = std::make_shared<const std::vector<DefinitionChange>>(std::move(now_.changes));
    parts_missing_ += replicas_.size();
    // A loop that is gone has nobody left who could ask it.
    for (const auto& replica : replicas_)
      ask(
          this, replica, DefinitionsChanged{changes}, [this](const DefinitionsSeen&) { one_finished(); },
          [this](const caf::error&) { one_finished(); });
  }
  if (!next_filters_.add.empty() || !next_filters_.remove.empty()) {
    ++parts_missing_;
    ask(
        this, bridge_, std::exchange(next_filters_, {}), [this](const TopicFiltersSet&) { one_finished(); },
        [this](const caf::error&) { one_finished(); });
  }
  std::vector<DefinitionEdit> part;
  std::size_t bytes = 0;
  for (const auto& edit : now_.edits) {
    part.push_back(edit);
    bytes += edit.key.size() + (edit.value ? edit.value->size() : 0);
    if (bytes < kCommandBytes) continue;
    store(std::exchange(part, {}));
    bytes = 0;
  }
  if (!part.empty()) store(std::move(part));
  one_finished();
}

void DefinitionsKeeper::store(std::vector<DefinitionEdit> edits) {
  ++parts_missing_;
  ask(
      this, services_.catalog, AlterDefinitions{std::move(edits)},
      [this](const DefinitionsAltered& altered) {
        if (altered.error != Errc::none) {
          log::error("amqp", "definitions were not stored and are kept for another try: {}", altered.reason);
          storing_failed_ = true;
        }
        one_finished();
      },
      [this](const caf::error&) {
        storing_failed_ = true;
        one_finished();
      });
}

void DefinitionsKeeper::one_finished() {
  if (--parts_missing_ == 0) finish_batch();
}

/// What was not stored is in force nevertheless, as its askers are told, and will be stored with the next batch: edits
/// may be repeated.
void DefinitionsKeeper::finish_batch() {
  const Batch batch = std::exchange(now_, {});
  const bool stored = !storing_failed_;
  if (!stored) {
    next_.edits.insert(next_.edits.begin(), batch.edits.begin(), batch.edits.end());
    retry_ = after(kDefinitionsRetryMs, [this] {
      if (!busy_) start_batch();
    });
  }
  busy_ = false;
  for (const auto& answer : batch.answers) answer(stored);
  if (!next_.answers.empty() || !next_.changes.empty() || (stored && !next_.edits.empty())) schedule();
}

// -- virtual hosts, exchanges, bindings -------------------------------------------------------------------------------

Refusal DefinitionsKeeper::check_limit(std::string_view verb, std::string_view kind, const std::string& name,
                                       std::string_view counted, const VhostView& view, std::size_t there,
                                       std::size_t limit) {
  if (there < limit) return {};
  return TopologyError{ReplyCode::precondition_failed, "cannot " + std::string(verb) + " " + std::string(kind) + " '" +
                                                           name + "': " + std::string(counted) + " limit in vhost '" +
                                                           view.name() + "' (" + std::to_string(limit) +
                                                           ") is reached"};
}

std::size_t DefinitionsKeeper::own_objects(const VhostView& view) {
  return view.find_queue(bridge_queue) ? 1 : 0;
}

void DefinitionsKeeper::open(const OpenVhost& request, Promise<Defined> promise) {
  if (!services_.amqp.find(request.name)) return promise.deliver({no_vhost(request.name)});
  answer_later(std::move(promise), Defined{});
}

/// For what needs nothing but to be applied.
template <class Request>
void DefinitionsKeeper::change(const Request& request, Promise<Defined> promise) {
  if (auto refused = apply({request})) return promise.deliver({std::move(refused)});
  answer_later(std::move(promise), Defined{});
}

void DefinitionsKeeper::define(const DefineExchange& request, Promise<Defined> promise) {
  DefineExchange exchange = request;
  exchange.name = without_line_ends(request.name);
  exchange.arguments = request.arguments.compact();
  const auto view = services_.amqp.find(request.vhost);
  const bool is_new = view && !view->topology().find_exchange(exchange.name);
  if (is_new)
    if (auto full = check_limit("declare", "exchange", exchange.name, "exchange", *view,
                                view->topology().declared_exchanges(), services_.settings.amqp_protocol.max_exchanges))
      return promise.deliver({std::move(full)});
  if (auto refused = apply({exchange})) return promise.deliver({std::move(refused)});
  if (is_new && exchange.durable) next_.edits.push_back(amqp::store(exchange));
  answer_later(std::move(promise), Defined{});
}

void DefinitionsKeeper::bind(const DefineBinding& request, Promise<Defined> promise) {
  const DefineBinding binding = clean(request);
  const auto view = services_.amqp.find(binding.vhost);
  const std::size_t before = view ? view->topology().bindings() : 0;
  if (view && view->topology().is_missing(binding.to_exchange, binding.destination, binding.source, binding.key,
                                          Table(binding.arguments.view())))
    if (auto full = check_limit("bind", binding.to_exchange ? "exchange" : "queue", binding.destination, "binding",
                                *view, before - own_objects(*view), services_.settings.amqp_protocol.max_bindings))
      return promise.deliver({std::move(full)});
  if (auto refused = apply({binding})) return promise.deliver({std::move(refused)});
  const Vhost& topology = view->topology();
  if (topology.bindings() > before) count_binding(binding, true);
  const auto durable_exchange = [&](const std::string& name) {
    return topology.info(*topology.find_exchange(name)).durable;
  };
  const bool durable = durable_exchange(binding.source) &&
                       (binding.to_exchange ? durable_exchange(binding.destination)
                                            : topology.is_durable(*topology.find_queue(binding.destination)));
  if (durable) next_.edits.push_back(amqp::store(binding));
  answer_later(std::move(promise), Defined{});
}

void DefinitionsKeeper::define(const DefineVhost& request, Promise<Defined> promise) {
  if (request.name.empty() || request.name.size() > kMaxVhostNameBytes || request.name.find('\0') != std::string::npos)
    return promise.deliver({TopologyError{ReplyCode::precondition_failed,
                                          "the name of a vhost has 1 to 255 bytes and no zero among them"}});
  if (!services_.amqp.find(request.name)) {
    apply({request});
    watch(*services_.amqp.find(request.name));
    next_.edits.push_back(amqp::store(request));
  }
  answer_later(std::move(promise), Defined{});
}

/// Its queues go at their hosts, and with them what they hold; whoever is connected finds it deleted.
void DefinitionsKeeper::drop(const DropVhost& request, Promise<Defined> promise) {
  const auto view = services_.amqp.find(request.name);
  if (!view) return promise.deliver({no_vhost(request.name)});
  if (request.name == default_vhost)
    return promise.deliver(
        {TopologyError{ReplyCode::precondition_failed, "vhost '/' stays: there AMQP meets topics and MQTT"}});
  Vhost& topology = view->topology();
  view->for_each_queue([&](std::string_view, const QueuePlace& place) {
    ask(
        this, services_.queues[place.loop], DeleteQueue{place.queue}, [](const QueueEmptied&) {},
        [](const caf::error&) {});
  });
  topology.each_exchange([&](const Vhost::ExchangeInfo& exchange) {
    const auto number = *topology.find_exchange(exchange.name);
    topology.each_binding(number, [&](const Binding& binding) { topology.watcher().binding_goes(binding); });
    if (!exchange.name.empty() && !exchange.name.starts_with("amq.")) topology.watcher().exchange_goes(number);
  });
  topology.watch({});
  for (const bool of_operator : {false, true})
    for (const auto& [name, policy] : view->policies(of_operator))
      next_.edits.push_back(forget(amqp::store(policy->definition())));
  apply({request});
  next_.edits.push_back(forget(amqp::store(DefineVhost{request.name})));
  answer_later(std::move(promise), Defined{});
}

}  // namespace braid::amqp
