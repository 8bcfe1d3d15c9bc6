// Braid, Apache-2.0.
//
// The codecs: what goes in comes out, what other producers write is read, and hostile input is bounded.
#include "model/compression.hpp"

#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <catch2/catch.hpp>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "support/seed.hpp"

using namespace braid;

namespace {

constexpr Compression kCodecs[] = {Compression::none, Compression::gzip, Compression::snappy, Compression::lz4,
                                   Compression::zstd};
constexpr Compression kRealCodecs[] = {Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd};

Bytes compressed(Compression codec, std::string_view input) {
  ByteWriter writer;
  REQUIRE(compress(codec, input, writer));
  return writer.finish();
}

std::string text_of(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; text.size() < bytes; ++i) text += "record " + std::to_string(i * 7919 % 1000) + "; ";
  text.resize(bytes);
  return text;
}

std::string noise_of(std::size_t bytes, std::mt19937_64& random) {
  std::string noise(bytes, '\0');
  for (auto& byte : noise) byte = static_cast<char>(random());
  return noise;
}

Bytes joined(const Bytes& a, const Bytes& b) {
  return Bytes::copy(a.str() + b.str());
}

}  // namespace

TEST_CASE("every codec gives back what it was given, whatever the size and kind of data") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (auto codec : kCodecs) {
    for (std::size_t bytes : {0u, 1u, 2u, 63u, 64u, 65u, 1000u, 32767u, 32768u, 32769u, 65536u, 100000u, 1000000u}) {
      CAPTURE(to_string(codec), bytes);
      for (const auto& input : {text_of(bytes), noise_of(bytes, random), std::string(bytes, 'x')}) {
        const auto output = decompress(codec, compressed(codec, input), bytes);
        REQUIRE(output);
        CHECK((output->view() == input));
      }
    }
  }
}

TEST_CASE("compress appends to what the writer holds already") {
  for (auto codec : kCodecs) {
    ByteWriter writer(4);
    writer.raw(std::string_view("header"));
    REQUIRE(compress(codec, text_of(5000), writer));
    const Bytes all = writer.finish();
    CHECK(all.view().substr(0, 6) == "header");
    const auto output = decompress(codec, all.slice(6), 5000);
    REQUIRE(output);
    CHECK((output->view() == text_of(5000)));
  }
}

TEST_CASE("uncompressed bytes are shared, not copied") {
  const Bytes input = Bytes::copy("as it is");
  const auto output = decompress(Compression::none, input, 100);
  REQUIRE(output);
  CHECK(output->data() == input.data());
}

TEST_CASE("inflation stops at its bound, to the byte") {
  for (auto codec : kCodecs) {
    CAPTURE(to_string(codec));
    for (std::size_t bytes : {1u, 100u, 65536u, 300000u}) {
      const Bytes input = compressed(codec, text_of(bytes));
      CHECK(decompress(codec, input, bytes));
      const auto less = decompress(codec, input, bytes - 1);
      REQUIRE_FALSE(less);
      CHECK(less.error() == CompressionError::too_large);
      CHECK_FALSE(decompress(codec, input, 0));
    }
  }
}

TEST_CASE("a compression bomb is refused") {
  const std::string zeros(64 << 20, '\0');
  for (auto codec : kRealCodecs) {
    CAPTURE(to_string(codec));
    const auto output = decompress(codec, compressed(codec, zeros), 1 << 20);
    REQUIRE_FALSE(output);
    CHECK(output.error() == CompressionError::too_large);
  }
}

TEST_CASE("a size that the input merely claims is not believed") {
  // A raw snappy block of ten bytes that says it makes 100 MiB.
  const Bytes snappy = Bytes::copy(std::string("\x80\x80\x80\x32\x00z\x01\x02\x03\x04", 10));
  const auto output = decompress(Compression::snappy, snappy, 1 << 30);
  REQUIRE_FALSE(output);
  CHECK(output.error() == CompressionError::corrupt);
  // A zstd frame header with a content size of 2^60.
  const Bytes zstd = Bytes::copy(std::string("\x28\xb5\x2f\xfd\xe0\x00\x00\x00\x00\x00\x00\x00\x10\x01\x00\x00", 16));
  const auto inflated = decompress(Compression::zstd, zstd, 1 << 30);
  REQUIRE_FALSE(inflated);
  CHECK(inflated.error() == CompressionError::too_large);
}

TEST_CASE("snappy is read as one raw block, as librdkafka writes it") {
  for (std::size_t bytes : {0u, 1u, 1000u, 200000u}) {
    const auto input = text_of(bytes);
    std::string raw;
    snappy::Compress(input.data(), input.size(), &raw);
    const auto output = decompress(Compression::snappy, Bytes::copy(raw), bytes);
    REQUIRE(output);
    CHECK((output->view() == input));
  }
}

TEST_CASE("snappy is written in the Java library's framing") {
  const auto input = text_of(100000);
  const Bytes framed = compressed(Compression::snappy, input);
  CHECK((framed.view().substr(0, 8) == std::string_view("\x82SNAPPY\0", 8)));
  CHECK(load_big<std::int32_t>(framed.data() + 8) == 1);
  CHECK(load_big<std::int32_t>(framed.data() + 12) == 1);
  // Blocks of at most 32 KiB, each a raw snappy block behind its length, and nothing behind the last one.
  std::string output;
  std::size_t at = 16;
  while (at < framed.size()) {
    const auto length = static_cast<std::size_t>(load_big<std::int32_t>(framed.data() + at));
    std::string block;
    REQUIRE(snappy::Uncompress(reinterpret_cast<const char*>(framed.data()) + at + 4, length, &block));
    CHECK(block.size() <= 32768);
    output += block;
    at += 4 + length;
  }
  CHECK(at == framed.size());
  CHECK((output == input));
}

