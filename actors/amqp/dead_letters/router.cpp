// Braid, Apache-2.0.
#include "actors/amqp/dead_letters/router.hpp"

#include <algorithm>
#include <vector>

#include "actors/amqp/dead_letters/history.hpp"
#include "actors/amqp/definitions/policy.hpp"
#include "actors/amqp/definitions/stored.hpp"
#include "actors/amqp/delays/interface.hpp"
#include "actors/amqp/message_record.hpp"
#include "model/batch_builder.hpp"
#include "runtime/pinned.hpp"

namespace braid::amqp {

namespace {

constexpr std::size_t kDeadLetterBatchBytes = 1u << 20;

/// One answer for all the batches that dead letters became.
struct Routing {
  Promise<DeadLettersRouted> promise;
  std::size_t missing = 1;
  bool done = true;

  void one_finished() {
    if (--missing == 0) promise.deliver({done});
  }
};

class DeadLetterRouter : public Pinned<QueueListener::base> {
 public:
  DeadLetterRouter(caf::actor_config& config, Loop& loop, Services& services)
      : Pinned(config, loop), services_(services) {}
  const char* name() const override { return "amqp-dead-letters"; }

 protected:
  behavior_type make_behavior() override {
    return {[this](const QueueGone& gone) { send(services_.amqp_definitions, gone); },
            [this](const DeadLetters& letters) { return route(letters); }};
  }

 private:
  /// Consecutive messages that go to the same queues in the same way are one batch: their order stays.
  struct Group {
    std::vector<QueuePlace> targets;
    std::uint8_t priority = 0;
    bool persistent = false;

    bool same(const Group& other) const {
      return priority == other.priority && persistent == other.persistent &&
             std::equal(targets.begin(), targets.end(), other.targets.begin(), other.targets.end(),
                        [](const auto& a, const auto& b) { return a.queue == b.queue; });
    }
  };

  caf::result<DeadLettersRouted> route(const DeadLetters& letters) {
    auto routing = std::make_shared<Routing>();
    routing->promise = Promise<DeadLettersRouted>(this);
    const auto later = routing->promise.later();
    if (const auto delayed = parse_delay_queue_name(letters.name))
      go_on(letters, *delayed, routing);
    else
      bury(letters, routing);
    flush(routing);
    routing->one_finished();
    return later;
  }

  /// Without a dead-letter exchange a dead letter is just gone, as in RabbitMQ.
  void bury(const DeadLetters& letters, const std::shared_ptr<Routing>& routing) {
    const auto name = parse_host_name(letters.name);
    const auto definition = QueueDefinition::decode(letters.definition);
    const auto vhost = name && definition ? services_.amqp.find(name->vhost) : nullptr;
    if (!vhost) return;
    const PolicyRules rules = vhost->rules_for_queue(name->queue, type_of(*definition));
    const auto target = dead_letter_target(*definition, rules);
    const auto exchange = target ? vhost->topology().find_exchange(target->exchange) : std::nullopt;
    if (!exchange) return;
    const Death death{name->queue, letters.reason, target->routing_key};
    for_each(letters, [&](const MessageRecord& message) {
      if (!history_.record(message, death, loop().wall_clock())) return;
      MessageRecordEncoder::Publish publish;
      publish.exchange = target->exchange;
      publish.routing_key = death.new_routing_key.value_or(message.routing_key);
      publish.properties = history_.encoded();
      publish.body = std::span(&message.body, 1);
      if (!death.new_routing_key) publish.bcc = message.bcc;
      publish.dead_lettered = true;
      std::vector<QueuePlace> targets;
      Vhost& topology = vhost->topology();
      const auto add = [&](const Routed& routed) {
        for (const QueueNumber number : routed.queues)
          if (!history_.is_cycle(topology.queue_name(number))) targets.push_back(vhost->place(number));
      };
      with_bcc(history_.properties(), publish.bcc, [&](const BasicProperties& properties) {
        const Publication publication{publish.routing_key, properties};
        const Routed routed = topology.route(*exchange, publication);
        // A dead letter does not wait, wherever it is sent.
        const std::vector<ExchangeNumber> delayed(routed.delayed.begin(), routed.delayed.end());
        add(routed);
        for (const ExchangeNumber each : delayed) add(topology.route_after_delay(each, publication));
      });
      append(publish, history_.properties(), std::move(targets), routing);
    });
  }

