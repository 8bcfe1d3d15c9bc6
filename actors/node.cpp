// Braid, Apache-2.0.
#include "actors/node.hpp"

#include <unistd.h>

#include <algorithm>
#include <limits>

#include "actors/admin/routes.hpp"
#include "actors/amqp/definitions/definitions.hpp"
#include "actors/amqp/session/session.hpp"
#include "actors/groups/coordinator.hpp"
#include "actors/kafka/session.hpp"
#include "actors/listener.hpp"
#include "actors/mqtt/session.hpp"
#include "actors/mqtt/sys_topics.hpp"
#include "actors/mqtt/websocket_stream.hpp"
#include "actors/partition/host.hpp"
#include "actors/queues/host.hpp"
#include "actors/routing/retained.hpp"
#include "actors/routing/router.hpp"
#include "actors/spill/partition_pool.hpp"
#include "cluster/catalog_service.hpp"
#include "config/address.hpp"
#include "runtime/log.hpp"

namespace braid {

namespace {
constexpr std::int64_t kDrainSessionsMs = 5000, kCloseCatalogMs = 10000, kDrainPartitionsMs = 10000,
                       kCloseJournalsMs = 30000;

std::uint64_t half_of_memory() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) /
         2;
}

/// To an address that only this machine reaches no site's name should lead (DNS rebinding).
websocket::Policy websocket_policy(const Settings& settings, const Stream& stream) {
  websocket::Policy policy;
  policy.local_hosts = is_loopback(stream.local_address().ip);
  policy.origins = settings.mqtt_protocol.websocket_origins;
  return policy;
}

TopicId random_topic_id(Loop& loop) {
  TopicId id;
  store_big(id.bytes.data(), loop.random());
  store_big(id.bytes.data() + 8, loop.random());
  return id;
}
}  // namespace

Node::Node(const Settings& settings, std::vector<Loop*> loops, std::unique_ptr<CatalogStore> catalog)
    : settings_(settings),
      loops_(std::move(loops)),
      catalog_(std::move(catalog)),
      routes_(settings.routes),
      budget_(settings.limits.memory_budget_bytes != 0 ? settings.limits.memory_budget_bytes : half_of_memory()),
      gate_(settings.limits.max_connections, settings.limits.max_connections_per_address),
      listeners_(loops_.size()) {}

Node::~Node() = default;

Outcome<std::string> Node::open() {
  const auto disk_space = std::make_shared<DiskSpace>();
  const auto quota_buckets = std::make_shared<kafka::QuotaBuckets>(settings_.kafka_protocol.quota_window_ms);
  for (auto* loop : loops_) {
    services_.push_back(std::make_unique<Services>(*loop, loops_.size(), settings_, routes_, budget_));
    services_.back()->quota_buckets = quota_buckets;
    services_.back()->disk_space = disk_space;
  }
  if (auto opened = open_catalog(); !opened) return opened;
  if (auto opened = open_journals(); !opened) return opened;
  if (auto forgotten = forget_deleted_partitions(); !forgotten) return forgotten;
  empty_spill();
  spawn_actors();
  return ok;
}

