// Braid, Apache-2.0.
//
// What an actor finds on its loop. Everything here is used from that loop's thread only; what is shared with other
// loops is immutable (settings) or a handle to send messages to. The broker makes one per loop at start and destroys
// them after the last actor.
#pragma once

#include <memory>
#include <vector>

#include "actors/groups/interface.hpp"
#include "actors/partition/client.hpp"
#include "actors/routing/interface.hpp"
#include "cluster/catalog_service.hpp"
#include "cluster/directory.hpp"
#include "config/settings.hpp"
#include "persistence/journal/journal.hpp"
#include "runtime/loop.hpp"

namespace braid {

/// Counters of one loop; plain integers, read by the metrics page through a message.
struct LoopMetrics {
  std::uint64_t connections = 0;
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;
  std::uint64_t protocol_errors = 0;
  std::uint64_t mqtt_published = 0;
  std::uint64_t mqtt_delivered = 0;
  std::uint64_t mqtt_dropped = 0;
  std::uint64_t kafka_requests = 0;
};

struct Services {
  Loop& loop;
  const Settings& settings;
  Directory& directory;
  Journal& journal;
  PartitionClient& partitions;
  CatalogActor catalog;
  std::vector<RouterActor> routers;          ///< by loop; the own one is routers[loop.index().value]
  RetainedActor retained;
  std::vector<GroupCoordinator> coordinators;  ///< by loop
  LoopMetrics metrics;
};

}  // namespace braid
