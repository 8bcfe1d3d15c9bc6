// Braid, Apache-2.0.
//
// The whole node in the simulated world: MQTT sessions, partitions and journals on two loops, with devices that publish
// over a simulated network onto a simulated disk. The machine loses power at a moment that the seed chooses; after the
// restart every message that was acknowledged must be there, in the order of its device, and the same seed must give
// the same run to the last scheduling decision.
#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <set>

#include "actors/node.hpp"
#include "codecs/mqtt/decoder.hpp"
#include "codecs/mqtt/encoder.hpp"
#include "model/batch_walker.hpp"
#include "model/receive_buffer.hpp"
#include "model/record_batch.hpp"
#include "runtime/pinned.hpp"
#include "runtime/simulation/sim_world.hpp"
#include "support/seed.hpp"

using namespace braid;

namespace {

constexpr std::size_t loops = 2;

/// Publishes at QoS 1 with a window, and notes what was acknowledged.
class SimulatedDevice final : public StreamHandler {
 public:
  SimulatedDevice(Loop& loop, int number) : loop_(loop), topic_("kept/" + std::to_string(number)) {}

  void begin() {
    loop_.post([this] {
      loop_.network().connect("broker", 1883, 10000, [this](Result<std::unique_ptr<Stream>, std::string> connected) {
        if (!connected) return;
        stream_ = std::move(*connected);
        stream_->start(*this);
        ByteWriter out;
        mqtt::Connect connect;
        connect.client_id = topic_;
        mqtt::encode(out, connect);
        stream_->write(out.finish());
      });
    });
  }
  std::vector<std::string> acknowledged;
  const std::string& topic() const { return topic_; }

 private:
  void on_read(ReceiveBuffer& buffer) override {
    for (;;) {
      mqtt::Packet packet;
      const auto step = decoder_.next(buffer.readable(), packet);
      if (step.status != mqtt::Decoder::Status::packet) break;
      if (std::holds_alternative<mqtt::Connack>(packet)) ready_ = true;
      if (auto* puback = std::get_if<mqtt::Puback>(&packet); puback && !mqtt::is_failure(puback->reason)) {
        acknowledged.push_back(std::to_string(sent_.at(puback->packet_id.value)));
        sent_.erase(puback->packet_id.value);
      }
      buffer.skip(step.bytes);
    }
    publish();
  }
  void publish() {
    if (!ready_ || !stream_) return;
    ByteWriter out;
    while (sent_.size() < 20) {
      const auto id = static_cast<std::uint16_t>(next_ % 65535 + 1);
      const std::string value = std::to_string(next_);
      mqtt::Publish publish;
      publish.topic = topic_;
      publish.payload = value;
      publish.packet_id = PacketId{id};
      publish.qos = mqtt::QoS::at_least_once;
      mqtt::encode(out, mqtt::ProtocolLevel::v5, publish);
      sent_[id] = next_++;
    }
    if (out.size() != 0) stream_->write(out.finish());
  }
  void on_drained() override {}
  void on_closed(CloseReason) override { stream_.reset(); }

  Loop& loop_;
  std::string topic_;
  mqtt::Decoder decoder_{mqtt::ProtocolLevel::v5, {}};
  std::unique_ptr<Stream> stream_;
  bool ready_ = false;
  std::uint32_t next_ = 0;
  std::map<std::uint16_t, std::uint32_t> sent_;
};

/// Reads all partitions of a topic.
class SimulatedReader : public Pinned<caf::event_based_actor> {
 public:
  SimulatedReader(caf::actor_config& config, Loop& at, Services& services,
                  std::map<std::string, std::vector<std::string>>& into, std::size_t& finished)
      : Pinned(config, at), services_(services), into_(into), finished_(finished) {}
  caf::behavior make_behavior() override {
    for (const auto& placement : services_.directory.find("kept")->partitions) read(placement.id, Offset{0});
    return {[](const Wake&) {}};
  }

