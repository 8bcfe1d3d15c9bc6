// Braid, Apache-2.0.
//
// Gives a file that is complete and synced its footer, behind the appends' back, and then drops its index from memory.
// Until the footer is on the disk nothing depends on it: a crash in between leaves a file that recovery scans.
//
// The tables may know more than the file: a drop or a replaced suffix that lies in the next one. So the footer is
// written only when everything that the tables knew is on the disk; a footer never says what a crash could still undo.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "persistence/journal/footer.hpp"
#include "persistence/journal/store.hpp"

namespace braid::journal {

class Sealer {
 public:
  /// `barrier` calls back when everything that was appended so far is on the disk.
  Sealer(Store& store, std::function<void(AppendDone)> barrier) : store_(store), barrier_(std::move(barrier)) {}

  void add(FileInfo& file) { queue_.push_back(file.id); }
  /// Goes on with what waits, what failed before included.
  void run();
  bool idle() const { return !busy_ && queue_.empty(); }
  bool is_sealing(std::uint32_t file) const { return busy_ && queue_.front() == file; }

 private:
  void prepare(const FileInfo&);
  void write(std::uint32_t id, std::uint32_t position, std::shared_ptr<const Footer>);
  void finish(std::uint32_t id, const Footer&, std::uint64_t end, Outcome<IoError> outcome);

  Store& store_;
  std::function<void(AppendDone)> barrier_;
  std::deque<std::uint32_t> queue_;  ///< the first is being written when busy
  bool busy_ = false;
};

}  // namespace braid::journal
