// Braid, Apache-2.0.
//
// AMQP's definitions with queue hosts, journals and a catalog, on two loops in the simulated world; asked by sessions
// that speak to AMQP's actors as a protocol session would: they define, publish, consume and settle. Power can fail at
// any moment; the catalog's file stays.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/amqp/definitions/definitions.hpp"
#include "actors/amqp/message_record.hpp"
#include "actors/internal_topics.hpp"
#include "actors/partition/host.hpp"
#include "actors/queues/host.hpp"
#include "actors/routing/router.hpp"
#include "actors/services.hpp"
#include "cluster/catalog_service.hpp"
#include "persistence/catalog/store.hpp"
#include "runtime/pinned.hpp"
#include "runtime/simulation/sim_world.hpp"

namespace braid::test {

/// A delivered message, decoded.
struct AmqpMessage {
  QueueId queue;
  Offset offset;
  std::string exchange, routing_key, body, encoded;
  amqp::BasicProperties properties;  ///< views show `encoded`

  std::string text(std::string_view header) const {
    const auto value = properties.headers.find(header);
    return value && value->is_bytes() ? std::string(value->as_text()) : "-";
  }
};

struct AmqpNoted {
  std::vector<std::unique_ptr<AmqpMessage>> messages;
  std::vector<QueueId> cancelled;
};

class AmqpTestSession : public Pinned<QueueConsumer::base> {
 public:
  AmqpTestSession(caf::actor_config& config, Loop& at, std::shared_ptr<AmqpNoted> noted)
      : Pinned(config, at), noted_(std::move(noted)) {}

 protected:
  behavior_type make_behavior() override {
    return {[this](const DeliverMessages& delivery) {
              for (const MessageRun& run : delivery.runs) note(delivery.queue, run);
            },
            [this](const ConsumerCancelled& cancelled) { noted_->cancelled.push_back(cancelled.queue); }};
  }

 private:
  void note(QueueId queue, const MessageRun& run) {
    RunWalker walker(run);
    RecordView record;
    amqp::MessageRecordReader reader;
    while (walker.next(record)) {
      amqp::MessageRecord message;
      reader.read(record, message);
      auto noted = std::make_unique<AmqpMessage>();
      noted->queue = queue;
      noted->offset = record.offset;
      noted->exchange = message.exchange;
      noted->routing_key = message.routing_key;
      noted->body = message.body;
      noted->encoded = message.properties;
      REQUIRE_FALSE(amqp::decode_properties(noted->encoded, {}, noted->properties));
      noted_->messages.push_back(std::move(noted));
    }
  }
  std::shared_ptr<AmqpNoted> noted_;
};

class AmqpWorld {
 public:
  static constexpr std::size_t loops = 2;

  explicit AmqpWorld(std::uint64_t seed = 1, Settings settings = {})
      : world({.seed = seed}), machine(world.add_node("broker", loops)), settings_(std::move(settings)) {
    static int number = 0;
    catalog_file_ = (std::filesystem::temp_directory_path() /
                     ("braid-amqp-" + std::to_string(::getpid()) + "-" + std::to_string(++number) + ".db"))
                        .string();
    remove_catalog();
    start();
  }
  ~AmqpWorld() {
    end();
    remove_catalog();
  }
  void restart() {
    end();
    world.run_for(100);
    machine.restart();
    start();
  }

  QueueConsumer session(std::shared_ptr<AmqpNoted> noted = std::make_shared<AmqpNoted>()) {
    return spawn_on<AmqpTestSession>(machine.loop(0), std::move(noted));
  }
  void end_session(const QueueConsumer& session) {
    caf::anon_send_exit(session, caf::exit_reason::user_shutdown);
    world.run_for(50);
  }
  const QueueConsumer& own() {
    if (!own_) own_ = session();
    return own_;
  }

  template <class Reply, class Handle, class Request>
  Reply call(const QueueConsumer& session, const Handle& receiver, Request request) {
    auto reply = std::make_shared<std::optional<Reply>>();
    auto* actor = static_cast<AmqpTestSession*>(caf::actor_cast<caf::abstract_actor*>(session));
    machine.loop(0).post([&] {
      actor->enter([&] {
        ask(
            actor, receiver, std::move(request), [reply](const Reply& got) { *reply = got; }, [](const caf::error&) {});
      });
    });
    REQUIRE(world.run_until([&] { return reply->has_value(); }, 60000));
    return **reply;
  }
  /// Asks a partition.
  template <class Reply, class Request>
  Reply ask_partition(PartitionId partition, Request request) {
    auto reply = std::make_shared<std::optional<Reply>>();
    auto* actor = static_cast<AmqpTestSession*>(caf::actor_cast<caf::abstract_actor*>(own()));
    machine.loop(0).post([&] {
      actor->enter([&] {
        services(0).partitions.request(actor, partition, std::move(request),
                                       [reply](const Reply& got) { *reply = got; });
      });
    });
    REQUIRE(world.run_until([&] { return reply->has_value(); }, 60000));
    return **reply;
  }
  template <class Reply, class Request>
  Reply define(Request request) {
    return call<Reply>(own(), services(0).amqp_definitions, std::move(request));
  }

