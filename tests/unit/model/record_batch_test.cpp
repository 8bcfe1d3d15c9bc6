// Braid, Apache-2.0.
//
// Headers, checks, stamps and sequences of record batches.
#include "model/record_batch.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "batch_tools.hpp"
#include "support/seed.hpp"

using namespace braid;

namespace {

Bytes three_records() {
  return batch_of({{Timestamp(1000), Bytes::copy("a"), Bytes::copy("first"), {}},
                   {Timestamp(1005), std::nullopt, Bytes::copy("second"), {{Bytes::copy("h"), Bytes::copy("v")}}},
                   {Timestamp(995), Bytes::copy("c"), std::nullopt, {}}});
}

BatchError error_of(const Bytes& batch, const BatchLimits& limits = {}) {
  const auto result = validate_batch(batch, limits);
  REQUIRE_FALSE(result);
  return result.error();
}

}  // namespace

TEST_CASE("the header of a valid batch says what was put in") {
  const Bytes batch = batch_of({{Timestamp(1000), {}, {}, {}}, {Timestamp(990), {}, {}, {}}}, Compression::none,
                               {ProducerId(77), ProducerEpoch(3), 2147483647, true});
  const auto header = validate_batch(batch);
  REQUIRE(header);
  CHECK(header->base_offset == Offset(0));
  CHECK(header->last_offset() == Offset(1));
  CHECK(header->next_offset() == Offset(2));
  CHECK(header->partition_leader_epoch == LeaderEpoch(-1));
  CHECK(header->magic == 2);
  CHECK(header->compression() == Compression::none);
  CHECK(header->timestamp_type() == TimestampType::create_time);
  CHECK(header->is_transactional());
  CHECK_FALSE(header->is_control());
  CHECK(header->base_timestamp == Timestamp(1000));
  CHECK(header->max_timestamp == Timestamp(1000));
  CHECK(header->has_producer());
  CHECK(header->producer_id == ProducerId(77));
  CHECK(header->producer_epoch == ProducerEpoch(3));
  CHECK(header->base_sequence == 2147483647);
  CHECK(header->last_sequence() == 0);
  CHECK(header->record_count == 2);
  CHECK(header->size() == batch.size());
}

TEST_CASE("batches that librdkafka sent are valid under every codec") {
  for (const auto& [name, codec] : {std::pair{"none", Compression::none},
                                    {"gzip", Compression::gzip},
                                    {"snappy", Compression::snappy},
                                    {"lz4", Compression::lz4},
                                    {"zstd", Compression::zstd}}) {
    CAPTURE(name);
    const auto header = validate_batch(librdkafka_batch(name), {.check_compressed = true});
    REQUIRE(header);
    CHECK(header->compression() == codec);
    CHECK(header->record_count == 5);
    CHECK_FALSE(header->has_producer());
  }
}

TEST_CASE("a batch encoded by the format's description is valid, and ours is the same to the byte") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 300; ++round) {
    const auto messages = random_messages(random, 60);
    const Bytes plain = plain_batch(messages);
    REQUIRE(validate_batch(plain));
    REQUIRE(batch_of(messages) == plain);
  }
}

TEST_CASE("damage to any bit is found, but for what lies outside the checksum and belongs to the broker") {
  for (auto codec : {Compression::none, Compression::zstd}) {
    const Bytes good = batch_of({{Timestamp(1000), Bytes::copy("key"), Bytes::copy("some value"), {}}}, codec);
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        CAPTURE(at, bit);
        Bytes bad = Bytes::copy(good.view());
        bad.stamp()[at] ^= static_cast<std::uint8_t>(1 << bit);
        const auto result = validate_batch(bad);
        const bool is_leader_epoch = at >= 12 && at < 16;
        CHECK(result.has_value() == is_leader_epoch);
        if (at >= 17) CHECK(result.error() == BatchError::checksum_mismatch);
      }
    }
  }
}

TEST_CASE("a truncated batch is incomplete at every length") {
  const Bytes good = three_records();
  for (std::size_t bytes = 0; bytes < good.size(); ++bytes) {
    CAPTURE(bytes);
    CHECK(error_of(good.slice(0, bytes)) == BatchError::incomplete);
  }
}

TEST_CASE("exactly one batch is allowed") {
  const Bytes good = three_records();
  CHECK(error_of(Bytes::copy(good.str() + "x")) == BatchError::trailing_bytes);
  CHECK(error_of(Bytes::copy(good.str() + good.str())) == BatchError::trailing_bytes);
}

