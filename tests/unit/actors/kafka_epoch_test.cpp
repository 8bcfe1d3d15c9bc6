// Braid, Apache-2.0.
//
// Leader epochs: fencing, where an epoch ends, and what a reader whose last record is not there any more is told. And
// the other requests about a partition's log: DeleteRecords, DescribeLogDirs, DescribeProducers.
#include "unit/actors/kafka_log.hpp"

namespace braid::test {

using namespace kafka;

namespace {

OffsetForLeaderEpochResponse::EpochEndOffset epoch_end(KafkaClient& client, const std::string& topic,
                                                       std::int32_t epoch, std::int32_t current = -1,
                                                       std::int16_t version = 4, std::int32_t partition = 0) {
  OffsetForLeaderEpochRequest request;
  request.replica_id = -1;
  request.topics.push_back({Text(topic), {{partition, current, epoch}}});
  return client.call<OffsetForLeaderEpochResponse>(request, version).topics.at(0).partitions.at(0);
}
DeleteRecordsResponse::Partition delete_before(KafkaClient& client, const std::string& topic, std::int64_t offset,
                                               std::int16_t version = 2) {
  DeleteRecordsRequest request;
  request.timeout_ms = 30000;
  request.topics.push_back({Text(topic), {{0, offset}}});
  return client.call<DeleteRecordsResponse>(request, version).topics.at(0).partitions.at(0);
}

}  // namespace

TEST_CASE("every start is a new epoch, told everywhere, and requests with another one are fenced") {
  KafkaWorld world;
  world.create_topic("t");
  const std::int32_t before = world.leader_epoch("t");
  produce_one(world.client(), produce_to("t", 0, make_batch({"a", "b"})));
  world.restart();
  const std::int32_t now = world.leader_epoch("t");
  CHECK(now > before);
  auto& client = world.client();
  MetadataRequest metadata;
  metadata.topics.emplace().push_back({{}, Text("t")});
  CHECK(client.call<MetadataResponse>(metadata, 9).topics.at(0).partitions.at(0).leader_epoch == now);
  CHECK(list_one(client, "t", -1).leader_epoch == now);
  // The first record was written in the epoch before.
  CHECK(list_one(client, "t", -2).leader_epoch == before);
  CHECK(list_one(client, "t", 0).leader_epoch == before);

  CHECK(list_one(client, "t", -1, 7, before).error_code == ErrorCode::fenced_leader_epoch);
  CHECK(list_one(client, "t", -1, 7, now + 1).error_code == ErrorCode::unknown_leader_epoch);
  CHECK(epoch_end(client, "t", now, before).error_code == ErrorCode::fenced_leader_epoch);
  CHECK(epoch_end(client, "t", now, now + 1).error_code == ErrorCode::unknown_leader_epoch);
  auto fetch = fetch_from("t", {{0, 0}}, 60000);
  fetch.topics[0].topic_id = world.topic_id("t");
  for (const auto& [epoch, error] :
       {std::pair{before, ErrorCode::fenced_leader_epoch}, std::pair{now + 1, ErrorCode::unknown_leader_epoch},
        std::pair{now, ErrorCode::none}}) {
    fetch.topics[0].partitions[0].current_leader_epoch = epoch;
    CHECK(fetch_one(client, fetch).error_code == error);
  }
  // From version 16 on the fenced one is told the leader and where it is.
  fetch.topics[0].partitions[0].current_leader_epoch = before;
  const auto hinted = client.call<FetchResponse>(fetch, 16);
  const auto& leader = hinted.responses.at(0).partitions.at(0).current_leader;
  CHECK(leader.leader_id == world.settings().node_id);
  CHECK(leader.leader_epoch == now);
  REQUIRE(hinted.node_endpoints.size() == 1);
  CHECK(hinted.node_endpoints[0].port == world.settings().kafka.port);
  CHECK(client.call<FetchResponse>(fetch, 15).node_endpoints.empty());
}

TEST_CASE("an epoch ends where the next one's first record is") {
  KafkaWorld world;
  world.create_topic("t");
  struct Epoch {
    std::int32_t number;
    std::int64_t end;
  };
  std::vector<Epoch> epochs;
  std::int64_t end = 0;
  for (int run = 0; run < 4; ++run) {
    if (run > 0) world.restart();
    auto& client = world.client();
    const std::int32_t epoch = world.leader_epoch("t");
    CHECK(epoch_end(client, "t", epoch).end_offset == end);
    // In the third run nothing is written.
    if (run != 2)
      for (int i = 0; i <= run * 10; ++i, end += 2)
        REQUIRE(produce_one(client, produce_to("t", 0, make_batch({"a", "b"}))).error_code == ErrorCode::none);
    if (run != 2) epochs.push_back({epoch, end});
    for (const std::int16_t version : {2, 3, 4})
      for (const Epoch& known : epochs) {
        const auto found = epoch_end(client, "t", known.number, epoch, version);
        CHECK(found.error_code == ErrorCode::none);
        CHECK(found.leader_epoch == known.number);
        CHECK(found.end_offset == known.end);
      }
  }
  auto& client = world.client();
  // Between two epochs that wrote: the earlier one's end.
  const auto between = epoch_end(client, "t", epochs[1].number + 1);
  CHECK(between.leader_epoch == epochs[1].number);
  CHECK(between.end_offset == epochs[1].end);
  // Before all of them: the log's start. Not yet there: unknown.
  const auto early = epoch_end(client, "t", 0);
  CHECK(early.leader_epoch == 0);
  CHECK(early.end_offset == 0);
  const auto future = epoch_end(client, "t", epochs.back().number + 1);
  CHECK(future.error_code == ErrorCode::none);
  CHECK(future.leader_epoch == -1);
  CHECK(future.end_offset == -1);
  CHECK(epoch_end(client, "t", 0, -1, 4, 1).error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(epoch_end(client, "u", 0).error_code == ErrorCode::unknown_topic_or_partition);
  // What was deleted is not known of any more.
  REQUIRE(delete_before(client, "t", epochs[1].end).error_code == ErrorCode::none);
  CHECK(epoch_end(client, "t", epochs[0].number).end_offset == epochs[1].end);
  CHECK(list_one(client, "t", -2).leader_epoch == epochs[2].number);
}

TEST_CASE("a reader whose last record is of an epoch that ended earlier is told where the two logs part") {
  KafkaWorld world;
  world.create_topic("t");
  const std::int32_t first = world.leader_epoch("t");
  produce_one(world.client(), produce_to("t", 0, make_batch({"a", "b"})));
  world.restart();
  auto& client = world.client();
  produce_one(client, produce_to("t", 0, make_batch({"c", "d"})));
  const std::int32_t second = world.leader_epoch("t");
  const auto fetch = [&](std::int64_t offset, std::int32_t last_epoch, std::int32_t max_wait_ms = 60000) {
    auto request = fetch_from("t", {{0, offset}}, max_wait_ms);
    request.topics[0].partitions[0].last_fetched_epoch = last_epoch;
    return fetch_one(client, request);
  };
  CHECK(values_of(fetch(2, first)) == std::vector<std::string>{"c", "d"});
  CHECK(values_of(fetch(3, second), 3) == std::vector<std::string>{"d"});
  const auto parted = fetch(3, first);
  CHECK(parted.error_code == ErrorCode::none);
  CHECK(parted.records->empty());
  CHECK(parted.diverging_epoch.epoch == first);
  CHECK(parted.diverging_epoch.end_offset == 2);
  CHECK(parted.high_watermark == 4);
  const auto beyond = fetch(9, second);
  CHECK(beyond.diverging_epoch.epoch == second);
  CHECK(beyond.diverging_epoch.end_offset == 4);
  CHECK(fetch(2, second + 1).error_code == ErrorCode::offset_out_of_range);
  const auto at_end = fetch(4, second, 0);
  CHECK(at_end.error_code == ErrorCode::none);
  CHECK(at_end.diverging_epoch.epoch == -1);
}

TEST_CASE("records before an offset are deleted, and who reads there is told where the log begins") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  for (int i = 0; i < 5; ++i) produce_one(client, produce_to("t", 0, make_batch({"a", "b"})));
  for (std::int16_t version = 0; version <= 2; ++version) {
    const auto place = delete_before(client, "t", 3 + version, version);
    CHECK(place.error_code == ErrorCode::none);
    CHECK(place.low_watermark == 3 + version);
  }
  CHECK(delete_before(client, "t", 2).low_watermark == 5);
  CHECK(list_one(client, "t", -2).offset == 5);
  CHECK(list_one(client, "t", -4, 8).offset == 5);
  const auto below = fetch_one(client, fetch_from("t", {{0, 4}}, 60000));
  CHECK(below.error_code == ErrorCode::offset_out_of_range);
  CHECK(below.log_start_offset == 5);
  CHECK(below.high_watermark == 10);
  // The batch that holds the offset comes whole.
  CHECK(values_of(fetch_one(client, fetch_from("t", {{0, 5}})), 5).size() == 5);
  CHECK(delete_before(client, "t", 11).error_code == ErrorCode::offset_out_of_range);
  CHECK(delete_before(client, "t", 11).low_watermark == -1);
  CHECK(delete_before(client, "t", -2).error_code == ErrorCode::offset_out_of_range);
  CHECK(delete_before(client, "t", -1).low_watermark == 10);
  world.restart();
  CHECK(list_one(world.client(), "t", -2).offset == 10);
  CHECK(delete_before(world.client(), "u", 0).error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(delete_before(world.client(), "__consumer_offsets", 0).error_code == ErrorCode::invalid_topic_exception);
}

TEST_CASE("log directories are described with the sizes of partitions, resting ones too") {
  KafkaWorld world;
  world.create_topic("t", 3);
  world.create_topic("u");
  auto& client = world.client();
  const Bytes batch = make_batch({std::string(1000, 'x')});
  for (int i = 0; i < 3; ++i) produce_one(client, produce_to("t", 1, Bytes::copy(batch.view())));
  for (std::int16_t version = 1; version <= 5; ++version) {
    DescribeLogDirsRequest all;
    all.topics.reset();
    const auto response = client.call<DescribeLogDirsResponse>(all, version);
    CHECK(response.error_code == ErrorCode::none);
    REQUIRE(response.results.size() == 1);
    CHECK(response.results[0].log_dir == world.settings().storage.path);
    if (version >= 4) {
      CHECK(response.results[0].total_bytes > 0);
      CHECK(response.results[0].usable_bytes > 0);
      CHECK(response.results[0].usable_bytes < response.results[0].total_bytes);
    }
    std::map<std::string, std::map<std::int32_t, std::int64_t>> sizes;
    for (const auto& topic : response.results[0].topics)
      for (const auto& partition : topic.partitions)
        sizes[topic.name.str()][partition.partition_index] = partition.partition_size;
    CHECK(sizes.at("t") ==
          std::map<std::int32_t, std::int64_t>{{0, 0}, {1, 3 * static_cast<std::int64_t>(batch.size())}, {2, 0}});
    CHECK(sizes.at("u").size() == 1);
    CHECK(sizes.count("__consumer_offsets") == 1);
  }
  DescribeLogDirsRequest some;
  some.topics.emplace();
  some.topics->push_back({Text("t"), {1, 1, 7, -1}});
  some.topics->push_back({Text("unknown"), {0}});
  const auto response = client.call<DescribeLogDirsResponse>(some, 5);
  REQUIRE(response.results.at(0).topics.size() == 1);
  CHECK(response.results[0].topics[0].partitions.size() == 1);
}

TEST_CASE("producers are described by where they are in their sequences") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  produce_one(client,
              produce_to("t", 0, make_batch({"a", "b"}, Timestamp{5000}, {ProducerId{9}, ProducerEpoch{3}, 0, false})));
  produce_one(client,
              produce_to("t", 0, make_batch({"c"}, Timestamp{6000}, {ProducerId{9}, ProducerEpoch{3}, 2, false})));
  produce_one(client,
              produce_to("t", 0, make_batch({"d"}, Timestamp{7000}, {ProducerId{4}, ProducerEpoch{0}, 7, false})));
  DescribeProducersRequest request;
  request.topics.push_back({Text("t"), {0, 1}});
  request.topics.push_back({Text("u"), {0}});
  const auto response = client.call<DescribeProducersResponse>(request, 0);
  const auto& producers = response.topics.at(0).partitions.at(0).active_producers;
  REQUIRE(producers.size() == 2);
  CHECK(producers[0].producer_id == 4);
  CHECK(producers[0].last_sequence == 7);
  CHECK(producers[1].producer_id == 9);
  CHECK(producers[1].producer_epoch == 3);
  CHECK(producers[1].last_sequence == 2);
  CHECK(producers[1].last_timestamp == 6000);
  CHECK(producers[1].current_txn_start_offset == -1);
  CHECK(response.topics[0].partitions[1].error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(response.topics.at(1).partitions.at(0).error_code == ErrorCode::unknown_topic_or_partition);
}

}  // namespace braid::test
