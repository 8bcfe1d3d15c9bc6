// Braid, Apache-2.0.
#include "persistence/journal/recovery.hpp"

#include <algorithm>
#include <set>

#include "model/crc32c.hpp"
#include "persistence/journal/recovery_chain.hpp"
#include "persistence/journal/replay.hpp"

namespace braid::journal {
namespace {

std::string to_text(const IoError& error) {
  return error.what + (error.system_error ? ": error " + std::to_string(error.system_error) : std::string());
}
std::string range_text(std::uint32_t id, std::uint32_t begin, std::uint32_t end) {
  return file_name(id) + ": bytes " + std::to_string(begin) + " to " + std::to_string(end);
}

/// Whose offsets an entry with a damaged body held, as far as it can be told.
std::string damaged_text(const FileScan::Entry& entry) {
  const EntryHeader& header = entry.header;
  std::vector<SharedTarget> targets{{header.partition, header.base_offset}};
  bool all = true;
  if (header.kind == EntryKind::shared_batch) {
    auto decoded = decode_targets(header, entry.body.span());
    all = decoded.has_value();
    if (decoded) targets = std::move(*decoded);
  }
  std::string text;
  for (const SharedTarget& target : targets)
    text += "; partition " + std::to_string(target.partition.value) + ", offsets " +
            std::to_string(target.base_offset.value) + " to " +
            std::to_string(target.base_offset.value + header.last_offset_delta);
  if (!all) text += "; and of " + std::to_string(header.targets - 1) + " partitions whose names are damaged too";
  return text;
}

class Recovery {
 public:
  Recovery(Disk& disk, const JournalOptions& options, RecoveryReport& report)
      : disk_(disk), options_(options), report_(report) {}

  Result<Recovered, std::string> run() {
    if (auto failed = list_directory()) return Unexpected{*failed};
    load_checkpoint();
    if (auto failed = open_known_files()) return Unexpected{*failed};
    std::vector<std::uint32_t> ids(files_.lower_bound(head_.position.file), files_.end());
    auto chain = build_chain(disk_, options_.directory, ids, head_.position.file, from_checkpoint_);
    if (!chain) return Unexpected{chain.error()};
    chain_ = std::move(*chain);
    for (std::string& damage : chain_.damages) report_.damages.push_back(std::move(damage));
    for (const std::uint32_t id : chain_.unused) remove_file(id);
    if (auto failed = replay()) return Unexpected{*failed};
    settle_missing_files();
    settle_chain();
    remove_leftovers();
    report_.files = store().files.all().size();
    return std::move(result_);
  }

 private:
  Store& store() { return *result_.store; }

  std::optional<std::string> list_directory() {
    if (auto made = disk_.make_directories(options_.directory); !made) return to_text(made.error());
    // A given-up file whose removal came undone in a crash would claim to follow the last file's old end.
    names_durable_ = disk_.sync_directory(options_.directory).has_value();
    auto names = disk_.list(options_.directory);
    if (!names) return to_text(names.error());
    for (const std::string& name : *names) {
      if (const auto id = parse_file_name(name); id && *id > 0 && *id < UINT32_MAX - 1)
        files_.insert(static_cast<std::uint32_t>(*id));
      else if (const auto sequence = parse_checkpoint_name(name))
        checkpoints_.insert(*sequence);
      else if (name.starts_with("checkpoint-") && name.ends_with(".tmp"))
        leftovers_.push_back(options_.directory + "/" + name);
    }
    return std::nullopt;
  }

  std::optional<Bytes> read_whole(const std::string& path) {
    auto file = disk_.open(path, Disk::Open::existing);
    if (!file) return std::nullopt;
    auto size = (*file)->size_now();
    if (!size) return std::nullopt;
    auto bytes = (*file)->read_now(0, *size);
    if (!bytes || bytes->size() != *size) return std::nullopt;
    return std::move(*bytes);
  }

