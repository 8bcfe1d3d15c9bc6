// Braid, Apache-2.0.
#include "cluster/directory_actor.hpp"

#include "runtime/pinned.hpp"

namespace braid {
namespace {

class DirectoryUpdater : public Pinned<DirectoryActor::base> {
 public:
  DirectoryUpdater(caf::actor_config& config, Loop& loop, Directory& directory)
      : Pinned(config, loop), directory_(directory) {}
  const char* name() const override { return "directory"; }

  behavior_type make_behavior() override {
    return {[this](const CatalogChanged& message) {
      directory_.apply(*message.change);
      return CatalogChangeSeen{};
    }};
  }

 private:
  Directory& directory_;
};

}  // namespace

DirectoryActor spawn_directory_actor(Loop& loop, Directory& directory) {
  return spawn_on<DirectoryUpdater>(loop, directory);
}

}  // namespace braid
