// Braid, Apache-2.0.
//
// What MQTT packets cost in the codec alone: a read full of small packets to decode, acknowledgements and deliveries to
// encode, a topic name to check.
#include <benchmark/benchmark.h>

#include <string>

#include "codecs/mqtt/decoder.hpp"
#include "codecs/mqtt/encoder.hpp"

namespace {

using namespace braid;
using namespace braid::mqtt;

Decoder connected(ProtocolLevel level) {
  Decoder decoder;
  Connect connect;
  connect.level = level;
  connect.client_id = "bench";
  ByteWriter writer;
  encode(writer, connect);
  Packet packet;
  decoder.next(writer.view(), packet);
  return decoder;
}

/// A thousand packets as one read might bring them.
std::string stream_of(ProtocolLevel level, const Packet& packet) {
  ByteWriter writer(1 << 16);
  for (int index = 0; index < 1000; ++index) encode(writer, level, packet);
  return std::string(writer.view());
}

void decode_stream(benchmark::State& state, ProtocolLevel level, const Packet& sample) {
  const auto stream = stream_of(level, sample);
  auto decoder = connected(level);
  Packet packet;
  std::int64_t packets = 0;
  for (auto _ : state) {
    std::string_view left = stream;
    while (!left.empty()) {
      const auto step = decoder.next(left, packet);
      if (step.status != Decoder::Status::packet) return state.SkipWithError("a packet was refused");
      benchmark::DoNotOptimize(packet);
      left.remove_prefix(step.bytes);
      ++packets;
    }
  }
  state.SetItemsProcessed(packets);
  state.SetBytesProcessed(static_cast<std::int64_t>(stream.size()) * state.iterations());
}

Publish sample_publish(QoS qos) {
  static const std::string payload(64, 'x');
  Publish publish;
  publish.topic = "sensors/building7/room12/temperature";
  publish.payload = payload;
  publish.qos = qos;
  publish.packet_id = PacketId{qos == QoS::at_most_once ? std::uint16_t{0} : std::uint16_t{77}};
  return publish;
}

void mqtt_decode_publish_qos0_v311(benchmark::State& state) {
  decode_stream(state, ProtocolLevel::v3_1_1, sample_publish(QoS::at_most_once));
}
BENCHMARK(mqtt_decode_publish_qos0_v311);

void mqtt_decode_publish_qos1_v5(benchmark::State& state) {
  decode_stream(state, ProtocolLevel::v5, sample_publish(QoS::at_least_once));
}
BENCHMARK(mqtt_decode_publish_qos1_v5);

void mqtt_decode_publish_with_properties_v5(benchmark::State& state) {
  PropertyWriter properties;
  properties.text(PropertyId::content_type, "application/json");
  properties.user("trace", "0123456789abcdef");
  properties.user("unit", "celsius");
  auto publish = sample_publish(QoS::at_least_once);
  publish.properties.block = properties.view();
  decode_stream(state, ProtocolLevel::v5, publish);
}
BENCHMARK(mqtt_decode_publish_with_properties_v5);

void mqtt_decode_puback(benchmark::State& state) {
  Puback puback;
  puback.packet_id = PacketId{77};
  decode_stream(state, ProtocolLevel::v5, puback);
}
BENCHMARK(mqtt_decode_puback);

void mqtt_encode_thousand_pubacks(benchmark::State& state) {
  for (auto _ : state) {
    ByteWriter writer(4096);
    for (std::uint16_t id = 1; id <= 1000; ++id)
      encode_acknowledgement(writer, ProtocolLevel::v5, PacketType::puback, PacketId{id});
    benchmark::DoNotOptimize(writer.finish());
  }
  state.SetItemsProcessed(1000 * state.iterations());
}
BENCHMARK(mqtt_encode_thousand_pubacks);

void mqtt_encode_publish_headers(benchmark::State& state) {
  const auto level = state.range(0) == 5 ? ProtocolLevel::v5 : ProtocolLevel::v3_1_1;
  OutboundPublish publish;
  publish.topic = "sensors/building7/room12/temperature";
  publish.payload_bytes = 64;
  publish.qos = QoS::at_least_once;
  publish.message_expiry_interval_s = 60;
  for (auto _ : state) {
    ByteWriter writer(1 << 16);
    for (std::uint16_t id = 1; id <= 1000; ++id) {
      publish.packet_id = PacketId{id};
      encode_publish_header(writer, level, publish);
    }
    benchmark::DoNotOptimize(writer.finish());
  }
  state.SetItemsProcessed(1000 * state.iterations());
}
BENCHMARK(mqtt_encode_publish_headers)->Arg(4)->Arg(5);

void mqtt_check_topic_name(benchmark::State& state) {
  const std::string name(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    benchmark::DoNotOptimize(name.data());
    benchmark::DoNotOptimize(check_topic_name(name));
  }
}
BENCHMARK(mqtt_check_topic_name)->Arg(16)->Arg(36)->Arg(256);

}  // namespace
