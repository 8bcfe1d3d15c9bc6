// Braid, Apache-2.0.
//
// A batch in another codec holds the same records; and the levels of codecs do something.
#include "model/recompression.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "model/batch_builder.hpp"
#include "model/batch_walker.hpp"

using namespace braid;

namespace {

constexpr Compression kRecompressionCodecs[] = {Compression::none, Compression::gzip, Compression::snappy,
                                                Compression::lz4, Compression::zstd};

Bytes sample(Compression codec) {
  BatchBuilder builder;
  const std::string binary("\0\xff\x80", 3);
  const HeaderView headers[] = {{"h", binary}, {"null", std::nullopt}, {"", std::string_view()}};
  for (int i = 0; i < 50; ++i) {
    const std::string value = i % 7 == 0 ? "" : std::string(static_cast<std::size_t>(i * 10), 'v');
    builder.add(Timestamp(1000 + i), i % 5 == 0 ? std::nullopt : std::optional<std::string_view>(binary),
                i % 3 == 0 ? std::nullopt : std::optional<std::string_view>(value), headers);
  }
  return builder.finish(codec, {ProducerId(7), ProducerEpoch(3), 21, false});
}

std::string records_of(const Bytes& batch) {
  const auto header = read_batch_header(batch);
  REQUIRE(header);
  const auto records = batch_records(batch, *header, 1 << 20);
  REQUIRE(records);
  return records->str();
}

/// Text whose repetitions lie far apart, so that trying harder finds more of them.
std::string compressible() {
  std::mt19937 random(1);
  std::vector<std::string> words;
  for (int i = 0; i < 2000; ++i) {
    std::string word(3 + random() % 9, ' ');
    for (char& c : word) c = static_cast<char>('a' + random() % 26);
    words.push_back(word);
  }
  std::string text;
  while (text.size() < 300000) text += words[random() % words.size()] + words[random() % 40];
  return text;
}

std::size_t size_at(Compression codec, std::string_view text, std::optional<int> level) {
  ByteWriter output;
  REQUIRE(compress(codec, text, output, level));
  const Bytes compressed = output.finish();
  const auto again = decompress(codec, compressed, text.size());
  REQUIRE(again);
  REQUIRE(again->view() == text);
  return compressed.size();
}

}  // namespace

TEST_CASE("a batch in another codec holds the same records, times, producer and sequence") {
  for (const Compression from : kRecompressionCodecs)
    for (const Compression to : kRecompressionCodecs) {
      CAPTURE(to_string(from), to_string(to));
      const Bytes batch = sample(from);
      const auto header = validate_batch(batch, {.check_compressed = true});
      REQUIRE(header);
      const auto other = recompress(batch, *header, to, {}, 1 << 20);
      REQUIRE(other);
      RecordTimes times;
      const auto judged = validate_batch(*other, {.check_compressed = true}, &times);
      REQUIRE(judged);
      CHECK(judged->compression() == to);
      CHECK(records_of(*other) == records_of(batch));
      CHECK(judged->producer_id == header->producer_id);
      CHECK(judged->producer_epoch == header->producer_epoch);
      CHECK(judged->base_sequence == header->base_sequence);
      CHECK(judged->record_count == 50);
      CHECK(judged->last_offset_delta == 49);
      CHECK(judged->base_timestamp == header->base_timestamp);
      CHECK(times.known);
      CHECK(times.earliest == Timestamp(1000));
      CHECK(times.latest == judged->max_timestamp);
    }
}

TEST_CASE("a batch whose records are damaged or inflate too far is not compressed anew") {
  Bytes batch = sample(Compression::lz4);
  const auto header = read_batch_header(batch);
  REQUIRE(header);
  CHECK(recompress(batch, *header, Compression::zstd, {}, 100).error() == BatchError::inflates_too_large);
  for (std::size_t at = kBatchHeaderBytes; at < batch.size(); ++at) batch.stamp()[at] ^= 0x5a;
  CHECK(recompress(batch, *header, Compression::zstd, {}, 1 << 20).error() == BatchError::invalid_compression);
}

TEST_CASE("a higher level compresses more, and every level is inflated alike") {
  const std::string text = compressible();
  CHECK(size_at(Compression::gzip, text, 9) < size_at(Compression::gzip, text, 1));
  CHECK(size_at(Compression::zstd, text, 19) < size_at(Compression::zstd, text, 1));
  CHECK(size_at(Compression::zstd, text, 1) < size_at(Compression::zstd, text, -50));
  // Kafka's default level of lz4, 9, is the fast compressor.
  CHECK(size_at(Compression::lz4, text, 9) == size_at(Compression::lz4, text, {}));
  CHECK(size_at(Compression::lz4, text, 17) < size_at(Compression::lz4, text, 9));
  size_at(Compression::zstd, text, -131072);
  size_at(Compression::zstd, text, 22);
}

TEST_CASE("the times of a batch are those of its records, whatever its header says") {
  BatchBuilder builder;
  for (const std::int64_t at : {500, -1, 100, 900, 300}) builder.add(Timestamp(at), "k", "v");
  Bytes batch = builder.finish();
  RecordTimes times;
  REQUIRE(validate_batch(batch, {}, &times));
  CHECK(times.known);
  CHECK(times.earliest == Timestamp(100));
  CHECK(times.latest == Timestamp(900));
  rewrite_max_timestamp(batch, Timestamp(12345));
  const auto header = validate_batch(batch, {}, &times);
  REQUIRE(header);
  CHECK(header->max_timestamp == Timestamp(12345));
  CHECK(times.latest == Timestamp(900));

  builder.add(Timestamp(-1), "k", "v");
  REQUIRE(validate_batch(builder.finish(), {}, &times));
  CHECK(times.earliest == Timestamp(-1));
  CHECK(times.latest == Timestamp(-1));

  builder.add(Timestamp(5), "k", "v");
  RecordTimes unknown;
  REQUIRE(validate_batch(builder.finish(Compression::gzip), {}, &unknown));
  CHECK_FALSE(unknown.known);
}

TEST_CASE("peeking at a header takes fields that cannot be true, but no other format and no impossible length") {
  Bytes batch = sample(Compression::none);
  store_big(batch.stamp(), std::int64_t{-5});  // base offset
  CHECK(peek_batch_header(batch.span()));
  CHECK_FALSE(read_batch_header(batch));
  batch.stamp()[16] = 1;
  CHECK(peek_batch_header(batch.span()).error() == BatchError::unsupported_magic);
  CHECK(peek_batch_header(batch.span().subspan(0, 10)).error() == BatchError::incomplete);
}
