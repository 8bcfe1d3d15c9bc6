// Braid, Apache-2.0.
//
// What the journal costs: an append without a disk, through the page cache, and with a sync; a read from the tail and
// from sealed files; a look-up in an index; a start with 100,000 partitions, and the memory that an idle one takes.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "persistence/journal/batch_index.hpp"
#include "persistence/journal/journal.hpp"

namespace {

using namespace braid;

/// The smallest loop: completions and turn ends run when asked to.
struct Turns {
  std::deque<std::function<void()>> tasks;
  void run() {
    while (!tasks.empty()) {
      auto task = std::move(tasks.front());
      tasks.pop_front();
      task();
    }
  }
};

IoError failed() {
  return {IoErrc::failed, errno, "bench"};
}

/// Takes everything and keeps nothing: what is left is the journal's own work.
class NullFile final : public File {
 public:
  explicit NullFile(Turns& turns) : turns_(turns) {}
  void write(std::uint64_t, std::vector<Bytes>, IoDone done) override {
    turns_.tasks.push_back([done = std::move(done)] { done(ok); });
  }
  void sync(IoDone done) override {
    turns_.tasks.push_back([done = std::move(done)] { done(ok); });
  }
  void read(std::uint64_t, std::size_t, std::function<void(IoResult<Bytes>)> done) override {
    turns_.tasks.push_back([done = std::move(done)] { done(Unexpected{failed()}); });
  }
  IoResult<std::uint64_t> size_now() override { return std::uint64_t{0}; }
  IoResult<Bytes> read_now(std::uint64_t, std::size_t) override { return Bytes{}; }
  Outcome<IoError> write_now(std::uint64_t, const Bytes&) override { return ok; }
  Outcome<IoError> truncate_now(std::uint64_t) override { return ok; }
  Outcome<IoError> sync_now() override { return ok; }

 private:
  Turns& turns_;
};

/// A real file, with calls that block: no thread pool blurs the figures.
class PlainFile final : public File {
 public:
  PlainFile(Turns& turns, int descriptor) : turns_(turns), descriptor_(descriptor) {}
  ~PlainFile() override { ::close(descriptor_); }
  void write(std::uint64_t position, std::vector<Bytes> chunks, IoDone done) override {
    Outcome<IoError> outcome = ok;
    for (const Bytes& chunk : chunks) {
      if (auto written = write_now(position, chunk); !written) outcome = written;
      position += chunk.size();
    }
    turns_.tasks.push_back([outcome, done = std::move(done)] { done(outcome); });
  }
  void sync(IoDone done) override {
    turns_.tasks.push_back([outcome = sync_now(), done = std::move(done)] { done(outcome); });
  }
  void read(std::uint64_t position, std::size_t length, std::function<void(IoResult<Bytes>)> done) override {
    turns_.tasks.push_back([bytes = read_now(position, length), done = std::move(done)] { done(bytes); });
  }
  IoResult<std::uint64_t> size_now() override {
    const off_t end = ::lseek(descriptor_, 0, SEEK_END);
    if (end < 0) return Unexpected{failed()};
    return static_cast<std::uint64_t>(end);
  }
  IoResult<Bytes> read_now(std::uint64_t position, std::size_t length) override {
    BlockRef block = BlockRef::make(length);
    const ssize_t got = ::pread(descriptor_, block->data(), length, static_cast<off_t>(position));
    if (got < 0) return Unexpected{failed()};
    const std::uint8_t* data = block->data();
    return Bytes(std::move(block), data, static_cast<std::size_t>(got));
  }
  Outcome<IoError> write_now(std::uint64_t position, const Bytes& bytes) override {
    if (::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(position)) !=
        static_cast<ssize_t>(bytes.size()))
      return Unexpected{failed()};
    return ok;
  }
  Outcome<IoError> truncate_now(std::uint64_t size) override {
    if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) return Unexpected{failed()};
    return ok;
  }
  Outcome<IoError> sync_now() override {
    if (::fdatasync(descriptor_) != 0) return Unexpected{failed()};
    return ok;
  }

 private:
  Turns& turns_;
  int descriptor_;
};

