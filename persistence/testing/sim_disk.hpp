// Braid, Apache-2.0.
//
// A disk that lies in memory and fails the way disks fail, by a seed. It keeps apart what is on the platter and what is
// only in the page cache: crash() loses any part of what was not synced, down to single sectors of a write, in no
// particular order, and names that were not made durable by syncing their directory. Single operations fail on demand,
// leaving part of a write behind; a failed sync may have lost pages for good although they still can be read; space
// ends; bits flip.
//
// It belongs to this room because the journal's own tests and fuzz targets need it; the simulated loop of
// `runtime/simulation` attaches one view per loop.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "persistence/disk.hpp"

namespace braid {

class SimDisk {
 public:
  /// Takes a task and runs it later on the loop that owns the view.
  using Scheduler = std::function<void(std::function<void()>)>;

  explicit SimDisk(std::uint64_t seed = 1);
  ~SimDisk();
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  /// The disk as one loop sees it. `complete` gets the completions, in the order in which they may run but for what the
  /// loop makes of it; `at_turn_end` is Disk::at_turn_end. Views and files die with a crash: what they had under way
  /// never completes.
  std::unique_ptr<Disk> attach(Scheduler complete, Scheduler at_turn_end);

  /// Power failure.
  void crash();
  /// Process failure: the page cache survives; views, files and what was under way do not.
  void kill();

  enum class Operation : std::uint8_t { write, sync, read, name };  ///< name: create, open, remove, rename, list
  static constexpr std::size_t kOperations = 4;
  /// The `nth` operation of this kind from now on (1: the next), and `count` - 1 behind it, fail with EIO.
  void fail(Operation, std::uint64_t nth = 1, std::uint64_t count = 1);
  /// The same, counting operations of every kind.
  void fail_any(std::uint64_t nth = 1, std::uint64_t count = 1);
  /// Each operation of this kind fails with this chance, in millionths.
  void fail_by_chance(Operation, std::uint32_t per_million);
  void heal();
  /// All files together may take so many bytes; writes past it fail with ENOSPC.
  void limit_bytes(std::uint64_t bytes) { limit_bytes_ = bytes; }
  /// After a failed sync, whether lost pages are evicted at once, so that reads see it too.
  void evict_lost_pages(bool evict) { evict_lost_pages_ = evict; }

  std::uint64_t count(Operation operation) const { return counts_[static_cast<std::size_t>(operation)]; }
  std::uint64_t used_bytes() const;

  /// Content as a read would see it. An absent file is empty.
  std::string content(const std::string& path) const;
  /// Replaces a file, durably: for tests and fuzzers that damage it.
  void put(const std::string& path, std::string content);
  void flip_bit(const std::string& path, std::uint64_t position, int bit);
  void erase(const std::string& path);
  std::vector<std::string> paths() const;

 private:
  friend class SimFile;
  friend class SimView;
  struct Change {  ///< not synced yet
    bool truncation = false;
    std::uint64_t position = 0;  ///< or the new size
    std::string bytes;
  };
  struct Node {
    std::string cached;   ///< what reads see
    std::string durable;  ///< what survives a crash for certain
    std::vector<Change> changes;
    std::uint64_t settled = 0;  ///< changes before these: durable, or lost

    std::uint64_t changes_so_far() const { return settled + changes.size(); }
  };
  using NodeRef = std::shared_ptr<Node>;
  struct NameChange {
    std::string path;
    NodeRef node;  ///< null: removed
  };

  bool fails(Operation);
  std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : random_() % limit; }
  /// How many of these bytes still fit.
  std::uint64_t room_for(const Node&, std::uint64_t position, std::uint64_t length) const;
  void apply(Node&, Change);
  static void apply(std::string& content, const Change&);
  void change_name(const std::string& path, NodeRef node);
  void sync_names(const std::string& directory);
  void sync_node(Node&, std::uint64_t changes_so_far);
  void lose_pages(Node&, std::uint64_t changes_so_far);

  std::mt19937_64 random_;
  std::uint64_t epoch_ = 0;  ///< of views and files; grows with each crash
  std::map<std::string, NodeRef> names_;
  std::map<std::string, NodeRef> durable_names_;
  std::vector<NameChange> name_changes_;
  std::set<std::string> directories_;
  std::uint64_t limit_bytes_ = UINT64_MAX;
  bool evict_lost_pages_ = false;
  std::array<std::uint64_t, kOperations> counts_{};
  struct Fault {
    std::uint64_t nth = 0;  ///< operations until the first failure; 0: none planned
    std::uint64_t count = 0;
    std::uint32_t per_million = 0;
  };
  std::array<Fault, kOperations> faults_{};
  Fault any_fault_;
};

}  // namespace braid
