// Braid, Apache-2.0.
//
// What is refused when it is produced, and with which of Kafka's numbers; what the broker changes in a batch, and what
// it never changes.
#include <cstring>
#include <limits>

#include "unit/actors/kafka_log.hpp"

namespace braid::test {

using namespace kafka;

namespace {

constexpr std::int64_t kNow = 1'700'000'000'000;  ///< where the simulated clock begins

/// `batch` with `change` made to its header, and the right checksum over it.
Bytes altered(const Bytes& batch, const std::function<void(BatchHeader&)>& change) {
  Bytes copy = Bytes::copy(batch.view());
  auto header = *read_batch_header(copy);
  change(header);
  write_batch_header(copy.stamp(), header);
  return copy;
}
Bytes batch_at(const std::vector<std::int64_t>& times, Compression codec = Compression::none) {
  BatchBuilder builder;
  for (const std::int64_t at : times) builder.add(Timestamp{at}, "k", "v");
  return builder.finish(codec);
}

}  // namespace

TEST_CASE("each thing that is wrong with a batch has its number, and is said in words") {
  KafkaWorld world([](Settings& settings) { settings.kafka_protocol.check_compressed_batches = true; });
  world.create_topic("t");
  auto& client = world.client();
  const Bytes good = make_batch({"a", "b", "c"});
  const auto refused = [&](Bytes batch, ErrorCode expected) {
    const auto place = produce_one(client, produce_to("t", 0, std::move(batch)));
    INFO(static_cast<int>(place.error_code) << " " << (place.error_message ? place.error_message->str() : ""));
    CHECK(place.error_code == expected);
    CHECK(place.base_offset == -1);
    CHECK(place.log_append_time_ms == -1);
    CHECK(place.error_message);
  };
  refused(altered(good, [](BatchHeader& h) { h.last_offset_delta = 5; }), ErrorCode::invalid_record);
  refused(altered(good, [](BatchHeader& h) { h.last_offset_delta = 1; }), ErrorCode::invalid_record);
  refused(altered(good, [](BatchHeader& h) { h.record_count = 2; }), ErrorCode::invalid_record);
  refused(altered(good, [](BatchHeader& h) { h.record_count = -1; }), ErrorCode::invalid_record);
  refused(altered(good, [](BatchHeader& h) { h.base_offset = Offset{7}; }), ErrorCode::invalid_record);
  refused(altered(good, [](BatchHeader& h) { h.attributes |= BatchHeader::kControlBit; }), ErrorCode::invalid_record);
  refused(altered(good, [](BatchHeader& h) { h.attributes |= 7; }), ErrorCode::unsupported_compression_type);
  refused(altered(good, [](BatchHeader& h) { h.attributes |= BatchHeader::kLogAppendTimeBit; }),
          ErrorCode::invalid_timestamp);
  refused(altered(good,
                  [](BatchHeader& h) {
                    h.attributes |= BatchHeader::kTransactionalBit;
                    h.producer_id = ProducerId{1};
                    h.producer_epoch = ProducerEpoch{0};
                    h.base_sequence = 0;
                  }),
          ErrorCode::transactional_id_authorization_failed);
  refused(altered(good,
                  [](BatchHeader& h) {
                    h.producer_id = ProducerId{1};
                    h.producer_epoch = ProducerEpoch{0};
                    h.base_sequence = -1;
                  }),
          ErrorCode::invalid_record);
  Bytes flipped = Bytes::copy(good.view());
  flipped.stamp()[30] ^= 1;
  refused(flipped, ErrorCode::corrupt_message);
  // The records of a compressed batch: another number than the header says, and damage under a right checksum.
  const Bytes packed = make_batch({"a", "b", "c"}, Timestamp{kNow}, {}, Compression::lz4);
  refused(altered(packed, [](BatchHeader& h) { h.record_count = 4, h.last_offset_delta = 3; }),
          ErrorCode::invalid_record);
  Bytes broken = Bytes::copy(packed.view());
  broken.stamp()[kBatchHeaderBytes] ^= 1;
  refused(altered(broken, [](BatchHeader&) {}), ErrorCode::invalid_record);
  CHECK(fetch_one(client, fetch_from("t", {{0, 0}})).high_watermark == 0);
}

TEST_CASE("records too far from the broker's clock are refused one by one, from version 8 on") {
  KafkaWorld world;
  world.create_topic("t");
  world.create_topic("narrow", 1,
                     {{"message.timestamp.before.max.ms", "1000"}, {"message.timestamp.after.max.ms", "60000"}});
  auto& client = world.client();
  constexpr std::int64_t hour = 3600 * 1000;
  // An hour into the future is Kafka's default; the past has no limit.
  CHECK(produce_one(client, produce_to("t", 0, batch_at({0, kNow, kNow + hour - 1000}))).error_code == ErrorCode::none);
  for (const Compression codec : {Compression::none, Compression::zstd}) {
    const auto late =
        produce_one(client, produce_to("t", 0, batch_at({kNow, kNow + 2 * hour, 1, kNow + 3 * hour}, codec)));
    CHECK(late.error_code == ErrorCode::invalid_timestamp);
    REQUIRE(late.record_errors.size() == 2);
    CHECK(late.record_errors[0].batch_index == 1);
    CHECK(late.record_errors[1].batch_index == 3);
    CHECK(late.record_errors[0].batch_index_error_message);
    const auto early = produce_one(client, produce_to("narrow", 0, batch_at({kNow + 5000, kNow - 5000}, codec)));
    CHECK(early.error_code == ErrorCode::invalid_timestamp);
    REQUIRE(early.record_errors.size() == 1);
    CHECK(early.record_errors[0].batch_index == 1);
    CHECK(produce_one(client, produce_to("narrow", 0, batch_at({-1, kNow + 5000}, codec))).error_code ==
          ErrorCode::none);
  }
  const auto old_version = produce_one(client, produce_to("t", 0, batch_at({kNow + 2 * hour})), 7);
  CHECK(old_version.error_code == ErrorCode::invalid_timestamp);
  CHECK(old_version.record_errors.empty());
}

TEST_CASE("with log append time no producer's time is too far away, and the batch carries the broker's") {
  KafkaWorld world;
  world.create_topic("t", 1, {{"message.timestamp.type", "LogAppendTime"}});
  auto& client = world.client();
  std::int64_t expected = 0;
  for (const Compression codec : {Compression::none, Compression::gzip}) {
    const auto place = produce_one(client, produce_to("t", 0, batch_at({1, kNow * 2, 5}, codec)));
    REQUIRE(place.error_code == ErrorCode::none);
    CHECK(place.log_append_time_ms >= kNow);
    const auto header = first_batch(fetch_one(client, fetch_from("t", {{0, expected}})));
    CHECK(header.timestamp_type() == TimestampType::log_append_time);
    CHECK(header.max_timestamp.value == place.log_append_time_ms);
    CHECK(header.compression() == codec);
    // A look-up by time finds the first record of the batch: all of them have its time.
    CHECK(list_one(client, "t", place.log_append_time_ms).timestamp == place.log_append_time_ms);
    expected += 3;
  }
  CHECK(list_one(client, "t", kNow * 2).offset == -1);
}

TEST_CASE("a maximum timestamp that is not its records' is put right, so that look-ups by time find them") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  const auto lying =
      altered(batch_at({1000, 3000, 2000}), [](BatchHeader& header) { header.max_timestamp = Timestamp{1}; });
  CHECK(produce_one(client, produce_to("t", 0, lying)).error_code == ErrorCode::none);
  CHECK(first_batch(fetch_one(client, fetch_from("t", {{0, 0}}))).max_timestamp == Timestamp{3000});
  CHECK(list_one(client, "t", 2500).offset == 1);
  CHECK(list_one(client, "t", 2500).timestamp == 3000);
  CHECK(list_one(client, "t", 1500).offset == 1);
  CHECK(list_one(client, "t", -3).offset == 1);
}

