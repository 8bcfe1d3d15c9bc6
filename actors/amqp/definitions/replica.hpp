// Braid, Apache-2.0.
//
// How changes reach the other loops: an actor on each that applies them to the loop's directory and says so.
#pragma once

#include <memory>
#include <vector>

#include "actors/amqp/definitions/interface.hpp"
#include "runtime/loop.hpp"
#include "runtime/spelling.hpp"

namespace braid::amqp {

/// Shared by all loops.
struct DefinitionsChanged {
  std::shared_ptr<const std::vector<DefinitionChange>> changes;
};
struct DefinitionsSeen {};
using DefinitionReplica = Interface<Answers<DefinitionsChanged, DefinitionsSeen>>;

/// `directory` belongs to `loop` and outlives the actor.
DefinitionReplica spawn_definition_replica(Loop& loop, VhostDirectory& directory);

}  // namespace braid::amqp

BRAID_MESSAGE(braid::amqp::DefinitionsChanged)
BRAID_MESSAGE(braid::amqp::DefinitionsSeen)
