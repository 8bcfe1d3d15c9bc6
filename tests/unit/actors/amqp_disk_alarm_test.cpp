// Braid, Apache-2.0.
//
// A node whose simulated disk runs short of space: publishers over AMQP are told and wait, and go on when there is room
// again; connections that do not publish notice nothing.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "actors/node.hpp"
#include "codecs/amqp/codec.hpp"
#include "codecs/amqp/decoder.hpp"
#include "codecs/amqp/encoder.hpp"
#include "model/receive_buffer.hpp"
#include "runtime/simulation/sim_disk.hpp"
#include "runtime/simulation/sim_world.hpp"
#include "support/seed.hpp"

using namespace braid;

namespace {

/// Opens a connection and a channel with confirms, and notes the names of the methods that it is sent.
class AmqpAlarmClient final : public StreamHandler {
 public:
  explicit AmqpAlarmClient(Loop& loop) : loop_(loop) {
    loop_.post([this] {
      loop_.network().connect("broker", 5672, 10000, [this](Result<std::unique_ptr<Stream>, std::string> connected) {
        REQUIRE(connected);
        stream_ = std::move(*connected);
        stream_->start(*this);
        ByteWriter out;
        out.raw(amqp::protocol_header);
        stream_->write(out.finish());
      });
    });
  }
  void publish() {
    loop_.post([this] {
      FrameWriter out;
      amqp::BasicPublish publish;
      publish.routing_key = "alarmed";
      ByteWriter properties;
      amqp::encode_properties(properties, {});
      amqp::encode_content(out, 1, 0, publish, properties.view(), Bytes::copy("a message"));
      stream_->write(out.finish());
    });
  }
  std::size_t received(std::string_view method) const {
    return static_cast<std::size_t>(std::count(methods.begin(), methods.end(), method));
  }
  std::vector<std::string> methods;
  std::string reason;           ///< of connection.blocked
  std::uint64_t confirmed = 0;  ///< the last delivery tag that was acknowledged, alone or with those before it

 private:
  template <class M>
  void send(amqp::ChannelNumber channel, const M& method) {
    ByteWriter out;
    amqp::encode_method(out, channel, method);
    stream_->write(out.finish());
  }
  void on_read(ReceiveBuffer& buffer) override {
    amqp::Frame frame;
    for (;;) {
      const auto step = decoder_.next(buffer.readable(), frame);
      if (step.status != amqp::Decoder::Status::frame) return;
      if (frame.type == amqp::FrameType::method) {
        amqp::Method method;
        REQUIRE_FALSE(amqp::decode_method(frame.payload, {}, method));
        methods.emplace_back(amqp::info_of(method).name);
        answer(method);
      }
      buffer.skip(step.bytes);
    }
  }
  void answer(const amqp::Method& method) {
    if (std::holds_alternative<amqp::ConnectionStart>(method)) {
      amqp::TableWriter properties;
      properties.open_table("capabilities").put("connection.blocked", true).close();
      amqp::ConnectionStartOk ok;
      ok.client_properties = properties.table();
      ok.response.text = std::string_view("\0guest\0guest", 12);
      send(0, ok);
    } else if (const auto* tune = std::get_if<amqp::ConnectionTune>(&method)) {
      send(0, amqp::ConnectionTuneOk{tune->channel_max, tune->frame_max, 0});
      send(0, amqp::ConnectionOpen{});
    } else if (std::holds_alternative<amqp::ConnectionOpenOk>(method)) {
      send(1, amqp::ChannelOpen{});
      amqp::QueueDeclare declare;
      declare.queue = "alarmed";
      declare.durable = true;
      send(1, declare);
      send(1, amqp::ConfirmSelect{});
    } else if (const auto* blocked = std::get_if<amqp::ConnectionBlocked>(&method)) {
      reason = blocked->reason;
    } else if (const auto* ack = std::get_if<amqp::BasicAck>(&method)) {
      confirmed = ack->delivery_tag.value;
    }
  }
  void on_drained() override {}
  void on_closed(CloseReason) override { stream_.reset(); }

  Loop& loop_;
  amqp::Decoder decoder_{1 << 20, amqp::Decoder::Peer::server};
  std::unique_ptr<Stream> stream_;
};

}  // namespace

TEST_CASE("AMQP publishers wait while the disk is short of space, and others are not told") {
  const auto seed = test_seed();
  INFO("seed " << seed);
  const auto catalog_file =
      (std::filesystem::temp_directory_path() / ("braid-alarm-" + std::to_string(::getpid()) + ".db")).string();
  std::filesystem::remove(catalog_file);
  constexpr std::uint64_t roomy_bytes = 1ull << 30;
  Settings settings;
  settings.storage.path = "data";
  settings.storage.file_bytes = 1 << 20;
  settings.kafka_protocol.offsets_partitions = 1;
  settings.limits.disk_free_bytes = 100 << 20;

  SimWorld world({.seed = seed});
  auto& machine = world.add_node("broker", 2);
  auto& field = world.add_node("field", 1);
  machine.disk().limit_bytes(roomy_bytes);
  auto catalog = CatalogStore::open({.path = catalog_file, .defaults = settings.topic_defaults});
  REQUIRE(catalog);
  auto node =
      std::make_unique<Node>(settings, std::vector<Loop*>{&machine.loop(0), &machine.loop(1)}, std::move(*catalog));
  REQUIRE(node->open());
  REQUIRE(node->listen([&](std::size_t i, const std::function<void()>& work) { world.on(machine.loop(i), work); }));

  AmqpAlarmClient publisher(field.loop()), bystander(field.loop());
  for (const auto* client : {&publisher, &bystander})
    REQUIRE(world.run_until([&] { return client->received("confirm.select-ok") == 1; }, 30000));
  publisher.publish();
  REQUIRE(world.run_until([&] { return publisher.confirmed == 1; }, 30000));
  CHECK(publisher.received("connection.blocked") == 0);

  // There is room for what is written meanwhile, and less than the setting wants.
  machine.disk().limit_bytes(machine.disk().used_bytes() + (50 << 20));
  REQUIRE(world.run_until([&] { return node->services(1).disk_space->low(); }, 30000));
  // The first one shows that the connection publishes; it is taken if all of it came in one read.
  publisher.publish();
  REQUIRE(world.run_until([&] { return publisher.received("connection.blocked") == 1; }, 30000));
  CHECK(publisher.reason == "low on disk");
  world.run_for(1000);
  const auto taken = publisher.confirmed;
  CHECK(taken <= 2);
  publisher.publish();
  world.run_for(60000);
  CHECK(publisher.confirmed == taken);
  CHECK(publisher.received("connection.blocked") == 1);
  CHECK(publisher.received("connection.unblocked") == 0);

  machine.disk().limit_bytes(roomy_bytes);
  REQUIRE(world.run_until([&] { return publisher.confirmed == 3; }, 30000));
  CHECK(publisher.received("connection.unblocked") == 1);
  CHECK(bystander.received("connection.blocked") == 0);
  CHECK(bystander.received("connection.unblocked") == 0);

  machine.crash();
  field.crash();
  node.reset();
  std::filesystem::remove(catalog_file);
}