  void load_checkpoint() {
    for (auto sequence = checkpoints_.rbegin(); sequence != checkpoints_.rend(); ++sequence) {
      const std::string path = options_.directory + "/" + checkpoint_name(*sequence);
      const auto bytes = result_.kept.size() < 2 ? read_whole(path) : std::nullopt;
      if (result_.kept.size() == 2) {
        leftovers_.push_back(path);
        continue;
      }
      CheckpointHead head;
      if (bytes && !from_checkpoint_) {
        auto candidate = std::make_unique<Store>(disk_, options_);
        if (decode_checkpoint(*bytes, *candidate, head) && head.sequence == *sequence) {
          result_.store = std::move(candidate);
          head_ = head;
          from_checkpoint_ = true;
          result_.kept.push_back(head);
          continue;
        }
      } else if (bytes) {
        if (const auto older = decode_checkpoint_head(*bytes); older && older->sequence == *sequence) {
          result_.kept.push_back(*older);
          continue;
        }
      }
      report_.damages.push_back(checkpoint_name(*sequence) + ": the checkpoint is damaged and not used");
      leftovers_.push_back(path);
    }
    std::reverse(result_.kept.begin(), result_.kept.end());
    if (!result_.store) result_.store = std::make_unique<Store>(disk_, options_);
  }

  /// Files that the checkpoint speaks of and that need no replay.
  std::optional<std::string> open_known_files() {
    for (auto& [id, file] : store().files.all()) {
      if (id >= head_.position.file) continue;
      file.rolled = true;
      auto handle = disk_.open(file.path, Disk::Open::existing);
      if (!handle) {
        if (handle.error().code != IoErrc::not_found) return to_text(handle.error());
        file.missing = true;
        continue;
      }
      file.handle = std::move(*handle);
      if (auto size = file.handle->size_now()) {
        file.disk_bytes = *size;
        file.extent = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(*size, file.end, UINT32_MAX - kAlignment));
        if (*size < file.end)  // it was on the disk when the checkpoint was written
          report_.damages.push_back(range_text(id, static_cast<std::uint32_t>(*size), file.end) + " are missing");
      }
      seal_later(file);
    }
    // Removed by `reclaim` before a crash made the removal undone, or a spare of long ago.
    for (const std::uint32_t id : files_)
      if (id < head_.position.file && !store().files.find(id)) remove_file(id);
    return std::nullopt;
  }

  std::optional<std::string> replay() {
    Replay replay(store(), report_.damages, from_checkpoint_);
    for (std::size_t k = 0; k < chain_.files.size(); ++k) {
      ChainFile& source = chain_.files[k];
      FileInfo* known = store().files.find(source.id);
      FileInfo& file = known ? *known : store().files.insert(source.id, options_.directory);
      file.handle = source.handle;
      file.disk_bytes = source.size;
      if (source.header) {
        file.previous = static_cast<std::uint32_t>(source.header->previous);
        file.previous_end = source.header->previous_end;
      }
      if (source.id == head_.position.file) source.known_synced = std::max(source.known_synced, head_.position.offset);
      check_header(source, k);
      const bool goes_on = replay_footer(replay, file, source) || replay_entries(replay, file, k);
      report_.bytes_scanned += source.scan->bytes_read();
      if (source.scan->met_later_version()) return file.path + " was written by a later version of this program";
      file.written = file.synced = file.end;
      file.extent = std::max(file.end, source.size);
      if (goes_on) continue;
      for (std::size_t later = k + 1; later < chain_.files.size(); ++later) {
        report_.torn_bytes += chain_.files[later].size;
        remove_file(chain_.files[later].id);
      }
      tail_discarded_ = k + 1 < chain_.files.size();
      chain_.files.resize(k + 1);
      if (!source.header && file.end == kFileHeaderBytes) {  // nothing came of its first write
        tail_discarded_ = true;
        remove_file(source.id);
        store().files.erase(source.id);
        chain_.files.pop_back();
      }
    }
    replay.finish();
    return std::nullopt;
  }

  void check_header(const ChainFile& source, std::size_t k) {
    if (source.header) return;
    if (source.trailer || known_synced(k, kFileHeaderBytes, source.size) > 0)
      report_.damages.push_back(file_name(source.id) + ": the file header is damaged");
    else
      report_.torn_bytes += kFileHeaderBytes;
  }

