// Braid, Apache-2.0.
#include "actors/topic_bridge/bridge.hpp"

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "actors/topic_bridge/names.hpp"
#include "actors/topic_bridge/records.hpp"
#include "codecs/mqtt/topic.hpp"
#include "model/batch_builder.hpp"
#include "model/murmur2.hpp"
#include "runtime/log.hpp"
#include "runtime/pinned.hpp"

namespace braid::amqp {

namespace {

constexpr std::uint32_t kPrefetch = 4096;
constexpr std::int64_t kBridgeRetryMs = 1000;
constexpr std::size_t kBridgeBatchBytes = 1u << 20;
/// What is on its way to queues; past it MQTT's messages are dropped, as for a subscriber that does not keep up.
constexpr std::size_t kMaxInFlightBytes = 64u << 20;

/// Trying again may succeed.
bool passing(Errc error) {
  return error == Errc::storage_failed || error == Errc::unknown_outcome || error == Errc::overloaded;
}

class Bridge : public Pinned<TopicBridge::base> {
 public:
  Bridge(caf::actor_config& config, Loop& loop, Services& services)
      : Pinned(config, loop), services_(services), client_(bridge_client()) {}
  const char* name() const override { return "amqp-topic-bridge"; }

 protected:
  behavior_type make_behavior() override {
    return {[this](const StartBridge& start) { consume(start); },
            [this](const SetTopicFilters& filters) { return set_filters(filters); },
            [this](const DeliverMessages& delivery) { to_topics(delivery); },
            [this](const ConsumerCancelled& gone) { forget(gone.consumer); },
            [this](const Deliver& delivery) { to_queues(delivery); }};
  }

 private:
  // -- out of AMQP ----------------------------------------------------------------------------------------------------

  /// Messages of one delivery that go to the same partition, or to live subscribers.
  struct Group {
    TopicRef topic;
    PartitionId partition;
    BatchBuilder builder;
    std::string flags;
    LoopSet loops = 0;
    Group(TopicRef stored_in, PartitionId where, std::size_t max_bytes)
        : topic(std::move(stored_in)), partition(where), builder(max_bytes) {}
  };
  struct Target {
    TopicRef topic;              ///< null: live subscribers
    LoopSet loops = 0;           ///< who has those
    bool keys_are_names = true;  ///< all of them; else routers look whether a key is one
  };
  /// A delivery is settled as a whole, when all that it became is stored.
  struct Unit {
    DeliverMessages delivery;
    std::uint32_t loop = 0;  ///< of its queue
    std::size_t missing = 1;
    bool failed = false;
  };

  void consume(const StartBridge& start) {
    const std::uint64_t consumer = next_source_++;
    sources_.emplace(consumer, start);
    StartConsuming request;
    request.queue = start.queue;
    request.session = this;
    request.consumer = consumer;
    request.prefetch = kPrefetch;
    ask(
        this, services_.queues[start.loop], std::move(request), [](const ConsumeStarted&) {}, [](const caf::error&) {});
  }

  void forget(std::uint64_t consumer) {
    const auto source = sources_.extract(consumer);
    if (source && source.mapped().stream.empty()) log::error("amqp", "the queue of amq.topic's messages is gone");
  }

  void to_topics(const DeliverMessages& delivery) {
    const auto found = sources_.find(delivery.consumer);
    if (found == sources_.end()) return;
    const StartBridge& source = found->second;
    const auto unit = std::make_shared<Unit>(Unit{delivery, source.loop});
    const Timestamp now = loop().wall_clock();
    const TopicRef stream = source.stream.empty() ? nullptr : services_.directory.find(source.stream);
    if (!source.stream.empty() && !stream)
      BRAID_LOG_LIMITED(warning, "amqp", {{"topic", source.stream}},
                        "messages to a stream are dropped: its topic has been deleted");
    std::vector<Group> groups;
    for (const MessageRun& run : delivery.runs) {
      RunWalker walker(run);
      RecordView record;
      MessageRecord message;
      while (walker.next(record)) {
        reader_.read(record, message);
        const auto name = to_topic_name(message.routing_key);
        if (stream)
          add_to_stream(groups, stream, name, message, now, unit);
        else if (source.stream.empty() && name)
          add_by_name(groups, *name, message, now, unit);
      }
    }
    for (auto& group : groups) flush(group, unit);
    one_finished(unit);
  }

