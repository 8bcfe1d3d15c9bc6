// Braid, Apache-2.0.
//
// What a builder encodes a walker finds again, under every codec and from every source.
#include <catch2/catch.hpp>
#include <limits>
#include <random>

#include "batch_tools.hpp"
#include "model/batch_builder.hpp"
#include "model/batch_walker.hpp"
#include "support/seed.hpp"

using namespace braid;

namespace {

constexpr std::size_t kLimit = 64 << 20;

std::vector<Message> walk(const Bytes& batch) {
  auto walker = BatchWalker::open(batch, kLimit);
  REQUIRE(walker);
  std::vector<Message> messages;
  RecordView record;
  while (walker->next(record)) {
    CHECK(record.offset == Offset(walker->header().base_offset.value + static_cast<std::int64_t>(messages.size())));
    messages.push_back(walker->message(record));
  }
  CHECK_FALSE(walker->failed());
  return messages;
}

}  // namespace

TEST_CASE("random messages come back the same under every codec") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  BatchBuilder builder;
  for (int round = 0; round < 200; ++round) {
    const auto messages = random_messages(random, 80);
    const auto codec = static_cast<Compression>(random() % 5);
    CAPTURE(to_string(codec), messages.size());
    for (const auto& message : messages) REQUIRE(builder.add(message));
    REQUIRE(builder.count() == static_cast<std::int32_t>(messages.size()));
    const auto uncompressed_bytes = builder.bytes();
    Bytes batch = builder.finish(codec);
    REQUIRE(builder.empty());
    if (codec == Compression::none) REQUIRE(batch.size() == uncompressed_bytes);
    const auto header = validate_batch(batch, {.check_compressed = true});
    REQUIRE(header);
    REQUIRE(header->compression() == codec);
    stamp_batch(batch, Offset(static_cast<std::int64_t>(random() >> 2)), LeaderEpoch(3));
    REQUIRE((walk(batch) == messages));
  }
}

TEST_CASE("messages that librdkafka sent are read under every codec") {
  for (const char* codec : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    CAPTURE(codec);
    const auto messages = walk(librdkafka_batch(codec));
    REQUIRE(messages.size() == 5);
    // A partition's share of keys 1 to 20.
    int previous = 0;
    for (const auto& message : messages) {
      REQUIRE(message.key);
      REQUIRE(message.value);
      const auto number = message.key->str().substr(3);
      CHECK(std::stoi(number) > previous);
      previous = std::stoi(number);
      CHECK(message.key->view() == "key" + number);
      CHECK(message.value->view() == "the quick brown fox jumps over the lazy dog " + number);
      REQUIRE(message.headers.size() == 2);
      CHECK(message.headers[0] == Header{Bytes::copy("h1"), Bytes::copy("v1")});
      CHECK(message.headers[1] == Header{Bytes::copy("h2"), Bytes::copy("")});
    }
  }
}

TEST_CASE("null, empty and absent stay apart") {
  const std::vector<Message> messages{
      {Timestamp(1), std::nullopt, std::nullopt, {}},
      {Timestamp(1), Bytes(), Bytes(), {}},
      {Timestamp(1), Bytes::copy("k"), std::nullopt, {{Bytes(), std::nullopt}, {Bytes(), Bytes()}}}};
  const auto found = walk(batch_of(messages));
  REQUIRE((found == messages));
  CHECK_FALSE(found[0].key.has_value());
  CHECK(found[1].key.has_value());
  CHECK(found[1].value.has_value());
  CHECK_FALSE(found[2].headers[0].value.has_value());
  CHECK(found[2].headers[1].value.has_value());
}

TEST_CASE("views and messages make the same batch") {
  BatchBuilder by_view;
  const HeaderView headers[] = {{"name", "value"}, {"empty", std::nullopt}};
  by_view.add(Timestamp(5), "key", "payload", headers);
  by_view.add(Timestamp(6), std::nullopt, "payload");
  const std::vector<Message> messages{
      {Timestamp(5),
       Bytes::copy("key"),
       Bytes::copy("payload"),
       {{Bytes::copy("name"), Bytes::copy("value")}, {Bytes::copy("empty"), std::nullopt}}},
      {Timestamp(6), std::nullopt, Bytes::copy("payload"), {}}};
  CHECK(by_view.finish() == batch_of(messages));
}