class BenchDisk final : public Disk {
 public:
  BenchDisk(Turns& turns, bool real) : turns_(turns), real_(real) {}
  IoResult<std::shared_ptr<File>> open(const std::string& path, Open mode) override {
    if (!real_) return std::shared_ptr<File>(std::make_shared<NullFile>(turns_));
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC | (mode == Open::create_new ? O_CREAT : 0), 0600);
    if (descriptor < 0) return Unexpected{failed()};
    return std::shared_ptr<File>(std::make_shared<PlainFile>(turns_, descriptor));
  }
  IoResult<std::vector<std::string>> list(const std::string& directory) override {
    std::vector<std::string> names;
    if (real_)
      for (const auto& entry : std::filesystem::directory_iterator(directory))
        names.push_back(entry.path().filename().string());
    return names;
  }
  Outcome<IoError> make_directories(const std::string& path) override {
    if (real_) std::filesystem::create_directories(path);
    return ok;
  }
  Outcome<IoError> remove(const std::string& path) override {
    if (real_) std::filesystem::remove(path);
    return ok;
  }
  Outcome<IoError> rename(const std::string& from, const std::string& to) override {
    if (real_) std::filesystem::rename(from, to);
    return ok;
  }
  Outcome<IoError> sync_directory(const std::string&) override { return ok; }
  void create(const std::string& path, std::function<void(IoResult<std::shared_ptr<File>>)> done) override {
    turns_.tasks.push_back([file = open(path, Open::create_new), done = std::move(done)] { done(file); });
  }
  void measure_volume(const std::string&, std::function<void(IoResult<VolumeSize>)> done) override {
    done(VolumeSize{});
  }
  void remove_later(const std::string& path, IoDone done) override {
    turns_.tasks.push_back([outcome = remove(path), done = std::move(done)] { done(outcome); });
  }
  void rename_later(const std::string& from, const std::string& to, IoDone done) override {
    turns_.tasks.push_back([outcome = rename(from, to), done = std::move(done)] { done(outcome); });
  }
  void at_turn_end(std::function<void()> work) override { turns_.tasks.push_back(std::move(work)); }

 private:
  Turns& turns_;
  bool real_;
};

/// A journal in a directory of its own, which goes with it.
struct Bench {
  explicit Bench(bool real, JournalOptions with = {}) : disk(turns, real), options(std::move(with)) {
    options.directory = "/nowhere";
    if (real) {
      const char* base = std::getenv("BRAID_BENCH_DIR");
      std::string path = std::string(base ? base : "/tmp") + "/braid-journal-bench-XXXXXX";
      options.directory = ::mkdtemp(path.data());
      directory = options.directory;
    }
    open();
  }
  ~Bench() {
    journal.reset();
    if (!directory.empty()) std::filesystem::remove_all(directory);
  }
  void open() {
    auto opened = Journal::open(disk, options);
    if (!opened) std::abort();
    journal = std::move(*opened);
  }
  void append(std::uint64_t partition, const Bytes& batch, Durability durability) {
    const Offset base = journal->state(PartitionId(partition)).end;
    const Errc taken = journal->append({.partition = PartitionId(partition),
                                        .shard = ShardId(1),
                                        .batch = batch,
                                        .base_offset = base,
                                        .last_offset = base,
                                        .max_timestamp = Timestamp(base.value),
                                        .durability = durability},
                                       [this](Errc error) { acknowledged += error == Errc::none; });
    if (taken != Errc::none) std::abort();
  }
  Turns turns;
  BenchDisk disk;
  JournalOptions options;
  std::string directory;
  std::unique_ptr<Journal> journal;
  std::uint64_t acknowledged = 0;
};

/// `range(0)` bytes a batch, `range(1)` partitions in turn, `range(2)` appends a turn.
void append(benchmark::State& state, bool real, Durability durability) {
  JournalOptions options;
  options.memory_bytes = 64u << 20;
  Bench bench(real, options);
  const Bytes batch = Bytes::copy(std::string(static_cast<std::size_t>(state.range(0)), 'b'));
  const auto partitions = static_cast<std::uint64_t>(state.range(1));
  std::uint64_t next = 0, appended = 0;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < state.range(2); ++i, ++appended) bench.append(next++ % partitions, batch, durability);
    bench.turns.run();
    // The log stays small, as retention would keep it; real files would fill the disk otherwise.
    if (appended % (1u << 16) == 0 && durability != Durability::memory) {
      state.PauseTiming();
      for (std::uint64_t partition = 0; partition < partitions; ++partition)
        bench.journal->set_log_start(PartitionId(partition), bench.journal->state(PartitionId(partition)).end,
                                     [](Errc) {});
      bench.turns.run();
      for (int i = 0; i < 3; ++i) {
        bench.journal->reclaim();
        bench.turns.run();
      }
      state.ResumeTiming();
    }
  }
  if (bench.acknowledged != appended) state.SkipWithError("an append was not acknowledged");
  state.SetItemsProcessed(static_cast<std::int64_t>(appended));
  state.SetBytesProcessed(static_cast<std::int64_t>(appended) * state.range(0));
}

void journal_append_memory(benchmark::State& state) {
  append(state, false, Durability::memory);
}
BENCHMARK(journal_append_memory)->Args({200, 1000, 64})->Args({16384, 1000, 64});
void journal_append_no_disk(benchmark::State& state) {
  append(state, false, Durability::sync);
}
BENCHMARK(journal_append_no_disk)
    ->Args({200, 1, 64})
    ->Args({200, 10000, 64})
    ->Args({1024, 1000, 64})
    ->Args({16384, 1000, 64});
void journal_append_page_cache(benchmark::State& state) {
  append(state, true, Durability::os);
}
BENCHMARK(journal_append_page_cache)->Args({200, 1000, 64})->Args({16384, 1000, 64});
void journal_append_sync(benchmark::State& state) {
  append(state, true, Durability::sync);
}
BENCHMARK(journal_append_sync)->Args({1024, 1000, 1})->Args({1024, 1000, 64})->Args({1024, 1000, 1000});

