// Braid, Apache-2.0.
//
// Kafka through librdkafka and kcat.
#include <librdkafka/rdkafka.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "e2e/support/broker.hpp"
#include "e2e/support/command.hpp"
#include "e2e/support/kafka.hpp"

using namespace braid::e2e;

TEST_CASE("librdkafka produces and consumes with every codec, keys, headers, tombstones and times byte for byte") {
  Broker broker;
  broker.create_topic("codecs", 1, {"retention.ms=-1"});  // the times below are years ago
  std::vector<KafkaMessage> sent;
  for (const std::string codec : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    KafkaProducer producer(broker.bootstrap(), {{"compression.codec", codec}});
    for (int i = 0; i < 200; ++i) {
      KafkaMessage message;
      message.key = codec + std::string("\0\xff", 2) + std::to_string(i);
      if (i % 10 != 0) message.value = std::string(static_cast<std::size_t>(i * 20), static_cast<char>('a' + i % 26));
      message.headers = {{"codec", codec}, {"binary", std::string("\0\x80\xff", 3)}, {"null", std::nullopt}};
      message.timestamp_ms = 1'700'000'000'000 + i;
      producer.send("codecs", message.key, message.value, {}, 0, message.headers, message.timestamp_ms);
      sent.push_back(message);
    }
    REQUIRE(producer.flush());
    REQUIRE(producer.acknowledged() == 200);
  }
  const auto read = read_all(broker.bootstrap(), "codecs");
  REQUIRE(read.size() == sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    REQUIRE(read[i].offset == static_cast<std::int64_t>(i));
    REQUIRE(read[i].key == sent[i].key);
    REQUIRE(read[i].value == sent[i].value);
    REQUIRE(read[i].headers == sent[i].headers);
    REQUIRE(read[i].timestamp_ms == sent[i].timestamp_ms);
  }
}

TEST_CASE("kcat lists, produces and consumes with every codec, by offset, from the end, and by time") {
  Broker broker;
  broker.create_topic("cat", 2);
  const std::string kcat = "kcat -b " + broker.bootstrap() + " ";
  const auto listed = run(kcat + "-L");
  CHECK(listed.exit_code == 0);
  CHECK(listed.out.find("topic \"cat\" with 2 partitions") != std::string::npos);
  // The address that the client dialled comes back.
  CHECK(listed.out.find("at 127.0.0.1:" + std::to_string(broker.kafka())) != std::string::npos);
  int count = 0;
  for (const std::string codec : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    std::string input;
    for (int i = 0; i < 50; ++i) input += codec + "=" + std::to_string(i) + std::string(200, 'p') + "\n";
    const auto produced = run(kcat + "-P -t cat -p 0 -K = -z " + codec, 30000, input);
    INFO(produced.err);
    REQUIRE(produced.exit_code == 0);
    count += 50;
  }
  const auto consumed = run(kcat + "-C -t cat -p 0 -e -q -f '%k %o\\n'");
  CHECK(consumed.exit_code == 0);
  CHECK(std::count(consumed.out.begin(), consumed.out.end(), '\n') == count);
  CHECK(consumed.out.substr(consumed.out.size() - 9) == "zstd 249\n");
  const auto tail = run(kcat + "-C -t cat -p 0 -o -3 -e -q -f '%o '");
  CHECK(tail.out == "247 248 249 ");
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  run(kcat + "-P -t cat -p 0 -K =", 30000, "late=1\n");
  const auto since = run(kcat + "-C -t cat -p 0 -o s@" + std::to_string(now) + " -e -q -f '%k '");
  CHECK(since.out == "late ");
  const auto query = run(kcat + "-Q -t cat:0:" + std::to_string(now));
  CHECK(query.out.find("offset 250") != std::string::npos);
}

TEST_CASE("an idempotent producer keeps its order and writes nothing twice over a restart of the broker") {
  Broker broker;
  broker.create_topic("exact", 3);
  KafkaProducer producer(broker.bootstrap(), {{"enable.idempotence", "true"}, {"message.timeout.ms", "120000"}});
  constexpr int count = 6000;
  for (int i = 0; i < count; ++i) {
    producer.send("exact", "k", std::to_string(i), {}, i % 3);
    producer.poll();
    if (i == 2000) {
      broker.kill();
      broker.start();
    }
    if (i == 4000) broker.restart();
  }
  REQUIRE(producer.flush(120000));
  CHECK(producer.acknowledged() == count);
  std::map<std::int32_t, int> next = {{0, 0}, {1, 1}, {2, 2}};
  const auto records = read_all(broker.bootstrap(), "exact");
  REQUIRE(records.size() == count);
  for (const auto& record : records) {
    REQUIRE(std::stoi(*record.value) == next[record.partition]);
    next[record.partition] += 3;
  }
}

