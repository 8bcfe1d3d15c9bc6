// Braid, Apache-2.0.
//
// Produce, Fetch and ListOffsets against real partitions of a simulated node.
#include "support/seed.hpp"
#include "unit/actors/kafka_world.hpp"

namespace braid::test {

using namespace kafka;

namespace {

ProduceResponse::Partition produce(KafkaClient& client, const ProduceRequest& request, std::int16_t version = 9) {
  return client.call<ProduceResponse>(request, version).responses.at(0).partition_responses.at(0);
}
FetchResponse::Partition fetch(KafkaClient& client, const FetchRequest& request, std::int16_t version = 12) {
  const auto response = client.call<FetchResponse>(request, version);
  CHECK(response.error_code == ErrorCode::none);
  CHECK(response.session_id == 0);
  return response.responses.at(0).partitions.at(0);
}
ListOffsetsResponse::Partition list(KafkaClient& client, const std::string& topic, std::int64_t timestamp,
                                    std::int16_t version = 7) {
  ListOffsetsRequest request;
  request.replica_id = -1;
  request.topics.resize(1);
  request.topics[0].name = Text(topic);
  ListOffsetsRequest::Partition partition;
  partition.timestamp = timestamp;
  request.topics[0].partitions.push_back(partition);
  return client.call<ListOffsetsResponse>(request, version).topics.at(0).partitions.at(0);
}

}  // namespace

TEST_CASE("what is produced in every version is fetched in every version") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  const TopicId id = world.topic_id("t");
  std::vector<std::string> expected;
  for (std::int16_t version = 3; version <= 13; ++version) {
    const std::string value = "version " + std::to_string(version);
    auto request = produce_to("t", 0, make_batch({value, value}), version % 2 ? -1 : 1);
    request.topic_data[0].topic_id = id;
    const auto place = produce(client, request, version);
    CHECK(place.error_code == ErrorCode::none);
    CHECK(place.base_offset == static_cast<std::int64_t>(expected.size()));
    CHECK(place.log_append_time_ms == -1);
    expected.insert(expected.end(), 2, value);
  }
  for (std::int16_t version = 4; version <= 18; ++version) {
    auto request = fetch_from("t", {{0, 0}});
    request.topics[0].topic_id = id;
    const auto place = fetch(client, request, version);
    INFO("version " << version);
    CHECK(place.error_code == ErrorCode::none);
    CHECK(place.high_watermark == static_cast<std::int64_t>(expected.size()));
    CHECK(place.last_stable_offset == place.high_watermark);
    CHECK(values_of(place) == expected);
  }
}