  /// "ok", or the reply text.
  static std::string said(const amqp::Refusal& refusal) {
    return refusal
               ? std::to_string(static_cast<int>(refusal->code)) + " " + amqp::reply_text(refusal->code, refusal->text)
               : "ok";
  }
  static Bytes table(const std::function<void(amqp::TableWriter&)>& write) {
    amqp::TableWriter writer;
    if (write) write(writer);
    return Bytes::copy(writer.table().encoded());
  }

  std::string exchange(const std::string& name, const std::string& type, bool durable = true,
                       bool auto_delete = false) {
    return said(define<amqp::Defined>(amqp::DefineExchange{"/", name, type, durable, auto_delete}).refusal);
  }
  std::string bind(const std::string& queue, const std::string& exchange, const std::string& key) {
    return said(define<amqp::Defined>(amqp::DefineBinding{"/", false, exchange, queue, key}).refusal);
  }
  std::string unbind(const std::string& queue, const std::string& exchange, const std::string& key) {
    return said(define<amqp::Defined>(amqp::DropBinding{"/", false, exchange, queue, key}).refusal);
  }
  amqp::DefineQueue queue_request(const std::string& name, const std::function<void(amqp::TableWriter&)>& arguments) {
    amqp::DefineQueue request;
    request.vhost = "/";
    request.name = name;
    request.durable = true;
    request.arguments = table(arguments);
    request.session = own();
    return request;
  }
  std::string queue(const std::string& name, const std::function<void(amqp::TableWriter&)>& arguments = {}) {
    return said(define<amqp::QueueDefined>(queue_request(name, arguments)).refusal);
  }
  amqp::QueueDefined passive(const std::string& name) {
    auto request = queue_request(name, {});
    request.passive = true;
    return define<amqp::QueueDefined>(std::move(request));
  }

  amqp::VhostView& vhost(std::size_t loop = 0, std::string_view name = "/") {
    const auto view = services(loop).amqp.find(name);
    REQUIRE(view);
    return *view;
  }
  /// Names of the queues that loop would publish to; each loop's must be the same.
  std::vector<std::string> route(const std::string& exchange, const std::string& key) {
    std::vector<std::vector<std::string>> found;
    for (std::size_t loop = 0; loop < loops; ++loop) {
      auto& topology = vhost(loop).topology();
      std::vector<std::string> names;
      const amqp::BasicProperties properties;
      if (const auto number = topology.find_exchange(exchange))
        for (const auto queue : topology.route(*number, {key, properties}).queues)
          if (topology.queue_name(queue) != amqp::bridge_queue) names.emplace_back(topology.queue_name(queue));
      std::sort(names.begin(), names.end());
      found.push_back(std::move(names));
    }
    CHECK(found[0] == found[1]);
    return found[0];
  }

  struct Message {
    std::string body;
    std::string expiration = {};
    std::function<void(amqp::TableWriter&)> headers = {};
  };
  /// As a session does it: routed on loop 0, a batch for each loop that has queues.
  void publish(const std::string& exchange, const std::string& key, const Message& message) {
    const Bytes headers = table(message.headers);
    amqp::BasicProperties properties;
    properties.delivery_mode = amqp::persistent_delivery;
    properties.set(amqp::PropertyFlag::delivery_mode);
    properties.headers = amqp::Table(headers.view());
    if (!headers.empty()) properties.set(amqp::PropertyFlag::headers);
    properties.expiration = message.expiration;
    if (!message.expiration.empty()) properties.set(amqp::PropertyFlag::expiration);
    ByteWriter encoded;
    amqp::encode_properties(encoded, properties);
    auto& view = vhost();
    const auto number = view.topology().find_exchange(exchange);
    REQUIRE(number);
    const std::string_view body = message.body;
    BatchBuilder batch;
    amqp::MessageRecordEncoder encoder;
    REQUIRE(encoder.add(batch, machine.loop(0).wall_clock(),
                        {.exchange = exchange,
                         .routing_key = key,
                         .properties = encoded.view(),
                         .expiration = message.expiration,
                         .body = std::span(&body, 1)}));
    const Bytes bytes = batch.finish();
    std::vector<PublishToQueues> requests(loops, PublishToQueues{bytes, {}, 0, true});
    for (const auto queue : view.topology().route(*number, {key, properties}).queues)
      requests[view.place(queue).loop].queues.push_back(view.place(queue).queue);
    for (std::size_t loop = 0; loop < loops; ++loop)
      if (!requests[loop].queues.empty())
        REQUIRE(call<Published>(own(), services(0).queues[loop], requests[loop]).error == QueueErrc::none);
  }
  /// Starts consuming with prefetch; what comes is in `noted`.
  std::shared_ptr<AmqpNoted> consume(const std::string& queue, std::uint32_t prefetch = 0) {
    auto noted = std::make_shared<AmqpNoted>();
    const auto consumer = session(noted);
    const auto* place = vhost().find_queue(queue);
    REQUIRE(place);
    StartConsuming request;
    request.queue = place->queue;
    request.session = consumer;
    request.consumer = 1;
    request.prefetch = prefetch;
    REQUIRE(call<ConsumeStarted>(own(), services(0).queues[place->loop], request).error == QueueErrc::none);
    consumers_.emplace_back(queue, consumer);
    return noted;
  }
  void settle(const std::string& queue, const AmqpMessage& message, Settlement settlement) {
    const auto* place = vhost().find_queue(queue);
    REQUIRE(place);
    for (const auto& [name, consumer] : consumers_) {
      if (name != queue) continue;
      Settle settle;
      settle.session = consumer.id();
      settle.ranges.push_back({place->queue, 1, message.offset, 1, 0, settlement});
      tell_from_outside(services(0).queues[place->loop], std::move(settle));
    }
  }
  bool wait(const std::function<bool()>& condition, std::int64_t at_most_ms = 30000) {
    return world.run_until(condition, at_most_ms);
  }
  Services& services(std::size_t loop) { return *services_.at(loop); }