TEST_CASE("a group shares a topic while members join and leave under load, and every record is read") {
  Broker broker;
  broker.create_topic("shared", 6);
  std::atomic<bool> stop{false};
  std::atomic<int> produced{0};
  std::thread load([&] {
    KafkaProducer producer(broker.bootstrap());
    for (int i = 0; !stop; ++i) {
      producer.send("shared", "key" + std::to_string(i % 100), std::to_string(i));
      producer.poll();
      ++produced;
      if (i % 20 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    producer.flush();
  });
  std::mutex mutex;
  std::set<int> read;
  std::vector<std::thread> members;
  std::vector<std::unique_ptr<std::atomic<bool>>> leave;
  std::vector<std::unique_ptr<std::atomic<std::size_t>>> assigned;
  const auto join = [&](const std::string& strategy) {
    leave.push_back(std::make_unique<std::atomic<bool>>(false));
    assigned.push_back(std::make_unique<std::atomic<std::size_t>>(0));
    members.emplace_back([&, strategy, &gone = *leave.back(), &share = *assigned.back()] {
      KafkaConsumer consumer(broker.bootstrap(), "workers", {"shared"},
                             {{"partition.assignment.strategy", strategy},
                              {"session.timeout.ms", "6000"},
                              {"heartbeat.interval.ms", "200"},
                              {"auto.commit.interval.ms", "200"}});
      while (!gone) {
        if (auto message = consumer.poll(50)) {
          const std::lock_guard lock(mutex);
          read.insert(std::stoi(*message->value));
        }
        share = consumer.assigned();
      }
    });
  };
  const auto total = [&] {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < leave.size(); ++i)
      if (!*leave[i]) sum += *assigned[i];
    return sum;
  };
  join("range,roundrobin");
  CHECK(eventually([&] { return total() == 6; }, 20000));
  join("range,roundrobin");
  join("range,roundrobin");
  CHECK(eventually([&] { return *assigned[0] == 2 && *assigned[1] == 2 && *assigned[2] == 2; }, 20000));
  *leave[0] = true;
  CHECK(eventually([&] { return *assigned[1] == 3 && *assigned[2] == 3; }, 20000));
  *leave[1] = true;
  CHECK(eventually([&] { return *assigned[2] == 6; }, 20000));
  stop = true;
  load.join();
  CHECK(eventually(
      [&] {
        const std::lock_guard lock(mutex);
        return static_cast<int>(read.size()) == produced;
      },
      30000));
  for (auto& one : leave) *one = true;
  for (auto& member : members) member.join();
}

TEST_CASE("a cooperative group moves only the partitions that it must") {
  Broker broker;
  broker.create_topic("coop", 4);
  const KafkaConfig config = {{"partition.assignment.strategy", "cooperative-sticky"},
                              {"heartbeat.interval.ms", "200"},
                              {"session.timeout.ms", "6000"}};
  KafkaConsumer first(broker.bootstrap(), "coop", {"coop"}, config);
  REQUIRE(eventually(
      [&] {
        first.poll(50);
        return first.assigned() == 4;
      },
      20000));
  KafkaConsumer second(broker.bootstrap(), "coop", {"coop"}, config);
  REQUIRE(eventually(
      [&] {
        first.poll(20);
        second.poll(20);
        return first.assigned() == 2 && second.assigned() == 2;
      },
      20000));
  second.close();
  REQUIRE(eventually(
      [&] {
        first.poll(50);
        return first.assigned() == 4;
      },
      20000));
}

TEST_CASE("committed offsets survive restart and kill") {
  Broker broker;
  broker.create_topic("kept", 2);
  KafkaProducer producer(broker.bootstrap());
  for (int i = 0; i < 100; ++i) producer.send("kept", std::nullopt, std::to_string(i), {}, i % 2);
  REQUIRE(producer.flush());
  {
    KafkaConsumer consumer(broker.bootstrap(), "g", {"kept"}, {{"enable.auto.commit", "false"}});
    REQUIRE(consumer.take(100).size() == 100);
    REQUIRE(consumer.commit() == "");
  }
  for (const bool kill : {false, true}) {
    if (kill) {
      broker.kill();
      broker.start();
    } else {
      broker.restart();
    }
    producer.send("kept", std::nullopt, "new", {}, 0);
    REQUIRE(producer.flush());
    KafkaConsumer consumer(broker.bootstrap(), "g", {"kept"}, {{"enable.auto.commit", "false"}});
    const auto read = consumer.take(1);
    REQUIRE(read.size() == 1);
    CHECK(read[0].value == "new");
    CHECK(consumer.take(1, 500).empty());
    REQUIRE(consumer.commit() == "");
  }
}

TEST_CASE("topics are made on first use when the setting allows it, and not otherwise") {
  {
    Broker broker;
    KafkaProducer producer(broker.bootstrap());
    producer.send("made.on.demand", "k", "v");
    REQUIRE(producer.flush());
    CHECK(read_all(broker.bootstrap(), "made.on.demand").size() == 1);
  }
  Broker strict({"kafka.auto_create_topics=false"});
  KafkaProducer producer(strict.bootstrap(), {{"message.timeout.ms", "3000"}});
  producer.send("absent", "k", "v");
  producer.flush(10000);
  CHECK(producer.failed() == 1);
}

TEST_CASE("admin requests of librdkafka create and delete topics, with Kafka's errors") {
  Broker broker;
  char text[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", broker.bootstrap().c_str(), text, sizeof text);
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
  const auto create = [&](const char* name, int partitions, const char* key = nullptr, const char* value = nullptr) {
    auto* topic = rd_kafka_NewTopic_new(name, partitions, 1, text, sizeof text);
    if (key) rd_kafka_NewTopic_set_config(topic, key, value);
    rd_kafka_CreateTopics(client, &topic, 1, nullptr, queue);
    rd_kafka_NewTopic_destroy(topic);
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 10000);
    REQUIRE(event);
    std::size_t count = 0;
    const auto* results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    REQUIRE(count == 1);
    const auto error = rd_kafka_topic_result_error(results[0]);
    rd_kafka_event_destroy(event);
    return error;
  };
  const auto remove = [&](const char* name) {
    auto* topic = rd_kafka_DeleteTopic_new(name);
    rd_kafka_DeleteTopics(client, &topic, 1, nullptr, queue);
    rd_kafka_DeleteTopic_destroy(topic);
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 10000);
    REQUIRE(event);
    std::size_t count = 0;
    const auto* results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count);
    REQUIRE(count == 1);
    const auto error = rd_kafka_topic_result_error(results[0]);
    rd_kafka_event_destroy(event);
    return error;
  };
  CHECK(create("made", 3, "retention.ms", "60000") == RD_KAFKA_RESP_ERR_NO_ERROR);
  CHECK(create("made", 3) == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS);
  CHECK(create("not/a/name", 3) == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION);
  CHECK(create("odd", 3, "no.such.setting", "1") == RD_KAFKA_RESP_ERR_INVALID_CONFIG);
  CHECK(remove("made") == RD_KAFKA_RESP_ERR_NO_ERROR);
  CHECK(remove("made") == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  rd_kafka_queue_destroy(queue);
  rd_kafka_destroy(client);
}

