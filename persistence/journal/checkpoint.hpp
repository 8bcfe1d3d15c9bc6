// Braid, Apache-2.0.
//
// A checkpoint: the whole table of partitions as of one position in the journal, so that a start reads it and then only
// what comes behind that position. Two are kept; each is complete in itself, the index of files without a footer
// included.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "persistence/journal/store.hpp"
#include "persistence/journal/writer.hpp"

namespace braid::journal {

struct CheckpointHead {
  std::uint64_t sequence = 0;
  Writer::Position position;  ///< file 0 does not occur; offset 0: the file's beginning
};

Bytes encode_checkpoint(const Store&, const CheckpointHead&);
/// Fills an empty store; false if the bytes are damaged, and then the store must be thrown away.
bool decode_checkpoint(const Bytes&, Store&, CheckpointHead&);
/// Only looks at checksum and head.
std::optional<CheckpointHead> decode_checkpoint_head(const Bytes&);

/// Writes checkpoints while the journal serves: the state is taken at once, and its file is written when everything the
/// state speaks of is on the disk.
class Checkpointer {
 public:
  Checkpointer(Store& store, Writer& writer) : store_(store), writer_(writer) {}

  void resume(std::vector<CheckpointHead> kept) {
    kept_ = std::move(kept);
    if (!kept_.empty()) next_sequence_ = kept_.back().sequence + 1;
  }
  void start(std::function<void(Errc)> done);
  bool busy() const { return busy_; }
  /// Recovery never scans files before this one, whichever checkpoint it finds. 0 while there are fewer than two.
  std::uint32_t oldest_needed_file() const;

 private:
  void write(Bytes encoded);
  void finish(Errc);

  Store& store_;
  Writer& writer_;
  std::vector<CheckpointHead> kept_;  ///< ascending
  std::uint64_t next_sequence_ = 1;   ///< not used again after a failure, which may leave a file behind
  bool busy_ = false;
  CheckpointHead current_;
  std::vector<std::uint32_t> dead_files_;  ///< not named by the one that is being written
  std::vector<std::function<void(Errc)>> done_;
  std::vector<std::function<void(Errc)>> next_;  ///< came while one was under way; they want a later state
};

}  // namespace braid::journal
