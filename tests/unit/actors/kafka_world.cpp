// Braid, Apache-2.0.
#include "unit/actors/kafka_world.hpp"

#include <unistd.h>

#include <filesystem>

#include "actors/node.hpp"
#include "model/receive_buffer.hpp"

namespace braid::test {
namespace {

constexpr std::size_t kLoops = 2;

}  // namespace

KafkaClient::KafkaClient(SimWorld& world, Loop& loop, std::uint16_t port) : world_(world), loop_(loop) {
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

void KafkaClient::write(std::vector<Bytes> chunks) {
  on_loop([&] {
    if (stream_) stream_->write(std::move(chunks));
  });
}

bool KafkaClient::wait(std::int32_t id, std::int64_t at_most_ms) {
  return world_.run_until([&] { return answered(id) || closed_; }, at_most_ms) && answered(id);
}

bool KafkaClient::wait_closed(std::int64_t at_most_ms) {
  return world_.run_until([this] { return closed_; }, at_most_ms);
}

const Bytes& KafkaClient::answer(std::int32_t id, std::int16_t version) const {
  INFO("request " << id << " of version " << version);
  REQUIRE(answered(id));
  return answers_.at(id);
}

void KafkaClient::pause(bool paused) {
  on_loop([&] {
    if (!stream_) return;
    if (paused)
      stream_->pause_reading();
    else
      stream_->resume_reading();
  });
}

void KafkaClient::write_last(std::vector<Bytes> chunks) {
  on_loop([&] {
    stream_->write(std::move(chunks));
    stream_->close();
  });
}

void KafkaClient::close() {
  on_loop([&] { stream_.reset(); });
  closed_ = true;
}

void KafkaClient::on_loop(const std::function<void()>& work) {
  bool ran = false;
  loop_.post([&] {
    work();
    ran = true;
  });
  REQUIRE(world_.run_until([&] { return ran; }, 10000));
}

void KafkaClient::on_read(ReceiveBuffer& buffer) {
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

void KafkaClient::on_closed(CloseReason) {
  closed_ = true;
  stream_.reset();
}

KafkaWorld::KafkaWorld(std::function<void(Settings&)> change, std::uint64_t seed)
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

KafkaWorld::~KafkaWorld() {
  clients_.clear();
  machine_.crash();
  field_.crash();
  node_.reset();
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(catalog_file_ + end);
}

KafkaClient& KafkaWorld::client() {
  clients_.push_back(std::make_unique<KafkaClient>(world_, field_.loop(), settings_.kafka.port));
  return *clients_.back();
}

void KafkaWorld::restart() {
  machine_.crash();
  node_.reset();
  world_.run_for(100);
  machine_.restart();
  start();
}

bool KafkaWorld::stop() {
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

void KafkaWorld::create_topic(const std::string& name, std::int32_t partitions,
                              const std::map<std::string, std::string>& config) {
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

TopicId KafkaWorld::topic_id(const std::string& topic) const {
  const auto known = node_->services(0).directory.find(topic);
  return known ? known->id : TopicId{};
}

std::size_t KafkaWorld::partitions(const std::string& topic) const {
  const auto known = node_->services(0).directory.find(topic);
  return known ? known->partitions.size() : 0;
}

std::int32_t KafkaWorld::leader_epoch(const std::string& topic) const {
  const Services& services = node_->services(0);
  return services.leader_epoch(services.directory.find(topic)->partitions.at(0)).value;
}

void KafkaWorld::start() {
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

Bytes make_batch(const std::vector<std::string>& values, Timestamp at, const BatchProducer& producer,
                 Compression codec) {
  BatchBuilder builder;
  for (const std::string& value : values) builder.add(at, "key", value);
  return builder.finish(codec, producer);
}
std::vector<std::string> values_of(const kafka::FetchResponse::Partition& partition, std::int64_t from) {
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

kafka::ProduceRequest produce_to(const std::string& topic, std::int32_t partition, Bytes batch, std::int16_t acks) {
  kafka::ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 30000;
  request.topic_data.resize(1);
  request.topic_data[0].name = kafka::Text(topic);
  request.topic_data[0].partition_data.push_back({partition, kafka::Records(std::move(batch))});
  return request;
}
kafka::FetchRequest fetch_from(const std::string& topic, std::vector<std::pair<std::int32_t, std::int64_t>> at,
                               std::int32_t max_wait_ms, std::int32_t min_bytes) {
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
