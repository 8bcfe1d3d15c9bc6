// Braid, Apache-2.0.
//
// Administration through librdkafka: partitions, settings, groups and their offsets; and the crash of the broker in
// between.
#include <librdkafka/rdkafka.h>

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "e2e/support/broker.hpp"
#include "e2e/support/command.hpp"
#include "e2e/support/kafka.hpp"

using namespace braid::e2e;

namespace {

/// One admin client; each call sends a request and hands its event to `read`.
class Admin {
 public:
  explicit Admin(const std::string& bootstrap) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap.c_str(), text_, sizeof text_);
    client_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text_, sizeof text_);
    queue_ = rd_kafka_queue_new(client_);
  }
  ~Admin() {
    rd_kafka_queue_destroy(queue_);
    rd_kafka_destroy(client_);
  }

  rd_kafka_resp_err_t create_partitions(const char* topic, std::size_t count) {
    auto* wanted = rd_kafka_NewPartitions_new(topic, count, text_, sizeof text_);
    rd_kafka_CreatePartitions(client_, &wanted, 1, nullptr, queue_);
    rd_kafka_NewPartitions_destroy(wanted);
    return read<rd_kafka_resp_err_t>([](rd_kafka_event_t* event) {
      std::size_t topics = 0;
      const auto* results =
          rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event), &topics);
      REQUIRE(topics == 1);
      return rd_kafka_topic_result_error(results[0]);
    });
  }

  /// Name to "value source".
  std::map<std::string, std::string> configs(rd_kafka_ResourceType_t type, const std::string& name) {
    auto* resource = rd_kafka_ConfigResource_new(type, name.c_str());
    rd_kafka_DescribeConfigs(client_, &resource, 1, nullptr, queue_);
    rd_kafka_ConfigResource_destroy(resource);
    return read<std::map<std::string, std::string>>([](rd_kafka_event_t* event) {
      std::size_t count = 0;
      const auto** resources =
          rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count);
      REQUIRE(count == 1);
      REQUIRE(rd_kafka_ConfigResource_error(resources[0]) == RD_KAFKA_RESP_ERR_NO_ERROR);
      std::map<std::string, std::string> found;
      const auto** entries = rd_kafka_ConfigResource_configs(resources[0], &count);
      for (std::size_t i = 0; i < count; ++i)
        found[rd_kafka_ConfigEntry_name(entries[i])] =
            std::string(rd_kafka_ConfigEntry_value(entries[i])) + " " +
            rd_kafka_ConfigSource_name(rd_kafka_ConfigEntry_source(entries[i]));
      return found;
    });
  }
  rd_kafka_resp_err_t set_config(rd_kafka_ResourceType_t type, const std::string& name, const char* key,
                                 const char* value) {
    auto* resource = rd_kafka_ConfigResource_new(type, name.c_str());
    rd_kafka_ConfigResource_set_config(resource, key, value);
    rd_kafka_AlterConfigs(client_, &resource, 1, nullptr, queue_);
    rd_kafka_ConfigResource_destroy(resource);
    return read<rd_kafka_resp_err_t>([](rd_kafka_event_t* event) {
      std::size_t count = 0;
      const auto** resources =
          rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event), &count);
      REQUIRE(count == 1);
      return rd_kafka_ConfigResource_error(resources[0]);
    });
  }

  /// Group to state.
  std::map<std::string, std::string> groups() {
    rd_kafka_ListConsumerGroups(client_, nullptr, queue_);
    return read<std::map<std::string, std::string>>([](rd_kafka_event_t* event) {
      std::size_t count = 0;
      const auto* result = rd_kafka_event_ListConsumerGroups_result(event);
      const auto** listings = rd_kafka_ListConsumerGroups_result_valid(result, &count);
      std::map<std::string, std::string> found;
      for (std::size_t i = 0; i < count; ++i)
        found[rd_kafka_ConsumerGroupListing_group_id(listings[i])] =
            rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupListing_state(listings[i]));
      return found;
    });
  }
  /// "state members partitions".
  std::string describe(const char* group) {
    rd_kafka_DescribeConsumerGroups(client_, &group, 1, nullptr, queue_);
    return read<std::string>([](rd_kafka_event_t* event) {
      std::size_t count = 0;
      const auto** found =
          rd_kafka_DescribeConsumerGroups_result_groups(rd_kafka_event_DescribeConsumerGroups_result(event), &count);
      REQUIRE(count == 1);
      const std::size_t members = rd_kafka_ConsumerGroupDescription_member_count(found[0]);
      int partitions = 0;
      for (std::size_t i = 0; i < members; ++i) {
        const auto* member = rd_kafka_ConsumerGroupDescription_member(found[0], i);
        partitions += rd_kafka_MemberAssignment_partitions(rd_kafka_MemberDescription_assignment(member))->cnt;
      }
      return std::string(rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupDescription_state(found[0]))) + " " +
             std::to_string(members) + " " + std::to_string(partitions);
    });
  }
  rd_kafka_resp_err_t remove_group(const char* group) {
    auto* wanted = rd_kafka_DeleteGroup_new(group);
    rd_kafka_DeleteGroups(client_, &wanted, 1, nullptr, queue_);
    rd_kafka_DeleteGroup_destroy(wanted);
    return read<rd_kafka_resp_err_t>([](rd_kafka_event_t* event) {
      std::size_t count = 0;
      const auto** results = rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event), &count);
      REQUIRE(count == 1);
      const auto* error = rd_kafka_group_result_error(results[0]);
      return error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
    });
  }
  rd_kafka_resp_err_t remove_offset(const char* group, const char* topic, int partition) {
    auto* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition);
    auto* wanted = rd_kafka_DeleteConsumerGroupOffsets_new(group, list);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_DeleteConsumerGroupOffsets(client_, &wanted, 1, nullptr, queue_);
    rd_kafka_DeleteConsumerGroupOffsets_destroy(wanted);
    return read<rd_kafka_resp_err_t>([](rd_kafka_event_t* event) {
      std::size_t count = 0;
      const auto** results = rd_kafka_DeleteConsumerGroupOffsets_result_groups(
          rd_kafka_event_DeleteConsumerGroupOffsets_result(event), &count);
      REQUIRE(count == 1);
      if (const auto* error = rd_kafka_group_result_error(results[0])) return rd_kafka_error_code(error);
      return rd_kafka_group_result_partitions(results[0])->elems[0].err;
    });
  }
  void commit(const char* group, const char* topic, int partition, std::int64_t offset) {
    auto* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    auto* wanted = rd_kafka_AlterConsumerGroupOffsets_new(group, list);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_AlterConsumerGroupOffsets(client_, &wanted, 1, nullptr, queue_);
    rd_kafka_AlterConsumerGroupOffsets_destroy(wanted);
    read<int>([](rd_kafka_event_t* event) {
      std::size_t count = 0;
      const auto** results = rd_kafka_AlterConsumerGroupOffsets_result_groups(
          rd_kafka_event_AlterConsumerGroupOffsets_result(event), &count);
      REQUIRE(count == 1);
      REQUIRE_FALSE(rd_kafka_group_result_error(results[0]));
      REQUIRE(rd_kafka_group_result_partitions(results[0])->elems[0].err == RD_KAFKA_RESP_ERR_NO_ERROR);
      return 0;
    });
  }
  /// Of all partitions that have one, by "topic-partition". Waits for a coordinator that is still reading its log.
  std::map<std::string, std::int64_t> offsets(const char* group) {
    std::map<std::string, std::int64_t> found;
    REQUIRE(eventually(
        [&] {
          auto* wanted = rd_kafka_ListConsumerGroupOffsets_new(group, nullptr);
          rd_kafka_ListConsumerGroupOffsets(client_, &wanted, 1, nullptr, queue_);
          rd_kafka_ListConsumerGroupOffsets_destroy(wanted);
          const Event event(rd_kafka_queue_poll(queue_, 30000), rd_kafka_event_destroy);
          if (!event || rd_kafka_event_error(event.get())) return false;
          std::size_t count = 0;
          const auto** results = rd_kafka_ListConsumerGroupOffsets_result_groups(
              rd_kafka_event_ListConsumerGroupOffsets_result(event.get()), &count);
          if (count != 1 || rd_kafka_group_result_error(results[0])) return false;
          found.clear();
          const auto* list = rd_kafka_group_result_partitions(results[0]);
          for (int i = 0; i < list->cnt; ++i)
            found[std::string(list->elems[i].topic) + "-" + std::to_string(list->elems[i].partition)] =
                list->elems[i].offset;
          return true;
        },
        30000));
    return found;
  }

 private:
  using Event = std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)>;

  template <class Result>
  Result read(const std::function<Result(rd_kafka_event_t*)>& reader) {
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue_, 30000);
    REQUIRE(event);
    const Event owner(event, rd_kafka_event_destroy);
    INFO(rd_kafka_event_error_string(event));
    REQUIRE(rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR);
    return reader(event);
  }

  char text_[512];
  rd_kafka_t* client_;
  rd_kafka_queue_t* queue_;
};

}  // namespace

