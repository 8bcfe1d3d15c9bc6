// Braid, Apache-2.0.
//
// Building, checking and walking record batches.
#include "model/record_batch.hpp"

#include <catch2/catch.hpp>

#include "model/batch_builder.hpp"
#include "model/batch_walker.hpp"

using namespace braid;

TEST_CASE("a built batch validates and walks back to the same messages under every codec") {
  std::vector<Message> messages;
  for (int i = 0; i < 100; ++i) {
    Message message;
    message.timestamp = Timestamp(1700000000000 + (i * 37) % 50);
    if (i % 3) message.key = Bytes::copy("key-" + std::to_string(i));
    if (i % 5) message.value = Bytes::copy(std::string(static_cast<std::size_t>(i * 7), 'v'));
    for (int h = 0; h < i % 4; ++h)
      message.headers.push_back(
          {Bytes::copy("h" + std::to_string(h)), h % 2 ? std::optional(Bytes::copy("header value")) : std::nullopt});
    messages.push_back(message);
  }
  for (auto codec : {Compression::none, Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd}) {
    CAPTURE(to_string(codec));
    BatchBuilder builder;
    for (const auto& message : messages) REQUIRE(builder.add(message));
    Bytes batch = builder.finish(codec);
    CHECK(builder.empty());
    const auto valid = validate_batch(batch, {.check_compressed = true});
    REQUIRE(valid);
    CHECK(valid->record_count == 100);
    CHECK(valid->compression() == codec);
    CHECK(valid->size() == batch.size());
    CHECK(valid->max_timestamp == Timestamp(1700000000049));
    stamp_batch(batch, Offset(5000), LeaderEpoch(7));
    auto walker = BatchWalker::open(batch, 1 << 20);
    REQUIRE(walker);
    RecordView record;
    for (int i = 0; i < 100; ++i) {
      REQUIRE(walker->next(record));
      CHECK(record.offset == Offset(5000 + i));
      CHECK(walker->message(record) == messages[static_cast<std::size_t>(i)]);
    }
    CHECK_FALSE(walker->next(record));
    CHECK_FALSE(walker->failed());
  }
}