TEST_CASE("a bad partition of a request does not spoil the good ones") {
  KafkaWorld world;
  world.create_topic("t", 2);
  auto& client = world.client();
  Bytes broken = make_batch({"broken"});
  broken.stamp()[broken.size() - 1] ^= 1;
  auto request = produce_to("t", 0, make_batch({"good"}));
  request.topic_data[0].partition_data.push_back({1, Records(broken)});
  request.topic_data[0].partition_data.push_back({2, Records(make_batch({"nowhere"}))});
  request.topic_data[0].partition_data.push_back({-1, Records(make_batch({"nowhere"}))});
  request.topic_data.push_back({Text("unknown"), {}, {{0, Records(make_batch({"nowhere"}))}}});
  request.topic_data.push_back({Text("__consumer_offsets"), {}, {{0, Records(make_batch({"forged"}))}}});
  const auto response = client.call<ProduceResponse>(request, 8);
  const auto& t = response.responses.at(0).partition_responses;
  CHECK(t.at(0).error_code == ErrorCode::none);
  CHECK(t.at(1).error_code == ErrorCode::corrupt_message);
  CHECK(t.at(1).base_offset == -1);
  CHECK(t.at(1).error_message);
  CHECK(t.at(2).error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(t.at(3).error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(response.responses.at(1).partition_responses.at(0).error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(response.responses.at(2).partition_responses.at(0).error_code == ErrorCode::invalid_topic_exception);
  CHECK(values_of(fetch(client, fetch_from("t", {{0, 0}}))) == std::vector<std::string>{"good"});
}

TEST_CASE("exactly one batch of format 2 is taken per partition") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  const Bytes one = make_batch({"one"});
  ByteWriter two;
  two.raw(one);
  two.raw(one);
  Bytes old = Bytes::copy(one.view());
  old.stamp()[16] = 1;
  CHECK(produce(client, produce_to("t", 0, two.finish())).error_code == ErrorCode::invalid_record);
  CHECK(produce(client, produce_to("t", 0, old)).error_code == ErrorCode::invalid_record);
  CHECK(produce(client, produce_to("t", 0, Bytes{})).error_code == ErrorCode::invalid_record);
  CHECK(produce(client, produce_to("t", 0, one.slice(0, one.size() - 1))).error_code == ErrorCode::corrupt_message);
  CHECK(produce(client, produce_to("t", 0, one.slice(0, 20))).error_code == ErrorCode::corrupt_message);
  const Bytes zstd = make_batch({"z"}, Timestamp{1}, {}, Compression::zstd);
  CHECK(produce(client, produce_to("t", 0, zstd), 6).error_code == ErrorCode::unsupported_compression_type);
  CHECK(produce(client, produce_to("t", 0, zstd), 7).error_code == ErrorCode::none);
  CHECK(produce(client, produce_to("t", 0, one)).base_offset == 1);
}

TEST_CASE("batches of every codec are kept as they came") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  std::vector<std::string> expected;
  for (const auto codec :
       {Compression::none, Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd}) {
    const std::vector<std::string> values = {std::string(500, 'a'), std::string(500, 'b')};
    CHECK(produce(client, produce_to("t", 0, make_batch(values, Timestamp{5}, {}, codec))).error_code ==
          ErrorCode::none);
    expected.insert(expected.end(), values.begin(), values.end());
  }
  CHECK(values_of(fetch(client, fetch_from("t", {{0, 0}}))) == expected);
}

TEST_CASE("acknowledgements that do not exist are refused, and transactions are too") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  CHECK(produce(client, produce_to("t", 0, make_batch({"v"}), 2)).error_code == ErrorCode::invalid_required_acks);
  auto request = produce_to("t", 0, make_batch({"v"}));
  request.transactional_id = Text("tx");
  CHECK(produce(client, request).error_code == ErrorCode::transactional_id_authorization_failed);
  CHECK(fetch(client, fetch_from("t", {{0, 0}})).high_watermark == 0);
}

TEST_CASE("acks=0 has no answer, and its failure ends the connection") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  client.send(produce_to("t", 0, make_batch({"quiet"}), 0), 7);
  const auto id = client.send(ApiVersionsRequest{}, 0);
  REQUIRE(client.wait(id));
  CHECK(client.order() == std::vector<std::int32_t>{id});
  CHECK(values_of(fetch(client, fetch_from("t", {{0, 0}}, 1000))) == std::vector<std::string>{"quiet"});
  client.send(produce_to("unknown", 0, make_batch({"lost"}), 0), 7);
  CHECK(client.wait_closed());
}

TEST_CASE("acks=0 stores although the connection ends before the partition is open") {
  for (const auto seed : {test_seed(), test_seed() + 1, test_seed() + 2, test_seed() + 3}) {
    CAPTURE(seed);
    KafkaWorld world({}, seed);
    constexpr std::int32_t partitions = 6;
    world.create_topic("t", partitions);
    ProduceRequest request = produce_to("t", 0, make_batch({"0"}), 0);
    for (std::int32_t i = 1; i < partitions; ++i)
      request.topic_data[0].partition_data.push_back({i, Records(make_batch({std::to_string(i)}))});
    world.client().send_last(request, 9);
    auto& reader = world.client();
    for (std::int32_t i = 0; i < partitions; ++i)
      CHECK(values_of(fetch(reader, fetch_from("t", {{i, 0}}, 10000))) == std::vector{std::to_string(i)});
  }
}

TEST_CASE("a batch beyond max.message.bytes of its topic is too large") {
  KafkaWorld world;
  world.create_topic("t", 1, {{"max.message.bytes", "1000"}});
  auto& client = world.client();
  CHECK(produce(client, produce_to("t", 0, make_batch({std::string(2000, 'x')}))).error_code ==
        ErrorCode::message_too_large);
  CHECK(produce(client, produce_to("t", 0, make_batch({std::string(500, 'x')}))).error_code == ErrorCode::none);
}

