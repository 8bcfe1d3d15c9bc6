// Braid, Apache-2.0.
//
// What a queue costs beside its log: a message through it (published, delivered, acknowledged), and the memory of a
// long one and of many messages that are held.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "model/batch_builder.hpp"
#include "persistence/queue/queue.hpp"

namespace {

using namespace braid;

constexpr ConsumerKey kConsumer{1, 1};

Bytes batch_of(std::int64_t messages, std::size_t bytes) {
  BatchBuilder builder;
  const std::string value(bytes, 'v');
  for (std::int64_t i = 0; i < messages; ++i) builder.add(Timestamp(1000), "key", value);
  return builder.finish();
}

/// `range(0)` messages a batch; `range(1)`: the prefetch, 0 for delivery without acknowledgement.
void queue_publish_deliver_acknowledge(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  const auto prefetch = static_cast<std::uint32_t>(state.range(1));
  const Bytes batch = batch_of(count, 100);
  Queue queue((QueueSettings()));
  ConsumerSettings consumer;
  consumer.no_ack = prefetch == 0;
  consumer.prefetch = prefetch;
  consumer.window_bytes = 1ull << 40;
  queue.consume(kConsumer, consumer);
  std::int64_t next = 0, delivered = 0;
  for (auto _ : state) {
    queue.arrived(0, batch, Offset(next), count, count * 100);
    next += count;
    while (delivered < next) {
      QueueOutput out;
      queue.pump(Timestamp(2000), out);
      if (!out.reads.empty()) std::abort();  // all of it comes from what was appended
      for (const auto& delivery : out.deliveries) {
        delivered += delivery.messages;
        for (const MessageRun& run : delivery.runs)
          queue.settle(kConsumer, 0, run.first, run.count, Settlement::acknowledge);
      }
    }
    if (next % (1 << 20) < count) benchmark::DoNotOptimize(queue.changes());
  }
  if (queue.ready() + queue.held() != 0) state.SkipWithError("something was left");
  state.SetItemsProcessed(delivered);
}
BENCHMARK(queue_publish_deliver_acknowledge)->Args({1, 1000})->Args({100, 0})->Args({100, 1})->Args({100, 1000});

/// Ten million ready messages; then a million of them held, and every other acknowledged.
void queue_memory(benchmark::State& state) {
  constexpr std::int64_t kReady = 10'000'000, kHeld = 1'000'000;
  const Bytes batch = batch_of(1000, 16);
  for (auto _ : state) {
    Queue queue((QueueSettings()));
    Queue::Stored stored;
    stored.end = Offset(kReady);
    queue.restore(0, stored);
    state.counters["ready_bytes_total"] = static_cast<double>(queue.memory_bytes());
    ConsumerSettings consumer;
    consumer.prefetch = kHeld;
    consumer.window_bytes = 1ull << 40;
    queue.consume(kConsumer, consumer);
    while (queue.held() < kHeld) {
      QueueOutput out;
      queue.pump(Timestamp(2000), out);
      for (const auto& read : out.reads) {
        const std::vector<Bytes> batches(1, batch);
        const std::vector<Offset> bases(1, Offset(read.from.value / 1000 * 1000));
        queue.loaded(read, Errc::none, batches, bases);
      }
    }
    state.counters["held_bytes_each"] = static_cast<double>(queue.memory_bytes()) / kHeld;
    for (std::int64_t i = 1; i < kHeld; i += 2) queue.settle(kConsumer, 0, Offset(i), 1, Settlement::acknowledge);
    state.counters["half_acknowledged_bytes_each"] = static_cast<double>(queue.memory_bytes()) / kHeld;
    std::size_t durable = 0;
    for (const Queue::Change& change : queue.changes(true)) durable += change.value ? change.value->size() : 0;
    state.counters["durable_bytes_each"] = static_cast<double>(durable) / kHeld;
  }
}
BENCHMARK(queue_memory)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