TEST_CASE("a batch larger than the limit is refused, whole or not") {
  const Bytes good = three_records();
  CHECK(validate_batch(good, {.max_bytes = good.size()}));
  CHECK(error_of(good, {.max_bytes = good.size() - 1}) == BatchError::too_large);
  CHECK(error_of(good.slice(0, 70), {.max_bytes = good.size() - 1}) == BatchError::too_large);
}

TEST_CASE("message formats before and after magic 2 are named as such, however short") {
  for (std::int8_t magic : {0, 1, 3, -1, 127}) {
    Bytes batch = with_field(three_records(), 16, magic);
    CHECK(error_of(batch) == BatchError::unsupported_magic);
    CHECK(error_of(batch.slice(0, 17)) == BatchError::unsupported_magic);
  }
}

TEST_CASE("header fields out of range are refused even under a right checksum") {
  const Bytes good = three_records();
  auto invalid = [](const Bytes& batch) { return error_of(batch) == BatchError::invalid_header; };
  CHECK(invalid(with_field(good, 0, std::int64_t{-1})));
  CHECK(invalid(with_field(good, 0, std::numeric_limits<std::int64_t>::max())));
  CHECK(invalid(with_field(good, 8, std::int32_t{-1})));
  CHECK(invalid(with_field(good, 8, std::int32_t{48})));
  CHECK(invalid(with_field(good, 23, std::int32_t{-1})));
  CHECK(invalid(with_field(good, 27, std::int64_t{-2})));
  CHECK(invalid(with_field(good, 35, std::int64_t{-2})));
  CHECK(invalid(with_field(good, 43, std::int64_t{-2})));
  // A producer without epoch or sequence, a transaction without producer.
  const Bytes produced =
      batch_of({{Timestamp(1), {}, {}, {}}}, Compression::none, {ProducerId(5), ProducerEpoch(0), 0, false});
  REQUIRE(validate_batch(produced));
  CHECK(invalid(with_field(produced, 51, std::int16_t{-1})));
  CHECK(invalid(with_field(produced, 53, std::int32_t{-1})));
  CHECK(invalid(with_field(good, 43, std::int64_t{5})));
  CHECK(invalid(with_field(good, 21, std::int16_t{0x10})));
  CHECK(error_of(with_field(good, 8, std::numeric_limits<std::int32_t>::max())) == BatchError::too_large);
}

TEST_CASE("without a producer, epoch and sequence may hold the zeros that some clients leave there") {
  const Bytes zeros = with_field(with_field(three_records(), 51, std::int16_t{0}), 53, std::int32_t{0});
  const auto header = validate_batch(zeros);
  REQUIRE(header);
  CHECK_FALSE(header->has_producer());
  CHECK(header->last_sequence() == -1);
}

TEST_CASE("a header that makes no sense is damage when the checksum is wrong and a mistake when it is right") {
  Bytes batch = with_field(three_records(), 27, std::int64_t{-5});
  CHECK(error_of(batch) == BatchError::invalid_header);
  batch.stamp()[17] ^= 1;
  CHECK(error_of(batch) == BatchError::checksum_mismatch);
  CHECK(to_errc(BatchError::checksum_mismatch) == Errc::corrupt_batch);
  CHECK(to_errc(BatchError::invalid_header) == Errc::invalid_record);
}

TEST_CASE("the number of records has to agree with offsets and contents") {
  const Bytes good = three_records();
  auto mismatch = [](const Bytes& batch) { return error_of(batch) == BatchError::count_mismatch; };
  CHECK(mismatch(with_field(good, 57, std::int32_t{-1})));
  CHECK(mismatch(with_field(good, 57, std::int32_t{4})));
  CHECK(mismatch(with_field(good, 57, std::int32_t{2})));
  CHECK(mismatch(with_field(good, 57, std::int32_t{0})));
  CHECK(mismatch(with_field(good, 23, std::int32_t{3})));
  CHECK(mismatch(with_field(with_field(good, 23, std::int32_t{3}), 57, std::int32_t{4})));
  CHECK(mismatch(with_field(with_field(good, 23, std::int32_t{1}), 57, std::int32_t{2})));
  CHECK(mismatch(with_field(with_field(good, 23, std::int32_t{2147483646}), 57, std::int32_t{2147483647})));
}

TEST_CASE("a compressed batch cannot claim more records than it may inflate to") {
  const Bytes good = batch_of({{Timestamp(1), {}, Bytes::copy("v"), {}}}, Compression::gzip);
  REQUIRE(validate_batch(good));
  const Bytes claims = with_field(with_field(good, 23, std::int32_t{99}), 57, std::int32_t{100});
  CHECK(error_of(claims, {.max_uncompressed_bytes = 600}) == BatchError::count_mismatch);
  CHECK(error_of(claims, {.check_compressed = true}) == BatchError::count_mismatch);
  CHECK(error_of(good, {.max_uncompressed_bytes = 7, .check_compressed = true}) == BatchError::inflates_too_large);
}

