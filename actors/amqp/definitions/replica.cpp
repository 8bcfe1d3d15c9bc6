// Braid, Apache-2.0.
#include "actors/amqp/definitions/replica.hpp"

#include "runtime/pinned.hpp"

namespace braid::amqp {

namespace {

class Replica : public Pinned<DefinitionReplica::base> {
 public:
  Replica(caf::actor_config& config, Loop& loop, VhostDirectory& directory)
      : Pinned(config, loop), directory_(directory) {}
  const char* name() const override { return "amqp-replica"; }

 protected:
  behavior_type make_behavior() override {
    return {[this](const DefinitionsChanged& changed) {
      // Refusals were seen where the change was decided; here they are the same.
      for (const auto& change : *changed.changes) directory_.apply(change);
      return DefinitionsSeen{};
    }};
  }

 private:
  VhostDirectory& directory_;
};

}  // namespace

DefinitionReplica spawn_definition_replica(Loop& loop, VhostDirectory& directory) {
  return spawn_on<Replica>(loop, directory);
}

}  // namespace braid::amqp