TEST_CASE("streams joined end to end inflate to their contents joined") {
  const auto first = text_of(50000);
  const auto second = text_of(777);
  for (auto codec : kRealCodecs) {
    CAPTURE(to_string(codec));
    const auto output = decompress(codec, joined(compressed(codec, first), compressed(codec, second)), 1 << 20);
    REQUIRE(output);
    CHECK((output->view() == first + second));
  }
}

TEST_CASE("zstd frames without content size are read") {
  const auto input = text_of(500000);
  std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  std::string frame(ZSTD_compressBound(input.size()), '\0');
  ZSTD_outBuffer to{frame.data(), frame.size(), 0};
  for (std::size_t at = 0; at < input.size(); at += 100000) {
    ZSTD_inBuffer from{input.data() + at, std::min<std::size_t>(100000, input.size() - at), 0};
    const bool last = at + 100000 >= input.size();
    while (ZSTD_compressStream2(context.get(), &to, &from, last ? ZSTD_e_end : ZSTD_e_flush) != 0) continue;
  }
  frame.resize(to.pos);
  REQUIRE(ZSTD_getFrameContentSize(frame.data(), frame.size()) == ZSTD_CONTENTSIZE_UNKNOWN);
  const auto output = decompress(Compression::zstd, Bytes::copy(frame), input.size());
  REQUIRE(output);
  CHECK((output->view() == input));
  CHECK_FALSE(decompress(Compression::zstd, Bytes::copy(frame), input.size() - 1));
}

TEST_CASE("lz4 frames of every block size, linked or not, with checksums and content size are read") {
  const auto input = text_of(300000);
  for (auto size : {LZ4F_max64KB, LZ4F_max256KB, LZ4F_max1MB, LZ4F_max4MB}) {
    for (auto mode : {LZ4F_blockLinked, LZ4F_blockIndependent}) {
      LZ4F_preferences_t preferences{};
      preferences.frameInfo.blockSizeID = size;
      preferences.frameInfo.blockMode = mode;
      preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
      preferences.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
      preferences.frameInfo.contentSize = input.size();
      std::string frame(LZ4F_compressFrameBound(input.size(), &preferences), '\0');
      frame.resize(LZ4F_compressFrame(frame.data(), frame.size(), input.data(), input.size(), &preferences));
      const auto output = decompress(Compression::lz4, Bytes::copy(frame), input.size());
      REQUIRE(output);
      CHECK((output->view() == input));
    }
  }
}

TEST_CASE("lz4 is written with independent blocks, since the Java client refuses linked ones") {
  const Bytes frame = compressed(Compression::lz4, text_of(300000));
  REQUIRE(frame.size() > 7);
  CHECK(load_big<std::uint32_t>(frame.data()) == 0x04224d18);
  CHECK((frame[4] & 0x20) != 0);
}

TEST_CASE("truncated and empty streams are errors") {
  for (auto codec : kRealCodecs) {
    CAPTURE(to_string(codec));
    // A short text makes one block, so that no prefix happens to be a whole stream.
    const Bytes input = compressed(codec, text_of(300));
    const std::size_t shortest_whole = codec == Compression::snappy ? 16 : SIZE_MAX;
    for (std::size_t bytes = 0; bytes < input.size(); ++bytes) {
      CAPTURE(bytes);
      // The Java library's header alone is a stream of nothing.
      if (bytes == shortest_whole) continue;
      CHECK_FALSE(decompress(codec, Bytes::copy(input.view().substr(0, bytes)), 1 << 20));
    }
  }
}

TEST_CASE("garbage behind a stream is an error") {
  for (auto codec : kRealCodecs) {
    CAPTURE(to_string(codec));
    CHECK_FALSE(decompress(codec, joined(compressed(codec, text_of(300)), Bytes::copy("garbage")), 1 << 20));
  }
}

TEST_CASE("damaged streams yield an error or bounded bytes, and never harm") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (auto codec : kRealCodecs) {
    CAPTURE(to_string(codec));
    const std::string good = compressed(codec, text_of(3000)).str();
    for (int round = 0; round < 3000; ++round) {
      std::string bad = good;
      for (auto changes = 1 + random() % 4; changes > 0; --changes)
        bad[random() % bad.size()] = static_cast<char>(random());
      const auto output = decompress(codec, Bytes::copy(bad), 5000);
      if (output) CHECK(output->size() <= 5000);
    }
    for (int round = 0; round < 1000; ++round) {
      const auto output = decompress(codec, Bytes::copy(noise_of(random() % 200, random)), 5000);
      if (output) CHECK(output->size() <= 5000);
    }
  }
}

TEST_CASE("unknown codecs are refused both ways") {
  for (int number : {5, 6, 7}) {
    const auto codec = static_cast<Compression>(number);
    CHECK_FALSE(is_known(codec));
    ByteWriter writer;
    CHECK_FALSE(compress(codec, "text", writer));
    const auto output = decompress(codec, Bytes::copy("text"), 100);
    REQUIRE_FALSE(output);
    CHECK(output.error() == CompressionError::unknown_codec);
  }
}