TEST_CASE("a topic's codec is that of all its batches, and `producer` keeps every byte") {
  KafkaWorld world;
  const std::pair<std::string, Compression> codecs[] = {{"uncompressed", Compression::none},
                                                        {"gzip", Compression::gzip},
                                                        {"snappy", Compression::snappy},
                                                        {"lz4", Compression::lz4},
                                                        {"zstd", Compression::zstd}};
  world.create_topic("producer");
  for (const auto& [name, codec] : codecs) world.create_topic(name, 1, {{"compression.type", name}});
  auto& client = world.client();
  const std::vector<std::string> values = {std::string(300, 'x'), "", std::string(300, 'y')};
  std::int64_t offset = 0;
  for (const auto& [sent_name, sent] : codecs) {
    const BatchProducer producer{ProducerId{77}, ProducerEpoch{2}, static_cast<std::int32_t>(offset), false};
    const Bytes batch = make_batch(values, Timestamp{kNow}, producer, sent);
    const Bytes before = Bytes::copy(batch.view());
    for (const auto& [name, wanted] : codecs) {
      CAPTURE(sent_name, name);
      const auto place = produce_one(client, produce_to(name, 0, Bytes::copy(before.view())));
      REQUIRE(place.error_code == ErrorCode::none);
      CHECK(place.base_offset == offset);
      const auto read = fetch_one(client, fetch_from(name, {{0, offset}}));
      CHECK(values_of(read, offset) == values);
      const auto header = first_batch(read);
      CHECK(header.compression() == wanted);
      CHECK(header.producer_id == ProducerId{77});
      CHECK(header.base_sequence == offset);
    }
    REQUIRE(produce_one(client, produce_to("producer", 0, batch)).error_code == ErrorCode::none);
    const auto kept = fetch_one(client, fetch_from("producer", {{0, offset}})).records->joined();
    // Everything under the checksum, and the checksum itself.
    CHECK(kept.slice(16) == before.slice(16));
    offset += 3;
  }
}

