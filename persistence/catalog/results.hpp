// Braid, Apache-2.0.
//
// What applying commands yields: an answer per command for whoever proposed it, and the net change for everybody else.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/errors.hpp"
#include "model/ids.hpp"
#include "persistence/catalog/client_quotas.hpp"
#include "persistence/catalog/cluster_settings.hpp"
#include "persistence/catalog/topic.hpp"

namespace braid {

enum class TopicEvent : std::uint8_t { none, created, altered, deleted };

struct TopicOutcome {
  std::string name;  ///< as in the command, or of the topic that an id stands for
  TopicId id;
  Errc error = Errc::none;
  std::string reason;  ///< for people; empty when there is no error
  TopicEvent event = TopicEvent::none;
  TopicRef topic;  ///< as it is now; null when it failed or was deleted
};

/// Of one part of a command that succeeds or fails on its own and is no topic.
struct ChangeOutcome {
  Errc error = Errc::none;
  std::string reason;
};

struct ApplyResult {
  Errc error = Errc::none;  ///< of the command as a whole; then nothing of it took effect
  std::string reason;
  std::vector<TopicOutcome> topics;    ///< in the command's order
  std::vector<ChangeOutcome> changes;  ///< of client quotas, in the command's order
  ProducerId first_producer_id{-1};
  std::int32_t producer_ids = 0;
};

struct RemovedTopic {
  TopicId id;
  std::string name;
};

/// Removals come before upserts: a topic deleted and created again is in both, under different ids.
struct CatalogChange {
  std::vector<TopicRef> upserts;
  std::vector<RemovedTopic> removed;
  std::shared_ptr<const ClusterSettings> settings;  ///< null: as they were
  ClientQuotasRef quotas;                           ///< null: as they were
  std::uint64_t version = 0;                        ///< commands applied so far
  bool empty() const { return upserts.empty() && removed.empty() && !settings && !quotas; }
};

struct AppliedCommands {
  std::vector<ApplyResult> results;  ///< one per command
  CatalogChange change;
};

/// Nothing was applied (storage_failed), it is unknown whether a restart will find it applied (unknown_outcome), or
/// what is stored cannot be trusted (damaged).
struct CatalogError {
  Errc code = Errc::storage_failed;
  std::string what;
};

}  // namespace braid