  void add_by_name(std::vector<Group>& groups, const std::string& name, const MessageRecord& message, Timestamp now,
                   const std::shared_ptr<Unit>& unit) {
    const auto topic = services_.routes.topic_for(name, services_.directory);
    const LoopSet loops = topic ? 0 : services_.interest.loops(mqtt::first_level(name));
    if (topic || loops != 0) add(groups, {topic, loops, true}, {name, true}, message, now, unit);
  }

  /// The key is the name that the routing key stands for, if the topic stores that name; else it is the routing key.
  void add_to_stream(std::vector<Group>& groups, const TopicRef& topic, const std::optional<std::string>& name,
                     const MessageRecord& message, Timestamp now, const std::shared_ptr<Unit>& unit) {
    const bool named = name && services_.routes.belongs(*name, *topic);
    const RecordKey key{named ? std::string_view(*name) : message.routing_key, named};
    add(groups, {topic, 0, false}, key, message, now, unit);
  }

  void add(std::vector<Group>& groups, const Target& target, const RecordKey& key, const MessageRecord& message,
           Timestamp now, const std::shared_ptr<Unit>& unit) {
    const TopicRef& topic = target.topic;
    PartitionId partition;
    if (topic) {
      const auto index = partition_for_key(key.text, static_cast<std::int32_t>(topic->partitions.size()));
      partition = topic->partition(PartitionIndex{index})->id;
    }
    auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& each) {
      return each.partition == partition && (each.topic == nullptr) == (topic == nullptr);
    });
    if (group == groups.end()) {
      const std::size_t most =
          topic ? static_cast<std::size_t>(topic->settings.max_message_bytes) : BatchBuilder::kMaxBatchBytes;
      group = groups.emplace(groups.end(), topic, partition, most);
    }
    if (group->builder.bytes() > kBridgeBatchBytes) flush(*group, unit);
    if (!encoder_.add_to_topic(group->builder, now, key, message)) {
      flush(*group, unit);
      if (!encoder_.add_to_topic(group->builder, now, key, message)) {
        log::warning("amqp", "a message of {} bytes is too large for topic {}", message.body.size(), topic->name);
        return;
      }
    }
    group->loops |= target.loops;
    if (target.keys_are_names) group->flags.push_back(1);  // at quality of service 1
  }

  void flush(Group& group, const std::shared_ptr<Unit>& unit) {
    if (group.builder.empty()) return;
    const Bytes batch = group.builder.finish(), flags = Bytes::copy(std::exchange(group.flags, {}));
    if (!group.topic) {
      for (std::size_t at = 0; group.loops != 0; ++at, group.loops >>= 1)
        if (group.loops & 1) send(services_.routers[at], PublishBatch{nullptr, batch, flags, client_});
      return;
    }
    AppendBatch request;
    request.batch = batch;
    request.trusted = true;
    request.publish_flags = flags;
    request.publisher = client_;
    ++unit->missing;
    services_.partitions.request(this, group.partition, std::move(request), [this, unit](const Appended& appended) {
      if (passing(appended.error))
        unit->failed = true;
      else if (appended.error != Errc::none)
        log::warning("amqp", "a topic refused messages of AMQP: {}", to_string(appended.error));
      one_finished(unit);
    });
  }

  void one_finished(const std::shared_ptr<Unit>& unit) {
    if (--unit->missing > 0) return;
    if (!unit->failed) return settle(*unit, Settlement::acknowledge);
    retries_.push_back(after(kBridgeRetryMs, [this, unit] {
      std::erase_if(retries_, [](const Timer& timer) { return !timer.running(); });
      settle(*unit, Settlement::requeue_uncounted);
    }));
  }

  void settle(const Unit& unit, Settlement settlement) {
    const DeliverMessages& delivery = unit.delivery;
    Settle settle;
    settle.session = id();
    for (const MessageRun& run : delivery.runs)
      settle.ranges.push_back({delivery.queue, delivery.consumer, run.first, run.count, run.priority, settlement});
    send(services_.queues[unit.loop], std::move(settle));
    send(services_.queues[unit.loop], GrantCredit{delivery.queue, id(), delivery.consumer, 0, delivery.bytes});
  }

  // -- into AMQP ------------------------------------------------------------------------------------------------------

