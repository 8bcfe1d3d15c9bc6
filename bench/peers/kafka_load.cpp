// Braid, Apache-2.0.
//
// Kafka under load, through librdkafka: producers on one thread, consumers of their partitions on another, both reading
// the clock only. What is counted and timed is a message's whole way, from when it was to be produced to its consumer.
//
//   bench_kafka_load --port 9092 --partitions 1 --payload 100 --acks -1 --seconds 3
//
//   --topic-config a=b,c=d  settings of the topic that is created first
//   --window N              closed loop: how many messages may be on their way
//   --rate N                open loop: messages a second on a schedule
//   --groups N              every message is read so many times, with offsets committed for each group
//   --consumers N           split the partitions among them; 0: nobody reads, the acknowledgement is timed
//   --synchronous 1         one message at a time, acknowledged before the next
//   --keyed 1               messages carry one of 1000 keys, which chooses the partition
//   --backlog N             so many messages are there before the first consumer comes
//   --parked N              nothing but so many connections with a fetch that finds nothing, of 10 partitions each,
//                           over `--topics N` topics with that many partitions each
#include <atomic>
#include <cstdio>
#include <exception>
#include <mutex>
#include <thread>

#include "kafka_client.hpp"

namespace braid::bench {
namespace {

struct Settings {
  explicit Settings(Options& options)
      : bootstrap(options.text("host", "127.0.0.1") + ":" + options.text("port", "9092")),
        topic(options.text("topic", "bench")),
        topic_config(options.text("topic-config", "")),
        acks(options.text("acks", "-1")),
        linger_ms(options.text("linger-ms", "1")),
        partitions(static_cast<int>(options.number("partitions", 1))),
        producers(options.number("producers", 1)),
        consumers(options.number("consumers", 1)),
        groups(options.number("groups", 1)),
        backlog(options.number("backlog", 0)),
        parked(options.number("parked", 0)),
        max_wait_ms(options.number("max-wait-ms", 500)),
        idempotent(options.flag("idempotent")),
        keyed(options.flag("keyed")),
        synchronous(options.flag("synchronous")) {}

  std::string bootstrap, topic, topic_config, acks, linger_ms;
  int partitions;
  std::size_t producers, consumers, groups, backlog, parked, max_wait_ms;
  bool idempotent, keyed, synchronous;
};

/// There is more than one topic only where there are more partitions than a broker creates at once.
std::string topic_name(const Settings& settings, std::size_t number) {
  return number == 0 ? settings.topic : settings.topic + "-" + std::to_string(number);
}

/// What both threads count. The consumer's thread takes the lock once for a batch.
struct Shared {
  Shared(const Plan& plan) : figures(plan.warmup_s, plan.seconds) {}
  std::mutex mutex;
  Figures figures;
  std::atomic<std::uint64_t> consumed{0}, acknowledged{0}, failed{0};
  std::atomic<bool> stop{false};
};

class Producers {
 public:
  Producers(const Settings& settings, const Plan& plan, Shared& shared)
      : settings_(settings), payload_(plan.payload_bytes, 'x'), shared_(shared) {
    for (std::size_t i = 0; i < settings.producers; ++i) {
      Config config{{"bootstrap.servers", settings.bootstrap},   {"acks", settings.acks},
                    {"linger.ms", settings.linger_ms},           {"socket.nagle.disable", "true"},
                    {"queue.buffering.max.messages", "2000000"}, {"queue.buffering.max.kbytes", "2000000"}};
      if (settings.idempotent) config.emplace_back("enable.idempotence", "true");
      auto* made = configured(config);
      rd_kafka_conf_set_opaque(made, &shared_);
      rd_kafka_conf_set_dr_msg_cb(made, [](rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
        auto& counts = *static_cast<Shared*>(opaque);
        ++(message->err == RD_KAFKA_RESP_ERR_NO_ERROR ? counts.acknowledged : counts.failed);
      });
      handles_.push_back(handle(RD_KAFKA_PRODUCER, made));
      topics_.push_back(rd_kafka_topic_new(handles_.back(), settings.topic.c_str(), nullptr));
    }
  }
  ~Producers() {
    for (auto* topic : topics_) rd_kafka_topic_destroy(topic);
    for (auto* one : handles_) {
      rd_kafka_purge(one, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
      rd_kafka_destroy(one);
    }
  }
  Producers(const Producers&) = delete;
  Producers& operator=(const Producers&) = delete;

  void produce(std::uint64_t intended_ns) {
    const Stamp stamp{intended_ns, 0, static_cast<std::uint32_t>(sent_)};
    std::memcpy(payload_.data(), &stamp, sizeof stamp);
    const auto key = std::to_string(sent_ % 1000);
    const auto partition = settings_.keyed
                               ? RD_KAFKA_PARTITION_UA
                               : static_cast<std::int32_t>(sent_ % static_cast<std::uint64_t>(settings_.partitions));
    auto* topic = topics_[sent_ % topics_.size()];
    while (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, payload_.data(), payload_.size(),
                            settings_.keyed ? key.data() : nullptr, settings_.keyed ? key.size() : 0, nullptr) != 0) {
      if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
        throw std::runtime_error(std::string("produce: ") + rd_kafka_err2str(rd_kafka_last_error()));
      poll(1);
    }
    ++sent_;
  }
  void poll(int wait_ms) {
    for (std::size_t i = 0; i < handles_.size(); ++i) rd_kafka_poll(handles_[i], i == 0 ? wait_ms : 0);
  }
  void flush() {
    for (auto* one : handles_) rd_kafka_flush(one, 120000);
  }
  std::uint64_t sent() const { return sent_; }