TEST_CASE("unknown codecs are refused") {
  for (std::int16_t codec : {5, 6, 7})
    CHECK(error_of(with_field(three_records(), 21, codec)) == BatchError::unknown_codec);
}

TEST_CASE("a batch whose block does not inflate passes the quick check and fails the deep one") {
  const Bytes bad = with_field(three_records(), 21, std::int16_t{1});
  CHECK(validate_batch(bad));
  CHECK(error_of(bad, {.check_compressed = true}) == BatchError::invalid_compression);
}

TEST_CASE("clients send neither control batches nor offsets of their own") {
  BatchBuilder builder;
  builder.add(Timestamp(5), std::string_view("\0\0\0\1", 4), std::string_view("\0\0\0\0\0\0", 6));
  const Bytes control = builder.finish_control({ProducerId(1), ProducerEpoch(0), -1, true});
  CHECK(error_of(control) == BatchError::not_for_clients);
  const auto internal = validate_batch(control, {.from_client = false});
  REQUIRE(internal);
  CHECK(internal->is_control());

  Bytes stamped = three_records();
  stamp_batch(stamped, Offset(10), LeaderEpoch(0));
  CHECK(error_of(stamped) == BatchError::not_for_clients);
  CHECK(validate_batch(stamped, {.from_client = false}));
}

TEST_CASE("what compaction leaves of a batch is valid within the broker only") {
  const Bytes gaps = plain_batch({{Timestamp(1), {}, {}, {}}, {Timestamp(2), {}, {}, {}}}, {2, 7});
  const auto header = validate_batch(gaps, {.from_client = false});
  REQUIRE(header);
  CHECK(header->record_count == 2);
  CHECK(header->last_offset() == Offset(7));
  CHECK(error_of(gaps) == BatchError::count_mismatch);

  for (std::int16_t codec = 0; codec <= 4; ++codec) {
    const Bytes empty = with_field(BatchBuilder().finish(), 21, codec);
    CHECK(validate_batch(empty, {.check_compressed = true, .from_client = false}));
    CHECK(error_of(empty) == BatchError::count_mismatch);
  }
}

TEST_CASE("records are checked one by one") {
  const Bytes frame = batch_of({{Timestamp(0), {}, {}, {}}});
  auto invalid = [&](std::string_view record) {
    return error_of(with_records(frame, record)) == BatchError::invalid_record;
  };
  // length 6, attributes, timestamp delta, offset delta, key null, value null, no headers
  CHECK(validate_batch(with_records(frame, std::string_view("\x0c\x00\x00\x00\x01\x01\x00", 7))));
  CHECK(
      validate_batch(with_records(frame, std::string_view("\x0c\x00\x01\x00\x01\x01\x00", 7))));  // timestamp -1: none
  CHECK(invalid(std::string_view("\x0e\x00\x00\x00\x01\x01\x00\x00", 8)));                        // a byte too many
  CHECK(invalid(std::string_view("\x0a\x00\x00\x00\x01\x01", 6)));                                // a field too few
  CHECK(invalid(std::string_view("\x10\x00\x00\x00\x01\x01\x00", 7)));                   // longer than the batch
  CHECK(invalid(std::string_view("\x01", 1)));                                           // negative length
  CHECK(invalid(std::string_view("\x0c\x00\x00\x02\x01\x01\x00", 7)));                   // offset delta not 0
  CHECK(invalid(std::string_view("\x0c\x00\x00\x01\x01\x01\x00", 7)));                   // negative offset delta
  CHECK(invalid(std::string_view("\x0c\x00\x03\x00\x01\x01\x00", 7)));                   // a negative timestamp
  CHECK(invalid(std::string_view("\x0c\x00\x00\x00\x03\x01\x00", 7)));                   // key length -2
  CHECK(invalid(std::string_view("\x0c\x00\x00\x00\x08\x01\x00", 7)));                   // key beyond the record
  CHECK(invalid(std::string_view("\x0c\x00\x00\x00\x01\x03\x00", 7)));                   // value length -2
  CHECK(invalid(std::string_view("\x0c\x00\x00\x00\x01\x01\x01", 7)));                   // -1 headers
  CHECK(invalid(std::string_view("\x0c\x00\x00\x00\x01\x01\x02", 7)));                   // a header that is not there
  CHECK(invalid(std::string_view("\x10\x00\x00\x00\x01\x01\x02\x01\x01", 9)));           // a header without name
  CHECK(invalid(std::string_view("\x10\x00\x00\x00\x01\x01\x02\x00\x03", 9)));           // header value length -2
  CHECK(invalid(std::string_view("\x14\x00\x00\x00\x01\x01\xfe\xff\xff\xff\x0f", 11)));  // 2^31-1 headers
}

