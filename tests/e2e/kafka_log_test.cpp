// Braid, Apache-2.0.
//
// The log's side of Kafka through librdkafka: what topics make of batches and times, deleted records, offsets by time,
// and consumers that go on over restarts.
#include <librdkafka/rdkafka.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <map>
#include <string>

#include "e2e/support/broker.hpp"
#include "e2e/support/command.hpp"
#include "e2e/support/kafka.hpp"

using namespace braid::e2e;

namespace {

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// A client for requests that have functions of their own.
class Client {
 public:
  explicit Client(const Broker& broker) {
    char error[512];
    auto* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", broker.bootstrap().c_str(), error, sizeof error);
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    REQUIRE(handle_);
  }
  ~Client() { rd_kafka_destroy(handle_); }

  std::pair<std::int64_t, std::int64_t> watermarks(const std::string& topic) {
    std::int64_t low = -1, high = -1;
    CHECK(rd_kafka_query_watermark_offsets(handle_, topic.c_str(), 0, &low, &high, 10000) ==
          RD_KAFKA_RESP_ERR_NO_ERROR);
    return {low, high};
  }
  std::int64_t offset_at(const std::string& topic, std::int64_t time_ms) {
    auto* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), 0)->offset = time_ms;
    CHECK(rd_kafka_offsets_for_times(handle_, list, 10000) == RD_KAFKA_RESP_ERR_NO_ERROR);
    const std::int64_t found = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return found;
  }
  /// The new low watermark, or the error's negative number.
  std::int64_t delete_before(const std::string& topic, std::int64_t offset) {
    auto* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), 0)->offset = offset;
    auto* request = rd_kafka_DeleteRecords_new(list);
    rd_kafka_topic_partition_list_destroy(list);
    auto* queue = rd_kafka_queue_new(handle_);
    rd_kafka_DeleteRecords(handle_, &request, 1, nullptr, queue);
    rd_kafka_DeleteRecords_destroy(request);
    auto* event = rd_kafka_queue_poll(queue, 20000);
    REQUIRE(event);
    REQUIRE(rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR);
    const auto* offsets = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event));
    REQUIRE(offsets->cnt == 1);
    const std::int64_t result =
        offsets->elems[0].err ? -static_cast<std::int64_t>(offsets->elems[0].err) : offsets->elems[0].offset;
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    return result;
  }

 private:
  rd_kafka_t* handle_ = nullptr;
};

}  // namespace

TEST_CASE("a topic with a codec of its own yields what was produced in any other, byte for byte") {
  Broker broker;
  for (const std::string codec : {"uncompressed", "gzip", "snappy", "lz4", "zstd"}) {
    // The times below are years ago.
    broker.create_topic(codec, 1, {"compression.type=" + codec, "retention.ms=-1"});
    std::vector<KafkaMessage> sent;
    for (const std::string producers : {"none", "gzip", "snappy", "lz4", "zstd"}) {
      KafkaProducer producer(broker.bootstrap(), {{"compression.codec", producers}, {"linger.ms", "20"}});
      for (int i = 0; i < 50; ++i) {
        KafkaMessage message;
        message.key = producers + std::string("\0\xff", 2) + std::to_string(i);
        if (i % 10 != 0) message.value = std::string(static_cast<std::size_t>(i * 50), static_cast<char>('a' + i % 26));
        message.headers = {{"binary", std::string("\0\x80\xff", 3)}, {"null", std::nullopt}};
        message.timestamp_ms = 1'700'000'000'000 + i;
        producer.send(codec, message.key, message.value, {}, 0, message.headers, message.timestamp_ms);
        sent.push_back(message);
      }
      REQUIRE(producer.flush());
      REQUIRE(producer.acknowledged() == 50);
    }
    const auto read = read_all(broker.bootstrap(), codec);
    REQUIRE(read.size() == sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
      CAPTURE(codec, i);
      REQUIRE(read[i].offset == static_cast<std::int64_t>(i));
      REQUIRE(read[i].key == sent[i].key);
      REQUIRE(read[i].value == sent[i].value);
      REQUIRE(read[i].headers == sent[i].headers);
      REQUIRE(read[i].timestamp_ms == sent[i].timestamp_ms);
    }
  }
}

TEST_CASE("producers are told of timestamps that are refused and of messages that are too large") {
  Broker broker;
  broker.create_topic(
      "limits", 1,
      {"message.timestamp.before.max.ms=3600000", "message.timestamp.after.max.ms=3600000", "max.message.bytes=10000"});
  KafkaProducer producer(broker.bootstrap());
  std::map<std::string, std::string> outcome;
  const auto send = [&](const std::string& name, std::int64_t at_ms, std::size_t bytes = 10) {
    producer.send(
        "limits", name, std::string(bytes, 'x'),
        [&outcome, name](const std::string& error, std::int32_t, std::int64_t) { outcome[name] = error; }, 0, {},
        at_ms);
    REQUIRE(producer.flush());
  };
  send("now", now_ms());
  send("past", now_ms() - 7200000);
  send("future", now_ms() + 7200000);
  send("large", now_ms(), 20000);
  send("after", now_ms());
  CHECK(outcome["now"].empty());
  CHECK(outcome["past"] == rd_kafka_err2str(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP));
  CHECK(outcome["future"] == rd_kafka_err2str(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP));
  CHECK(outcome["large"] == rd_kafka_err2str(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE));
  CHECK(outcome["after"].empty());
  const auto read = read_all(broker.bootstrap(), "limits");
  REQUIRE(read.size() == 2);
  CHECK(read[1].key == "after");
}

