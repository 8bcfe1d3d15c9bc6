// Braid, Apache-2.0.
//
// What a batch costs on its way through the broker: built by an MQTT session, validated when a Kafka producer sent it,
// walked when messages are delivered one by one.
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>

#include "model/batch_builder.hpp"
#include "model/batch_walker.hpp"
#include "model/crc32c.hpp"
#include "model/murmur2.hpp"
#include "model/receive_buffer.hpp"
#include "model/record_batch.hpp"
#include "model/utf8.hpp"

namespace braid {
namespace {

constexpr std::size_t kInflateLimit = 100 << 20;

Bytes sample_batch(std::int64_t records, std::int64_t payload_bytes, Compression codec = Compression::none) {
  BatchBuilder builder;
  for (std::int64_t i = 0; i < records; ++i) {
    const std::string key = "sensors/room" + std::to_string(i % 100) + "/temperature";
    std::string payload = "{\"celsius\":" + std::to_string(i * 31 % 977) + ",\"at\":" + std::to_string(i) + "}";
    payload.resize(static_cast<std::size_t>(payload_bytes), ' ');
    builder.add(Timestamp(1700000000000 + i), key, payload);
  }
  return builder.finish(codec);
}

void count(benchmark::State& state, std::int64_t records, std::size_t bytes) {
  state.SetItemsProcessed(state.iterations() * records);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

void crc32c_of(benchmark::State& state) {
  const std::string bytes(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(crc32c(bytes));
  count(state, 1, bytes.size());
}
BENCHMARK(crc32c_of)->Arg(64)->Arg(1024)->Arg(65536)->Arg(1 << 20);

void murmur2_of_a_topic_name(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(partition_for_key("sensors/building4/room17/temperature", 32));
}
BENCHMARK(murmur2_of_a_topic_name);

void utf8_check_of_a_topic_name(benchmark::State& state) {
  const std::string ascii = "sensors/building4/room17/temperature";
  for (auto _ : state) {
    benchmark::DoNotOptimize(ascii.data());
    benchmark::DoNotOptimize(is_mqtt_utf8(ascii));
  }
}
BENCHMARK(utf8_check_of_a_topic_name);

/// Arguments of the batch cases: records, payload bytes.
void shapes(benchmark::internal::Benchmark* bench) {
  for (std::int64_t records : {1, 100, 1000}) bench->Args({records, 100});
  bench->Args({100, 4096});
}

void batch_build(benchmark::State& state) {
  const std::string payload(static_cast<std::size_t>(state.range(1)), 'x');
  BatchBuilder builder;
  std::size_t bytes = 0;
  for (auto _ : state) {
    builder.reserve(static_cast<std::size_t>(state.range(0)) * (payload.size() + 64));
    for (std::int64_t i = 0; i < state.range(0); ++i)
      builder.add(Timestamp(1700000000000), "sensors/room17/temperature", payload);
    const Bytes batch = builder.finish();
    bytes = batch.size();
    benchmark::DoNotOptimize(batch.data());
  }
  count(state, state.range(0), bytes);
}
BENCHMARK(batch_build)->Apply(shapes);

void batch_validate(benchmark::State& state) {
  const Bytes batch = sample_batch(state.range(0), state.range(1));
  for (auto _ : state) {
    auto header = validate_batch(batch);
    if (!header) state.SkipWithError("not valid");
    benchmark::DoNotOptimize(header);
  }
  count(state, state.range(0), batch.size());
}
BENCHMARK(batch_validate)->Apply(shapes);

void batch_walk(benchmark::State& state) {
  const Bytes batch = sample_batch(state.range(0), state.range(1));
  for (auto _ : state) {
    auto walker = BatchWalker::open(batch, kInflateLimit);
    RecordView record;
    while (walker->next(record)) benchmark::DoNotOptimize(record.value);
  }
  count(state, state.range(0), batch.size());
}
BENCHMARK(batch_walk)->Apply(shapes);

void batch_walk_and_share(benchmark::State& state) {
  const Bytes batch = sample_batch(state.range(0), state.range(1));
  for (auto _ : state) {
    auto walker = BatchWalker::open(batch, kInflateLimit);
    RecordView record;
    while (walker->next(record)) {
      auto value = walker->share(record.value);
      benchmark::DoNotOptimize(value);
    }
  }
  count(state, state.range(0), batch.size());
}
BENCHMARK(batch_walk_and_share)->Args({1000, 100});

/// Argument: Kafka's number of the codec.
void batch_compress(benchmark::State& state) {
  const Bytes batch = sample_batch(1000, 100);
  const auto codec = static_cast<Compression>(state.range(0));
  const auto records = batch.view().substr(kBatchHeaderBytes);
  for (auto _ : state) {
    ByteWriter output(records.size());
    if (!compress(codec, records, output)) state.SkipWithError("not compressed");
    benchmark::DoNotOptimize(output.data());
  }
  count(state, 1000, records.size());
}
BENCHMARK(batch_compress)->DenseRange(1, 4);

void batch_walk_compressed(benchmark::State& state) {
  const Bytes batch = sample_batch(1000, 100, static_cast<Compression>(state.range(0)));
  for (auto _ : state) {
    auto walker = BatchWalker::open(batch, kInflateLimit);
    RecordView record;
    while (walker->next(record)) benchmark::DoNotOptimize(record.value);
  }
  count(state, 1000, sample_batch(1000, 100).size());
}
BENCHMARK(batch_walk_compressed)->DenseRange(1, 4);

/// A read of 16 KiB, taken out as frames of the given size.
void receive_and_take_frames(benchmark::State& state) {
  const std::string read(16 << 10, 'x');
  const auto frame_bytes = static_cast<std::size_t>(state.range(0));
  ReceiveBuffer buffer;
  for (auto _ : state) {
    std::string_view left = read;
    while (!left.empty()) {
      const auto room = buffer.writable();
      const auto n = std::min(room.size(), left.size());
      std::memcpy(room.data(), left.data(), n);
      buffer.commit(n);
      left.remove_prefix(n);
      while (buffer.size() >= frame_bytes) {
        const Bytes frame = buffer.take(frame_bytes);
        benchmark::DoNotOptimize(frame.data());
      }
    }
  }
  count(state, static_cast<std::int64_t>(read.size() / frame_bytes), read.size());
}
BENCHMARK(receive_and_take_frames)->Arg(128)->Arg(2048)->Arg(16384);

}  // namespace
}  // namespace braid
