// Braid, Apache-2.0.
//
// Gives a file that is complete and synced its footer, behind the appends' back, and then drops its index from memory.
// Until the footer is on the disk nothing depends on it: a crash in between leaves a file that recovery scans.
#pragma once

#include <cstdint>
#include <deque>

#include "persistence/journal/footer.hpp"
#include "persistence/journal/store.hpp"

namespace braid::journal {

class Sealer {
 public:
  explicit Sealer(Store& store) : store_(store) {}

  void add(FileInfo& file) { queue_.push_back(file.id); }
  /// Goes on with what waits, what failed before included.
  void run();
  bool idle() const { return !busy_ && queue_.empty(); }
  bool is_sealing(std::uint32_t file) const { return busy_ && queue_.front() == file; }

 private:
  void write(FileInfo&);
  void finish(std::uint32_t id, const Footer&, std::uint64_t end, Outcome<IoError> outcome);

  Store& store_;
  std::deque<std::uint32_t> queue_;  ///< the first is being written when busy
  bool busy_ = false;
};

}  // namespace braid::journal