  caf::result<TopicFiltersSet> set_filters(const SetTopicFilters& filters) {
    auto promise = std::make_shared<Promise<TopicFiltersSet>>(this);
    const auto later = promise->later();
    const auto& router = services_.routers[loop().index().value];
    if (!filters.remove.empty()) {
      Unsubscribe unsubscribe{id(), filters.remove};
      ask(
          this, router, std::move(unsubscribe), [](const Unsubscribed&) {}, [](const caf::error&) {});
    }
    if (filters.add.empty()) {
      promise->deliver({});
      return later;
    }
    Subscribe subscribe;
    subscribe.session = id();
    subscribe.client = client_;
    subscribe.subscriber = this;
    SubscribeOptions options;
    options.qos = 1;
    options.no_local = true;  // what came out of AMQP does not come back
    for (const Bytes& filter : filters.add) subscribe.filters.emplace_back(filter, options);
    ask(
        this, router, std::move(subscribe), [promise](const Subscribed&) { promise->deliver({}); },
        [promise](const caf::error&) { promise->deliver({}); });
    return later;
  }

  void to_queues(const Deliver& delivery) {
    const auto vhost = services_.amqp.find(default_vhost);
    const auto exchange = vhost ? vhost->topology().find_exchange(bridge_exchange) : std::nullopt;
    if (!exchange) return;
    BatchBuilder batch;
    std::vector<QueuePlace> targets, next;
    bool persistent = false;
    const auto flush_queues = [&] {
      if (!batch.empty()) publish(batch.finish(), targets, persistent);
    };
    for (const Delivery& each : delivery.deliveries) {
      const braid::Publication& publication = *each.publication;
      const auto key = to_routing_key(publication.topic.view());
      if (!key) continue;
      next.clear();
      const BasicProperties none;
      const TopicRef stored = services_.routes.topic_for(publication.topic.view(), services_.directory);
      for (const QueueNumber number : vhost->topology().route(*exchange, {*key, none}).queues) {
        const QueuePlace& place = vhost->place(number);
        // A stream has what its topic has: it would be there twice.
        const bool there =
            place.type == QueueType::stream && stored && vhost->topology().queue_name(number) == stored->name;
        if (place.exclusive_to != bridge_owner && !there) next.push_back(place);
      }
      if (next.empty()) continue;
      std::sort(next.begin(), next.end(), [](const auto& a, const auto& b) { return a.queue < b.queue; });
      const bool same = persistent == (publication.qos > 0) &&
                        std::equal(next.begin(), next.end(), targets.begin(), targets.end(),
                                   [](const auto& a, const auto& b) { return a.queue == b.queue; });
      if (!same || batch.bytes() > kBridgeBatchBytes) flush_queues();
      targets = next;
      persistent = publication.qos > 0;
      encoder_.add_to_queue(batch, *key, publication);
    }
    flush_queues();
  }

  void publish(Bytes batch, const std::vector<QueuePlace>& targets, bool persistent) {
    if (in_flight_bytes_ > kMaxInFlightBytes) {
      log::warning("amqp", "queues do not keep up with MQTT: {} bytes of messages are dropped", batch.size());
      return;
    }
    for (std::uint32_t at = 0; at < services_.queues.size(); ++at) {
      PublishToQueues request{batch, {}, 0, persistent};
      for (const QueuePlace& place : targets)
        if (place.loop == at) request.queues.push_back(place.queue);
      if (request.queues.empty()) continue;
      in_flight_bytes_ += batch.size();
      ask(
          this, services_.queues[at], std::move(request),
          [this, bytes = batch.size()](const Published& published) {
            in_flight_bytes_ -= bytes;
            if (published.error != QueueErrc::none)
              log::warning("amqp", "messages of MQTT did not reach their queues: error {}",
                           static_cast<int>(published.error));
          },
          [this, bytes = batch.size()](const caf::error&) { in_flight_bytes_ -= bytes; });
    }
  }

  Services& services_;
  std::uint64_t client_;
  std::unordered_map<std::uint64_t, StartBridge> sources_;  ///< by the number of their consumer
  std::uint64_t next_source_ = 1;
  MessageRecordReader reader_;
  BridgeEncoder encoder_;
  std::vector<Timer> retries_;
  std::size_t in_flight_bytes_ = 0;
};

}  // namespace

TopicBridge spawn_topic_bridge(Services& services) {
  return spawn_on<Bridge>(services.loop, services);
}

}  // namespace braid::amqp
