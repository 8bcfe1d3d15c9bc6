// Braid, Apache-2.0.
//
// What the Kafka codec costs per request: the requests that arrive all the time, at the versions that clients send,
// with as many partitions as a busy connection carries. Payloads are large on purpose: their size must not show.
#include <benchmark/benchmark.h>

#include "codecs/kafka/header.hpp"
#include "codecs/kafka/messages/fetch.hpp"
#include "codecs/kafka/messages/metadata.hpp"
#include "codecs/kafka/messages/produce.hpp"

namespace {

using namespace braid;
using namespace braid::kafka;

Bytes join(const Frame& frame) {
  ByteWriter whole;
  for (const Bytes& part : frame) whole.raw(part);
  return whole.finish();
}

/// A frame as it is received, without its length prefix.
template <class Message>
Bytes request_frame(const Message& message, std::int16_t version) {
  const auto frame = encode_request(message, version, 1, Text("bench"));
  return frame ? join(*frame).slice(4) : Bytes{};
}

template <class Message>
void decode_frames(benchmark::State& state, const Bytes& frame) {
  for (auto _ : state) {
    auto request = read_request(frame);
    auto body = decode<Message>(request->body, request->header.request_api_version);
    if (!body) state.SkipWithError("cannot be decoded");
    benchmark::DoNotOptimize(body);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * frame.size()));
}

constexpr int partitions_per_topic = 10;

void produce_decode(benchmark::State& state) {
  ProduceRequest request;
  request.acks = -1;
  for (int i = 0; i < state.range(0); ++i) {
    if (i % partitions_per_topic == 0) request.topic_data.emplace_back().name = Text("a.topic.of.usual.length");
    auto& partition = request.topic_data.back().partition_data.emplace_back();
    partition.index = i % partitions_per_topic;
    partition.records = Records(Bytes::copy(std::string(16 << 10, 'r')));
  }
  decode_frames<ProduceRequest>(state, request_frame(request, 9));
}
BENCHMARK(produce_decode)->Name("kafka/produce_decode_v9/partitions")->Arg(1)->Arg(100);

void fetch_decode(benchmark::State& state) {
  FetchRequest request;
  for (int i = 0; i < state.range(0); ++i) {
    if (i % partitions_per_topic == 0) request.topics.emplace_back().topic = Text("a.topic.of.usual.length");
    request.topics.back().partitions.emplace_back().partition = i % partitions_per_topic;
  }
  decode_frames<FetchRequest>(state, request_frame(request, 11));
}
BENCHMARK(fetch_decode)->Name("kafka/fetch_decode_v11/partitions")->Arg(1)->Arg(100);

void fetch_encode(benchmark::State& state) {
  FetchResponse response;
  const Bytes batches = Bytes::copy(std::string(64 << 10, 'r'));
  for (int i = 0; i < state.range(0); ++i) {
    if (i % partitions_per_topic == 0) response.responses.emplace_back().topic = Text("a.topic.of.usual.length");
    auto& partition = response.responses.back().partitions.emplace_back();
    partition.partition_index = i % partitions_per_topic;
    partition.records = Records(batches);
  }
  for (auto _ : state) {
    auto frame = encode_response(response, 12, 1);
    if (!frame) state.SkipWithError("cannot be encoded");
    benchmark::DoNotOptimize(frame);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0) *
                          static_cast<std::int64_t>(batches.size()));
}
BENCHMARK(fetch_encode)->Name("kafka/fetch_encode_v12/partitions")->Arg(1)->Arg(100);

void metadata_encode(benchmark::State& state) {
  MetadataResponse response;
  response.brokers.push_back({1, Text("localhost"), 9092, {}});
  for (int i = 0; i < state.range(0); ++i) {
    if (i % partitions_per_topic == 0) response.topics.emplace_back().name = Text("a.topic.of.usual.length");
    auto& partition = response.topics.back().partitions.emplace_back();
    partition.partition_index = i % partitions_per_topic;
    partition.replica_nodes = {1, 2, 3};
    partition.isr_nodes = {1, 2, 3};
  }
  for (auto _ : state) benchmark::DoNotOptimize(encode_response(response, 12, 1));
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(metadata_encode)->Name("kafka/metadata_encode_v12/partitions")->Arg(10)->Arg(10'000);

}  // namespace