TEST_CASE("max.message.bytes holds for what a producer sends and for what becomes of it") {
  KafkaWorld world;
  world.create_topic("t", 1, {{"max.message.bytes", "1000"}, {"compression.type", "uncompressed"}});
  auto& client = world.client();
  const auto squeezed = [](std::size_t bytes) {
    return make_batch({std::string(bytes, 'x')}, Timestamp{kNow}, {}, Compression::gzip);
  };
  CHECK(produce_one(client, produce_to("t", 0, squeezed(500))).error_code == ErrorCode::none);
  CHECK(produce_one(client, produce_to("t", 0, squeezed(5000))).error_code == ErrorCode::message_too_large);
  // Met and passed by one byte.
  const std::size_t overhead = make_batch({std::string(500, 'x')}).size() - 500;
  CHECK(produce_one(client, produce_to("t", 0, make_batch({std::string(1000 - overhead, 'x')}))).error_code ==
        ErrorCode::none);
  CHECK(produce_one(client, produce_to("t", 0, make_batch({std::string(1001 - overhead, 'x')}))).error_code ==
        ErrorCode::message_too_large);
}

TEST_CASE("keys, values and headers of any bytes, tombstones among them, come back byte for byte") {
  KafkaWorld world;
  world.create_topic("t");
  auto& client = world.client();
  BatchBuilder builder;
  const std::string binary("\0\xff\xfe\x80\n", 5);
  const HeaderView headers[] = {{"same", binary}, {"same", std::nullopt}, {"", ""}};
  builder.add(Timestamp{kNow}, binary, std::nullopt, headers);
  builder.add(Timestamp{kNow}, std::nullopt, binary);
  builder.add(Timestamp{kNow}, "", "");
  REQUIRE(produce_one(client, produce_to("t", 0, builder.finish())).error_code == ErrorCode::none);
  auto walker = BatchWalker::open(fetch_one(client, fetch_from("t", {{0, 0}})).records->joined(), 1 << 20);
  REQUIRE(walker);
  RecordView record;
  REQUIRE(walker->next(record));
  CHECK(record.key == binary);
  CHECK_FALSE(record.value);
  for (const HeaderView& expected : headers) {
    HeaderView header;
    REQUIRE(record.headers.next(header));
    CHECK(header.key == expected.key);
    CHECK(header.value == expected.value);
  }
  REQUIRE(walker->next(record));
  CHECK_FALSE(record.key);
  CHECK(record.value == binary);
  REQUIRE(walker->next(record));
  CHECK(record.key == "");
  CHECK(record.value == "");
  CHECK_FALSE(walker->next(record));
}

}  // namespace braid::test
