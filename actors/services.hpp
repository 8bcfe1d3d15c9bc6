// Braid, Apache-2.0.
//
// What an actor finds on its loop. Everything here is used from that loop's thread only; what is shared with other
// loops is immutable (settings, routes) or a handle to send messages to. The node makes one per loop before any actor
// runs and destroys them after the last.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/amqp/definitions/interface.hpp"
#include "actors/amqp/delays/interface.hpp"
#include "actors/disk_space.hpp"
#include "actors/groups/interface.hpp"
#include "actors/kafka/fetch_sessions.hpp"
#include "actors/kafka/quotas.hpp"
#include "actors/memory_budget.hpp"
#include "actors/metrics.hpp"
#include "actors/mqtt/clients.hpp"
#include "actors/partition/client.hpp"
#include "actors/producer_ids.hpp"
#include "actors/queues/interface.hpp"
#include "actors/routing/interest.hpp"
#include "actors/routing/interface.hpp"
#include "actors/routing/routes.hpp"
#include "actors/session_registry.hpp"
#include "actors/spill/partition_pool.hpp"
#include "cluster/catalog_service.hpp"
#include "cluster/directory.hpp"
#include "config/settings.hpp"
#include "persistence/journal/journal.hpp"
#include "runtime/loop.hpp"

namespace braid {

struct Services {
  Services(Loop& own_loop, std::size_t number_of_loops, const Settings& node_settings, const RouteTable& route_table,
           MemoryBudget& memory_budget);

  Loop& loop;
  const Settings& settings;
  const RouteTable& routes;
  MemoryBudget& budget;
  std::shared_ptr<DiskSpace> disk_space = std::make_shared<DiskSpace>();  ///< of all loops
  std::string cluster_id;
  Directory directory;
  PartitionClient partitions;
  InterestTable interest;          ///< kept by the loop's router
  std::vector<Journal*> journals;  ///< by shard; null where another loop has it
  std::size_t loops;
  /// Every start of the node is a new leadership of its partitions (KIP-320): what was not durable may be gone, and
  /// clients find out by the change.
  LeaderEpoch start_epoch{0};
  SessionRegistry sessions;
  ProducerIds producer_ids;
  kafka::FetchSessions fetch_sessions;
  std::shared_ptr<kafka::QuotaBuckets> quota_buckets;  ///< of all loops
  /// For the ordered end, set by the partition host: close the catalog; wait until every append that this loop's
  /// partitions have taken is finished.
  std::function<void(std::function<void()>)> close_catalog, drain_partitions;
  LoopMetrics metrics;

  CatalogActor catalog;
  std::vector<PartitionHost> hosts;  ///< these five by loop
  std::vector<RouterActor> routers;
  std::vector<GroupCoordinator> coordinators;
  std::vector<mqtt::ClientRegistry> clients;
  std::vector<QueueHost> queues;
  amqp::VhostDirectory amqp;  ///< kept by the actor below and its replica on this loop
  amqp::DefinitionsActor amqp_definitions;
  amqp::DelayActor amqp_delays;  ///< this loop's
  RetainedActor retained;
  PartitionPool partition_pool;

  /// As clients are told it.
  LeaderEpoch leader_epoch(const PartitionPlacement& partition) const { return std::max(partition.epoch, start_epoch); }
  /// The loop that has a shard's journal.
  std::size_t loop_of(ShardId shard) const { return shard.value % loops; }
  std::optional<std::size_t> loop_of(PartitionId partition) const {
    const auto place = directory.find_partition(partition);
    if (!place) return std::nullopt;
    return loop_of(place->topic->partition(place->index)->shard);
  }
  Journal& journal_of(ShardId shard) const { return *journals.at(shard.value); }

  /// Loops with subscribers that a record in this topic may concern.
  LoopSet interested_loops(const Topic& topic) const;
};

}  // namespace braid