  /// As if it were published now: its time to live begins, and "x-delay" says by its sign that it has waited.
  void go_on(const DeadLetters& letters, const DelayQueue& waited, const std::shared_ptr<Routing>& routing) {
    const auto vhost = services_.amqp.find(waited.vhost);
    const auto exchange = vhost ? vhost->topology().find_exchange(waited.exchange) : std::nullopt;
    if (!exchange) return;
    for_each(letters, [&](const MessageRecord& message) {
      BasicProperties before, now;
      if (decode_properties(message.properties, stored_limits, before)) return;
      const std::string_view encoded =
          with_header(message.properties, "x-delay", FieldValue::integer(-delay_ms(before)), scratch_);
      if (decode_properties(encoded, stored_limits, now)) return;
      MessageRecordEncoder::Publish publish;
      publish.exchange = message.exchange;
      publish.routing_key = message.routing_key;
      publish.properties = encoded;
      if (now.has(PropertyFlag::expiration) && parse_expiration(now.expiration)) publish.expiration = now.expiration;
      publish.body = std::span(&message.body, 1);
      publish.bcc = message.bcc;
      publish.dead_lettered = message.dead_lettered;
      std::vector<QueuePlace> targets;
      with_bcc(now, message.bcc, [&](const BasicProperties& properties) {
        for (const QueueNumber number :
             vhost->topology().route_after_delay(*exchange, {message.routing_key, properties}).queues)
          targets.push_back(vhost->place(number));
      });
      append(publish, now, std::move(targets), routing);
    });
  }

  template <class Each>
  void for_each(const DeadLetters& letters, Each&& each) {
    for (const MessageRun& run : letters.runs) {
      RunWalker walker(run);
      RecordView record;
      MessageRecord message;
      while (walker.next(record)) {
        reader_.read(record, message);
        each(message);
      }
    }
  }

  /// Routing sees "BCC", which is no part of the message any more.
  template <class Route>
  static void with_bcc(const BasicProperties& properties, const Array& bcc, Route&& route) {
    if (bcc.empty()) return route(properties);
    BasicProperties seen = properties;
    TableWriter headers;
    for (const Field& field : properties.headers) headers.put(field.name, field.value);
    headers.put("BCC", FieldValue::array(bcc));
    seen.headers = headers.table();
    seen.set(PropertyFlag::headers);
    route(seen);
  }

  void append(const MessageRecordEncoder::Publish& publish, const BasicProperties& properties,
              std::vector<QueuePlace> targets, const std::shared_ptr<Routing>& routing) {
    if (targets.empty()) return;
    std::sort(targets.begin(), targets.end(), [](const auto& a, const auto& b) { return a.queue < b.queue; });
    targets.erase(
        std::unique(targets.begin(), targets.end(), [](const auto& a, const auto& b) { return a.queue == b.queue; }),
        targets.end());
    Group group{std::move(targets), properties.priority, properties.persistent()};
    if (!group_.same(group) || batch_.bytes() > kDeadLetterBatchBytes) flush(routing);
    group_ = std::move(group);
    encoder_.add(batch_, loop().wall_clock(), publish);
  }

  void flush(const std::shared_ptr<Routing>& routing) {
    if (batch_.empty()) return;
    const Bytes batch = batch_.finish();
    for (std::uint32_t at = 0; at < services_.queues.size(); ++at) {
      PublishToQueues request{batch, {}, group_.priority, group_.persistent};
      for (const QueuePlace& place : group_.targets)
        if (place.loop == at) request.queues.push_back(place.queue);
      if (request.queues.empty()) continue;
      ++routing->missing;
      // Where a queue refuses it for its length, or has gone, the message is lost: that is "at most once".
      ask(
          this, services_.queues[at], std::move(request),
          [routing](const Published& published) {
            if (published.error != QueueErrc::none) routing->done = false;
            routing->one_finished();
          },
          [routing](const caf::error&) {
            routing->done = false;
            routing->one_finished();
          });
    }
    group_ = {};
  }

  Services& services_;
  MessageRecordReader reader_;
  MessageRecordEncoder encoder_;
  DeathHistory history_;
  BatchBuilder batch_;
  Group group_;
  std::string scratch_;
};

}  // namespace

QueueListener spawn_dead_letter_router(Services& services) {
  return spawn_on<DeadLetterRouter>(services.loop, services);
}

}  // namespace braid::amqp
