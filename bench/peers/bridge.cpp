// Braid, Apache-2.0.
//
// Whoever has an MQTT broker and Kafka side by side runs a bridge between them; this is the one that Braid is measured
// against. It takes the names `bench/#` from an MQTT broker at QoS 1, in a session that outlives its connection, and
// produces each message under its name as the key. At least once, as an operator would want it: PUBACK leaves when
// Kafka has acknowledged. libmosquitto sends PUBACK before it hands a message over, and reads each with three system
// calls; so the MQTT side is the load generators' own loop, and the bridge is not what holds its brokers back.
//
//   bench_bridge --port 1883 --kafka-port 9092
#include <cstdio>
#include <exception>

#include "kafka_client.hpp"
#include "mqtt_client.hpp"

namespace braid::bench {
namespace {

class Bridge : public MqttClient {
 public:
  Bridge(Load& load, int socket, const Shape& shape, const std::string& bootstrap)
      : MqttClient(load, socket, shape, "bench-bridge", false) {
    auto* made = configured({{"bootstrap.servers", bootstrap},
                             {"acks", "all"},
                             {"enable.idempotence", "true"},
                             {"linger.ms", "1"},
                             {"partitioner", "murmur2_random"},
                             {"socket.nagle.disable", "true"}});
    rd_kafka_conf_set_opaque(made, this);
    rd_kafka_conf_set_dr_msg_cb(made, [](rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
      static_cast<Bridge*>(opaque)->report(*message);
    });
    producer_ = handle(RD_KAFKA_PRODUCER, made);
    reports_ = rd_kafka_queue_get_main(producer_);
    load.add(std::make_unique<Reports>(load, reports_, *this));
  }
  ~Bridge() override {
    rd_kafka_queue_destroy(reports_);
    if (topic_ != nullptr) rd_kafka_topic_destroy(topic_);
    rd_kafka_destroy(producer_);
  }

 private:
  class Reports : public KafkaEvents {
   public:
    Reports(Load& load, rd_kafka_queue_t* queue, Bridge& bridge) : KafkaEvents(load, queue), bridge_(bridge) {}
    void drain() override {
      while (rd_kafka_poll(bridge_.producer_, 0) != 0) continue;
      // Not from librdkafka's callback: it is C.
      if (bridge_.refused_ != RD_KAFKA_RESP_ERR_NO_ERROR)
        throw std::runtime_error(std::string("Kafka refused a message: ") + rd_kafka_err2str(bridge_.refused_));
    }

   private:
    Bridge& bridge_;
  };

  void report(const rd_kafka_message_t& message) {
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      refused_ = message.err;
      return;
    }
    const auto number = reinterpret_cast<std::uintptr_t>(message._private);
    const char identifier[] = {static_cast<char>(number >> 8), static_cast<char>(number)};
    answer(0x40, identifier);
  }

  // The broker has at most its max_inflight_messages with us: librdkafka's queue is far from full.
  void take_message(std::string_view name, const char* payload, std::size_t size, unsigned qos,
                    const char* identifier) override {
    if (qos != 1) throw std::runtime_error("the broker delivers at another QoS than it was asked for");
    const auto number = static_cast<std::uintptr_t>(static_cast<unsigned char>(identifier[0]) << 8 |
                                                    static_cast<unsigned char>(identifier[1]));
    // Not before: asking for a topic that is not there makes Kafka create it, other than the load wants it.
    if (topic_ == nullptr) topic_ = rd_kafka_topic_new(producer_, "bench", nullptr);
    if (rd_kafka_produce(topic_, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, const_cast<char*>(payload), size,
                         name.data(), name.size(), reinterpret_cast<void*>(number)) != 0)
      throw std::runtime_error(std::string("produce: ") + rd_kafka_err2str(rd_kafka_last_error()));
  }

  rd_kafka_t* producer_ = nullptr;
  rd_kafka_topic_t* topic_ = nullptr;
  rd_kafka_queue_t* reports_ = nullptr;
  rd_kafka_resp_err_t refused_ = RD_KAFKA_RESP_ERR_NO_ERROR;
};

void run(const Plan& plan, std::uint16_t kafka_port) {
  Load load(plan);
  const Shape shape{1, "all", 0};
  auto made = std::make_unique<Bridge>(load, connect_to(plan.host, plan.port), shape,
                                       plan.host + ":" + std::to_string(kafka_port));
  auto& bridge = *made;
  load.add(std::move(made));
  load.serve("CONNACK", [&] { return bridge.connacks != 0; });
  bridge.subscribe({"bench/#"});
  load.serve("SUBACK", [&] { return bridge.subacks != 0; });
  tell("ready");
  constexpr double until_it_is_ended_s = 1e9;
  load.serve(
      "the end", [] { return false; }, until_it_is_ended_s);
}

}  // namespace
}  // namespace braid::bench

int main(int argc, char** argv) try {
  using namespace braid::bench;
  Options options(argc, argv);
  const Plan plan(options);
  const auto kafka_port = static_cast<std::uint16_t>(options.number("kafka-port", 9092));
  options.finish();
  run(plan, kafka_port);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_bridge: %s\n", error.what());
  return 1;
}