TEST_CASE("an idempotent producer's retry gets the first offset, its gap an error") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  InitProducerIdRequest init;
  init.transactional_id.reset();
  const auto first = client.call<InitProducerIdResponse>(init, 4),
             second = client.call<InitProducerIdResponse>(init, 0);
  CHECK(first.error_code == ErrorCode::none);
  CHECK(first.producer_epoch == 0);
  CHECK(first.producer_id != second.producer_id);
  BatchProducer producer{ProducerId{first.producer_id}, ProducerEpoch{0}, 0, false};
  const auto send = [&](std::int32_t sequence) {
    producer.base_sequence = sequence;
    return produce(client, produce_to("t", 0, make_batch({"v", "w"}, Timestamp{1}, producer)));
  };
  CHECK(send(0).base_offset == 0);
  CHECK(send(2).base_offset == 2);
  const auto again = send(0);
  CHECK(again.error_code == ErrorCode::none);
  CHECK(again.base_offset == 0);
  CHECK(send(6).error_code == ErrorCode::out_of_order_sequence_number);
  CHECK(fetch(client, fetch_from("t", {{0, 0}})).high_watermark == 4);
}

TEST_CASE("a transactional producer is told at once that it has come to the wrong place") {
  KafkaWorld world;
  auto& client = world.client();
  InitProducerIdRequest init;
  init.transactional_id = Text("tx");
  CHECK(client.call<InitProducerIdResponse>(init, 4).error_code == ErrorCode::transactional_id_authorization_failed);
  FindCoordinatorRequest find;
  find.key = Text("tx");
  find.key_type = 1;
  CHECK(client.call<FindCoordinatorResponse>(find, 2).error_code == ErrorCode::transactional_id_authorization_failed);
}

TEST_CASE("a fetch waits for records and is woken by them") {
  KafkaWorld world;
  world.create_topic("t", 2);
  auto& reader = world.client();
  auto& writer = world.client();
  const auto waiting = reader.send(fetch_from("t", {{0, 0}, {1, 0}}, 20000), 12);
  world.world().run_for(5000);
  CHECK_FALSE(reader.answered(waiting));
  produce(writer, produce_to("t", 1, make_batch({"news"})));
  REQUIRE(reader.wait(waiting, 100));
  const auto response = reader.read<FetchResponse>(waiting, 12);
  CHECK(values_of(response.responses.at(0).partitions.at(0)).empty());
  CHECK(values_of(response.responses.at(0).partitions.at(1)) == std::vector<std::string>{"news"});
}

TEST_CASE("a fetch that finds nothing is answered when its wait is over") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  const auto id = client.send(fetch_from("t", {{0, 0}}, 500), 12);
  world.world().run_for(400);
  CHECK_FALSE(client.answered(id));
  REQUIRE(client.wait(id, 300));
  const auto response = client.read<FetchResponse>(id, 12);
  CHECK(response.responses.at(0).partitions.at(0).error_code == ErrorCode::none);
  CHECK(values_of(response.responses.at(0).partitions.at(0)).empty());
}

TEST_CASE("a fetch gathers until min_bytes is there or time is up") {
  KafkaWorld world;
  world.create_topic("t", 3);
  auto& reader = world.client();
  auto& writer = world.client();
  produce(writer, produce_to("t", 0, make_batch({"a"})));
  const auto waiting = reader.send(fetch_from("t", {{0, 0}, {1, 0}, {2, 0}}, 20000, 2500), 12);
  world.world().run_for(1000);
  CHECK_FALSE(reader.answered(waiting));
  produce(writer, produce_to("t", 1, make_batch({std::string(1000, 'b')})));
  produce(writer, produce_to("t", 0, make_batch({"c"})));
  world.world().run_for(1000);
  CHECK_FALSE(reader.answered(waiting));
  produce(writer, produce_to("t", 1, make_batch({std::string(2000, 'd')})));
  REQUIRE(reader.wait(waiting, 100));
  const auto response = reader.read<FetchResponse>(waiting, 12);
  CHECK(values_of(response.responses.at(0).partitions.at(0)) == std::vector<std::string>{"a", "c"});
  CHECK(values_of(response.responses.at(0).partitions.at(1)).size() == 2);

  const auto poor = reader.send(fetch_from("t", {{0, 0}}, 1000, 1 << 20), 12);
  REQUIRE(reader.wait(poor, 2000));
  CHECK(values_of(reader.read<FetchResponse>(poor, 12).responses.at(0).partitions.at(0)).size() == 2);
}