  SimWorld world;
  SimNode& machine;

 private:
  void start() {
    auto store = CatalogStore::open({.path = catalog_file_, .defaults = settings_.topic_defaults});
    REQUIRE(store);
    NewTopic queue_states;
    queue_states.name = kQueuesTopic;
    queue_states.id.bytes[0] = 1;
    queue_states.partitions = loops;
    queue_states.internal = true;
    queue_states.config["retention.ms"] = "-1";
    for (std::uint32_t shard = 0; shard < loops; ++shard) queue_states.placement.emplace_back(shard);
    const std::vector<Bytes> first{encode(InitializeCatalog{"test", loops}), encode(CreateTopics{{queue_states}})};
    REQUIRE((*store)->apply(first));
    auto topics = (*store)->load_topics();
    REQUIRE(topics);
    auto definitions = (*store)->load_definitions();
    REQUIRE(definitions);
    const CatalogChange everything{.upserts = std::move(*topics),
                                   .removed = {},
                                   .settings = std::make_shared<const ClusterSettings>((*store)->settings()),
                                   .quotas = (*store)->quotas(),
                                   .version = 0};
    std::vector<Services*> all;
    for (std::size_t i = 0; i < loops; ++i) {
      services_.push_back(std::make_unique<Services>(machine.loop(i), loops, settings_, routes_, budget_));
      all.push_back(services_.back().get());
      all.back()->directory.apply(everything);
      auto journal =
          Journal::open(machine.loop(i).disk(), {.directory = "data/" + std::to_string(i), .file_bytes = 1 << 20});
      REQUIRE(journal);
      journals_.push_back(std::move(*journal));
      all.back()->journals.assign(loops, nullptr);
      all.back()->journals[i] = journals_[i].get();
    }
    std::vector<DirectoryActor> directories;
    for (auto* each : all) directories.push_back(spawn_directory_actor(each->loop, each->directory));
    const auto catalog = spawn_catalog_service(machine.loop(0), std::move(*store), std::move(directories));
    std::vector<PartitionHost> hosts;
    std::vector<QueueHost> queues;
    std::vector<RouterActor> routers;
    for (std::size_t i = 0; i < loops; ++i) {
      hosts.push_back(spawn_on<PartitionHostActor>(machine.loop(i), *services_[i]));
      queues.push_back(spawn_queue_host(*services_[i]));
      routers.push_back(spawn_router(machine.loop(i), *services_[i]));
    }
    for (auto* each : all) {
      each->catalog = catalog;
      each->hosts = hosts;
      each->queues = queues;
      each->routers = routers;
    }
    amqp::spawn_definitions(all, std::move(*definitions));
    REQUIRE(said(define<amqp::Defined>(amqp::OpenVhost{"/"}).refusal) == "ok");
  }
  void end() {
    machine.crash();
    own_ = QueueConsumer();
    consumers_.clear();
    services_.clear();
    journals_.clear();
  }
  void remove_catalog() {
    for (const char* ending : {"", "-wal", "-shm"}) std::filesystem::remove(catalog_file_ + ending);
  }

  Settings settings_;
  RouteTable routes_{settings_.routes};
  MemoryBudget budget_{1ull << 30};
  std::string catalog_file_;
  std::vector<std::unique_ptr<Journal>> journals_;
  std::vector<std::unique_ptr<Services>> services_;
  QueueConsumer own_;
  std::vector<std::pair<std::string, QueueConsumer>> consumers_;
};

}  // namespace braid::test
