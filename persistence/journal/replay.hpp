// Braid, Apache-2.0.
//
// Applies to the tables what files say happened: the part of recovery that knows what entries and footers mean.
#pragma once

#include <string>
#include <vector>

#include "persistence/journal/footer.hpp"
#include "persistence/journal/log_index.hpp"
#include "persistence/journal/scan.hpp"

namespace braid::journal {

class Replay {
 public:
  /// `from_checkpoint`: the tables hold the state before the first file that is replayed. Without it, a partition may
  /// begin anywhere.
  Replay(Store& store, std::vector<std::string>& damages, bool from_checkpoint)
      : store_(store), damages_(damages), from_checkpoint_(from_checkpoint) {}

  void entry(FileInfo&, std::uint32_t position, const FileScan::Entry&);
  /// False when the directory is impossible; nothing was applied then.
  bool footer(FileInfo&, const FooterTrailer&, const Bytes& directory);
  /// When everything is applied.
  void finish();

 private:
  /// Fences the offsets between a log's end and where its next batch begins.
  void expect(Row&, FileInfo&, Offset base_offset, bool gap_before);
  /// Whether the fence around this offset still stands.
  bool is_missing(const Row&, Offset);
  void cut(Row&, Offset end);
  void batch(FileInfo&, std::uint32_t position, const FileScan::Entry&);
  void shared_batch(FileInfo&, std::uint32_t position, const FileScan::Entry&);
  Row& add(FileInfo&, const EntryHeader&, const SharedTarget&, std::uint32_t position);

  Store& store_;
  std::vector<std::string>& damages_;
  bool from_checkpoint_;
  struct Gap {
    PartitionId partition;
    Offset first, last;
  };
  std::vector<Gap> gaps_;
};

}  // namespace braid::journal
