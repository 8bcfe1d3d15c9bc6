// Braid, Apache-2.0.
//
// The journal's files as they are known in memory. One is open for appends; others are rolled (full, or given up after
// a failure) and wait for their footer; the rest is sealed and kept only as long as somebody's batches live in it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "persistence/disk.hpp"
#include "persistence/journal/batch_index.hpp"
#include "persistence/journal/format.hpp"

namespace braid::journal {

/// One partition's batches in a file that has no footer yet.
struct IndexList {
  PartitionId partition;
  BatchIndex batches;
  bool gap_before = false;  ///< what comes before the first of them was never on disk
};
/// An entry that is no batch, for the directory.
struct ControlEntry {
  PartitionId partition;
  ShardId shard;
  EntryKind kind = EntryKind::log_start;
  Offset offset;
};

struct FileInfo {
  std::uint32_t id = 0;
  std::uint32_t seed = 0;
  std::string path;
  std::shared_ptr<File> handle;  ///< null while it is being created, or when the file is missing
  std::uint32_t end = 0;         ///< where the next entry goes
  std::uint32_t written = 0;     ///< as much of it has been written
  std::uint32_t synced = 0;      ///< as much of it is on the disk
  std::uint32_t extent = 0;      ///< writes were tried up to here; the footer lies behind
  bool creating = false;         ///< the handle is on its way
  bool rolled = false;           ///< takes no more entries
  bool sealed = false;           ///< its footer is on the disk, its index no longer in memory
  bool forgotten = false;        ///< nothing lives in it, and the newest checkpoint does not name it any more
  bool missing = false;          ///< a checkpoint names it, the disk does not have it
  std::uint32_t previous = 0;    ///< the chain, as its header has it
  std::uint32_t previous_end = 0;
  std::uint32_t live = 0;        ///< segments that refer to it
  std::uint64_t disk_bytes = 0;  ///< footer included
  std::vector<IndexList> lists;
  std::vector<ControlEntry> controls;
  /// Producer states of the partitions in `lists` when the file was rolled, in order of the lists; may be shorter.
  std::vector<Bytes> producers;
};

class FileTable {
 public:
  FileInfo* find(std::uint32_t id) {
    const auto found = files_.find(id);
    return found == files_.end() ? nullptr : &found->second;
  }
  const FileInfo* find(std::uint32_t id) const { return const_cast<FileTable*>(this)->find(id); }
  FileInfo& insert(std::uint32_t id, const std::string& directory) {
    FileInfo& file = files_[id];
    file.id = id;
    file.seed = file_seed(id);
    file.path = directory + "/" + file_name(id);
    return file;
  }
  void erase(std::uint32_t id) { files_.erase(id); }
  /// Ascending by id; a FileInfo never moves.
  std::map<std::uint32_t, FileInfo>& all() { return files_; }
  const std::map<std::uint32_t, FileInfo>& all() const { return files_; }

 private:
  std::map<std::uint32_t, FileInfo> files_;
};

}  // namespace braid::journal
