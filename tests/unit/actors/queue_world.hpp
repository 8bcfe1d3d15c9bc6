// Braid, Apache-2.0.
//
// Queue hosts, partitions and journals of two loops in the simulated world, and sessions that use the queues as a
// protocol would: they declare, publish, consume and settle, and note what they get. Power can fail at any moment.
#pragma once

#include <catch2/catch.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/internal_topics.hpp"
#include "actors/partition/host.hpp"
#include "actors/queues/host.hpp"
#include "model/batch_builder.hpp"
#include "runtime/pinned.hpp"
#include "runtime/simulation/sim_world.hpp"

namespace braid::test {

struct QueueMessage {
  QueueId queue;
  std::uint64_t consumer = 0;
  std::uint8_t priority = 0;
  Offset offset;
  std::string text;
  bool redelivered = false;
  std::uint16_t deliveries = 0;
};

inline std::vector<QueueMessage> messages_of(const std::vector<MessageRun>& runs, QueueId queue = {},
                                             std::uint64_t consumer = 0) {
  std::vector<QueueMessage> messages;
  for (const MessageRun& run : runs) {
    RunWalker walker(run);
    RecordView record;
    while (walker.next(record))
      messages.push_back(
          {queue, consumer, run.priority, record.offset, std::string(*record.value), run.redelivered, run.deliveries});
  }
  return messages;
}

/// What a session noted; outlives its actor.
struct Noted {
  std::deque<QueueMessage> messages;
  std::vector<QueueId> cancelled;
};

class QueueSession : public Pinned<QueueConsumer::base> {
 public:
  QueueSession(caf::actor_config& config, Loop& at, Services& services, std::shared_ptr<Noted> noted)
      : Pinned(config, at), services_(services), noted_(std::move(noted)) {}
  const char* name() const override { return "queue-session"; }

  template <class Reply, class Request>
  void call(std::size_t loop, Request request, std::function<void(const Reply&)> answered) {
    ask(this, services_.queues.at(loop), std::move(request), std::move(answered), [](caf::error) {});
  }
  template <class Message>
  void tell_host(std::size_t loop, Message message) {
    send(services_.queues.at(loop), std::move(message));
  }

 protected:
  behavior_type make_behavior() override {
    return {[this](const DeliverMessages& delivery) {
              for (auto& message : messages_of(delivery.runs, delivery.queue, delivery.consumer))
                noted_->messages.push_back(std::move(message));
              on_delivery(delivery);
            },
            [this](const ConsumerCancelled& cancelled) { noted_->cancelled.push_back(cancelled.queue); }};
  }

 private:
  void on_delivery(const DeliverMessages& delivery) {
    for (std::size_t loop = 0; loop < services_.queues.size(); ++loop)
      send(services_.queues[loop],
           GrantCredit{delivery.queue, static_cast<std::uint64_t>(id()), delivery.consumer, 0, delivery.bytes});
  }

  Services& services_;
  std::shared_ptr<Noted> noted_;
};

/// Routes nothing: notes dead letters, and the queues that have gone.
struct Dead {
  std::vector<std::pair<std::string, DeadReason>> letters;
  std::vector<std::string> gone;
};
class DeadListener : public Pinned<QueueListener::base> {
 public:
  DeadListener(caf::actor_config& config, Loop& at, std::shared_ptr<Dead> dead)
      : Pinned(config, at), dead_(std::move(dead)) {}

 protected:
  behavior_type make_behavior() override {
    return {[this](const QueueGone& gone) { dead_->gone.push_back(gone.name); },
            [this](const DeadLetters& letters) {
              for (const auto& message : messages_of(letters.runs))
                dead_->letters.emplace_back(message.text, letters.reason);
              return DeadLettersRouted{};
            }};
  }

 private:
  std::shared_ptr<Dead> dead_;
};

inline std::vector<std::string> texts(const Noted& noted) {
  std::vector<std::string> all;
  for (const auto& message : noted.messages) all.push_back(message.text);
  return all;
}

class QueueWorld {
 public:
  explicit QueueWorld(std::uint64_t seed = 1) : world({.seed = seed}), machine(world.add_node("broker", kLoops)) {
    start();
  }
  ~QueueWorld() {
    machine.crash();
    end();
  }