TEST_CASE("partitions are added to a topic, and producers find them") {
  Broker broker;
  broker.create_topic("grows", 1);
  Admin admin(broker.bootstrap());
  CHECK(admin.create_partitions("grows", 4) == RD_KAFKA_RESP_ERR_NO_ERROR);
  CHECK(admin.create_partitions("grows", 4) == RD_KAFKA_RESP_ERR_INVALID_PARTITIONS);
  CHECK(admin.create_partitions("missing", 4) == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  KafkaProducer producer(broker.bootstrap());
  producer.send("grows", "k", "in the last one", {}, 3);
  REQUIRE(producer.flush());
  CHECK(producer.acknowledged() == 1);
}

TEST_CASE("settings are described and altered through librdkafka") {
  Broker broker;
  broker.create_topic("t", 1, {"retention.ms=60000"});
  Admin admin(broker.bootstrap());
  auto topic = admin.configs(RD_KAFKA_RESOURCE_TOPIC, "t");
  CHECK(topic["retention.ms"] == "60000 DYNAMIC_TOPIC_CONFIG");
  CHECK(topic["max.message.bytes"] == "1048588 DEFAULT_CONFIG");
  auto node = admin.configs(RD_KAFKA_RESOURCE_BROKER, "1");
  CHECK(node["group.initial.rebalance.delay.ms"] == "0 STATIC_BROKER_CONFIG");
  CHECK(node["log.retention.ms"] == "604800000 DEFAULT_CONFIG");
  CHECK(admin.set_config(RD_KAFKA_RESOURCE_TOPIC, "t", "max.message.bytes", "2000") == RD_KAFKA_RESP_ERR_NO_ERROR);
  topic = admin.configs(RD_KAFKA_RESOURCE_TOPIC, "t");
  CHECK(topic["max.message.bytes"] == "2000 DYNAMIC_TOPIC_CONFIG");
  CHECK(topic["retention.ms"] == "604800000 DEFAULT_CONFIG");
  CHECK(admin.set_config(RD_KAFKA_RESOURCE_TOPIC, "t", "max.message.bytes", "many") ==
        RD_KAFKA_RESP_ERR_INVALID_CONFIG);
  KafkaProducer producer(broker.bootstrap());
  std::string error;
  producer.send("t", std::nullopt, std::string(5000, 'x'), [&](const std::string& e, auto, auto) { error = e; });
  producer.flush();
  CHECK(error.find("too large") != std::string::npos);
}

TEST_CASE("groups are listed, described and deleted, and their offsets altered, over a crash") {
  Broker broker;
  broker.create_topic("read", 4);
  Admin admin(broker.bootstrap());
  auto consumer = std::make_unique<KafkaConsumer>(broker.bootstrap(), "busy", std::vector<std::string>{"read"});
  for (int i = 0; i < 200 && consumer->assigned() != 4; ++i) consumer->poll(100);
  REQUIRE(consumer->assigned() == 4);
  CHECK(admin.groups()["busy"] == "Stable");
  CHECK(admin.describe("busy") == "Stable 1 4");
  CHECK(admin.remove_group("busy") == RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP);
  CHECK(admin.remove_offset("busy", "read", 0) == RD_KAFKA_RESP_ERR_GROUP_SUBSCRIBED_TO_TOPIC);
  consumer.reset();
  CHECK(admin.describe("busy") == "Empty 0 0");

  for (int i = 0; i < 4; ++i) admin.commit("by.hand", "read", i, 10 + i);
  CHECK(admin.groups()["by.hand"] == "Empty");
  CHECK(admin.remove_offset("by.hand", "read", 2) == RD_KAFKA_RESP_ERR_NO_ERROR);
  broker.kill();
  broker.start();
  CHECK(admin.offsets("by.hand") ==
        std::map<std::string, std::int64_t>{{"read-0", 10}, {"read-1", 11}, {"read-3", 13}});
  CHECK(admin.remove_group("by.hand") == RD_KAFKA_RESP_ERR_NO_ERROR);
  CHECK(admin.remove_group("by.hand") == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND);
  CHECK(admin.groups().count("by.hand") == 0);
  CHECK(admin.describe("by.hand").substr(0, 4) == "Dead");
}
