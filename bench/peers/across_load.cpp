// Braid, Apache-2.0.
//
// From one protocol to another: devices publish over MQTT at QoS 1, and a Kafka group, through librdkafka, gets what
// they said. One thread serves both sides, and the group's messages are counted and timed like any subscriber's.
//
//   bench_across_load --port 1883 --kafka-port 9092 --publishers 50 --topics 50 --window 20 --seconds 3
//
//   --partitions N          of the topic `bench`, to which the names `bench/0`, `bench/1`, ... belong
//   --topic-config a=b,c=d  settings of the topic that is created first
#include <cstdio>
#include <exception>

#include "kafka_client.hpp"
#include "mqtt_client.hpp"

namespace braid::bench {
namespace {

constexpr const char* topic_name = "bench";

/// The only member of a group.
class GroupMember {
 public:
  GroupMember(Load& load, const std::string& bootstrap)
      : handle_(handle(RD_KAFKA_CONSUMER, configured({{"bootstrap.servers", bootstrap},
                                                      {"group.id", "bench"},
                                                      {"socket.nagle.disable", "true"},
                                                      {"auto.offset.reset", "earliest"}}))) {
    rd_kafka_poll_set_consumer(handle_);
    queue_ = rd_kafka_queue_get_consumer(handle_);
    auto events = std::make_unique<Messages>(load, queue_);
    messages_ = events.get();
    load.add(std::move(events));
    auto* topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic_name, RD_KAFKA_PARTITION_UA);
    const auto error = rd_kafka_subscribe(handle_, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error(rd_kafka_err2str(error));
  }
  ~GroupMember() {
    rd_kafka_queue_io_event_enable(queue_, -1, nullptr, 0);
    rd_kafka_queue_destroy(queue_);
    rd_kafka_consumer_close(handle_);
    rd_kafka_destroy(handle_);
  }
  GroupMember(const GroupMember&) = delete;
  GroupMember& operator=(const GroupMember&) = delete;

  /// The group's coordinator gave it partitions.
  bool assigned() {
    messages_->drain();
    rd_kafka_topic_partition_list_t* partitions = nullptr;
    if (rd_kafka_assignment(handle_, &partitions) != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
    const bool some = partitions->cnt != 0;
    rd_kafka_topic_partition_list_destroy(partitions);
    return some;
  }

 private:
  class Messages : public KafkaEvents {
   public:
    Messages(Load& load, rd_kafka_queue_t* queue) : KafkaEvents(load, queue), queue_(queue), batch_(4096) {}
    void drain() override {
      for (;;) {
        const auto count = rd_kafka_consume_batch_queue(queue_, 0, batch_.data(), batch_.size());
        if (count <= 0) return;
        load().look_at_the_clock();
        for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
          if (batch_[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR && batch_[i]->len >= sizeof(Stamp))
            load().delivered(static_cast<const char*>(batch_[i]->payload));
          rd_kafka_message_destroy(batch_[i]);
        }
      }
    }

   private:
    rd_kafka_queue_t* queue_;
    std::vector<rd_kafka_message_t*> batch_;
  };

  rd_kafka_t* handle_;
  rd_kafka_queue_t* queue_ = nullptr;
  Messages* messages_ = nullptr;
};

void run(const Plan& plan, std::uint16_t kafka_port) {
  Load load(plan);
  const Shape shape{1, "exact", 0};
  std::vector<MqttClient*> publishers;
  for (std::size_t i = 0; i < plan.publishers; ++i) {
    auto made =
        std::make_unique<MqttClient>(load, connect_to(plan.host, plan.port), shape, "bench-p" + std::to_string(i));
    made->publish_under(i, plan.publishers, std::max(plan.topics, plan.publishers));
    publishers.push_back(made.get());
    load.add_publisher(std::move(made));
  }
  load.serve("CONNACK", [&] {
    return std::all_of(publishers.begin(), publishers.end(), [](const auto* one) { return one->connacks != 0; });
  });
  GroupMember member(load, plan.host + ":" + std::to_string(kafka_port));
  load.serve("the group's assignment", [&] { return member.assigned(); });
  load.run(true);
}

}  // namespace
}  // namespace braid::bench

int main(int argc, char** argv) try {
  using namespace braid::bench;
  Options options(argc, argv);
  const Plan plan(options);
  const auto kafka_port = static_cast<std::uint16_t>(options.number("kafka-port", 9092));
  const auto partitions = static_cast<int>(options.number("partitions", 1));
  const auto topic_config = options.text("topic-config", "");
  options.finish();
  create_topic(plan.host + ":" + std::to_string(kafka_port), topic_name, partitions, topic_config);
  run(plan, kafka_port);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_across_load: %s\n", error.what());
  return 1;
}