  void restart(bool power = true) {
    if (power)
      machine.crash();
    else
      machine.kill();
    end();
    world.run_for(100);
    machine.restart();
    start();
  }
  /// An ordered end and a new start.
  void stop_and_start() {
    for (std::size_t i = 0; i < kLoops; ++i) {
      bool closed = false;
      machine.loop(i).post([&, i] {
        drain_queues(*services_[i], [&, i] {
          services_[i]->drain_partitions([&, i] { journals_[i]->close([&](Errc) { closed = true; }); });
        });
      });
      REQUIRE(world.run_until([&] { return closed; }, 120000));
    }
    restart();
  }

  /// On loop 0, like all sessions here.
  QueueConsumer session(std::shared_ptr<Noted> noted) {
    return spawn_on<QueueSession>(machine.loop(0), *services_[0], std::move(noted));
  }
  void listen(const std::shared_ptr<Dead>& dead) {
    for (std::size_t loop = 0; loop < kLoops; ++loop) {
      const QueueListener listener = spawn_on<DeadListener>(machine.loop(0), dead);
      call<QueuesDescribed>(own(), loop, ListenToQueues{QueueOwner::amqp, listener});
    }
  }
  /// A session for what needs none.
  const QueueConsumer& own() {
    if (!own_) own_ = session(std::make_shared<Noted>());
    return own_;
  }

  template <class Work>
  void in(const QueueConsumer& session, Work work) {
    auto* actor = static_cast<QueueSession*>(caf::actor_cast<caf::abstract_actor*>(session));
    bool ran = false;
    machine.loop(0).post([&] {
      actor->enter([&] { work(*actor); });
      ran = true;
    });
    REQUIRE(world.run_until([&] { return ran; }, 10000));
  }
  template <class Reply, class Request>
  Reply call(const QueueConsumer& session, std::size_t loop, Request request) {
    auto reply = std::make_shared<std::optional<Reply>>();
    in(session, [&](QueueSession& actor) {
      actor.call<Reply>(loop, std::move(request), [reply](const Reply& got) { *reply = got; });
    });
    REQUIRE(world.run_until([&] { return reply->has_value(); }, 60000));
    return **reply;
  }