TEST_CASE("a batch larger than every limit comes whole, and only the first one does") {
  KafkaWorld world;
  world.create_topic("t", 3);
  auto& client = world.client();
  const std::string large(10000, 'x');
  produce(client, produce_to("t", 1, make_batch({large})));
  produce(client, produce_to("t", 2, make_batch({large})));
  auto request = fetch_from("t", {{0, 0}, {1, 0}, {2, 0}}, 1000);
  request.max_bytes = 100;
  for (auto& partition : request.topics[0].partitions) partition.partition_max_bytes = 100;
  const auto partitions = client.call<FetchResponse>(request, 12).responses.at(0).partitions;
  CHECK(values_of(partitions.at(0)).empty());
  CHECK(values_of(partitions.at(1)) == std::vector<std::string>{large});
  CHECK(values_of(partitions.at(2)).empty());
  CHECK(partitions.at(2).high_watermark == 1);
}

TEST_CASE("what empty partitions leave over is given to the later ones") {
  KafkaWorld world;
  world.create_topic("t", 8);
  auto& client = world.client();
  const std::string value(1000, 'x');
  for (int i = 0; i < 4; ++i) produce(client, produce_to("t", 7, make_batch({value})));
  std::vector<std::pair<std::int32_t, std::int64_t>> all;
  for (int i = 0; i < 8; ++i) all.emplace_back(i, 0);
  auto request = fetch_from("t", all);
  request.max_bytes = 10000;
  for (auto& partition : request.topics[0].partitions) partition.partition_max_bytes = 5000;
  const auto partitions = client.call<FetchResponse>(request, 12).responses.at(0).partitions;
  CHECK(values_of(partitions.at(7)).size() == 4);
}

TEST_CASE("a fetch does not go beyond max_bytes when every partition has more") {
  KafkaWorld world;
  world.create_topic("t", 4);
  auto& client = world.client();
  for (int partition = 0; partition < 4; ++partition)
    for (int i = 0; i < 10; ++i) produce(client, produce_to("t", partition, make_batch({std::string(1000, 'x')})));
  auto request = fetch_from("t", {{0, 0}, {1, 0}, {2, 0}, {3, 0}});
  request.max_bytes = 12000;
  for (auto& partition : request.topics[0].partitions) partition.partition_max_bytes = 8000;
  std::size_t bytes = 0;
  const auto response = client.call<FetchResponse>(request, 12);
  for (const auto& partition : response.responses.at(0).partitions) {
    CHECK(partition.records->size() <= 8000);
    CHECK(partition.high_watermark == 10);
    bytes += partition.records->size();
  }
  CHECK(bytes <= 12000);
  CHECK(bytes > 8000);
}

TEST_CASE("a fetch out of range is told the range; unknown places and epochs have their codes") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  produce(client, produce_to("t", 0, make_batch({"a", "b"})));
  const auto beyond = fetch(client, fetch_from("t", {{0, 3}}, 60000));
  CHECK(beyond.error_code == ErrorCode::offset_out_of_range);
  CHECK(beyond.high_watermark == 2);
  CHECK(beyond.log_start_offset == 0);
  CHECK(fetch(client, fetch_from("t", {{0, -1}}, 60000)).error_code == ErrorCode::offset_out_of_range);
  CHECK(fetch(client, fetch_from("t", {{1, 0}}, 60000)).error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(fetch(client, fetch_from("u", {{0, 0}}, 60000)).error_code == ErrorCode::unknown_topic_or_partition);
  auto request = fetch_from("t", {{0, 0}}, 60000);
  request.topics[0].topic_id.bytes.fill(9);
  CHECK(fetch(client, request, 13).error_code == ErrorCode::unknown_topic_id);
  request.topics[0].partitions[0].current_leader_epoch = 1000;
  CHECK(fetch(client, request).error_code == ErrorCode::unknown_leader_epoch);
}

TEST_CASE("an error in one partition does not keep another one's records waiting") {
  KafkaWorld world;
  world.create_topic("t", 2);
  auto& client = world.client();
  produce(client, produce_to("t", 0, make_batch({"a"})));
  const auto partitions =
      client.call<FetchResponse>(fetch_from("t", {{1, 99}, {0, 0}}, 60000), 12).responses.at(0).partitions;
  CHECK(partitions.at(0).error_code == ErrorCode::offset_out_of_range);
  CHECK(values_of(partitions.at(1)) == std::vector<std::string>{"a"});
}

TEST_CASE("aborted transactions are null unless read committed was asked for") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  auto request = fetch_from("t", {{0, 0}});
  CHECK_FALSE(fetch(client, request).aborted_transactions);
  request.isolation_level = 1;
  CHECK(fetch(client, request).aborted_transactions);
}