 private:
  const Settings& settings_;
  std::string payload_;
  Shared& shared_;
  std::vector<rd_kafka_t*> handles_;
  std::vector<rd_kafka_topic_t*> topics_;
  std::uint64_t sent_ = 0;
};

/// All consumers, served through one queue by one thread.
class Consumers {
 public:
  Consumers(const Settings& settings, Shared& shared) : shared_(shared) {
    for (std::size_t group = 0; group < settings.groups; ++group)
      for (std::size_t i = 0; i < settings.consumers; ++i) {
        auto* made = handle(RD_KAFKA_CONSUMER, configured({{"bootstrap.servers", settings.bootstrap},
                                                           {"group.id", "bench-" + std::to_string(group)},
                                                           {"socket.nagle.disable", "true"},
                                                           {"auto.offset.reset", "earliest"}}));
        handles_.push_back(made);
        rd_kafka_poll_set_consumer(made);
        if (queue_ == nullptr)
          queue_ = rd_kafka_queue_get_consumer(made);
        else {
          auto* own = rd_kafka_queue_get_consumer(made);
          rd_kafka_queue_forward(own, queue_);
          rd_kafka_queue_destroy(own);
        }
        auto* partitions = rd_kafka_topic_partition_list_new(settings.partitions);
        for (int p = static_cast<int>(i); p < settings.partitions; p += static_cast<int>(settings.consumers))
          rd_kafka_topic_partition_list_add(partitions, settings.topic.c_str(), p)->offset = RD_KAFKA_OFFSET_BEGINNING;
        rd_kafka_assign(made, partitions);
        rd_kafka_topic_partition_list_destroy(partitions);
      }
    if (queue_ != nullptr) thread_ = std::thread([this] { serve(); });
  }
  ~Consumers() {
    shared_.stop = true;
    if (thread_.joinable()) thread_.join();
    if (queue_ != nullptr) rd_kafka_queue_destroy(queue_);
    for (auto* one : handles_) {
      rd_kafka_consumer_close(one);
      rd_kafka_destroy(one);
    }
  }
  Consumers(const Consumers&) = delete;
  Consumers& operator=(const Consumers&) = delete;

