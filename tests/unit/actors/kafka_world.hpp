// Braid, Apache-2.0.
//
// A whole broker in the simulated world, and Kafka clients that speak to it over the simulated network with the codec:
// time is virtual, so waiting for a second costs nothing, and every run of a seed is the same.
#pragma once

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "actors/node.hpp"
#include "codecs/kafka/frame.hpp"
#include "codecs/kafka/header.hpp"
#include "codecs/kafka/registry.hpp"
#include "model/batch_builder.hpp"
#include "model/batch_walker.hpp"
#include "model/receive_buffer.hpp"
#include "runtime/simulation/sim_world.hpp"

namespace braid::test {

class KafkaClient final : public StreamHandler {
 public:
  KafkaClient(SimWorld& world, Loop& loop, std::uint16_t port) : world_(world), loop_(loop) {
    loop_.post([this, port] {
      loop_.network().connect("broker", port, 10000, [this](Result<std::unique_ptr<Stream>, std::string> connected) {
        if (!connected) {
          closed_ = true;
          return;
        }
        stream_ = std::move(*connected);
        stream_->start(*this);
        connected_ = true;
      });
    });
    REQUIRE(world_.run_until([this] { return connected_ || closed_; }, 20000));
  }
  ~KafkaClient() { close(); }

  /// Returns the correlation id under which the answer will be found.
  template <class Request>
  std::int32_t send(const Request& request, std::int16_t version) {
    const std::int32_t id = ++last_id_;
    auto frame = kafka::encode_request(request, version, id, kafka::Text("test-client"));
    REQUIRE(frame);
    write(std::move(*frame));
    return id;
  }
  /// Several requests in one piece, so that the broker gets them in one read if it can.
  void write(std::vector<Bytes> chunks) {
    on_loop([&] {
      if (stream_) stream_->write(std::move(chunks));
    });
  }
  void write(std::string_view text) { write({Bytes::copy(text)}); }

  bool answered(std::int32_t id) const { return answers_.count(id) > 0; }
  bool wait(std::int32_t id, std::int64_t at_most_ms = 30000) {
    return world_.run_until([&] { return answered(id) || closed_; }, at_most_ms) && answered(id);
  }
  bool wait_closed(std::int64_t at_most_ms = 30000) {
    return world_.run_until([this] { return closed_; }, at_most_ms);
  }
  template <class Response>
  Response read(std::int32_t id, std::int16_t version) {
    INFO("request " << id << " of version " << version);
    REQUIRE(answered(id));
    auto response = kafka::decode_response<Response>(answers_.at(id), version);
    REQUIRE(response);
    return response->body;
  }
  template <class Response, class Request>
  Response call(const Request& request, std::int16_t version) {
    const std::int32_t id = send(request, version);
    REQUIRE(wait(id));
    return read<Response>(id, version);
  }

  bool is_closed() const { return closed_; }
  const std::vector<std::int32_t>& order() const { return order_; }
  void pause(bool paused) {
    on_loop([&] {
      if (!stream_) return;
      if (paused)
        stream_->pause_reading();
      else
        stream_->resume_reading();
    });
  }
  void close() {
    on_loop([&] { stream_.reset(); });
    closed_ = true;
  }

 private:
  void on_loop(const std::function<void()>& work) {
    bool ran = false;
    loop_.post([&] {
      work();
      ran = true;
    });
    REQUIRE(world_.run_until([&] { return ran; }, 10000));
  }
  void on_read(ReceiveBuffer& buffer) override {
    for (;;) {
      if (buffer.size() < kafka::frame_prefix_bytes) return;
      const auto* front = reinterpret_cast<const std::uint8_t*>(buffer.readable().data());
      const std::size_t whole = kafka::frame_prefix_bytes + load_big<std::uint32_t>(front);
      if (buffer.size() < whole) return buffer.want(whole);
      const Bytes frame = buffer.take(whole).slice(kafka::frame_prefix_bytes);
      const std::int32_t id = load_big<std::int32_t>(frame.data());
      order_.push_back(id);
      answers_[id] = frame;
    }
  }
  void on_drained() override {}
  void on_closed(CloseReason) override {
    closed_ = true;
    stream_.reset();
  }

  SimWorld& world_;
  Loop& loop_;
  std::unique_ptr<Stream> stream_;
  bool connected_ = false, closed_ = false;
  std::int32_t last_id_ = 0;
  std::map<std::int32_t, Bytes> answers_;
  std::vector<std::int32_t> order_;  ///< in which answers came
};

class KafkaWorld {
 public:
  explicit KafkaWorld(std::function<void(Settings&)> change = {}, std::uint64_t seed = 1)
      : world_({.seed = seed}), machine_(world_.add_node("broker", kLoops)), field_(world_.add_node("field", 1)) {
    static int number = 0;
    catalog_file_ = (std::filesystem::temp_directory_path() /
                     ("braid-kafka-" + std::to_string(::getpid()) + "-" + std::to_string(++number) + ".db"))
                        .string();
    std::filesystem::remove(catalog_file_);
    settings_.storage.path = "data";
    settings_.storage.file_bytes = 1 << 20;
    settings_.kafka_protocol.offsets_partitions = 4;
    settings_.kafka_protocol.group_initial_rebalance_delay_ms = 0;
    if (change) change(settings_);
    start();
  }
  ~KafkaWorld() {
    clients_.clear();
    machine_.crash();
    field_.crash();
    node_.reset();
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(catalog_file_ + end);
  }

