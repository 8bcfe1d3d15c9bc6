// Braid, Apache-2.0.
//
// Idempotent producers over the wire: the window of five, gaps, wrap, epochs, identities, and what of it survives.
#include <limits>

#include "unit/actors/kafka_log.hpp"

namespace braid::test {

using namespace kafka;

namespace {

constexpr std::int64_t kProducer = 4711;

/// Sends a batch of `count` records that begins at `sequence`.
ProduceResponse::Partition send(KafkaClient& client, std::int32_t sequence, int count = 1, std::int16_t epoch = 0,
                                std::int64_t producer = kProducer, const std::string& topic = "t") {
  const BatchProducer identity{ProducerId{producer}, ProducerEpoch{epoch}, sequence, false};
  return produce_one(client, produce_to(topic, 0,
                                        make_batch(std::vector<std::string>(static_cast<std::size_t>(count), "v"),
                                                   Timestamp{1}, identity)));
}
std::int64_t end_of(KafkaClient& client) {
  return list_one(client, "t", -1).offset;
}

}  // namespace

TEST_CASE("each of the last five batches comes again with its first offset, an older one is out of order") {
  KafkaWorld world;
  world.create_topic("t");
  auto* client = &world.client();
  for (int i = 0; i < 8; ++i) CHECK(send(*client, i * 2, 2).base_offset == i * 2);
  for (const bool after_restart : {false, true}) {
    CAPTURE(after_restart);
    if (after_restart) {
      world.restart();
      client = &world.client();
    }
    for (int i = 3; i < 8; ++i) {
      const auto again = send(*client, i * 2, 2);
      CHECK(again.error_code == ErrorCode::none);
      CHECK(again.base_offset == i * 2);
    }
    CHECK(send(*client, 4, 2).error_code == ErrorCode::out_of_order_sequence_number);
    CHECK(send(*client, 18, 2).error_code == ErrorCode::out_of_order_sequence_number);
    // The same first sequence with another length is another batch.
    CHECK(send(*client, 14, 1).error_code == ErrorCode::out_of_order_sequence_number);
    CHECK(end_of(*client) == 16);
  }
  CHECK(send(*client, 16, 2).base_offset == 16);
}

TEST_CASE("sequences go on at 0 behind 2^31-1, also within a batch") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  constexpr std::int32_t last = std::numeric_limits<std::int32_t>::max();
  CHECK(send(client, last - 2, 2).base_offset == 0);
  // Sequences 2^31-1, 0 and 1.
  CHECK(send(client, last, 3).base_offset == 2);
  CHECK(send(client, last, 3).base_offset == 2);
  CHECK(send(client, 1).error_code == ErrorCode::out_of_order_sequence_number);
  CHECK(send(client, 2).base_offset == 5);
  world.restart();
  CHECK(send(world.client(), last, 3).base_offset == 2);
  CHECK(send(world.client(), 3).base_offset == 6);
}

TEST_CASE("a new epoch begins at sequence 0, an old one is refused; unknown producers begin anywhere") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  CHECK(send(client, 41, 1, 5).base_offset == 0);
  CHECK(send(client, 42, 1, 4).error_code == ErrorCode::invalid_producer_epoch);
  CHECK(send(client, 42, 1, 6).error_code == ErrorCode::out_of_order_sequence_number);
  CHECK(send(client, 0, 1, 6).base_offset == 1);
  CHECK(send(client, 0, 1, 6).base_offset == 1);
  CHECK(send(client, 42, 1, 5).error_code == ErrorCode::invalid_producer_epoch);
  CHECK(send(client, 1, 1, 6).base_offset == 2);
  // The last epoch there is.
  CHECK(send(client, 0, 1, std::numeric_limits<std::int16_t>::max()).base_offset == 3);
  CHECK(send(client, 2, 1, 6).error_code == ErrorCode::invalid_producer_epoch);
  // Another producer's sequence is its own, and another partition's too.
  CHECK(send(client, 7, 1, 0, 99).base_offset == 4);
  world.create_topic("u");
  CHECK(send(client, 500, 1, 0, kProducer, "u").base_offset == 0);
}

TEST_CASE("a retry of a batch that has log append time is answered with the time of the first try") {
  KafkaWorld world;
  world.create_topic("t", 1, {{"message.timestamp.type", "LogAppendTime"}});
  auto& client = world.client();
  const auto first = send(client, 0);
  world.world().run_for(5000);
  const auto again = send(client, 0);
  CHECK(again.base_offset == 0);
  CHECK(again.log_append_time_ms == first.log_append_time_ms);
}

TEST_CASE("an idle producer is forgotten after its time, also in a partition that rests, and not before") {
  KafkaWorld world([](Settings& settings) {
    settings.kafka_protocol.producer_id_expiration_ms = 3600 * 1000;
    settings.storage.idle_partition_timeout_ms = 5000;
  });
  world.create_topic("t");
  CHECK(send(world.client(), 10).base_offset == 0);
  world.world().run_for(3000 * 1000);
  CHECK(send(world.client(), 20).error_code == ErrorCode::out_of_order_sequence_number);
  world.restart();
  world.world().run_for(400 * 1000);
  CHECK(send(world.client(), 10).base_offset == 0);
  CHECK(end_of(world.client()) == 1);
  world.world().run_for(400 * 1000);
  CHECK(send(world.client(), 20).base_offset == 1);
}

TEST_CASE("a partition remembers so many producers and forgets those idle longest") {
  KafkaWorld world([](Settings& settings) { settings.kafka_protocol.max_producers_per_partition = 10; });
  world.create_topic("t");
  auto& client = world.client();
  for (int i = 0; i < 30; ++i) {
    REQUIRE(send(client, 5, 1, 0, 1000 + i).error_code == ErrorCode::none);
    world.world().run_for(10);
  }
  CHECK(send(client, 9, 1, 0, 1029).error_code == ErrorCode::out_of_order_sequence_number);
  CHECK(send(client, 9, 1, 0, 1000).error_code == ErrorCode::none);
}

TEST_CASE("identities of producers: fresh ones in every version, whole ones or none, and none for transactions") {
  KafkaWorld world;
  auto& client = world.client();
  std::int64_t last = -1;
  for (std::int16_t version = 0; version <= 5; ++version) {
    InitProducerIdRequest request;
    request.transactional_id.reset();
    const auto fresh = client.call<InitProducerIdResponse>(request, version);
    CHECK(fresh.error_code == ErrorCode::none);
    CHECK(fresh.producer_id > last);
    CHECK(fresh.producer_epoch == 0);
    last = fresh.producer_id;
    if (version < 3) continue;
    // Who has one gets another, whether or not it has epochs left.
    for (const std::int16_t epoch : {std::int16_t{3}, std::numeric_limits<std::int16_t>::max()}) {
      request.producer_id = last;
      request.producer_epoch = epoch;
      const auto other = client.call<InitProducerIdResponse>(request, version);
      CHECK(other.error_code == ErrorCode::none);
      CHECK(other.producer_id > last);
      CHECK(other.producer_epoch == 0);
      last = other.producer_id;
    }
    request.producer_epoch = -1;
    CHECK(client.call<InitProducerIdResponse>(request, version).error_code == ErrorCode::invalid_request);
    request.producer_id = -1;
    request.producer_epoch = 0;
    CHECK(client.call<InitProducerIdResponse>(request, version).error_code == ErrorCode::invalid_request);
  }
}

}  // namespace braid::test