  bool replay_footer(Replay& replay, FileInfo& file, ChainFile& source) {
    const auto& trailer = source.trailer;
    if (!trailer || source.end.value_or(trailer->entries_end) != trailer->entries_end) return false;
    // A file is complete and on the disk before it gets a footer.
    source.end = trailer->entries_end;
    source.known_synced = trailer->entries_end;
    const std::uint32_t length = source.size - kTrailerBytes - trailer->footer_position;
    const auto footer = source.handle->read_now(trailer->footer_position, length);
    // Not a damage when it is wrong: a crash may have torn the footer, and the entries say the same.
    if (!footer || footer->size() != length || crc32c(footer->span()) != trailer->checksum) return false;
    file.end = trailer->entries_end;
    if (!replay.footer(file, *trailer, footer->slice(trailer->directory_position - trailer->footer_position)))
      return false;
    file.sealed = true;
    return true;
  }

  /// False: the journal ends here, torn.
  bool replay_entries(Replay& replay, FileInfo& file, std::size_t k) {
    ChainFile& source = chain_.files[k];
    FileScan& scan = *source.scan;
    const std::uint32_t target = source.end.value_or(source.size), limit = std::min(target, source.size);
    std::uint32_t position = kFileHeaderBytes;
    if (source.id == head_.position.file) position = std::max(position, head_.position.offset);
    file.end = position;
    std::optional<std::uint32_t> synced;
    while (position < limit) {
      const auto entry = scan.entry_at(position, limit);
      if (scan.met_later_version()) return true;
      if (entry && entry->body_intact) {
        replay.entry(file, position, *entry);
        ++report_.entries_scanned;
        source.known_synced = std::max(source.known_synced, entry->header.synced);
        position += entry_bytes(entry->header.body_length);
        file.end = position;
        continue;
      }
      if (!synced) synced = known_synced(k, position, limit);
      const auto next = entry ? std::optional(position + entry_bytes(entry->header.body_length))
                              : scan.next_entry(position + kAlignment, limit);
      const std::uint32_t behind = next.value_or(limit);
      if (position >= *synced && !scan.has_unreadable(position, behind)) return cut(file, source, position);
      damaged_.insert(source.id);
      std::string text = range_text(source.id, position, behind) + " are damaged";
      if (entry) {
        replay.entry(file, position, *entry);
        text += damaged_text(*entry);
      } else {
        text += "; batches of any partition may have been there";
      }
      report_.damages.push_back(std::move(text));
      position = behind;
      file.end = position;
    }
    if (limit == target && position <= target) return true;
    if (!synced) synced = known_synced(k, limit, limit);
    if (limit >= *synced) return cut(file, source, limit);
    damaged_.insert(source.id);
    report_.damages.push_back(range_text(source.id, limit, std::max(target, position)) + " are missing");
    file.end = std::max(target, position);
    return true;
  }

  bool cut(FileInfo& file, const ChainFile& source, std::uint32_t position) {
    report_.torn_bytes += source.size - position;
    file.end = std::max(position, kFileHeaderBytes);
    return false;
  }

  /// How far file `k` is known to have been on the disk, by anything that lies behind `position`.
  std::uint32_t known_synced(std::size_t k, std::uint32_t position, std::uint32_t limit) {
    std::uint32_t synced =
        std::max(chain_.files[k].known_synced, chain_.files[k].scan->highest_synced(position, limit));
    for (std::size_t later = k + 1; later < chain_.files.size(); ++later) {
      // A file is synced only after the ones before it.
      ChainFile& file = chain_.files[later];
      if (file.known_synced > 0 || file.trailer || file.scan->highest_synced(kFileHeaderBytes, file.size) > 0)
        return UINT32_MAX;
    }
    return synced;
  }

  void settle_missing_files() {
    std::vector<std::uint32_t> dead;
    for (auto& [id, file] : store().files.all()) {
      if (file.handle) continue;
      file.missing = file.rolled = true;
      if (file.live == 0)
        dead.push_back(id);
      else
        report_.damages.push_back(file_name(id) + " is missing; it held batches of " + std::to_string(file.live) +
                                  " partitions, and reading them fails");
    }
    for (const std::uint32_t id : dead) store().files.erase(id);
  }