 private:
  void read(PartitionId partition, Offset from) {
    services_.partitions.request(this, partition, ReadBatches{.from = from},
                                 [this, partition, from](const BatchesRead& got) {
                                   if (got.error != Errc::none || got.batches.empty()) {
                                     failed_ = failed_ || got.error != Errc::none;
                                     ++finished_;
                                     return;
                                   }
                                   Offset next = from;
                                   for (const auto& bytes : got.batches) {
                                     BatchSequence sequence(bytes);
                                     while (sequence.next()) {
                                       auto walker = BatchWalker::open(sequence.batch(), 1 << 20);
                                       RecordView record;
                                       while (walker && walker->next(record))
                                         if (record.offset >= next)
                                           into_[std::string(*record.key)].emplace_back(*record.value);
                                       next = sequence.header().next_offset();
                                     }
                                   }
                                   read(partition, next);
                                 });
  }
  Services& services_;
  std::map<std::string, std::vector<std::string>>& into_;
  std::size_t& finished_;
  bool failed_ = false;
};

struct Outcome {
  std::uint64_t trace = 0;
  std::size_t acknowledged = 0, missing = 0, disorder = 0, stored = 0;
};

Outcome simulate_node(std::uint64_t seed) {
  Outcome outcome;
  const auto catalog_file =
      (std::filesystem::temp_directory_path() / ("braid-sim-" + std::to_string(::getpid()) + ".db")).string();
  std::filesystem::remove(catalog_file);
  Settings settings;
  settings.storage.path = "data";
  settings.storage.file_bytes = 1 << 20;
  settings.kafka_protocol.offsets_partitions = 2;

  SimWorld world({.seed = seed});
  auto& machine = world.add_node("broker", loops);
  auto& field = world.add_node("field", 1);
  const auto start = [&] {
    auto catalog = CatalogStore::open({.path = catalog_file, .defaults = settings.topic_defaults});
    REQUIRE(catalog);
    std::vector<Loop*> all;
    for (std::size_t i = 0; i < loops; ++i) all.push_back(&machine.loop(i));
    auto node = std::make_unique<Node>(settings, all, std::move(*catalog));
    const auto opened = node->open();
    INFO((opened ? std::string() : opened.error()));
    REQUIRE(opened);
    const auto listening = node->listen([&](std::size_t i, const std::function<void()>& work) {
      bool ran = false;
      machine.loop(i).post([&] {
        work();
        ran = true;
      });
      REQUIRE(world.run_until([&] { return ran; }, 10000));
    });
    REQUIRE(listening);
    return node;
  };

  auto node = start();
  // A topic, through the catalog as any client would.
  bool created = false;
  {
    CreateTopics create;
    NewTopic topic;
    topic.name = "kept";
    topic.partitions = 3;
    create.topics.push_back(topic);
    struct Asker : Pinned<caf::event_based_actor> {
      using Pinned::Pinned;
      caf::behavior make_behavior() override {
        return {[](const Wake&) {}};
      }
    };
    const auto asker = spawn_on<Asker>(machine.loop(0));
    machine.loop(0).post([&, create] {
      auto* self = static_cast<Asker*>(caf::actor_cast<caf::abstract_actor*>(asker));
      self->enter([&] {
        ask(
            self, node->services(0).catalog, create, [&](const TopicsApplied&) { created = true; }, [](caf::error) {});
      });
    });
    REQUIRE(world.run_until([&] { return created; }, 10000));
  }

  std::vector<std::unique_ptr<SimulatedDevice>> devices;
  for (int i = 0; i < 6; ++i) {
    devices.push_back(std::make_unique<SimulatedDevice>(field.loop(), i));
    devices.back()->begin();
  }
  world.run_for(static_cast<std::int64_t>(50 + world.random() % 400));
  machine.crash();
  node.reset();
  world.run_for(100);
  machine.restart();
  node = start();

  std::map<std::string, std::vector<std::string>> stored;
  std::size_t finished = 0;
  spawn_on<SimulatedReader>(machine.loop(0), node->services(0), stored, finished);
  REQUIRE(world.run_until([&] { return finished == 3; }, 60000));
  for (const auto& device : devices) {
    const auto& values = stored[device->topic()];
    const std::set<std::string> have(values.begin(), values.end());
    outcome.acknowledged += device->acknowledged.size();
    outcome.stored += values.size();
    for (const auto& value : device->acknowledged) outcome.missing += have.contains(value) ? 0 : 1;
    for (std::size_t i = 0; i < values.size(); ++i) outcome.disorder += values[i] == std::to_string(i) ? 0 : 1;
  }
  outcome.trace = world.trace_hash();
  machine.crash();
  field.crash();
  node.reset();
  std::filesystem::remove(catalog_file);
  return outcome;
}

}  // namespace

TEST_CASE("a simulated node that loses power keeps every acknowledged message, in order") {
  const auto first = test_seed();
  for (std::uint64_t seed = first; seed < first + 20; ++seed) {
    INFO("seed " << seed);
    const auto outcome = simulate_node(seed);
    CHECK(outcome.acknowledged > 0);
    CHECK(outcome.missing == 0);
    CHECK(outcome.disorder == 0);
  }
}

TEST_CASE("the same seed replays a simulated node to the same trace, another seed does not") {
  const auto seed = test_seed();
  INFO("seed " << seed);
  const auto one = simulate_node(seed), again = simulate_node(seed), other = simulate_node(seed + 1);
  CHECK(one.trace == again.trace);
  CHECK(one.acknowledged == again.acknowledged);
  CHECK(one.stored == again.stored);
  CHECK(one.trace != other.trace);
}