Outcome<std::string> Node::open_catalog() {
  Loop& loop = *loops_.front();
  std::vector<Bytes> commands;
  first_start_ = catalog_->state().shards == 0;
  if (first_start_) {
    std::string cluster_id = settings_.cluster_id;
    if (cluster_id.empty()) cluster_id = format_topic_id(random_topic_id(loop));
    commands.push_back(encode(InitializeCatalog{cluster_id, static_cast<std::uint32_t>(loops_.size())}));
  }
  CreateTopics internal;
  const TopicConfig forever{{"retention.ms", "-1"}, {"retention.bytes", "-1"}, {"durability", "sync"}};
  const std::size_t shards = first_start_ ? loops_.size() : catalog_->state().shards;
  const auto add = [&](std::string_view name, std::int32_t partitions, const TopicConfig& config) {
    NewTopic topic;
    topic.name = name;
    topic.id = random_topic_id(loop);
    topic.partitions = partitions;
    topic.config = config;
    topic.internal = true;
    internal.topics.push_back(std::move(topic));
  };
  add(kOffsetsTopic, settings_.kafka_protocol.offsets_partitions, forever);
  add(kRetainedTopic, 1, forever);
  add(kSpillTopic, 1, spill_config());
  add(kQueuesTopic, static_cast<std::int32_t>(shards), forever);
  for (std::uint32_t shard = 0; shard < shards; ++shard) internal.topics.back().placement.emplace_back(shard);
  commands.push_back(encode(internal));
  // Topics that are there already are refused one by one, which is what we want at every later start.
  auto applied = catalog_->apply(commands);
  if (!applied) return Unexpected{applied.error().what};
  next_partition_ = PartitionId{catalog_->state().next_partition_id};
  // Every start applies a command, so this grows with every start. Past the largest epoch it stands still, and clients
  // don't notice restarts any more.
  const LeaderEpoch start_epoch{static_cast<std::int32_t>(
      std::min<std::uint64_t>(catalog_->state().applied_index, std::numeric_limits<std::int32_t>::max()))};
  auto topics = catalog_->load_topics();
  if (!topics) return Unexpected{topics.error().what};
  auto definitions = catalog_->load_definitions();
  if (!definitions) return Unexpected{definitions.error().what};
  definitions_ = std::move(*definitions);
  CatalogChange everything{.upserts = std::move(*topics),
                           .removed = {},
                           .settings = std::make_shared<const ClusterSettings>(catalog_->settings()),
                           .quotas = catalog_->quotas(),
                           .version = 0};
  for (auto& services : services_) {
    services->directory.apply(everything);
    services->cluster_id = catalog_->state().cluster_id;
    services->start_epoch = start_epoch;
  }
  return ok;
}

Outcome<std::string> Node::open_journals() {
  const std::size_t shards = catalog_->state().shards;
  for (std::size_t shard = 0; shard < shards; ++shard) {
    RecoveryReport report;
    auto& services = *services_[shard % loops_.size()];
    auto journal = Journal::open(services.loop.disk(),
                                 {.directory = settings_.storage.path + "/journal/" + std::to_string(shard),
                                  .file_bytes = settings_.storage.file_bytes,
                                  .tail_cache_bytes = settings_.storage.tail_cache_bytes},
                                 &report);
    if (!journal) return Unexpected{journal.error()};
    log::info("journal", "shard {}: {} files, {} entries scanned in {} ms, {} torn bytes cut", shard, report.files,
              report.entries_scanned, report.took_us / 1000, report.torn_bytes);
    for (const auto& damage : report.damages) log::error("journal", "shard {}: {}", shard, damage);
    journals_.push_back(std::move(*journal));
  }
  for (auto& services : services_) services->journals.assign(shards, nullptr);
  for (std::size_t shard = 0; shard < shards; ++shard)
    services_[shard % loops_.size()]->journals[shard] = journals_[shard].get();
  return ok;
}

Outcome<std::string> Node::forget_deleted_partitions() {
  // A crash may come between the deletion of a topic in the catalog and in the journal. But a partition that the
  // catalog has never heard of means that the catalog is not the one of these journals: dropping it would destroy a
  // live log.
  for (auto& journal : journals_) {
    for (const auto partition : journal->partitions()) {
      // Queues have names and ids of their own; their host drops what belongs to none.
      if (is_queue_partition(partition) && !first_start_) continue;
      if (first_start_ || partition >= next_partition_)
        return Unexpected{"the journals in " + settings_.storage.path + " hold partition " +
                          std::to_string(partition.value) +
                          ", which the catalog has never known: restore the whole data directory, catalog.db included"};
      if (!services_.front()->directory.find_partition(partition)) journal->drop(partition, [](Errc) {});
    }
  }
  return ok;
}

void Node::empty_spill() {
  services_.front()->directory.for_each([this](const TopicRef& topic) {
    if (!is_spill_topic(*topic)) return;
    for (const auto& placement : topic->partitions) {
      auto& journal = *journals_.at(placement.shard.value);
      if (!journal.knows(placement.id)) continue;
      const auto state = journal.state(placement.id);
      if (state.log_start < state.end) journal.set_log_start(placement.id, state.end, [](Errc) {});
    }
  });
}