  std::size_t loop_of(const std::string& queue) { return queue_loop(*services_[0], queue); }
  QueueDeclared declare(const std::string& name, const QueueSettings& settings = {}, const QueueConsumer& owner = {}) {
    DeclareQueue request;
    request.name = name;
    request.settings = settings;
    request.exclusive_to = owner;
    request.definition = Bytes::copy("definition of " + name);
    return call<QueueDeclared>(own(), loop_of(name), std::move(request));
  }
  QueueDeclared find(const std::string& name) {
    DeclareQueue request;
    request.name = name;
    request.passive = true;
    return call<QueueDeclared>(own(), loop_of(name), std::move(request));
  }
  static PublishToQueues publication(const std::vector<QueueId>& queues, const std::vector<std::string>& texts,
                                     Timestamp now, std::uint8_t priority = 0,
                                     std::optional<std::int64_t> expiration_ms = {}) {
    PublishToQueues request;
    BatchBuilder builder;
    const std::string expiration = std::to_string(expiration_ms.value_or(0));
    const HeaderView header{kExpirationHeader, expiration};
    for (const std::string& text : texts) builder.add(now, "key", text, std::span(&header, expiration_ms ? 1u : 0u));
    request.batch = builder.finish();
    request.queues = queues;
    request.priority = priority;
    return request;
  }
  Published publish(std::size_t loop, const std::vector<QueueId>& queues, const std::vector<std::string>& texts,
                    std::uint8_t priority = 0, std::optional<std::int64_t> expiration_ms = {}) {
    return call<Published>(own(), loop,
                           publication(queues, texts, machine.loop(0).wall_clock(), priority, expiration_ms));
  }
  QueueErrc consume(const QueueConsumer& session, std::size_t loop, QueueId queue, std::uint64_t consumer,
                    std::uint32_t prefetch = 0) {
    StartConsuming request;
    request.queue = queue;
    request.consumer = consumer;
    request.prefetch = prefetch;
    return consume(session, loop, std::move(request)).error;
  }
  ConsumeStarted consume(const QueueConsumer& session, std::size_t loop, StartConsuming request) {
    request.session = session;
    return call<ConsumeStarted>(session, loop, std::move(request));
  }
  void stop_consuming(const QueueConsumer& session, std::size_t loop, QueueId queue, std::uint64_t consumer,
                      bool requeue = false) {
    StopConsuming request;
    request.queue = queue;
    request.session = session.id();
    request.consumer = consumer;
    request.requeue = requeue;
    REQUIRE(call<ConsumeStopped>(session, loop, request).error == QueueErrc::none);
  }
  MessageGot get(const QueueConsumer& session, std::size_t loop, QueueId queue, bool no_ack = false) {
    return call<MessageGot>(session, loop, GetMessage{queue, session, 77, no_ack});
  }
  void settle(const QueueConsumer& session, std::size_t loop, const QueueMessage& message,
              Settlement settlement = Settlement::acknowledge) {
    in(session, [&](QueueSession& actor) {
      Settle settle;
      settle.session = session.id();
      settle.ranges.push_back({message.queue, message.consumer, message.offset, 1, message.priority, settlement});
      actor.tell_host(loop, std::move(settle));
    });
  }
  void sync(std::size_t loop) {
    REQUIRE(call<SettlementsSynced>(own(), loop, SyncSettlements{}).error == QueueErrc::none);
  }
  QueueDescription describe(std::size_t loop, QueueId queue) {
    const auto described = call<QueuesDescribed>(own(), loop, DescribeQueues{{queue}});
    REQUIRE(described.queues.size() == 1);
    return described.queues.front();
  }
  /// Names of queues that live on the same loop, 0.
  std::vector<std::string> neighbours(std::size_t count) {
    std::vector<std::string> names;
    for (int i = 0; names.size() < count; ++i)
      if (const std::string name = "queue " + std::to_string(i); loop_of(name) == 0) names.push_back(name);
    return names;
  }
  bool wait(const std::function<bool()>& condition, std::int64_t at_most_ms = 30000) {
    return world.run_until(condition, at_most_ms);
  }
  Journal& journal_of(const std::string& queue) {
    return services_[loop_of(queue)]->journal_of(queue_shard(*services_[0], queue));
  }

  static constexpr std::size_t kLoops = 2;
  SimWorld world;
  SimNode& machine;

 private:
  void start() {
    auto topic = std::make_shared<Topic>();
    topic->id.bytes[0] = 1;
    topic->name = kQueuesTopic;
    topic->internal = true;
    for (std::uint32_t shard = 0; shard < kLoops; ++shard)
      topic->partitions.push_back({PartitionId(shard + 1), ShardId(shard), LeaderEpoch(0)});
    CatalogChange everything;
    everything.upserts.push_back(topic);
    for (std::size_t i = 0; i < kLoops; ++i) {
      services_.push_back(std::make_unique<Services>(machine.loop(i), kLoops, settings_, routes_, budget_));
      services_[i]->directory.apply(everything);
      auto journal =
          Journal::open(machine.loop(i).disk(), {.directory = "data/" + std::to_string(i), .file_bytes = 1 << 20});
      REQUIRE(journal);
      journals_.push_back(std::move(*journal));
      services_[i]->journals.assign(kLoops, nullptr);
      services_[i]->journals[i] = journals_[i].get();
    }
    std::vector<PartitionHost> hosts;
    std::vector<QueueHost> queues;
    for (std::size_t i = 0; i < kLoops; ++i) {
      hosts.push_back(spawn_on<PartitionHostActor>(machine.loop(i), *services_[i]));
      queues.push_back(spawn_queue_host(*services_[i]));
    }
    for (auto& services : services_) {
      services->hosts = hosts;
      services->queues = queues;
    }
  }
  void end() {
    own_ = QueueConsumer();
    services_.clear();
    journals_.clear();
  }

  Settings settings_;
  RouteTable routes_{settings_.routes};
  MemoryBudget budget_{1ull << 30};
  std::vector<std::unique_ptr<Journal>> journals_;
  std::vector<std::unique_ptr<Services>> services_;
  QueueConsumer own_;
};

}  // namespace braid::test
