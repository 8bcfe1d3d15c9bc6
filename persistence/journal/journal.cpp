// Braid, Apache-2.0.
//
// The journal's face: turns the calls of partitions into the work of its parts.
#include "persistence/journal/journal.hpp"

#include <algorithm>
#include <utility>

#include "persistence/journal/checkpoint.hpp"
#include "persistence/journal/log_index.hpp"
#include "persistence/journal/reader.hpp"
#include "persistence/journal/recovery.hpp"
#include "persistence/journal/retention.hpp"
#include "persistence/journal/sealer.hpp"
#include "persistence/journal/writer.hpp"

namespace braid {
namespace {

using namespace journal;

class FileJournal final : public Journal {
 public:
  explicit FileJournal(Recovered recovered)
      : owner_(std::move(recovered.store)),
        store_(*owner_),
        sealer_(store_, [this](AppendDone done) { writer_.barrier(std::move(done)); }),
        writer_(store_, [this](FileInfo& file) { seal(file); }),
        checkpointer_(store_, writer_) {
    writer_.resume(recovered.open, recovered.next_id, recovered.last_id, recovered.last_end);
    checkpointer_.resume(std::move(recovered.kept));
    for (const std::uint32_t id : recovered.unsealed) seal(*store_.files.find(id));
  }

  void create(PartitionId partition, ShardId shard) override { store_.partitions.find_or_insert(partition, shard); }
  bool knows(PartitionId partition) const override { return find(partition) != nullptr; }

  LogState state(PartitionId partition) const override {
    const Row* row = find(partition);
    if (!row) return {};
    return {row->log_start, row->end, row->max_timestamp, row->bytes};
  }

  std::vector<PartitionId> partitions() const override {
    std::vector<PartitionId> known;
    known.reserve(store_.partitions.size());
    for (std::uint32_t row = 0; row < store_.partitions.row_limit(); ++row)
      if (store_.partitions[row].used) known.push_back(store_.partitions[row].partition);
    return known;
  }

  Errc append(AppendRequest request, AppendDone done) override {
    const std::uint32_t row = store_.partitions.find_or_insert(request.partition, request.shard);
    return writer_.append(row, std::move(request), std::move(done));
  }

  Errc append_shared(const SharedAppendRequest& request, AppendDone done) override {
    return writer_.append_shared(request, std::move(done));
  }

  void read(ReadRequest request, std::function<void(ReadResult)> done) override {
    read_batches(store_, request, std::move(done));
  }
  void batch_for_timestamp(PartitionId partition, Timestamp at,
                           std::function<void(Errc, std::optional<Offset>)> done) override {
    find_timestamp(store_, partition, at, std::move(done));
  }
  std::optional<Offset> batch_of_max_timestamp(PartitionId partition) const override {
    const Row* row = find(partition);
    if (!row || row->max_timestamp.value < 0) return std::nullopt;
    return row->max_timestamp_offset;
  }

  Errc set_log_start(PartitionId partition, Offset offset, AppendDone done) override {
    const std::uint32_t number = store_.partitions.find(partition);
    if (number == PartitionTable::kNone) return Errc::unknown_partition;
    Row& row = store_.partitions[number];
    if (offset.value < 0 || offset > row.end) return Errc::offset_out_of_range;
    if (offset > row.log_start) move_start(store_, row, offset);
    if (!row.stored) {  // there is nothing on the disk that could come back
      writer_.answer(std::move(done), Errc::none);
      return Errc::none;
    }
    return writer_.control(number, {partition, row.shard, EntryKind::log_start, row.log_start}, std::move(done));
  }

  Errc drop(PartitionId partition, AppendDone done) override {
    // Written even when the partition is not known any more: an earlier try may have failed on the disk.
    ShardId shard;
    if (const std::uint32_t row = store_.partitions.find(partition); row != PartitionTable::kNone) {
      shard = store_.partitions[row].shard;
      drop_partition(store_, row);
    }
    return writer_.control(PartitionTable::kNone, {partition, shard, EntryKind::drop, Offset(0)}, std::move(done));
  }

  Offset retention_start(PartitionId partition, Timestamp now, std::int64_t retention_ms,
                         std::int64_t retention_bytes) const override {
    const Row* row = find(partition);
    return row ? journal::retention_start(store_, *row, now, retention_ms, retention_bytes) : Offset(0);
  }

  void reclaim() override {
    if (remove_dead_files(store_, checkpointer_, sealer_) && !checkpointer_.busy()) checkpointer_.start([](Errc) {});
  }

  ProducerStates& producers(PartitionId partition) override {
    Row& row = store_.partitions[store_.partitions.find_or_insert(partition, ShardId())];
    if (!row.producers) row.producers = std::make_unique<ProducerStates>();
    return *row.producers;
  }

  void expire_producers(PartitionId partition, Timestamp now, std::int64_t idle_ms) override {
    const std::uint32_t number = store_.partitions.find(partition);
    if (number == PartitionTable::kNone) return;
    Row& row = store_.partitions[number];
    if (!row.producers) return;
    row.producers->expire(now, idle_ms);
    if (row.producers->empty()) row.producers.reset();
  }

  void sync() override {
    writer_.sync();
    schedule_sealing();
  }
  void checkpoint(std::function<void(Errc)> done) override { checkpointer_.start(std::move(done)); }
  void close(std::function<void(Errc)> done) override {
    // A checkpoint waits for everything that was appended and has it synced.
    writer_.sync();
    checkpointer_.start(std::move(done));
  }

  Statistics statistics() const override {
    Statistics statistics = store_.statistics;
    statistics.files = store_.files.all().size();
    statistics.memory_bytes = store_.partitions.memory_bytes() + store_.tail.bytes() + store_.memory.bytes() +
                              store_.memory.staying_bytes() + store_.sections.bytes();
    for (const auto& [id, file] : store_.files.all()) {
      statistics.disk_bytes += file.disk_bytes;
      for (const IndexList& list : file.lists)
        statistics.memory_bytes += sizeof list + list.batches.capacity() * sizeof(IndexEntry);
    }
    return statistics;
  }

 private:
  const Row* find(PartitionId partition) const {
    const std::uint32_t row = store_.partitions.find(partition);
    return row == PartitionTable::kNone ? nullptr : &store_.partitions[row];
  }

  void seal(FileInfo& file) {
    sealer_.add(file);
    schedule_sealing();
  }
  void schedule_sealing() {
    if (sealing_scheduled_ || sealer_.idle()) return;
    sealing_scheduled_ = true;
    store_.disk.at_turn_end(while_alive(store_, [this] {
      sealing_scheduled_ = false;
      sealer_.run();
    }));
  }

  std::unique_ptr<Store> owner_;
  Store& store_;
  Sealer sealer_;
  Writer writer_;
  Checkpointer checkpointer_;
  bool sealing_scheduled_ = false;
};

}  // namespace

Result<std::unique_ptr<Journal>, std::string> Journal::open(Disk& disk, JournalOptions options,
                                                            RecoveryReport* report) {
  if (options.directory.empty()) return Unexpected{std::string("the journal has no directory")};
  options.file_bytes = std::clamp<std::uint64_t>(options.file_bytes, 4096, kMaxFileBytes);
  options.memory_bytes = std::min<std::uint64_t>(options.memory_bytes, 2ull << 30);
  RecoveryReport unused;
  auto recovered = recover(disk, options, report ? *report : unused);
  if (!recovered) return Unexpected{recovered.error()};
  return std::unique_ptr<Journal>(std::make_unique<FileJournal>(std::move(*recovered)));
}

}  // namespace braid
