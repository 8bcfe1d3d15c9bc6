// Braid, Apache-2.0.
//
// A read goes segment by segment. Each step looks the partition up anew, since the log may have changed while the disk
// was busy; what was read is checked against the place it was expected at, so a change can make a read shorter, never
// wrong.
#include "persistence/journal/reader.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "model/crc32c.hpp"
#include "persistence/journal/log_index.hpp"

namespace braid::journal {
namespace {

/// Entries of other partitions that are read along rather than paid for with another disk read.
constexpr std::uint32_t kGapBytes = 32u << 10;
constexpr std::uint32_t kExtentBytes = 1u << 20;
/// Disk reads of one step; what they don't reach is asked for again.
constexpr std::size_t kExtents = 16;

/// First segment that reaches behind `offset`.
std::size_t find_segment(const Row& row, Offset offset) {
  std::size_t low = 0, high = row.segments.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (row.segment_end(middle) <= offset)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

class ReadOperation : public std::enable_shared_from_this<ReadOperation> {
 public:
  ReadOperation(Store& store, ReadRequest request, std::function<void(ReadResult)> done)
      : store_(store), request_(request), done_(std::move(done)), next_(request.from) {}

  void start() {
    const std::uint32_t number = store_.partitions.find(request_.partition);
    if (number == PartitionTable::kNone) return finish(Errc::unknown_partition);
    const Row& row = store_.partitions[number];
    if (next_ < row.log_start || next_ > row.end) return finish(Errc::offset_out_of_range);
    step();
  }

 private:
  struct Wanted {
    IndexEntry entry;
    Bytes bytes;             ///< empty: comes from the disk
    std::size_t extent = 0;  ///< from which of the reads
  };
  struct Extent {
    std::uint32_t begin, end;
    IoResult<Bytes> result = Bytes{};
  };

  void step() {
    for (;;) {
      const std::uint32_t number = store_.partitions.find(request_.partition);
      if (number == PartitionTable::kNone) return finish(Errc::unknown_partition);
      const Row& row = store_.partitions[number];
      if (next_ >= std::min(request_.limit, row.end)) return finish(Errc::none);
      const std::size_t at = find_segment(row, next_);
      if (at == row.segments.size()) return finish(Errc::none);
      const Segment& segment = row.segments[at];
      const Offset end = row.segment_end(at);
      bool more;
      if (segment.is_memory()) {
        more = take_memory(store_.memory.list(segment.place), end);
      } else if (!segment.is_sealed()) {
        more = take(batches_of(store_, segment), segment.file, end);
      } else {
        const SectionCache::Section section = store_.sections.find(segment.file, segment.place);
        if (!section)
          return load_section(store_, segment,
                              [self = shared_from_this()](Errc error, const SectionCache::Section& loaded) {
                                if (!loaded) return self->finish(error);
                                self->step();
                              });
        more = take(*section, segment.file, end);
      }
      if (!more) return;
    }
  }

  bool fits(std::size_t bytes, std::size_t planned) const {
    if (result_.batches.empty() && planned == 0) return request_.at_least_one || bytes <= request_.max_bytes;
    return result_.bytes + planned + bytes <= request_.max_bytes;
  }

  bool take_memory(const MemoryLog::List& list, Offset end) {
    auto batch = std::partition_point(list.begin(), list.end(),
                                      [this](const MemoryBatch& candidate) { return candidate.last_offset < next_; });
    for (; batch != list.end() && batch->base_offset < request_.limit; ++batch) {
      if (!fits(batch->bytes.size(), 0)) return finish(Errc::none), false;
      ++store_.statistics.tail_hits;
      add(batch->bytes, batch->base_offset, batch->last_offset);
    }
    next_ = std::max(next_, end);
    return true;
  }

  /// Takes what it can from one segment's batches; false when the operation ended or waits for the disk.
  bool take(const BatchIndex& index, std::uint32_t file_id, Offset end) {
    std::vector<Wanted> wanted;
    std::vector<Extent> extents;
    std::size_t planned = 0;
    bool full = false, lost = false;
    for (std::size_t i = find_batch(index, next_); i < index.size(); ++i) {
      const IndexEntry& entry = index[i];
      if (entry.last_offset() >= end || entry.base_offset >= request_.limit) break;
      if (entry.is_lost()) {
        lost = true;
        break;
      }
      if (!fits(entry.length, planned)) {
        full = true;
        break;
      }
      Wanted piece{entry, store_.tail.find(file_id, entry.position + kEntryHeaderBytes + entry.prefix, entry.length),
                   0};
      if (piece.bytes.empty() && !plan(entry, extents)) {
        full = true;
        break;
      }
      if (!extents.empty()) piece.extent = extents.size() - 1;
      planned += entry.length;
      wanted.push_back(std::move(piece));
    }
    if (wanted.empty()) {
      if (lost) return finish(Errc::damaged), false;
      if (full) return finish(Errc::none), false;
      next_ = std::max(next_, end);  // nothing but a gap up to the segment's end
      return true;
    }
    if (extents.empty()) {
      store_.statistics.tail_hits += wanted.size();
      for (Wanted& piece : wanted) add(std::move(piece.bytes), piece.entry.base_offset, piece.entry.last_offset());
      if (full || lost) return finish(Errc::none), false;
      return true;
    }
    fetch(file_id, std::move(wanted), std::move(extents));
    return false;
  }

  static bool plan(const IndexEntry& entry, std::vector<Extent>& extents) {
    const std::uint32_t end = entry.position + kEntryHeaderBytes + entry.prefix + entry.length;
    if (!extents.empty()) {
      Extent& last = extents.back();
      if (entry.position - last.end <= kGapBytes && end - last.begin <= kExtentBytes) {
        last.end = end;
        return true;
      }
    }
    if (extents.size() == kExtents) return false;
    extents.push_back({entry.position, end});
    return true;
  }

  void fetch(std::uint32_t file_id, std::vector<Wanted> wanted, std::vector<Extent> extents) {
    const FileInfo& file = *store_.files.find(file_id);
    if (!file.handle) return finish(Errc::damaged);
    wanted_ = std::move(wanted);
    extents_ = std::move(extents);
    seed_ = file.seed;
    open_ = extents_.size();
    const std::shared_ptr<File> handle = file.handle;
    for (std::size_t i = 0; i < extents_.size(); ++i) {
      ++store_.statistics.disk_reads;
      handle->read(extents_[i].begin, extents_[i].end - extents_[i].begin,
                   while_alive(store_, [self = shared_from_this(), i](IoResult<Bytes> result) {
                     self->extents_[i].result = std::move(result);
                     if (--self->open_ == 0) self->fetched();
                   }));
    }
  }

  void fetched() {
    for (Wanted& piece : wanted_) {
      Bytes bytes = std::move(piece.bytes);
      if (bytes.empty()) {
        const Extent& extent = extents_[piece.extent];
        if (!extent.result)
          return finish(extent.result.error().code == IoErrc::too_short ? Errc::damaged : Errc::storage_failed);
        bytes = check(*extent.result, piece.entry.position - extent.begin, piece.entry);
        if (bytes.empty()) return finish(Errc::damaged);
      } else {
        ++store_.statistics.tail_hits;
      }
      add(std::move(bytes), piece.entry.base_offset, piece.entry.last_offset());
    }
    step();
  }

  /// The batch, if what lies there is the entry that the index means, intact.
  Bytes check(const Bytes& read, std::uint32_t inside, const IndexEntry& entry) const {
    const auto header = decode_entry_header(read.span().subspan(inside), seed_, entry.position);
    if (!header || header->body_length != entry.prefix + entry.length) return {};
    const Bytes body = read.slice(inside + kEntryHeaderBytes, header->body_length);
    if (crc32c(body.span()) != header->body_checksum || !is_meant(*header, body, entry)) return {};
    return body.slice(entry.prefix);
  }

  bool is_meant(const EntryHeader& header, const Bytes& body, const IndexEntry& entry) const {
    if (entry.prefix != targets_bytes(header.targets)) return false;
    if (header.kind != EntryKind::shared_batch)
      return header.partition == request_.partition && header.base_offset == entry.base_offset;
    const auto targets = decode_targets(header, body.span());
    return targets && std::any_of(targets->begin(), targets->end(), [&](const SharedTarget& target) {
             return target.partition == request_.partition && target.base_offset == entry.base_offset;
           });
  }

  void add(Bytes bytes, Offset base, Offset last) {
    if (request_.with_base_offsets) result_.base_offsets.push_back(base);
    result_.bytes += bytes.size();
    result_.batches.push_back(std::move(bytes));
    next_ = Offset(last.value + 1);
  }

  void finish(Errc error) {
    // What was found before the trouble is good; the next read begins with the trouble.
    if (result_.batches.empty()) result_.error = error;
    std::exchange(done_, nullptr)(std::move(result_));
  }

  Store& store_;
  ReadRequest request_;
  std::function<void(ReadResult)> done_;
  Offset next_;
  ReadResult result_;
  std::vector<Wanted> wanted_;
  std::vector<Extent> extents_;
  std::uint32_t seed_ = 0;
  std::size_t open_ = 0;
};

class TimestampSearch : public std::enable_shared_from_this<TimestampSearch> {
 public:
  using Done = std::function<void(Errc, std::optional<Offset>)>;
  TimestampSearch(Store& store, PartitionId partition, Timestamp at, Done done)
      : store_(store), partition_(partition), at_(at), done_(std::move(done)) {}

  void step() {
    const std::uint32_t number = store_.partitions.find(partition_);
    if (number == PartitionTable::kNone) return done_(Errc::unknown_partition, std::nullopt);
    const Row& row = store_.partitions[number];
    next_ = std::max(next_, row.log_start);
    for (std::size_t i = find_segment(row, next_); i < row.segments.size(); ++i) {
      const Segment& segment = row.segments[i];
      if (segment.max_timestamp < at_) continue;
      const Offset end = row.segment_end(i);
      if (segment.is_memory()) {
        for (const MemoryBatch& batch : store_.memory.list(segment.place))
          if (batch.max_timestamp >= at_ && batch.last_offset >= next_) return done_(Errc::none, batch.base_offset);
      } else if (!segment.is_sealed()) {
        if (search(batches_of(store_, segment), end)) return;
      } else {
        const SectionCache::Section section = store_.sections.find(segment.file, segment.place);
        if (!section)
          return load_section(store_, segment,
                              [self = shared_from_this()](Errc error, const SectionCache::Section& loaded) {
                                if (!loaded) return self->done_(error, std::nullopt);
                                self->step();
                              });
        if (search(*section, end)) return;
      }
      next_ = std::max(next_, end);
    }
    done_(Errc::none, std::nullopt);
  }

 private:
  bool search(const BatchIndex& index, Offset end) {
    for (std::size_t i = find_batch(index, next_); i < index.size() && index[i].last_offset() < end; ++i)
      if (index[i].max_timestamp >= at_ && !index[i].is_lost()) return done_(Errc::none, index[i].base_offset), true;
    return false;
  }

  Store& store_;
  PartitionId partition_;
  Timestamp at_;
  Offset next_{0};
  Done done_;
};

}  // namespace

void read_batches(Store& store, ReadRequest request, std::function<void(ReadResult)> done) {
  std::make_shared<ReadOperation>(store, request, std::move(done))->start();
}

void find_timestamp(Store& store, PartitionId partition, Timestamp at,
                    std::function<void(Errc, std::optional<Offset>)> done) {
  std::make_shared<TimestampSearch>(store, partition, at, std::move(done))->step();
}

void load_section(Store& store, const Segment& segment, std::function<void(Errc, SectionCache::Section)> done) {
  const FileInfo* file = store.files.find(segment.file);
  if (!file || !file->handle) return done(Errc::damaged, nullptr);
  ++store.statistics.disk_reads;
  file->handle->read(segment.place, segment.section_length,
                     while_alive(store, [&store, id = file->id, place = segment.place, end = file->end,
                                         done = std::move(done)](IoResult<Bytes> read) {
                       if (!read)
                         return done(read.error().code == IoErrc::too_short ? Errc::damaged : Errc::storage_failed,
                                     nullptr);
                       auto index = decode_section(*read, end);
                       if (!index) return done(Errc::damaged, nullptr);
                       auto section = std::make_shared<const BatchIndex>(std::move(*index));
                       store.sections.insert(id, place, section);
                       done(Errc::none, std::move(section));
                     }));
}

}  // namespace braid::journal