TEST_CASE("a fetch that counts on a session of another broker is sent back to begin anew") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  auto request = fetch_from("t", {{0, 0}}, 60000);
  request.session_id = 42;
  request.session_epoch = 3;
  CHECK(client.call<FetchResponse>(request, 12).error_code == ErrorCode::fetch_session_id_not_found);
  request.session_id = 0;
  CHECK(client.call<FetchResponse>(request, 12).error_code == ErrorCode::fetch_session_id_not_found);
  request.session_epoch = 0;
  request.max_wait_ms = 0;
  CHECK(client.call<FetchResponse>(request, 12).error_code == ErrorCode::none);
}

TEST_CASE("a fetch from a topic that is deleted meanwhile is answered at once") {
  KafkaWorld world;
  world.create_topic("t");
  auto& reader = world.client();
  auto& admin = world.client();
  const auto waiting = reader.send(fetch_from("t", {{0, 0}}, 60000), 12);
  world.world().run_for(1000);
  DeleteTopicsRequest remove;
  remove.topic_names.push_back(Text("t"));
  CHECK(admin.call<DeleteTopicsResponse>(remove, 5).responses.at(0).error_code == ErrorCode::none);
  REQUIRE(reader.wait(waiting, 1000));
  CHECK(reader.read<FetchResponse>(waiting, 12).responses.at(0).partitions.at(0).error_code ==
        ErrorCode::unknown_topic_or_partition);
}

TEST_CASE("a reader that goes away leaves nothing parked, and others are woken all the same") {
  KafkaWorld world;
  world.create_topic("t");
  auto& gone = world.client();
  auto& stays = world.client();
  auto& writer = world.client();
  gone.send(fetch_from("t", {{0, 0}}, 600000), 12);
  const auto waiting = stays.send(fetch_from("t", {{0, 0}}, 600000), 12);
  world.world().run_for(1000);
  gone.close();
  world.world().run_for(1000);
  produce(writer, produce_to("t", 0, make_batch({"v"})));
  CHECK(stays.wait(waiting, 1000));
}

TEST_CASE("offsets are listed by their ends and by time") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  CHECK(list(client, "t", -1).offset == 0);
  CHECK(list(client, "t", -2).offset == 0);
  CHECK(list(client, "t", -3).offset == -1);
  produce(client, produce_to("t", 0, make_batch({"a", "b"}, Timestamp{1000})));
  produce(client, produce_to("t", 0, make_batch({"c"}, Timestamp{3000})));
  produce(client, produce_to("t", 0, make_batch({"d"}, Timestamp{2000})));
  CHECK(list(client, "t", -1).offset == 4);
  CHECK(list(client, "t", -1).timestamp == -1);
  CHECK(list(client, "t", -2).offset == 0);
  CHECK(list(client, "t", -3).offset == 2);
  CHECK(list(client, "t", -3).timestamp == 3000);
  CHECK(list(client, "t", 0).offset == 0);
  CHECK(list(client, "t", 1001).offset == 2);
  CHECK(list(client, "t", 1001).timestamp == 3000);
  const auto none = list(client, "t", 3001);
  CHECK(none.error_code == ErrorCode::none);
  CHECK(none.offset == -1);
  CHECK(none.timestamp == -1);
  CHECK(list(client, "u", -1).error_code == ErrorCode::unknown_topic_or_partition);
}

TEST_CASE("special timestamps count from the version that brought them") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  for (std::int16_t version = 1; version <= 11; ++version) CHECK(list(client, "t", -1, version).offset == 0);
  CHECK(list(client, "t", -3, 6).error_code == ErrorCode::unsupported_version);
  CHECK(list(client, "t", -4, 7).error_code == ErrorCode::unsupported_version);
  CHECK(list(client, "t", -4, 8).offset == 0);
  CHECK(list(client, "t", -5, 9).offset == -1);
  CHECK(list(client, "t", -5, 9).error_code == ErrorCode::none);
  CHECK(list(client, "t", -6, 11).offset == -1);
  CHECK(list(client, "t", -7, 11).error_code == ErrorCode::unsupported_version);
}

TEST_CASE("records with log append time are answered with it") {
  KafkaWorld world;
  world.create_topic("t", 1, {{"message.timestamp.type", "LogAppendTime"}});
  auto& client = world.client();
  const auto place = produce(client, produce_to("t", 0, make_batch({"v"}, Timestamp{1})));
  CHECK(place.log_append_time_ms > 1'000'000'000'000);
  CHECK(list(client, "t", -3).timestamp == place.log_append_time_ms);
}

}  // namespace braid::test
