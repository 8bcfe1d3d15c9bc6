// Braid, Apache-2.0.
//
// What the parts of the journal share: tables, caches and counters. The parts (writer, sealer, reader, checkpointer,
// recovery) know the store and not each other, but for the few calls that their headers show.
#pragma once

#include <memory>

#include "persistence/disk.hpp"
#include "persistence/journal/file_table.hpp"
#include "persistence/journal/journal.hpp"
#include "persistence/journal/memory_log.hpp"
#include "persistence/journal/partition_table.hpp"
#include "persistence/journal/section_cache.hpp"
#include "persistence/journal/tail_cache.hpp"

namespace braid::journal {

struct Store {
  Store(Disk& the_disk, JournalOptions the_options)
      : disk(the_disk),
        options(std::move(the_options)),
        tail(options.tail_cache_bytes),
        sections(options.index_cache_bytes) {}

  Disk& disk;
  JournalOptions options;
  PartitionTable partitions;
  FileTable files;
  MemoryLog memory;
  TailCache tail;
  SectionCache sections;
  Journal::Statistics statistics;
  /// Completions may come after the journal is gone; they hold a weak reference to this and do nothing then.
  std::shared_ptr<const bool> alive = std::make_shared<const bool>(true);
};

/// A callback that is dropped when the store is gone.
template <class Function>
auto while_alive(const Store& store, Function function) {
  return [alive = std::weak_ptr<const bool>(store.alive), function = std::move(function)](auto&&... arguments) mutable {
    if (!alive.expired()) function(std::forward<decltype(arguments)>(arguments)...);
  };
}

}  // namespace braid::journal
