// Braid, Apache-2.0.
//
//   magic u64 | version u32 | sequence u64 | position: file u32, offset u32
//   files: count, then id, end, flags, chain, control entries
//   partitions: count, then id, shard, log start, end, end on disk, segments, producers
//   CRC32C of all that
#include "persistence/journal/checkpoint.hpp"

#include <algorithm>

#include "model/crc32c.hpp"
#include "persistence/journal/footer.hpp"
#include "persistence/journal/log_index.hpp"
#include "persistence/journal/producer_codec.hpp"

namespace braid::journal {
namespace {

constexpr std::uint64_t kMagic = 0x4252414944434b50ull;  // "BRAIDCKP"
constexpr std::uint8_t kSealed = 1;

bool is_dead(const FileInfo& file) {
  return file.live == 0 && file.rolled;
}

void encode_file(const FileInfo& file, ByteWriter& out) {
  out.varint(file.id);
  out.varint(file.end);
  out.u8(file.sealed ? kSealed : 0);
  out.varint(file.previous);
  out.varint(file.previous_end);
  out.varint(file.controls.size());
  for (const ControlEntry& control : file.controls) {
    out.varint(control.partition.value);
    out.varint(control.shard.value);
    out.u8(static_cast<std::uint8_t>(control.kind));
    out.varint(static_cast<std::uint64_t>(control.offset.value));
  }
}

bool decode_file(ByteReader& in, Store& store) {
  const std::uint32_t id = in.varint32();
  if (in.failed() || id == 0 || store.files.find(id)) return false;
  FileInfo& file = store.files.insert(id, store.options.directory);
  file.end = file.written = file.synced = file.extent = in.varint32();
  const std::uint8_t flags = in.u8();
  file.sealed = flags & kSealed;
  file.previous = in.varint32();
  file.previous_end = in.varint32();
  const std::uint64_t controls = in.varint();
  if (in.failed() || (flags & ~kSealed) != 0 || controls > in.remaining() / 4) return false;
  for (std::uint64_t i = 0; i < controls; ++i) {
    ControlEntry control;
    control.partition = PartitionId(in.varint());
    control.shard = ShardId(in.varint32());
    const std::uint8_t kind = in.u8();
    const std::uint64_t offset = in.varint();
    control.kind = static_cast<EntryKind>(kind);
    if (in.failed() || offset > INT64_MAX ||
        (control.kind != EntryKind::log_start && control.kind != EntryKind::drop &&
         control.kind != EntryKind::truncate))
      return false;
    control.offset = Offset(static_cast<std::int64_t>(offset));
    file.controls.push_back(control);
  }
  return true;
}

void encode_row(const Store& store, const Row& row, ByteWriter& out) {
  out.varint(row.partition.value);
  out.varint(row.shard.value);
  out.varint(static_cast<std::uint64_t>(row.log_start.value));
  out.varint(static_cast<std::uint64_t>(row.end.value));
  out.varint(static_cast<std::uint64_t>(row.disk_end.value));
  const auto stored = std::count_if(row.segments.begin(), row.segments.end(),
                                    [](const Segment& segment) { return !segment.is_memory(); });
  out.varint(static_cast<std::uint64_t>(stored));
  for (std::size_t i = 0; i < row.segments.size(); ++i) {
    const Segment& segment = row.segments[i];
    if (segment.is_memory()) continue;
    out.varint(segment.file);
    encode_segment(segment, out);
    const IndexList* list = segment.is_sealed() ? nullptr : &store.files.find(segment.file)->lists[segment.place];
    const std::int64_t end = list ? list->batches.back().last_offset().value + 1 : row.segment_end(i).value;
    out.varint(static_cast<std::uint64_t>(end - segment.first_offset.value));
    if (!list) continue;
    ByteWriter section(64 + list->batches.size() * 10);
    encode_section(list->batches, section);
    out.u8(list->gap_before);
    out.varint(section.size());
    out.raw(section.view());
  }
  if (row.producers)
    encode_producers(*row.producers, row.end, out);
  else
    out.varint(0);
}

Offset decode_offset(ByteReader& in) {
  const std::uint64_t value = in.varint();
  if (value > INT64_MAX) in.fail();
  return Offset(static_cast<std::int64_t>(value & INT64_MAX));
}

bool decode_stored_segment(ByteReader& in, Store& store, Row& row) {
  Segment segment;
  const std::uint32_t file_id = in.varint32();
  if (!decode_segment(in, segment)) return false;
  const std::uint64_t length = in.varint();
  FileInfo* file = in.failed() ? nullptr : store.files.find(file_id);
  if (!file || length == 0 || length > static_cast<std::uint64_t>(INT64_MAX - segment.first_offset.value)) return false;
  segment.file = file_id;
  if (!row.segments.empty() && segment.first_offset < row.end) return false;
  const Offset end(segment.first_offset.value + static_cast<std::int64_t>(length));
  segment.end_distance = static_cast<std::uint32_t>(std::min<std::uint64_t>(length, Segment::kFar));
  if (!segment.is_sealed()) {
    const bool gap_before = in.u8() != 0;
    auto batches = decode_section(in.take(in.varint()), file->end);
    if (!batches || batches->empty()) return false;
    if (batches->front().base_offset != segment.first_offset || batches->back().last_offset().value + 1 != end.value)
      return false;
    segment.place = static_cast<std::uint32_t>(file->lists.size());
    summarize(*batches, segment);
    file->lists.push_back({row.partition, std::move(*batches), gap_before});
  } else if (!file->sealed || segment.place < kFileHeaderBytes) {
    return false;
  }
  add_segment(store, row, segment, end);
  return true;
}

bool decode_row(ByteReader& in, Store& store) {
  const PartitionId partition(in.varint());
  const ShardId shard(in.varint32());
  if (in.failed() || store.partitions.find(partition) != PartitionTable::kNone) return false;
  Row& row = store.partitions[store.partitions.find_or_insert(partition, shard)];
  const Offset log_start = decode_offset(in), end = decode_offset(in), disk_end = decode_offset(in);
  const std::uint64_t segments = in.varint();
  if (in.failed() || segments > in.remaining() / 8 || log_start > end || disk_end > end) return false;
  row.segments.reserve(segments);
  for (std::uint64_t i = 0; i < segments; ++i)
    if (!decode_stored_segment(in, store, row)) return false;
  if (row.end > end) return false;
  row.log_start = log_start;
  row.end = end;
  row.disk_end = disk_end;
  row.stored = disk_end.value > 0;
  ProducerStates producers;
  if (!decode_producers(in, producers)) return false;
  if (!producers.empty()) row.producers = std::make_unique<ProducerStates>(std::move(producers));
  return true;
}

bool decode_head(ByteReader& in, CheckpointHead& head) {
  if (in.u64() != kMagic || in.u32() != kFormatVersion) return false;
  head.sequence = in.u64();
  head.position.file = in.u32();
  head.position.offset = in.u32();
  return !in.failed() && head.position.file != 0;
}

bool checksum_holds(const Bytes& bytes) {
  return bytes.size() >= 4 &&
         load_big<std::uint32_t>(bytes.data() + bytes.size() - 4) == crc32c(bytes.span().first(bytes.size() - 4));
}

}  // namespace

Bytes encode_checkpoint(const Store& store, const CheckpointHead& head) {
  ByteWriter out(4096 + store.partitions.size() * 48ull);
  out.u64(kMagic);
  out.u32(kFormatVersion);
  out.u64(head.sequence);
  out.u32(head.position.file);
  out.u32(head.position.offset);
  const auto& files = store.files.all();
  out.varint(static_cast<std::uint64_t>(
      std::count_if(files.begin(), files.end(), [](const auto& entry) { return !is_dead(entry.second); })));
  for (const auto& [id, file] : files)
    if (!is_dead(file)) encode_file(file, out);
  out.varint(store.partitions.size());
  for (std::uint32_t row = 0; row < store.partitions.row_limit(); ++row)
    if (store.partitions[row].used) encode_row(store, store.partitions[row], out);
  out.u32(crc32c(std::span<const std::uint8_t>(out.data(), out.size())));
  return out.finish();
}

bool decode_checkpoint(const Bytes& bytes, Store& store, CheckpointHead& head) {
  if (!checksum_holds(bytes)) return false;
  ByteReader in(bytes.slice(0, bytes.size() - 4));
  if (!decode_head(in, head)) return false;
  const std::uint64_t files = in.varint();
  if (in.failed() || files > in.remaining() / 6) return false;
  for (std::uint64_t i = 0; i < files; ++i)
    if (!decode_file(in, store)) return false;
  const std::uint64_t rows = in.varint();
  if (in.failed() || rows > in.remaining() / 7) return false;
  for (std::uint64_t i = 0; i < rows; ++i)
    if (!decode_row(in, store)) return false;
  return !in.failed() && in.remaining() == 0;
}

std::optional<CheckpointHead> decode_checkpoint_head(const Bytes& bytes) {
  if (!checksum_holds(bytes)) return std::nullopt;
  ByteReader in(bytes);
  CheckpointHead head;
  if (!decode_head(in, head)) return std::nullopt;
  return head;
}

void Checkpointer::start(std::function<void(Errc)> done) {
  if (busy_) return next_.push_back(std::move(done));
  busy_ = true;
  done_.push_back(std::move(done));
  current_.sequence = next_sequence_++;
  current_.position = writer_.position();
  dead_files_.clear();
  for (const auto& [id, file] : store_.files.all())
    if (is_dead(file)) dead_files_.push_back(id);
  writer_.barrier([this, encoded = encode_checkpoint(store_, current_)](Errc error) {
    if (error != Errc::none) return finish(error);
    write(encoded);
  });
}

void Checkpointer::write(Bytes encoded) {
  const std::string final_path = store_.options.directory + "/" + checkpoint_name(current_.sequence);
  const std::string path = final_path + ".tmp";
  const auto failed = [this, path](const IoError&) {
    store_.disk.remove_later(path, [](Outcome<IoError>) {});
    finish(Errc::storage_failed);
  };
  const auto renamed = while_alive(store_, [this, failed](Outcome<IoError> outcome) {
    if (!outcome) return failed(outcome.error());
    kept_.push_back(current_);
    for (const std::uint32_t id : dead_files_)
      if (FileInfo* file = store_.files.find(id)) file->forgotten = true;
    while (kept_.size() > 2) {
      store_.disk.remove_later(store_.options.directory + "/" + checkpoint_name(kept_.front().sequence),
                               [](Outcome<IoError>) {});
      kept_.erase(kept_.begin());
    }
    finish(Errc::none);
  });
  store_.disk.create(path, while_alive(store_, [this, encoded, path, final_path, failed,
                                                renamed](IoResult<std::shared_ptr<File>> file) {
                       if (!file) return finish(Errc::storage_failed);
                       const std::shared_ptr<File> handle = *file;
                       handle->write(0, {encoded}, while_alive(store_, [=, this](Outcome<IoError> written) {
                                       if (!written) return failed(written.error());
                                       handle->sync(while_alive(store_, [=, this](Outcome<IoError> synced) {
                                         if (!synced) return failed(synced.error());
                                         store_.disk.rename_later(path, final_path, renamed);
                                       }));
                                     }));
                     }));
}

void Checkpointer::finish(Errc error) {
  busy_ = false;
  const std::weak_ptr<const bool> alive(store_.alive);
  for (auto& done : std::exchange(done_, {})) {
    done(error);
    if (alive.expired()) return;
  }
  if (next_.empty() || busy_) return;
  auto waiting = std::exchange(next_, {});
  for (std::size_t i = 1; i < waiting.size(); ++i) done_.push_back(std::move(waiting[i]));
  start(std::move(waiting.front()));
}

std::uint32_t Checkpointer::oldest_needed_file() const {
  return kept_.size() < 2 ? 0 : kept_[kept_.size() - 2].position.file;
}

}  // namespace braid::journal