 private:
  void serve() {
    std::vector<rd_kafka_message_t*> batch(4096);
    while (!shared_.stop) {
      batch[0] = rd_kafka_consume_queue(queue_, 50);
      if (batch[0] == nullptr) continue;
      const auto more = rd_kafka_consume_batch_queue(queue_, 0, batch.data() + 1, batch.size() - 1);
      const auto count = 1 + (more > 0 ? static_cast<std::size_t>(more) : 0);
      const auto now = now_ns();
      const std::lock_guard lock(shared_.mutex);
      for (std::size_t i = 0; i < count; ++i) {
        if (batch[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR && batch[i]->len >= sizeof(Stamp)) {
          Stamp stamp;
          std::memcpy(&stamp, batch[i]->payload, sizeof stamp);
          shared_.figures.delivered(stamp.intended_ns, now);
          ++shared_.consumed;
        }
        rd_kafka_message_destroy(batch[i]);
      }
    }
  }

  Shared& shared_;
  std::vector<rd_kafka_t*> handles_;
  rd_kafka_queue_t* queue_ = nullptr;
  std::thread thread_;
};

/// A consumer that waits for nothing to come, without a client library's threads: a fetch, asked again when it is
/// answered. As Java's consumers do it, the partitions are named once and the broker keeps them in a fetch session
/// (KIP-227).
class ParkedFetch : public Client {
 public:
  ParkedFetch(Load& load, const Plan& plan, const Settings& settings, std::size_t number)
      : Client(load, connect_to(plan.host, plan.port, number)), max_wait_ms_(settings.max_wait_ms) {
    constexpr std::size_t each = 10;
    const auto topic = topic_name(settings, number % plan.topics);
    partitions_ = big(1, 4) + big(topic.size(), 2) + topic + big(each, 4);
    for (std::size_t i = 0; i < each; ++i)
      partitions_ += big((number * each + i) % static_cast<std::size_t>(settings.partitions), 4) + big(0, 8) +
                     big(UINT64_MAX, 8) + big(1 << 20, 4);
    fetch();
  }
  void publish(std::uint64_t) override {}
  std::size_t take(const char* data, std::size_t size) override {
    std::size_t used = 0;
    while (size - used >= 4) {
      const auto length = static_cast<std::size_t>(integer(data + used, 4));
      if (size - used < 4 + length) break;
      take_answer(data + used + 4, length);
      used += 4 + length;
    }
    return used;
  }

 private:
  static std::string big(std::uint64_t value, int bytes) {
    std::string made;
    while (bytes-- > 0) made += static_cast<char>(value >> (8 * bytes));
    return made;
  }
  static std::uint64_t integer(const char* at, std::size_t bytes) {
    std::uint64_t made = 0;
    for (std::size_t i = 0; i < bytes; ++i) made = made << 8 | static_cast<unsigned char>(at[i]);
    return made;
  }
  /// Version 7: the first with sessions. In a session no partition is named again, and none forgotten.
  void fetch() {
    const std::string body = big(1, 2) + big(7, 2) + big(1, 4) + big(0xffff, 2) + big(0xffffffff, 4) +
                             big(max_wait_ms_, 4) + big(1, 4) + big(1 << 20, 4) + big(0, 1) + big(session_, 4) +
                             big(epoch_++, 4) + (session_ == 0 ? partitions_ : big(0, 4)) + big(0, 4);
    write(big(body.size(), 4) + body);
  }
  /// Correlation id, throttle time, error, session.
  void take_answer(const char* body, std::size_t length) {
    if (length < 14 || integer(body + 8, 2) != 0) throw std::runtime_error("a fetch was refused");
    session_ = integer(body + 10, 4);
    // A broker whose sessions are all taken gives none; then all is asked anew.
    if (session_ == 0) epoch_ = 0;
    fetch();
  }