template <class Handle>
void Node::guard_against_failure(std::string name, const Handle& actor) {
  caf::actor_cast<caf::abstract_actor*>(actor)->attach_functor(
      [this, name = std::move(name)](const caf::error& reason) {
        // Killed and ended in order is how they end with the node.
        if (!reason || reason == caf::exit_reason::kill || reason == caf::exit_reason::normal ||
            reason == caf::exit_reason::user_shutdown)
          return;
        log::error("node", "{} has failed: {}", name, describe(reason));
        if (broken_) broken_(name);
      });
}

void Node::spawn_actors() {
  std::vector<DirectoryActor> directories;
  for (auto& services : services_) directories.push_back(spawn_directory_actor(services->loop, services->directory));
  const auto catalog = spawn_catalog_service(*loops_.front(), std::move(catalog_), std::move(directories));
  std::vector<PartitionHost> hosts;
  std::vector<RouterActor> routers;
  std::vector<GroupCoordinator> coordinators;
  std::vector<mqtt::ClientRegistry> clients;
  std::vector<QueueHost> queues;
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    hosts.push_back(spawn_on<PartitionHostActor>(*loops_[i], *services_[i]));
    routers.push_back(spawn_router(*loops_[i], *services_[i]));
    clients.push_back(mqtt::spawn_client_registry(*services_[i]));
    coordinators.push_back(spawn_group_coordinator(*services_[i]));
    queues.push_back(spawn_queue_host(*services_[i]));
  }
  const auto retained = spawn_retained(*services_.front());
  const auto pool = spawn_partition_pool(*services_.front());
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    guard_against_failure("the partition host", hosts[i]);
    guard_against_failure("the router", routers[i]);
    guard_against_failure("the registry of MQTT clients", clients[i]);
    guard_against_failure("the group coordinator", coordinators[i]);
    guard_against_failure("the queue host", queues[i]);
  }
  std::vector<Services*> all;
  for (auto& services : services_) all.push_back(services.get());
  if (settings_.mqtt_protocol.sys_interval_ms != 0) mqtt::spawn_sys_topics(all);
  if (settings_.limits.disk_free_bytes != 0) spawn_disk_watch(*all.front());
  const auto definitions = amqp::spawn_definitions(all, std::move(definitions_));
  guard_against_failure("the keeper of AMQP's definitions", definitions);
  guard_against_failure("the catalog service", catalog);
  guard_against_failure("the keeper of retained messages", retained);
  guard_against_failure("the pool of partitions for queues", pool);
  for (auto& services : services_) {
    services->catalog = catalog;
    services->retained = retained;
    services->partition_pool = pool;
    services->hosts = hosts;
    services->routers = routers;
    services->coordinators = coordinators;
    services->clients = clients;
    services->queues = queues;
  }
}

Result<NodeAddresses, std::string> Node::listen(
    const std::function<void(std::size_t, const std::function<void()>&)>& run_on) {
  struct Protocol {
    std::string name;
    const ListenerSettings& settings;
    std::function<void(Services&, std::unique_ptr<Stream>, Admission)> start;
  };
  const Protocol protocols[] = {
      {"mqtt", settings_.mqtt,
       [](Services& services, auto stream, auto admission) {
         mqtt::spawn_session(services, std::move(stream), std::move(admission));
       }},
      {"mqtt_websocket", settings_.mqtt_websocket,
       [](Services& services, auto stream, auto admission) {
         auto policy = websocket_policy(services.settings, *stream);
         policy.root_path = true;
         mqtt::spawn_session(services, mqtt::open_websocket(services.loop, std::move(stream), policy),
                             std::move(admission));
       }},
      {"kafka", settings_.kafka,
       [](Services& services, auto stream, auto admission) {
         kafka::spawn_session(services, std::move(stream), std::move(admission));
       }},
      {"amqp", settings_.amqp,
       [](Services& services, auto stream, auto admission) {
         amqp::spawn_session(services, std::move(stream), std::move(admission));
       }},
  };
  NodeAddresses addresses;
  for (const auto& protocol : protocols) {
    if (!protocol.settings.enabled) continue;
    std::uint16_t port = protocol.settings.port;
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      Result<Address, std::string> bound = Unexpected{std::string("the loop has stopped")};
      run_on(i, [&] {
        auto actor = spawn_on<ProtocolListener>(
            *loops_[i], protocol.name, gate_,
            [&services = *services_[i], start = protocol.start](std::unique_ptr<Stream> stream, Admission admission) {
              start(services, std::move(stream), std::move(admission));
            });
        bound = static_cast<ProtocolListener*>(caf::actor_cast<caf::abstract_actor*>(actor))
                    ->bind(protocol.settings.bind, port);
        if (bound)
          listeners_[i].push_back(actor);
        else
          caf::anon_send(actor, StopListening{});
      });
      if (!bound) return Unexpected{protocol.name + ": " + bound.error()};
      // With port 0 the first loop chooses and the others join it.
      port = bound->port;
      if (i == 0) addresses.listeners.emplace_back(protocol.name, *bound);
    }
  }
  return addresses;
}

