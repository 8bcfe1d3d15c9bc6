// Braid, Apache-2.0.
//
// What AMQP costs in the codec alone: a read full of publishes to take apart, deliveries and acknowledgements to
// encode.
#include <benchmark/benchmark.h>

#include <string>

#include "codecs/amqp/codec.hpp"
#include "codecs/amqp/content.hpp"
#include "codecs/amqp/decoder.hpp"
#include "codecs/amqp/encoder.hpp"

namespace {

using namespace braid;
using namespace braid::amqp;

constexpr std::uint32_t frame_max = 131072;

std::string properties_of(bool with_headers) {
  BasicProperties properties;
  properties.set(PropertyFlag::delivery_mode);
  properties.delivery_mode = persistent_delivery;
  TableWriter headers;
  if (with_headers) {
    headers.put("trace", "0123456789abcdef").put("attempt", 3).put("unit", "celsius");
    properties.set(PropertyFlag::headers);
    properties.headers = headers.table();
    properties.set(PropertyFlag::content_type);
    properties.content_type = "application/json";
  }
  ByteWriter writer;
  encode_properties(writer, properties);
  return std::string(writer.view());
}

/// Method, header and body of a thousand publishes, as one read might bring them.
void amqp_decode_publishes(benchmark::State& state) {
  FrameWriter writer(1 << 20);
  BasicPublish publish;
  publish.exchange = "amq.topic";
  publish.routing_key = "sensors.building7.room12.temperature";
  const auto body = Bytes::copy(std::string(static_cast<std::size_t>(state.range(0)), 'x'));
  const auto properties = properties_of(state.range(1) != 0);
  for (int i = 0; i < 1000; ++i) encode_content(writer, 1, frame_max, publish, properties, body);
  std::string stream;
  for (const Bytes& piece : writer.finish()) stream += piece.view();
  Decoder decoder(frame_max, Decoder::Peer::server);
  ContentAssembler content;
  const ContentLimits limits;
  Method method;
  std::int64_t messages = 0;
  for (auto _ : state) {
    std::string_view left = stream;
    while (!left.empty()) {
      Frame frame;
      const auto step = decoder.next(left, frame);
      if (step.status != Decoder::Status::frame) return state.SkipWithError("a frame was refused");
      left.remove_prefix(step.bytes);
      if (!content.active()) {
        if (decode_method(frame.payload, limits.table, method)) return state.SkipWithError("a method was refused");
        content.begin(BasicPublish::info.id);
      } else if (content.take(frame, limits)) {
        return state.SkipWithError("content was refused");
      } else if (!content.active()) {
        benchmark::DoNotOptimize(content.body().data());
        ++messages;
      }
    }
  }
  state.SetItemsProcessed(messages);
  state.SetBytesProcessed(static_cast<std::int64_t>(stream.size()) * state.iterations());
}
BENCHMARK(amqp_decode_publishes)->Args({16, 0})->Args({1024, 0})->Args({16, 1});

void amqp_encode_deliveries(benchmark::State& state) {
  BasicDeliver deliver;
  deliver.consumer_tag = "amq.ctag-0123456789abcdef";
  deliver.exchange = "amq.topic";
  deliver.routing_key = "sensors.building7.room12.temperature";
  const auto body = Bytes::copy(std::string(static_cast<std::size_t>(state.range(0)), 'x'));
  const auto properties = properties_of(false);
  for (auto _ : state) {
    FrameWriter writer(1 << 18);
    for (std::uint64_t tag = 1; tag <= 1000; ++tag) {
      deliver.delivery_tag = {tag};
      encode_content(writer, 1, frame_max, deliver, properties, body);
    }
    benchmark::DoNotOptimize(writer.finish());
  }
  state.SetItemsProcessed(1000 * state.iterations());
}
BENCHMARK(amqp_encode_deliveries)->Arg(16)->Arg(1000)->Arg(16384);

void amqp_decode_acks(benchmark::State& state) {
  ByteWriter writer(1 << 16);
  for (std::uint64_t tag = 1; tag <= 1000; ++tag) encode_method(writer, 1, BasicAck{.delivery_tag = {tag}});
  Decoder decoder(frame_max, Decoder::Peer::server);
  Method method;
  for (auto _ : state) {
    std::string_view left = writer.view();
    while (!left.empty()) {
      Frame frame;
      const auto step = decoder.next(left, frame);
      if (step.status != Decoder::Status::frame || decode_method(frame.payload, {}, method))
        return state.SkipWithError("a frame was refused");
      benchmark::DoNotOptimize(method);
      left.remove_prefix(step.bytes);
    }
  }
  state.SetItemsProcessed(1000 * state.iterations());
}
BENCHMARK(amqp_decode_acks);

}  // namespace