  void settle_chain() {
    std::uint32_t last = files_.empty() ? 0 : *files_.rbegin();
    if (from_checkpoint_) last = std::max(last, head_.position.file);
    result_.next_id = last + 1;
    const FileInfo* newest = nullptr;
    for (auto& [id, file] : store().files.all())
      if (file.handle) newest = &file;
    if (newest) {
      result_.last_id = newest->id;
      result_.last_end = newest->end;
    }
    for (std::size_t k = 0; k < chain_.files.size(); ++k) {
      FileInfo& file = *store().files.find(chain_.files[k].id);
      if (k + 1 == chain_.files.size() && can_go_on(file, k)) {
        result_.open = &file;
        continue;
      }
      file.rolled = true;
      if (auto kept = make_durable(file, k); !kept)
        report_.damages.push_back(file.path + " cannot be made durable: " + to_text(kept.error()));
      seal_later(file);
    }
    result_.unsealed = std::move(unsealed_);
  }

  /// Not a file that lost its end: the footer would lie behind a hole as long as what is missing, and how long that is
  /// nothing on the disk says but a checkpoint. Its lists stay in memory instead.
  void seal_later(const FileInfo& file) {
    if (!file.sealed && file.disk_bytes >= file.end) unsealed_.push_back(file.id);
  }

  /// Whether appends may go on in the last file. Not behind damage, and not when files behind it were given up: one
  /// that came back after another crash would claim to follow this file's old end.
  bool can_go_on(FileInfo& file, std::size_t k) {
    const ChainFile& source = chain_.files[k];
    if (!names_durable_ || file.sealed || !source.header || damaged_.contains(file.id) || tail_discarded_ ||
        source.end || file.end >= options_.file_bytes)
      return false;
    if (source.size > file.end) {
      if (!file.handle->truncate_now(file.end)) return false;
      file.extent = file.end;
      file.disk_bytes = file.end;
    }
    return make_durable(file, k).has_value();
  }

  /// What only the page cache held when the process ended counts from now on, a footer too. A sync alone would not do:
  /// when one has failed before, the kernel may take pages for clean that never reached the disk. So whatever is not
  /// known to be there is written once more.
  Outcome<IoError> make_durable(const FileInfo& file, std::size_t k) {
    ChainFile& source = chain_.files[k];
    for (std::size_t later = k + 1; later < chain_.files.size(); ++later)
      if (chain_.files[later].known_synced > 0 || chain_.files[later].trailer)
        source.known_synced = std::max(source.known_synced, file.end);
    const std::uint32_t begin = std::min(source.known_synced, file.end);
    const std::uint32_t end = file.sealed ? source.size : std::min(file.end, source.size);
    for (std::uint32_t position = begin; position < end;) {
      const std::uint32_t length = std::min(end - position, 1u << 20);
      auto bytes = file.handle->read_now(position, length);
      if (!bytes) return Unexpected{bytes.error()};
      if (bytes->size() != length) return Unexpected{IoError{IoErrc::too_short, 0, "read " + file.path}};
      if (auto written = file.handle->write_now(position, *bytes); !written) return written;
      position += length;
    }
    return file.handle->sync_now();
  }

  void remove_file(std::uint32_t id) { leftovers_.push_back(options_.directory + "/" + file_name(id)); }

  void remove_leftovers() {
    // One that cannot be removed now is found, and left out, again at the next start.
    for (const std::string& path : leftovers_) (void)disk_.remove(path);
    if (!leftovers_.empty()) (void)disk_.sync_directory(options_.directory);
  }

  Disk& disk_;
  const JournalOptions& options_;
  RecoveryReport& report_;
  Recovered result_;
  std::set<std::uint32_t> files_;
  std::set<std::uint64_t> checkpoints_;
  std::vector<std::string> leftovers_;
  CheckpointHead head_;
  bool from_checkpoint_ = false;
  bool names_durable_ = false;
  Chain chain_;
  std::set<std::uint32_t> damaged_;
  bool tail_discarded_ = false;
  std::vector<std::uint32_t> unsealed_;
};

}  // namespace

Result<Recovered, std::string> recover(Disk& disk, const JournalOptions& options, RecoveryReport& report) {
  return Recovery(disk, options, report).run();
}

}  // namespace braid::journal