void journal_read_tail(benchmark::State& state) {
  Bench bench(false);
  const Bytes batch = Bytes::copy(std::string(1000, 'b'));
  for (int i = 0; i < 20000; ++i) bench.append(static_cast<std::uint64_t>(i % 100), batch, Durability::os);
  bench.turns.run();
  std::mt19937_64 random(1);
  std::int64_t bytes = 0, batches = 0;
  for (auto _ : state) {
    const auto at = random();
    bench.journal->read({PartitionId(at % 100), Offset(static_cast<std::int64_t>(at % 180)), Offset(INT64_MAX),
                         static_cast<std::uint32_t>(state.range(0))},
                        [&](const ReadResult& result) {
                          bytes += static_cast<std::int64_t>(result.bytes);
                          batches += static_cast<std::int64_t>(result.batches.size());
                        });
  }
  state.SetItemsProcessed(batches);
  state.SetBytesProcessed(bytes);
}
BENCHMARK(journal_read_tail)->Arg(1000)->Arg(20000);

/// Old data, from the page cache, checksums checked: one partition alone or a thousand interleaved.
void journal_read_sealed(benchmark::State& state) {
  Bench bench(true, {.file_bytes = 16u << 20, .tail_cache_bytes = 0});
  const Bytes batch = Bytes::copy(std::string(1000, 'b'));
  const auto partitions = static_cast<std::uint64_t>(state.range(0));
  for (std::uint64_t i = 0; i < 100000; ++i) {
    bench.append(i % partitions, batch, Durability::os);
    if (i % 1000 == 0) bench.turns.run();
  }
  bench.journal->sync();
  bench.turns.run();
  const std::int64_t length = static_cast<std::int64_t>(100000 / partitions);
  std::mt19937_64 random(1);
  std::int64_t bytes = 0, batches = 0;
  for (auto _ : state) {
    const auto at = random();
    bench.journal->read(
        {PartitionId(at % partitions), Offset(static_cast<std::int64_t>(at / 7 % static_cast<std::uint64_t>(length))),
         Offset(INT64_MAX), 256u << 10},
        [&](const ReadResult& result) {
          if (result.error != Errc::none) std::abort();
          bytes += static_cast<std::int64_t>(result.bytes);
          batches += static_cast<std::int64_t>(result.batches.size());
        });
    bench.turns.run();
  }
  state.SetItemsProcessed(batches);
  state.SetBytesProcessed(bytes);
}
BENCHMARK(journal_read_sealed)->Arg(1)->Arg(1000);

void journal_index_lookup(benchmark::State& state) {
  journal::BatchIndex index(static_cast<std::size_t>(state.range(0)));
  for (std::size_t i = 0; i < index.size(); ++i) {
    index[i].base_offset = Offset(static_cast<std::int64_t>(i) * 10);
    index[i].last_offset_delta = 9;
    index[i].length = 100;
  }
  std::mt19937_64 random(1);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        journal::find_batch(index, Offset(static_cast<std::int64_t>(random() % (index.size() * 10)))));
}
BENCHMARK(journal_index_lookup)->Arg(1000)->Arg(1000000);

/// A start with many partitions of a few batches each: from a checkpoint, or (range(1) == 0) by reading everything.
void journal_start(benchmark::State& state) {
  Bench bench(true, {.file_bytes = 64u << 20});
  const Bytes batch = Bytes::copy(std::string(200, 'b'));
  const auto partitions = static_cast<std::uint64_t>(state.range(0));
  for (std::uint64_t i = 0; i < partitions * 3; ++i) {
    bench.append(i % partitions, batch, Durability::os);
    if (i % 1000 == 0) bench.turns.run();
  }
  if (state.range(1))
    bench.journal->close([](Errc) {});
  else
    bench.journal->sync();
  bench.turns.run();
  for (auto _ : state) {
    bench.journal.reset();
    bench.turns.tasks.clear();
    bench.open();
    if (bench.journal->partitions().size() != partitions) state.SkipWithError("partitions are missing");
  }
  state.counters["bytes_per_partition"] =
      static_cast<double>(bench.journal->statistics().memory_bytes) / static_cast<double>(partitions);
}
BENCHMARK(journal_start)->Args({100000, 1})->Args({100000, 0})->Unit(benchmark::kMillisecond);

void journal_checkpoint(benchmark::State& state) {
  Bench bench(true);
  const Bytes batch = Bytes::copy(std::string(200, 'b'));
  for (std::uint64_t i = 0; i < 100000; ++i) {
    bench.append(i, batch, Durability::os);
    if (i % 1000 == 0) bench.turns.run();
  }
  for (auto _ : state) {
    bench.journal->checkpoint([](Errc) {});
    bench.turns.run();
  }
}
BENCHMARK(journal_checkpoint)->Unit(benchmark::kMillisecond);

}  // namespace
