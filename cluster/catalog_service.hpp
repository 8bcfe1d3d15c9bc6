// Braid, Apache-2.0.
//
// The catalog's door: an actor that owns the store, so that nobody else waits for a disk to create a topic. Requests
// that come while a batch is being written go together into the next one, in one transaction and with one sync.
//
// A change is answered after every loop's directory has it: who creates a topic and then asks any loop for it, finds
// it. SQLite blocks, so it never runs on the loop: batches go to `Loop::offload`, one at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cluster/directory_actor.hpp"
#include "persistence/catalog/commands.hpp"
#include "persistence/catalog/results.hpp"
#include "persistence/catalog/store.hpp"
#include "runtime/loop.hpp"
#include "runtime/spelling.hpp"

namespace braid {

/// Answer to CreateTopics, DeleteTopics, CreatePartitions and AlterTopicConfig.
struct TopicsApplied {
  Errc error = Errc::none;  ///< of the whole request (storage_failed, overloaded, shutting_down, ...)
  std::string reason;
  std::vector<TopicOutcome> topics;  ///< in the request's order; empty when the whole request failed
};
/// Answer to SetClusterSettings.
struct ClusterSettingsApplied {
  Errc error = Errc::none;
  std::string reason;
};
/// Answer to AlterClientQuotas.
struct ClientQuotasAltered {
  Errc error = Errc::none;  ///< of the whole request
  std::string reason;
  std::vector<ChangeOutcome> changes;  ///< in the request's order; empty when the whole request failed
};
/// Answer to AlterDefinitions. Directories know nothing of them: whoever defines tells who needs to know.
struct DefinitionsAltered {
  Errc error = Errc::none;
  std::string reason;
};
/// Answer to AllocateProducerIds: `first` to `first + count - 1` are the caller's.
struct ProducerIdsAllocated {
  Errc error = Errc::none;
  std::string reason;
  ProducerId first{-1};
  std::int32_t count = 0;
};

struct DescribeCluster {};
struct ClusterDescription {
  std::string cluster_id;
  std::uint32_t shards = 0;
  std::uint64_t version = 0;  ///< commands applied
  std::int64_t topics = 0, partitions = 0;
  std::map<std::string, std::string> settings;  ///< all of them, as in force
};

/// Applies what is queued and closes the store; every later request is refused with shutting_down.
struct CloseCatalog {};
struct CatalogClosed {};

using CatalogActor =
    Interface<Answers<CreateTopics, TopicsApplied>, Answers<DeleteTopics, TopicsApplied>,
              Answers<CreatePartitions, TopicsApplied>, Answers<AlterTopicConfig, TopicsApplied>,
              Answers<SetClusterSettings, ClusterSettingsApplied>, Answers<AllocateProducerIds, ProducerIdsAllocated>,
              Answers<AlterClientQuotas, ClientQuotasAltered>, Answers<AlterDefinitions, DefinitionsAltered>,
              Answers<DescribeCluster, ClusterDescription>, Answers<CloseCatalog, CatalogClosed>>;

struct CatalogServiceOptions {
  /// Waiting requests past which more are refused with `overloaded`, by number and by the bytes of their commands.
  std::size_t max_queued = 10'000;
  std::size_t max_queued_bytes = 128u << 20;
};

/// `directories`: one per loop, each already filled with what the store holds (`CatalogStore::load_topics`).
CatalogActor spawn_catalog_service(Loop& loop, std::unique_ptr<CatalogStore> store,
                                   std::vector<DirectoryActor> directories, CatalogServiceOptions options = {});

}  // namespace braid

BRAID_MESSAGE(braid::CreateTopics)
BRAID_MESSAGE(braid::DeleteTopics)
BRAID_MESSAGE(braid::CreatePartitions)
BRAID_MESSAGE(braid::AlterTopicConfig)
BRAID_MESSAGE(braid::SetClusterSettings)
BRAID_MESSAGE(braid::AllocateProducerIds)
BRAID_MESSAGE(braid::AlterClientQuotas)
BRAID_MESSAGE(braid::ClientQuotasAltered)
BRAID_MESSAGE(braid::AlterDefinitions)
BRAID_MESSAGE(braid::DefinitionsAltered)
BRAID_MESSAGE(braid::TopicsApplied)
BRAID_MESSAGE(braid::ClusterSettingsApplied)
BRAID_MESSAGE(braid::ProducerIdsAllocated)
BRAID_MESSAGE(braid::DescribeCluster)
BRAID_MESSAGE(braid::ClusterDescription)
BRAID_MESSAGE(braid::CloseCatalog)
BRAID_MESSAGE(braid::CatalogClosed)