void Node::take_websocket(OwnedSocket socket, std::string received) {
  // Round robin, since the threads of the HTTP port belong to no loop.
  const auto index = taken_.fetch_add(1, std::memory_order_relaxed) % loops_.size();
  loops_[index]->post([this, index, socket = std::make_shared<OwnedSocket>(std::move(socket)), received] {
    if (stopping_) return;
    auto stream = adopt(*loops_[index], std::move(*socket));
    if (!stream) return;
    const auto peer = stream->peer();
    if (gate_.admit(peer.ip) != ConnectionGate::Verdict::admitted) {
      BRAID_LOG_LIMITED(warning, "http", {{"peer", peer.text()}},
                        "refused: as many connections as limits.max_connections or its limit per address allow");
      return;
    }
    auto& services = *services_[index];
    const auto policy = websocket_policy(settings_, *stream);
    mqtt::spawn_session(services, mqtt::open_websocket(services.loop, std::move(stream), policy, received),
                        Admission(gate_, peer.ip));
  });
}

void Node::stop(std::function<void(bool)> done) {
  stopping_ = true;
  Loop& home = *loops_.front();
  // Work on every loop; `done` on the first when all have reported.
  auto everywhere = [this, &home](std::function<void(Services&, std::function<void()>)> work) {
    return [this, &home, work = std::move(work)](Terminator::Done finished) {
      auto left = std::make_shared<std::size_t>(loops_.size());
      for (std::size_t i = 0; i < loops_.size(); ++i)
        loops_[i]->post([this, i, &home, work, left, finished] {
          work(*services_[i], [&home, left, finished] {
            home.post([left, finished] {
              if (--*left == 0) finished();
            });
          });
        });
    };
  };
  terminator_ = std::make_unique<Terminator>(home);
  terminator_->add("stop accepting", 1000, everywhere([this](Services& services, std::function<void()> finished) {
                     for (auto& listener : listeners_[services.loop.index().value])
                       caf::anon_send(listener, StopListening{});
                     finished();
                   }));
  terminator_->add("finish sessions", kDrainSessionsMs,
                   everywhere([](Services& services, std::function<void()> finished) {
                     services.sessions.drain(std::move(finished));
                   }));
  terminator_->add("close the catalog", kCloseCatalogMs,
                   [this](Terminator::Done finished) { services_.front()->close_catalog(std::move(finished)); });
  terminator_->add("settle queues", kDrainPartitionsMs,
                   everywhere([](Services& services, std::function<void()> finished) {
                     drain_queues(services, std::move(finished));
                   }));
  terminator_->add("finish appends", kDrainPartitionsMs,
                   everywhere([](Services& services, std::function<void()> finished) {
                     services.drain_partitions(std::move(finished));
                   }));
  terminator_->add("close journals", kCloseJournalsMs,
                   everywhere([](Services& services, std::function<void()> finished) {
                     auto left = std::make_shared<std::size_t>(1);
                     auto one_less = [left, finished] {
                       if (--*left == 0) finished();
                     };
                     for (auto* journal : services.journals) {
                       if (!journal) continue;
                       ++*left;
                       journal->close([one_less](Errc) { one_less(); });
                     }
                     one_less();
                   }));
  terminator_->run(std::move(done));
}

}  // namespace braid