TEST_CASE("a consumer below the log start or beyond its end is told so and starts anew as its policy says") {
  Broker broker;
  broker.create_topic("range", 1);
  KafkaProducer producer(broker.bootstrap());
  for (int i = 0; i < 10; ++i) producer.send("range", std::nullopt, std::to_string(i), {}, 0);
  REQUIRE(producer.flush());
  const std::string kcat = "kcat -b " + broker.bootstrap() + " -C -t range -p 0 -q -e -f '%o ' ";
  CHECK(run(kcat + "-o 5").out == "5 6 7 8 9 ");
  CHECK(run(kcat + "-o 1000 -X auto.offset.reset=earliest").out == "0 1 2 3 4 5 6 7 8 9 ");
}

TEST_CASE("messages too large for the topic are refused, and the rest go on") {
  Broker broker;
  broker.create_topic("small", 1, {"max.message.bytes=2000"});
  KafkaProducer producer(broker.bootstrap(), {{"linger.ms", "0"}, {"batch.num.messages", "1"}});
  std::string error;
  producer.send("small", std::nullopt, std::string(5000, 'x'), [&](const std::string& e, auto, auto) { error = e; });
  REQUIRE(producer.flush());
  CHECK(error.find("too large") != std::string::npos);
  producer.send("small", std::nullopt, "fits");
  REQUIRE(producer.flush());
  CHECK(read_all(broker.bootstrap(), "small").size() == 1);
}
