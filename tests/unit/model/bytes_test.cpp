// Braid, Apache-2.0.
//
// Shared slices, and the bounded reader and growing writer over them.
#include "model/bytes.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <random>
#include <string>

#include "model/byte_io.hpp"
#include "support/seed.hpp"

using namespace braid;

TEST_CASE("a slice shares its block and keeps it alive") {
  Bytes part;
  {
    const Bytes whole = Bytes::copy("0123456789");
    part = whole.slice(2, 3);
    CHECK(part.data() == whole.data() + 2);
  }
  CHECK(part.view() == "234");
  CHECK(part.pinned() == 10);
}

TEST_CASE("no argument makes a slice reach outside of its source") {
  const Bytes whole = Bytes::copy("0123456789");
  CHECK(whole.slice(8, 100).view() == "89");
  CHECK(whole.slice(10).empty());
  CHECK(whole.slice(11, 1).empty());
  CHECK(whole.slice(SIZE_MAX, SIZE_MAX).empty());
  CHECK(whole.slice(3, 4).slice(2, 100).view() == "56");
  CHECK(Bytes().slice(1, 1).empty());
}

TEST_CASE("compact copies a slice out of a block that is much larger, and only then") {
  const Bytes large = Bytes::copy(std::string(10000, 'x'));
  const Bytes small = large.slice(5, 10);
  const Bytes compacted = small.compact();
  CHECK(compacted == small);
  CHECK(compacted.pinned() == 10);
  CHECK(large.compact().data() == large.data());
}

TEST_CASE("a literal pins nothing and compares by content") {
  CHECK(Bytes::literal("abc") == Bytes::copy("abc"));
  CHECK(Bytes::literal("abc").pinned() == 0);
  CHECK_FALSE(Bytes::literal("abc") == Bytes::literal("abd"));
}

TEST_CASE("integers of every width are big-endian and come back") {
  ByteWriter writer(1);
  writer.u8(0x01);
  writer.i16(-2);
  writer.u32(0x03040506);
  writer.i64(std::numeric_limits<std::int64_t>::min());
  writer.f64(1.5);
  const Bytes bytes = writer.finish();
  CHECK((bytes.view().substr(0, 7) == std::string_view("\x01\xff\xfe\x03\x04\x05\x06", 7)));
  ByteReader reader(bytes);
  CHECK(reader.u8() == 1);
  CHECK(reader.i16() == -2);
  CHECK(reader.u32() == 0x03040506);
  CHECK(reader.i64() == std::numeric_limits<std::int64_t>::min());
  CHECK(reader.f64() == 1.5);
  CHECK(reader.remaining() == 0);
  CHECK_FALSE(reader.failed());
}

TEST_CASE("a reader past its end has failed for good and yields zeros") {
  ByteReader reader(Bytes::copy("\x01\x02\x03"));
  CHECK(reader.u32() == 0);
  CHECK(reader.failed());
  CHECK(reader.u8() == 0);
  CHECK(reader.take(1).empty());
  CHECK(reader.remaining() == 0);
}

TEST_CASE("varints come back at every length and have the size that was computed") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int bits = 0; bits <= 64; ++bits) {
    for (int round = 0; round < 50; ++round) {
      const std::uint64_t value = bits == 0 ? 0 : (random() >> (64 - bits)) | 1ull << (bits - 1);
      ByteWriter writer;
      writer.varint(value);
      writer.zigzag64(static_cast<std::int64_t>(value));
      const Bytes bytes = writer.finish();
      CHECK(bytes.size() == varint_size(value) + varint_size(zigzag(static_cast<std::int64_t>(value))));
      ByteReader reader(bytes);
      CHECK(reader.varint() == value);
      CHECK(reader.zigzag64() == static_cast<std::int64_t>(value));
      CHECK(reader.remaining() == 0);
    }
  }
}

TEST_CASE("varints that are too long or overflow fail") {
  auto fails = [](std::string_view bytes, int bits) {
    ByteReader reader(Bytes::copy(bytes));
    reader.varint(bits);
    return reader.failed();
  };
  CHECK_FALSE(fails("\xff\xff\xff\xff\x0f", 32));
  CHECK(fails("\xff\xff\xff\xff\x10", 32));
  CHECK(fails("\x80\x80\x80\x80\x80\x01", 32));
  CHECK_FALSE(fails("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 64));
  CHECK(fails("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 64));
  CHECK(fails("\x80", 64));
  CHECK(fails("", 64));
}

TEST_CASE("zig-zag maps small numbers of either sign to small numbers") {
  CHECK(zigzag(0) == 0);
  CHECK(zigzag(-1) == 1);
  CHECK(zigzag(1) == 2);
  CHECK(zigzag(std::numeric_limits<std::int64_t>::max()) == std::numeric_limits<std::uint64_t>::max() - 1);
  CHECK(zigzag(std::numeric_limits<std::int64_t>::min()) == std::numeric_limits<std::uint64_t>::max());
  for (std::int64_t value : {std::int64_t{0}, std::int64_t{-5}, std::numeric_limits<std::int64_t>::max(),
                             std::numeric_limits<std::int64_t>::min()})
    CHECK(unzigzag(zigzag(value)) == value);
}

TEST_CASE("a writer that grows keeps what was written, and lengths can be patched") {
  ByteWriter writer(1);
  const auto at = writer.size();
  writer.u32(0);
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const auto piece = std::to_string(i);
    writer.raw(piece);
    expected += piece;
  }
  writer.patch(at, static_cast<std::uint32_t>(expected.size()));
  ByteReader reader(writer.finish());
  const auto length = reader.u32();
  CHECK(length == expected.size());
  CHECK((reader.take_view(length) == expected));
}
