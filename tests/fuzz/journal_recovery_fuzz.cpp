// Braid, Apache-2.0.
//
// Recovery over files that were changed: whatever they hold, the journal opens or says why not, serves what it found
// without ever returning bytes that were not appended there, takes new batches, and opens again.
//
// The input is a program of changes to a small journal: three bytes each of what and where, and operands. Some changes
// put the checksum right again, since a recovery that only ever sees wrong checksums is not tested behind them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/byte_io.hpp"
#include "model/crc32c.hpp"
#include "persistence/journal/format.hpp"
#include "persistence/journal/journal.hpp"
#include "persistence/testing/manual_loop.hpp"
#include "persistence/testing/sim_disk.hpp"

using namespace braid;

namespace {

const std::string kDirectory = "/journal";

void require(bool condition) {
  if (!condition) std::abort();
}

JournalOptions small() {
  JournalOptions options;
  options.directory = kDirectory;
  options.file_bytes = 4096;
  options.tail_cache_bytes = 0;
  return options;
}

void append(Journal& journal, std::uint64_t partition, std::size_t size, Durability durability) {
  const Offset base = journal.state(PartitionId(partition)).end;
  if (base.value > INT64_MAX / 2) return;
  journal.append({.partition = PartitionId(partition),
                  .shard = ShardId(1),
                  .batch = Bytes::copy(std::string(size, static_cast<char>('a' + partition))),
                  .base_offset = base,
                  .last_offset = Offset(base.value + 1),
                  .max_timestamp = Timestamp(base.value * 10),
                  .durability = durability},
                 [](Errc) {});
}

void append_shared(Journal& journal, std::vector<std::uint64_t> partitions, std::size_t size) {
  std::vector<SharedAppendRequest::Target> targets;
  for (const std::uint64_t partition : partitions) {
    if (journal.state(PartitionId(partition)).end.value > INT64_MAX / 2) return;
    targets.push_back({PartitionId(partition)});
  }
  journal.append_shared({.shard = ShardId(1),
                         .batch = Bytes::copy(std::string(size, 's')),
                         .targets = targets,
                         .last_offset_delta = 1,
                         .durability = Durability::sync},
                        [](Errc) {});
}

using Image = std::map<std::string, std::string>;

/// Files of all sorts: sealed with and without a footer, open, two checkpoints.
Image make_image() {
  SimDisk disk(1);
  ManualLoop loop;
  auto view = loop.attach(disk);
  auto journal = Journal::open(*view, small());
  require(journal.has_value());
  for (int i = 0; i < 40; ++i) {
    append(**journal, 1 + static_cast<std::uint64_t>(i % 3), 100 + static_cast<std::size_t>(i) * 7,
           i % 2 ? Durability::sync : Durability::os);
    if (i % 4 == 1) append_shared(**journal, {3, 1, 4}, 50 + static_cast<std::size_t>(i) * 5);
    loop.run();
    if (i == 12 || i == 25) (*journal)->checkpoint([](Errc) {});
    if (i == 15) (*journal)->set_log_start(PartitionId(1), Offset(4), [](Errc) {});
    if (i == 30) (*journal)->drop(PartitionId(2), [](Errc) {});
  }
  loop.run();
  Image image;
  for (const std::string& path : disk.paths()) image[path] = disk.content(path);
  return image;
}

void mend_entry(const std::string& path, std::string& content, std::size_t position) {
  const auto id = journal::parse_file_name(std::string_view(path).substr(path.rfind('/') + 1));
  if (!id || position + journal::kEntryHeaderBytes > content.size()) return;
  auto* at = reinterpret_cast<std::uint8_t*>(content.data()) + position;
  const std::size_t length = load_big<std::uint32_t>(at + 8);
  if (length <= content.size() - position - journal::kEntryHeaderBytes)
    store_big(at + 4, crc32c(std::span<const std::uint8_t>(at + journal::kEntryHeaderBytes, length)));
  store_big(at, crc32c(std::span<const std::uint8_t>(at + 4, journal::kEntryHeaderBytes - 4),
                       journal::file_seed(*id) ^ static_cast<std::uint32_t>(position)));
}

void mend_file_header(std::string& content) {
  if (content.size() < journal::kFileHeaderBytes) return;
  auto* at = reinterpret_cast<std::uint8_t*>(content.data());
  store_big(at + 60, crc32c(std::span<const std::uint8_t>(at, 60)));
}

void mend_footer(std::string& content) {
  if (content.size() < journal::kTrailerBytes) return;
  auto* at = reinterpret_cast<std::uint8_t*>(content.data()) + content.size() - journal::kTrailerBytes;
  const std::size_t footer = load_big<std::uint32_t>(at + 28), end = content.size() - journal::kTrailerBytes;
  if (footer <= end)
    store_big(at + 40, crc32c(std::span<const std::uint8_t>(
                           reinterpret_cast<const std::uint8_t*>(content.data()) + footer, end - footer)));
  store_big(at + 60, crc32c(std::span<const std::uint8_t>(at, 60)));
}

void mend_checkpoint(std::string& content) {
  if (content.size() < 4) return;
  auto* at = reinterpret_cast<std::uint8_t*>(content.data());
  store_big(at + content.size() - 4, crc32c(std::span<const std::uint8_t>(at, content.size() - 4)));
}

void change(SimDisk& disk, ByteReader& program) {
  const std::vector<std::string> paths = disk.paths();
  if (paths.empty()) return program.fail();
  const std::uint8_t what = program.u8();
  const std::string& path = paths[program.u8() % paths.size()];
  std::string content = disk.content(path);
  const std::size_t position = content.empty() ? 0 : program.u16() % content.size();
  switch (what % 12) {
    case 0:
      if (!content.empty()) content[position] = static_cast<char>(program.u8());
      break;
    case 1:
      content.resize(position);
      break;
    case 2:
      content.append(program.u8(), static_cast<char>(program.u8()));
      break;
    case 3:
      return disk.erase(path);
    case 4: {  // some bytes appear at another place
      const std::size_t to = content.empty() ? 0 : program.u16() % content.size();
      content.replace(to, std::min<std::size_t>(program.u8(), content.size() - to),
                      content.substr(position, program.u8()));
      break;
    }
    case 5:
      content = disk.content(paths[program.u8() % paths.size()]);
      break;
    case 6:  // in an entry: a field of its header, and the checksum over it
    case 7: {
      const std::size_t entry = position / 8 * 8;
      const std::size_t field = entry + 8 + program.u8() % (journal::kEntryHeaderBytes - 8);
      if (field < content.size()) content[field] = static_cast<char>(program.u8());
      mend_entry(path, content, entry);
      break;
    }
    case 8:
      if (position < journal::kFileHeaderBytes) content[position] = static_cast<char>(program.u8());
      mend_file_header(content);
      break;
    case 9: {
      const std::size_t back = program.u8() % (journal::kTrailerBytes + 200);
      if (back < content.size()) content[content.size() - 1 - back] = static_cast<char>(program.u8());
      mend_footer(content);
      break;
    }
    case 10:
      if (!content.empty()) content[position] = static_cast<char>(program.u8());
      mend_checkpoint(content);
      break;
    case 11:
      if (path.find("checkpoint") != std::string::npos) return disk.erase(path);
      break;
  }
  disk.put(path, std::move(content));
}

void read_everything(Journal& journal, ManualLoop& loop) {
  for (const PartitionId partition : journal.partitions()) {
    const LogState state = journal.state(partition);
    require(state.log_start <= state.end);
    Offset next = state.log_start;
    // A gap takes one read, so this ends; a damaged batch is stepped over as a client would.
    for (int reads = 0; reads < 200 && next < state.end; ++reads) {
      bool called = false;
      journal.read({partition, next, state.end}, [&](const ReadResult& result) {
        called = true;
        require(result.error == Errc::none || result.error == Errc::damaged);
        for (const Bytes& batch : result.batches) require(!batch.empty());
        next = Offset(next.value + std::max<std::int64_t>(1, 2 * static_cast<std::int64_t>(result.batches.size())));
      });
      loop.run();
      require(called);
    }
    journal.batch_for_timestamp(partition, Timestamp(50), [](Errc, std::optional<Offset>) {});
    journal.retention_start(partition, Timestamp(1000), 500, 300);
    loop.run();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Image image = make_image();
  SimDisk disk(size + 1);
  for (const auto& [path, content] : image) disk.put(path, content);
  ByteReader program(Bytes::copy(std::span(data, size)));
  for (int changes = 0; changes < 16 && program.remaining() > 0; ++changes) change(disk, program);

  ManualLoop loop;
  for (int life = 0; life < 3; ++life) {
    auto view = loop.attach(disk);
    RecoveryReport report;
    auto opened = Journal::open(*view, small(), &report);
    if (!opened) {
      require(!opened.error().empty());
      return 0;
    }
    std::unique_ptr<Journal> journal = std::move(*opened);
    read_everything(*journal, loop);
    for (std::uint64_t partition = 1; partition <= 4; ++partition) append(*journal, partition, 300, Durability::sync);
    append_shared(*journal, {4, 2, 1}, 200);
    loop.run();
    journal->reclaim();
    if (life == 0) journal->close([](Errc) {});
    loop.run();
    journal.reset();
    if (life == 1)
      disk.crash();
    else
      disk.kill();
    loop.clear();
  }
  return 0;
}
