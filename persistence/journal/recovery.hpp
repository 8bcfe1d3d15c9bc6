// Braid, Apache-2.0.
//
// From files to tables. The newest valid checkpoint gives the state at some position; the files behind it are applied
// one after the other, by footer where there is one, entry by entry where not.
//
// Where bytes are no valid entry, one question decides: was this place known to be on the disk? A later entry's
// `synced` field, a later file, or the checkpoint may say so. If it was, somebody's acknowledged data is damaged: that
// is reported, the offsets that can be told to be missing are fenced (reads there give Errc::damaged), and recovery
// goes on behind it. If it was not, this is the torn tail of a crash: the journal ends there, and what lies behind is
// cut.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "persistence/journal/checkpoint.hpp"
#include "persistence/journal/scan.hpp"
#include "persistence/journal/sealer.hpp"
#include "persistence/journal/store.hpp"

namespace braid::journal {

struct Recovered {
  std::unique_ptr<Store> store;
  FileInfo* open = nullptr;  ///< to go on with
  std::uint32_t next_id = 1;
  std::uint32_t last_id = 0;  ///< the file that a new one follows
  std::uint32_t last_end = 0;
  std::vector<CheckpointHead> kept;
  std::vector<std::uint32_t> unsealed;  ///< complete files without a footer
};

Result<Recovered, std::string> recover(Disk&, const JournalOptions&, RecoveryReport&);

}  // namespace braid::journal