TEST_CASE("a timestamp delta that overflows is refused") {
  Bytes batch = batch_of({{Timestamp(1000), {}, {}, {}}});
  ByteWriter record;
  record.i8(0);
  record.zigzag64(std::numeric_limits<std::int64_t>::max());
  record.raw(std::string_view("\x00\x01\x01\x00", 4));
  ByteWriter records;
  records.zigzag32(static_cast<std::int32_t>(record.size()));
  records.raw(record.view());
  CHECK(error_of(with_records(batch, records.view())) == BatchError::invalid_record);
}

TEST_CASE("stamping leaves the batch valid and touches nothing else") {
  Bytes batch = three_records();
  const std::string before = batch.str();
  stamp_batch(batch, Offset(123456789012), LeaderEpoch(42));
  const auto header = validate_batch(batch, {.from_client = false});
  REQUIRE(header);
  CHECK(header->base_offset == Offset(123456789012));
  CHECK(header->partition_leader_epoch == LeaderEpoch(42));
  CHECK((batch.view().substr(16) == std::string_view(before).substr(16)));
  CHECK((batch.view().substr(8, 4) == std::string_view(before).substr(8, 4)));
}

TEST_CASE("a batch turned to log append time carries that time and a right checksum") {
  Bytes batch = three_records();
  rewrite_to_log_append_time(batch, Timestamp(777));
  const auto header = validate_batch(batch);
  REQUIRE(header);
  CHECK(header->timestamp_type() == TimestampType::log_append_time);
  CHECK(header->max_timestamp == Timestamp(777));
  CHECK(header->base_timestamp == Timestamp(1000));
  CHECK(header->compression() == Compression::none);
}

TEST_CASE("the checksum is told right from wrong") {
  const Bytes good = three_records();
  const auto header = read_batch_header(good);
  REQUIRE(header);
  CHECK(checksum_matches(good, *header));
  Bytes bad = Bytes::copy(good.view());
  bad.stamp()[good.size() - 1] ^= 1;
  CHECK_FALSE(checksum_matches(bad, *header));
  CHECK_FALSE(checksum_matches(good.slice(0, 30), *header));
}

TEST_CASE("a sequence of batches is split, and what follows the last whole one is left") {
  const Bytes a = three_records();
  const Bytes b = batch_of({{Timestamp(1), {}, Bytes::copy("x"), {}}}, Compression::lz4);
  const Bytes all = Bytes::copy(a.str() + b.str() + a.str());
  for (std::size_t bytes = 0; bytes <= all.size(); ++bytes) {
    CAPTURE(bytes);
    BatchSequence batches(all.slice(0, bytes));
    std::vector<Bytes> found;
    while (batches.next()) {
      CHECK(batches.header().size() == batches.batch().size());
      found.push_back(batches.batch());
    }
    CHECK_FALSE(batches.failed());
    const std::size_t expected = (bytes >= a.size()) + (bytes >= a.size() + b.size()) + (bytes >= all.size());
    REQUIRE(found.size() == expected);
    if (expected > 0) CHECK(found[0] == a);
    if (expected > 1) CHECK(found[1] == b);
    if (expected > 2) CHECK(found[2] == a);
    std::size_t taken = 0;
    for (const auto& batch : found) taken += batch.size();
    CHECK(batches.rest() == all.slice(taken, bytes - taken));
  }
}

TEST_CASE("a sequence ends in failure where no batch can begin") {
  const Bytes good = three_records();
  BatchSequence batches(Bytes::copy(good.str() + std::string(100, '\0')));
  CHECK(batches.next());
  CHECK_FALSE(batches.next());
  CHECK(batches.failed());
  CHECK(batches.rest().size() == 100);
  CHECK_FALSE(batches.next());
}

TEST_CASE("every error has a text and a code for callers") {
  for (int code = 1; code <= 12; ++code) {
    CHECK(to_string(static_cast<BatchError>(code)) != "record batch error");
    CHECK(to_errc(static_cast<BatchError>(code)) != Errc::none);
  }
  CHECK(to_errc(BatchError::too_large) == Errc::batch_too_large);
  CHECK(to_errc(BatchError::unknown_codec) == Errc::unsupported_compression);
  CHECK(to_errc(BatchError::count_mismatch) == Errc::invalid_record);
}