  KafkaClient& client() {
    clients_.push_back(std::make_unique<KafkaClient>(world_, field_.loop(), settings_.kafka.port));
    return *clients_.back();
  }
  /// Power off and on again.
  void restart() {
    machine_.crash();
    node_.reset();
    world_.run_for(100);
    machine_.restart();
    start();
  }
  /// An ordered end; false when a step took longer than it may.
  bool stop() {
    bool stopped = false, in_time = false;
    machine_.loop(0).post([&] {
      node_->stop([&](bool good) {
        in_time = good;
        stopped = true;
      });
    });
    REQUIRE(world_.run_until([&] { return stopped; }, 120000));
    return in_time;
  }
  SimWorld& world() { return world_; }
  Node& node() { return *node_; }
  const Settings& settings() const { return settings_; }

  void create_topic(const std::string& name, std::int32_t partitions = 1,
                    const std::map<std::string, std::string>& config = {}) {
    kafka::CreateTopicsRequest request;
    kafka::CreateTopicsRequest::Topic topic;
    topic.name = kafka::Text(name);
    topic.num_partitions = partitions;
    topic.replication_factor = 1;
    for (const auto& [key, value] : config) topic.configs.push_back({kafka::Text(key), kafka::Text(value)});
    request.topics.push_back(topic);
    const auto response = client().call<kafka::CreateTopicsResponse>(request, 5);
    REQUIRE(response.topics.size() == 1);
    REQUIRE(response.topics[0].error_code == kafka::ErrorCode::none);
    clients_.pop_back();
  }

 private:
  static constexpr std::size_t kLoops = 2;

  void start() {
    auto catalog = CatalogStore::open({.path = catalog_file_, .defaults = settings_.topic_defaults});
    REQUIRE(catalog);
    std::vector<Loop*> loops;
    for (std::size_t i = 0; i < kLoops; ++i) loops.push_back(&machine_.loop(i));
    node_ = std::make_unique<Node>(settings_, loops, std::move(*catalog));
    const auto opened = node_->open();
    INFO((opened ? std::string() : opened.error()));
    REQUIRE(opened);
    REQUIRE(node_->listen([&](std::size_t i, const std::function<void()>& work) {
      bool ran = false;
      machine_.loop(i).post([&] {
        work();
        ran = true;
      });
      REQUIRE(world_.run_until([&] { return ran; }, 10000));
    }));
  }

  SimWorld world_;
  SimNode& machine_;
  SimNode& field_;
  Settings settings_;
  std::string catalog_file_;
  std::unique_ptr<Node> node_;
  std::vector<std::unique_ptr<KafkaClient>> clients_;
};

/// A batch of records with these values.
inline Bytes make_batch(const std::vector<std::string>& values, Timestamp at = Timestamp{1'700'000'000'000},
                        const BatchProducer& producer = {}, Compression codec = Compression::none) {
  BatchBuilder builder;
  for (const std::string& value : values) builder.add(at, "key", value);
  return builder.finish(codec, producer);
}
inline std::vector<std::string> values_of(const kafka::FetchResponse::Partition& partition, std::int64_t from = 0) {
  std::vector<std::string> values;
  if (!partition.records) return values;
  BatchSequence batches(partition.records->joined());
  while (batches.next()) {
    auto walker = BatchWalker::open(batches.batch(), 1 << 24);
    REQUIRE(walker);
    RecordView record;
    while (walker->next(record))
      if (record.offset.value >= from) values.emplace_back(*record.value);
    REQUIRE_FALSE(walker->failed());
  }
  return values;
}

inline kafka::ProduceRequest produce_to(const std::string& topic, std::int32_t partition, Bytes batch,
                                        std::int16_t acks = -1) {
  kafka::ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 30000;
  request.topic_data.resize(1);
  request.topic_data[0].name = kafka::Text(topic);
  request.topic_data[0].partition_data.push_back({partition, kafka::Records(std::move(batch))});
  return request;
}
inline kafka::FetchRequest fetch_from(const std::string& topic, std::vector<std::pair<std::int32_t, std::int64_t>> at,
                                      std::int32_t max_wait_ms = 0, std::int32_t min_bytes = 1) {
  kafka::FetchRequest request;
  request.max_wait_ms = max_wait_ms;
  request.min_bytes = min_bytes;
  request.max_bytes = 50 << 20;
  request.session_epoch = -1;
  request.topics.resize(1);
  request.topics[0].topic = kafka::Text(topic);
  for (const auto& [partition, offset] : at) {
    kafka::FetchRequest::Partition wanted;
    wanted.partition = partition;
    wanted.fetch_offset = offset;
    wanted.partition_max_bytes = 1 << 20;
    request.topics[0].partitions.push_back(wanted);
  }
  return request;
}

}  // namespace braid::test