  std::size_t max_wait_ms_;
  std::string partitions_;
  std::uint64_t session_ = 0, epoch_ = 0;
};

void park(const Settings& settings, const Plan& plan) {
  Load load(plan);
  for (std::size_t i = 0; i < settings.parked; ++i) load.add(std::make_unique<ParkedFetch>(load, plan, settings, i));
  load.idle();
}

void run(const Settings& settings, const Plan& plan) {
  Shared shared(plan);
  Producers producers(settings, plan, shared);
  for (std::size_t i = 0; i < settings.backlog; ++i) producers.produce(0);
  producers.flush();
  const auto fan = settings.consumers == 0 ? 0 : settings.groups;
  Consumers consumers(settings, shared);

  // The first message's way has to be known before time is taken: metadata, connections, the consumers' first fetch.
  if (settings.backlog == 0) {
    const auto limit = now_ns() + 60'000'000'000;
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(settings.partitions); ++i) producers.produce(0);
    producers.flush();
    while (shared.consumed < producers.sent() * fan) {
      producers.poll(10);
      if (now_ns() > limit) throw std::runtime_error("the first messages did not reach the consumers");
    }
  }
  const auto before = producers.sent();
  const auto acknowledged_before = shared.acknowledged.load();
  std::uint64_t told_sent = before, told_acknowledged = acknowledged_before;
  tell("ready");
  Schedule schedule(plan.rate);
  {
    const std::lock_guard lock(shared.mutex);
    shared.figures.start();
  }
  schedule.start(now_ns());
  const auto tick = [&] {
    const std::lock_guard lock(shared.mutex);
    shared.figures.sent(producers.sent() - told_sent);
    told_sent = producers.sent();
    const auto acknowledged = shared.acknowledged.load();
    shared.figures.acknowledged(acknowledged - told_acknowledged);
    told_acknowledged = acknowledged;
    shared.figures.tick(now_ns());
    return shared.figures.ended();
  };
  while (!tick()) {
    if (settings.synchronous) {
      const auto intended = now_ns();
      producers.produce(intended);
      while (shared.acknowledged + shared.failed < producers.sent()) producers.poll(100);
      const std::lock_guard lock(shared.mutex);
      shared.figures.delivered(intended, now_ns());
    } else if (schedule.open_loop()) {
      const auto now = now_ns();
      const auto next = schedule.next_ns();
      if (next > now) std::this_thread::sleep_for(std::chrono::nanoseconds(next - now));
      for (const auto limit = now_ns(); schedule.next_ns() <= limit; schedule.advance())
        producers.produce(schedule.next_ns());
      producers.poll(0);
    } else {
      // Without a reader the acknowledgement counts.
      const auto there = fan == 0 ? shared.acknowledged.load() : shared.consumed / fan;
      for (int i = 0; i < 1000 && producers.sent() < there + plan.window; ++i) producers.produce(now_ns());
      producers.poll(producers.sent() < there + plan.window ? 0 : 1);
    }
  }
  producers.flush();
  // What was sent in the window but is not there yet counts as well.
  for (const auto limit = now_ns() + 10'000'000'000;
       fan != 0 && shared.consumed < producers.sent() * fan && now_ns() < limit;)
    producers.poll(10);
  const auto wanted = producers.sent() * fan;
  const auto got = shared.consumed.load();
  shared.stop = true;
  const std::lock_guard lock(shared.mutex);
  shared.figures.result("\"lost\":" + std::to_string(wanted > got ? wanted - got : 0) +
                        ",\"doubled\":" + std::to_string(got > wanted && fan != 0 ? got - wanted : 0) +
                        ",\"never_sent\":" + std::to_string(shared.failed.load()));
}

}  // namespace
}  // namespace braid::bench

int main(int argc, char** argv) try {
  using namespace braid::bench;
  Options options(argc, argv);
  const Plan plan(options);
  const Settings settings(options);
  options.finish();
  for (std::size_t i = 0; i < plan.topics; ++i)
    create_topic(settings.bootstrap, topic_name(settings, i), settings.partitions, settings.topic_config);
  settings.parked != 0 ? park(settings, plan) : run(settings, plan);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_kafka_load: %s\n", error.what());
  return 1;
}
