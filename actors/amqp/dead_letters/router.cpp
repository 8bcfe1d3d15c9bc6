// Braid, Apache-2.0.
#include "actors/amqp/dead_letters/router.hpp"

#include <algorithm>
#include <vector>

#include "actors/amqp/dead_letters/history.hpp"
#include "actors/amqp/definitions/queue_arguments.hpp"
#include "actors/amqp/definitions/stored.hpp"
#include "actors/amqp/message_record.hpp"
#include "model/batch_builder.hpp"
#include "runtime/pinned.hpp"

namespace braid::amqp {

namespace {

constexpr std::size_t kBatchBytes = 1u << 20;

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
    const auto name = parse_host_name(letters.name);
    const auto definition = QueueDefinition::decode(letters.definition);
    const auto target = definition ? dead_letter_target(*definition) : std::nullopt;
    const auto vhost = name && target ? services_.amqp.find(name->vhost) : nullptr;
    const auto exchange = vhost ? vhost->topology().find_exchange(target->exchange) : std::nullopt;
    // Without a dead-letter exchange a dead letter is just gone, as in RabbitMQ.
    if (exchange) {
      const Death death{name->queue, letters.reason, target->routing_key};
      for (const MessageRun& run : letters.runs) {
        RunWalker walker(run);
        RecordView record;
        while (walker.next(record)) route(*vhost, *exchange, target->exchange, death, record, routing);
      }
      flush(routing);
    }
    routing->one_finished();
    return later;
  }

  void route(VhostView& vhost, ExchangeNumber exchange, std::string_view exchange_name, const Death& death,
             const RecordView& record, const std::shared_ptr<Routing>& routing) {
    MessageRecord message;
    reader_.read(record, message);
    if (!history_.record(message, death, loop().wall_clock())) return;
    const std::string_view key = death.new_routing_key.value_or(message.routing_key);
    Group group;
    find_targets(vhost, exchange, key, death.new_routing_key ? Array() : message.bcc, group.targets);
    if (group.targets.empty()) return;
    group.priority = history_.properties().priority;
    group.persistent = history_.properties().persistent();
    if (!group_.same(group) || batch_.bytes() > kBatchBytes) flush(routing);
    group_ = std::move(group);

    MessageRecordEncoder::Publish publish;
    publish.exchange = exchange_name;
    publish.routing_key = key;
    publish.properties = history_.encoded();
    publish.body = std::span(&message.body, 1);
    if (!death.new_routing_key) publish.bcc = message.bcc;
    publish.dead_lettered = true;
    encoder_.add(batch_, loop().wall_clock(), publish);
  }

  /// Queues that the message would come back to for ever are left out.
  void find_targets(VhostView& vhost, ExchangeNumber exchange, std::string_view key, Array bcc,
                    std::vector<QueuePlace>& targets) {
    BasicProperties properties = history_.properties();
    TableWriter with_bcc;
    if (!bcc.empty()) {
      for (const Field& field : properties.headers) with_bcc.put(field.name, field.value);
      with_bcc.put("BCC", FieldValue::array(bcc));
      properties.headers = with_bcc.table();
    }
    Vhost& topology = vhost.topology();
    const auto add = [&](const Routed& routed) {
      for (const QueueNumber number : routed.queues)
        if (!history_.is_cycle(topology.queue_name(number))) targets.push_back(vhost.place(number));
    };
    const Publication publication{key, properties};
    const Routed routed = topology.route(exchange, publication);
    const std::vector<ExchangeNumber> delayed(routed.delayed.begin(), routed.delayed.end());
    add(routed);
    // A message that has waited once does not wait again where it dies.
    for (const ExchangeNumber each : delayed) add(topology.route_after_delay(each, publication));
    const auto by_queue = [](const QueuePlace& a, const QueuePlace& b) { return a.queue < b.queue; };
    std::sort(targets.begin(), targets.end(), by_queue);
    targets.erase(
        std::unique(targets.begin(), targets.end(), [](const auto& a, const auto& b) { return a.queue == b.queue; }),
        targets.end());
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
};

}  // namespace

QueueListener spawn_dead_letter_router(Services& services) {
  return spawn_on<DeadLetterRouter>(services.loop, services);
}

}  // namespace braid::amqp