TEST_CASE("payloads are not copied on the way out of a batch") {
  const Bytes batch = batch_of({{Timestamp(1), Bytes::copy("key"), Bytes::copy("payload"), {}}});
  auto walker = BatchWalker::open(batch, kLimit);
  REQUIRE(walker);
  RecordView record;
  REQUIRE(walker->next(record));
  const Bytes value = walker->share(*record.value);
  CHECK(value.data() > batch.data());
  CHECK(value.data() < batch.data() + batch.size());
}

TEST_CASE("what was shared outlives walker and batch, compressed or not") {
  for (auto codec : {Compression::none, Compression::lz4}) {
    std::vector<Bytes> values;
    {
      auto walker = BatchWalker::open(
          batch_of({{Timestamp(1), {}, Bytes::copy("one"), {}}, {Timestamp(1), {}, Bytes::copy("two"), {}}}, codec),
          kLimit);
      REQUIRE(walker);
      BatchWalker moved = std::move(*walker);
      for (RecordView record; moved.next(record);) values.push_back(moved.share(*record.value));
    }
    REQUIRE(values.size() == 2);
    CHECK(values[0].view() == "one");
    CHECK(values[1].view() == "two");
  }
}

TEST_CASE("every record of a batch in log append time has the batch's time") {
  Bytes batch = batch_of({{Timestamp(100), {}, {}, {}}, {Timestamp(50), {}, {}, {}}}, Compression::gzip);
  rewrite_to_log_append_time(batch, Timestamp(999));
  for (const auto& message : walk(batch)) CHECK(message.timestamp == Timestamp(999));
}

TEST_CASE("gaps that compaction left show in the offsets") {
  Bytes batch = plain_batch({{Timestamp(1), {}, {}, {}}, {Timestamp(2), {}, {}, {}}}, {2, 7});
  stamp_batch(batch, Offset(1000), LeaderEpoch(1));
  auto walker = BatchWalker::open(batch, kLimit);
  REQUIRE(walker);
  RecordView record;
  REQUIRE(walker->next(record));
  CHECK(record.offset == Offset(1002));
  REQUIRE(walker->next(record));
  CHECK(record.offset == Offset(1007));
  CHECK_FALSE(walker->next(record));
  CHECK_FALSE(walker->failed());
}

TEST_CASE("an empty batch has no records under any codec") {
  for (std::int16_t codec = 0; codec <= 4; ++codec) CHECK(walk(with_field(BatchBuilder().finish(), 21, codec)).empty());
}

TEST_CASE("a batch is opened only if it is whole and inflates within the bound") {
  const Bytes plain = batch_of({{Timestamp(1), {}, Bytes::copy(std::string(1000, 'x')), {}}});
  const Bytes zipped = batch_of({{Timestamp(1), {}, Bytes::copy(std::string(1000, 'x')), {}}}, Compression::gzip);
  auto error_of = [](const Bytes& batch, std::size_t limit) {
    const auto walker = BatchWalker::open(batch, limit);
    REQUIRE_FALSE(walker);
    return walker.error();
  };
  CHECK(error_of(Bytes(), kLimit) == BatchError::incomplete);
  CHECK(error_of(plain.slice(0, plain.size() - 1), kLimit) == BatchError::incomplete);
  CHECK(error_of(Bytes::copy(plain.str() + "x"), kLimit) == BatchError::trailing_bytes);
  CHECK(error_of(zipped, 1000) == BatchError::inflates_too_large);
  CHECK(error_of(with_field(plain, 21, std::int16_t{4}), kLimit) == BatchError::invalid_compression);
  CHECK(error_of(with_field(plain, 21, std::int16_t{6}), kLimit) == BatchError::unknown_codec);
}

TEST_CASE("a walker stops at a malformed record and says so") {
  const Bytes good = batch_of({{Timestamp(1), {}, Bytes::copy("one"), {}}, {Timestamp(1), {}, Bytes::copy("two"), {}}});
  std::string records(good.slice(kBatchHeaderBytes).view());
  records[records.size() / 2] = 0x7f;  // the length of the second record
  auto walker = BatchWalker::open(with_records(good, records), kLimit);
  REQUIRE(walker);
  RecordView record;
  CHECK(walker->next(record));
  CHECK_FALSE(walker->next(record));
  CHECK(walker->failed());
  CHECK_FALSE(walker->next(record));
}