TEST_CASE("with log append time consumers see the broker's time, and find records by it") {
  Broker broker;
  broker.create_topic("stamped", 1, {"message.timestamp.type=LogAppendTime"});
  const std::int64_t before = now_ms();
  KafkaProducer producer(broker.bootstrap(), {{"compression.codec", "lz4"}});
  for (int i = 0; i < 10; ++i) producer.send("stamped", "k", std::to_string(i), {}, 0, {}, 1000 + i);
  REQUIRE(producer.flush());
  const std::int64_t after = now_ms();
  for (const auto& message : read_all(broker.bootstrap(), "stamped")) {
    CHECK(message.timestamp_ms >= before);
    CHECK(message.timestamp_ms <= after);
  }
  Client client(broker);
  CHECK(client.offset_at("stamped", before) == 0);
  CHECK(client.offset_at("stamped", after + 1000) == RD_KAFKA_OFFSET_END);
}

TEST_CASE("a look-up by time finds the exact record within a batch") {
  Broker broker;
  broker.create_topic("times", 1, {"retention.ms=-1"});  // they are years ago
  for (const std::string codec : {"none", "zstd"}) {
    KafkaProducer producer(broker.bootstrap(), {{"compression.codec", codec}, {"linger.ms", "50"}});
    const std::int64_t base = codec == "none" ? 1'600'000'000'000 : 1'600'001'000'000;
    for (int i = 0; i < 100; ++i) producer.send("times", "k", std::to_string(i), {}, 0, {}, base + i * 10);
    REQUIRE(producer.flush());
  }
  Client client(broker);
  CHECK(client.offset_at("times", 1'600'000'000'000) == 0);
  CHECK(client.offset_at("times", 1'600'000'000'401) == 41);
  CHECK(client.offset_at("times", 1'600'000'500'000) == 100);
  CHECK(client.offset_at("times", 1'600'001'000'990) == 199);
  CHECK(client.offset_at("times", 1'600'001'000'991) == RD_KAFKA_OFFSET_END);
}

TEST_CASE("deleted records are gone for consumers, also after kill -9") {
  Broker broker;
  broker.create_topic("deleted");
  KafkaProducer producer(broker.bootstrap());
  for (int i = 0; i < 100; ++i) producer.send("deleted", "k", std::to_string(i), {}, 0);
  REQUIRE(producer.flush());
  {
    Client client(broker);
    CHECK(client.watermarks("deleted") == std::pair<std::int64_t, std::int64_t>{0, 100});
    CHECK(client.delete_before("deleted", 40) == 40);
    CHECK(client.delete_before("deleted", 101) == -RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
    CHECK(client.watermarks("deleted") == std::pair<std::int64_t, std::int64_t>{40, 100});
  }
  broker.kill();
  broker.start();
  const auto read = read_all(broker.bootstrap(), "deleted");
  REQUIRE(read.size() == 60);
  CHECK(read.front().value == "40");
  Client client(broker);
  CHECK(client.delete_before("deleted", RD_KAFKA_OFFSET_END) == 100);
  CHECK(client.watermarks("deleted") == std::pair<std::int64_t, std::int64_t>{100, 100});
  CHECK(read_all(broker.bootstrap(), "deleted").empty());
}

TEST_CASE("a consumer goes on over restarts, each of which is a new leader epoch") {
  Broker broker;
  broker.create_topic("epochs", 2);
  KafkaProducer producer(broker.bootstrap(), {{"message.timeout.ms", "60000"}});
  KafkaConsumer consumer(broker.bootstrap(), "group", {"epochs"}, {{"reconnect.backoff.max.ms", "500"}});
  int sent = 0;
  std::map<std::int32_t, std::int64_t> next;
  for (int run = 0; run < 3; ++run) {
    if (run == 1) broker.restart();
    if (run == 2) {
      broker.kill();
      broker.start();
    }
    for (int i = 0; i < 50; ++i, ++sent) producer.send("epochs", "k", std::to_string(sent), {}, sent % 2);
    REQUIRE(producer.flush(60000));
    for (const auto& message : consumer.take(50, 60000)) {
      CHECK(message.offset == next[message.partition]);
      ++next[message.partition];
    }
    CHECK(next[0] + next[1] == sent);
  }
  CHECK(producer.failed() == 0);
}
