// Braid, Apache-2.0.
//
// What the programs that speak Kafka through librdkafka have in common.
#pragma once

#include <librdkafka/rdkafka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.hpp"

namespace braid::bench {

using Config = std::vector<std::pair<std::string, std::string>>;

inline rd_kafka_conf_t* configured(const Config& config) {
  auto* made = rd_kafka_conf_new();
  char error[512];
  for (const auto& [name, value] : config)
    if (rd_kafka_conf_set(made, name.c_str(), value.c_str(), error, sizeof error) != RD_KAFKA_CONF_OK)
      throw std::runtime_error(error);
  return made;
}

inline rd_kafka_t* handle(rd_kafka_type_t type, rd_kafka_conf_t* config) {
  char error[512];
  auto* made = rd_kafka_new(type, config, error, sizeof error);
  if (made == nullptr) throw std::runtime_error(error);
  return made;
}

/// Creates the topic and waits for it. `topic_config` is a=b,c=d.
inline void create_topic(const std::string& bootstrap, const std::string& name, int partitions,
                         const std::string& topic_config) {
  auto* client = handle(RD_KAFKA_PRODUCER, configured({{"bootstrap.servers", bootstrap}}));
  auto* topic = rd_kafka_NewTopic_new(name.c_str(), partitions, 1, nullptr, 0);
  for (std::size_t at = 0; at < topic_config.size();) {
    const auto end = std::min(topic_config.find(',', at), topic_config.size());
    const auto one = topic_config.substr(at, end - at);
    const auto equals = one.find('=');
    if (equals == std::string::npos) throw std::runtime_error("--topic-config takes a=b,c=d");
    rd_kafka_NewTopic_set_config(topic, one.substr(0, equals).c_str(), one.substr(equals + 1).c_str());
    at = end + 1;
  }
  auto* queue = rd_kafka_queue_new(client);
  auto* options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
  char error[256];
  rd_kafka_AdminOptions_set_operation_timeout(options, 60000, error, sizeof error);
  rd_kafka_AdminOptions_set_request_timeout(options, 90000, error, sizeof error);
  rd_kafka_CreateTopics(client, &topic, 1, options, queue);
  auto* event = rd_kafka_queue_poll(queue, 90000);
  std::string wrong = event == nullptr ? "no answer" : "";
  if (event != nullptr && rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
    wrong = rd_kafka_event_error_string(event);
  if (event != nullptr && wrong.empty()) {
    std::size_t count = 0;
    const auto* const* results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    if (count == 1 && rd_kafka_topic_result_error(results[0]) != RD_KAFKA_RESP_ERR_NO_ERROR)
      wrong = rd_kafka_topic_result_error_string(results[0]);
  }
  if (event != nullptr) rd_kafka_event_destroy(event);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_queue_destroy(queue);
  rd_kafka_NewTopic_destroy(topic);
  rd_kafka_destroy(client);
  if (!wrong.empty()) throw std::runtime_error("the topic was not created: " + wrong);
}

/// librdkafka's queue beside the sockets of a loop: it writes a byte into one end of a pair when the queue is no longer
/// empty, and the loop reads the other.
class KafkaEvents : public Client {
 public:
  KafkaEvents(Load& load, rd_kafka_queue_t* queue) : KafkaEvents(load, queue, pair()) {}
  ~KafkaEvents() override { ::close(theirs_); }
  void publish(std::uint64_t) override {}
  std::size_t take(const char*, std::size_t size) override {
    drain();
    return size;
  }
  /// Takes all that the queue has.
  virtual void drain() = 0;

 private:
  struct Pair {
    int ours, theirs;
  };
  static Pair pair() {
    int made[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, made) != 0) throw std::runtime_error("socketpair");
    return {made[0], made[1]};
  }
  KafkaEvents(Load& load, rd_kafka_queue_t* queue, Pair made) : Client(load, made.ours), theirs_(made.theirs) {
    rd_kafka_queue_io_event_enable(queue, theirs_, "!", 1);
  }
  int theirs_;
};

}  // namespace braid::bench
