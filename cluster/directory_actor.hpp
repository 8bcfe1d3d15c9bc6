// Braid, Apache-2.0.
//
// How changes of the catalog reach a loop: an actor on that loop which does nothing but update the loop's directory,
// listeners included, and say so.
#pragma once

#include "cluster/directory.hpp"
#include "runtime/loop.hpp"
#include "runtime/spelling.hpp"

namespace braid {

/// One change for all loops: shared, since it may hold a hundred thousand topics.
struct CatalogChanged {
  std::shared_ptr<const CatalogChange> change;
};
/// The directory and everything that listens to it have the change.
struct CatalogChangeSeen {};

using DirectoryActor = Interface<Answers<CatalogChanged, CatalogChangeSeen>>;

/// `directory` belongs to `loop` and outlives the actor.
DirectoryActor spawn_directory_actor(Loop& loop, Directory& directory);

}  // namespace braid

BRAID_MESSAGE(braid::CatalogChanged)
BRAID_MESSAGE(braid::CatalogChangeSeen)