TEST_CASE("bytes behind the last record are a failure") {
  const Bytes good = batch_of({{Timestamp(1), {}, Bytes::copy("one"), {}}});
  auto walker = BatchWalker::open(with_records(good, good.slice(kBatchHeaderBytes).str() + "x"), kLimit);
  REQUIRE(walker);
  RecordView record;
  CHECK(walker->next(record));
  CHECK_FALSE(walker->next(record));
  CHECK(walker->failed());
}

TEST_CASE("damaged records never make a walker read outside of its batch or loop") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 5000; ++round) {
    const Bytes good = batch_of(random_messages(random, 5));
    std::string records(good.slice(kBatchHeaderBytes).view());
    for (auto changes = 1 + random() % 3; changes > 0; --changes)
      records[random() % std::min<std::size_t>(records.size(), 60)] = static_cast<char>(random());
    const Bytes bad = with_records(good, records);
    auto walker = BatchWalker::open(bad, kLimit);
    if (!walker) continue;
    std::int32_t count = 0;
    for (RecordView record; walker->next(record); ++count) {
      const auto message = walker->message(record);
      for (const auto& part : {message.key, message.value}) {
        if (!part || part->empty()) continue;
        REQUIRE(part->data() >= bad.data());
        REQUIRE(part->data() + part->size() <= bad.data() + bad.size());
      }
    }
    REQUIRE(count <= walker->header().record_count);
    // The validator and the walker are of one mind about records, up to what only clients may not do.
    const bool valid = validate_batch(bad, {.from_client = false}).has_value();
    if (valid) REQUIRE_FALSE(walker->failed());
  }
}

TEST_CASE("a builder refuses what would make the batch larger than its limit, and goes on") {
  BatchBuilder builder(200);
  CHECK_FALSE(builder.add(Timestamp(1), std::nullopt, std::string(200, 'x')));
  CHECK(builder.empty());
  CHECK(builder.bytes() == kBatchHeaderBytes);
  CHECK(builder.add(Timestamp(1), std::nullopt, std::string(100, 'x')));
  CHECK_FALSE(builder.add(Timestamp(1), std::nullopt, std::string(100, 'y')));
  CHECK(builder.add(Timestamp(2), std::nullopt, std::string(10, 'z')));
  const Bytes batch = builder.finish();
  CHECK(batch.size() <= 200);
  CHECK(walk(batch).size() == 2);
}

TEST_CASE("a builder fills a batch to its limit exactly") {
  BatchBuilder probe;
  probe.add(Timestamp(1), "key", "value");
  const auto bytes = probe.bytes();
  CHECK(BatchBuilder(bytes).add(Timestamp(1), "key", "value"));
  CHECK_FALSE(BatchBuilder(bytes - 1).add(Timestamp(1), "key", "value"));
}

TEST_CASE("timestamps at the ends of their range stay valid") {
  BatchBuilder builder;
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  for (std::int64_t timestamp : {std::int64_t{-1}, kMax, std::numeric_limits<std::int64_t>::min(), std::int64_t{0}})
    builder.add(Timestamp(timestamp), std::nullopt, std::nullopt);
  const Bytes batch = builder.finish();
  REQUIRE(validate_batch(batch));
  const auto messages = walk(batch);
  CHECK(messages[0].timestamp == Timestamp(-1));
  CHECK(messages[1].timestamp == Timestamp(kMax - 1));
  CHECK(messages[2].timestamp == Timestamp(-1));
  CHECK(messages[3].timestamp == Timestamp(0));
}

TEST_CASE("a cleared builder begins anew") {
  BatchBuilder builder;
  builder.add(Timestamp(1), "a", "b");
  builder.clear();
  CHECK(builder.empty());
  builder.add(Timestamp(2), "c", "d");
  const auto messages = walk(builder.finish());
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].timestamp == Timestamp(2));
}

TEST_CASE("a reserved batch is allocated once") {
  BatchBuilder builder;
  builder.reserve(100000);
  for (int i = 0; i < 90; ++i) builder.add(Timestamp(i), std::nullopt, std::string(1000, 'x'));
  CHECK(builder.finish().pinned() == 100000);
}
