// Braid, Apache-2.0.
//
// Four libraries, one shape: state is made, used and freed within a call, output grows in steps up to the bound.
#include "model/compression.hpp"

#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <memory>

namespace braid {
namespace {

using Done = Outcome<CompressionError>;
Unexpected<CompressionError> error(CompressionError what) {
  return Unexpected{what};
}

/// Output of an inflation: room in steps, never more than one byte past the bound, which tells "just fits" from "more".
class Inflated {
 public:
  Inflated(std::size_t expected_bytes, std::size_t max_bytes)
      : max_bytes_(max_bytes), writer_(std::clamp<std::size_t>(expected_bytes, 64, max_bytes_ + 64)) {}

  /// Room for the library to write to.
  std::span<std::uint8_t> room() {
    const std::size_t size = writer_.size();
    if (size == writer_.capacity()) {
      writer_.grow(1);
      writer_.truncate(size);
    }
    return {writer_.data() + size, std::min(writer_.capacity() - size, max_bytes_ - size + 1)};
  }
  /// No further call of room() once this made it too large.
  void written(std::size_t length) { writer_.grow(length); }
  bool too_large() const { return writer_.size() > max_bytes_; }
  Bytes finish() { return writer_.finish(); }

 private:
  std::size_t max_bytes_;
  ByteWriter writer_;
};

using InflateResult = Result<Bytes, CompressionError>;

// gzip ----------------------------------------------------------------------------------------------------------------

constexpr int kGzipWindowBits = 15 + 16;  // the largest window, with gzip's header and trailer
constexpr std::size_t kGzipMaxRatio = 1032;

Done gzip_compress(std::string_view input, ByteWriter& output, std::optional<int> level) {
  z_stream stream{};
  const int gzip_level = level ? std::clamp(*level, Z_BEST_SPEED, Z_BEST_COMPRESSION) : Z_DEFAULT_COMPRESSION;
  if (deflateInit2(&stream, gzip_level, Z_DEFLATED, kGzipWindowBits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return error(CompressionError::out_of_memory);
  std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, deflateEnd);
  const std::size_t before = output.size();
  const std::size_t bound = deflateBound(&stream, input.size());
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = output.grow(bound);
  stream.avail_out = static_cast<uInt>(bound);
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) {
    output.truncate(before);
    return error(CompressionError::out_of_memory);
  }
  output.truncate(before + bound - stream.avail_out);
  return ok;
}

InflateResult gzip_decompress(std::string_view input, std::size_t max_bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindowBits) != Z_OK) return error(CompressionError::out_of_memory);
  std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
  stream.avail_in = static_cast<uInt>(input.size());
  Inflated output(std::min(input.size() * 4, input.size() * kGzipMaxRatio), max_bytes);
  while (true) {
    const auto room = output.room();
    stream.next_out = room.data();
    stream.avail_out = static_cast<uInt>(std::min<std::size_t>(room.size(), 1u << 30));
    const uInt offered = stream.avail_out;
    const int status = inflate(&stream, Z_NO_FLUSH);
    output.written(offered - stream.avail_out);
    if (output.too_large()) return error(CompressionError::too_large);
    if (status == Z_STREAM_END) {
      if (stream.avail_in == 0) return output.finish();
      if (inflateReset(&stream) != Z_OK) return error(CompressionError::corrupt);  // another member follows
      continue;
    }
    if (status == Z_MEM_ERROR) return error(CompressionError::out_of_memory);
    if (status != Z_OK) return error(CompressionError::corrupt);
    // Z_OK without progress possible: the input ended within the stream.
    if (stream.avail_in == 0 && stream.avail_out != 0) return error(CompressionError::corrupt);
  }
}

// snappy --------------------------------------------------------------------------------------------------------------

// The Java library's stream: this magic, two big-endian versions, then blocks behind their big-endian lengths.
constexpr std::string_view kXerialMagic("\x82SNAPPY\0", 8);
constexpr std::size_t kXerialHeaderBytes = 16;
constexpr std::size_t kXerialBlockBytes = 32 << 10;
// Snappy's densest element makes 64 bytes of 3; a block that claims much more is lying about its size.
constexpr std::size_t kSnappyMaxRatio = 64;

Done snappy_compress(std::string_view input, ByteWriter& output) {
  output.raw(kXerialMagic);
  output.i32(1);  // version
  output.i32(1);  // the oldest version that can read it
  while (!input.empty()) {
    const auto piece = input.substr(0, kXerialBlockBytes);
    const std::size_t start = output.size();
    std::uint8_t* at = output.grow(4 + snappy::MaxCompressedLength(piece.size()));
    std::size_t length = 0;
    snappy::RawCompress(piece.data(), piece.size(), reinterpret_cast<char*>(at) + 4, &length);
    output.truncate(start + 4 + length);
    output.patch(start, static_cast<std::int32_t>(length));
    input.remove_prefix(piece.size());
  }
  return ok;
}

/// Appends one raw block to `output`.
Done snappy_block(std::string_view block, std::size_t max_bytes, ByteWriter& output) {
  std::size_t length = 0;
  if (!snappy::GetUncompressedLength(block.data(), block.size(), &length)) return error(CompressionError::corrupt);
  if (length > block.size() * kSnappyMaxRatio) return error(CompressionError::corrupt);
  if (length > max_bytes - output.size()) return error(CompressionError::too_large);
  auto* at = reinterpret_cast<char*>(output.grow(length));
  if (!snappy::RawUncompress(block.data(), block.size(), at)) return error(CompressionError::corrupt);
  return ok;
}

InflateResult snappy_decompress(std::string_view input, std::size_t max_bytes) {
  if (!input.starts_with(kXerialMagic)) {
    ByteWriter output(64);
    if (auto done = snappy_block(input, max_bytes, output); !done) return error(done.error());
    return output.finish();
  }
  ByteWriter output(std::clamp<std::size_t>(input.size() * 3, 64, max_bytes + 64));
  while (!input.empty()) {
    if (input.starts_with(kXerialMagic)) {  // at the front, and again where streams were joined
      if (input.size() < kXerialHeaderBytes) return error(CompressionError::corrupt);
      input.remove_prefix(kXerialHeaderBytes);
      continue;
    }
    if (input.size() < 4) return error(CompressionError::corrupt);
    const auto length = load_big<std::uint32_t>(reinterpret_cast<const std::uint8_t*>(input.data()));
    input.remove_prefix(4);
    if (length == 0 || length > input.size()) return error(CompressionError::corrupt);
    if (auto done = snappy_block(input.substr(0, length), max_bytes, output); !done) return error(done.error());
    input.remove_prefix(length);
  }
  return output.finish();
}

// lz4 -----------------------------------------------------------------------------------------------------------------

/// Kafka's levels are those of the Java library: its default, 9, is the fast compressor and not the ninth of the slow.
constexpr int kKafkaFastLz4Level = 9;

Done lz4_compress(std::string_view input, ByteWriter& output, std::optional<int> level) {
  LZ4F_preferences_t preferences{};
  if (level && *level != kKafkaFastLz4Level)
    preferences.compressionLevel = std::clamp(*level, 0, LZ4F_compressionLevel_max());
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  const std::size_t before = output.size();
  const std::size_t bound = LZ4F_compressFrameBound(input.size(), &preferences);
  const std::size_t length = LZ4F_compressFrame(output.grow(bound), bound, input.data(), input.size(), &preferences);
  output.truncate(before);
  if (LZ4F_isError(length)) return error(CompressionError::out_of_memory);
  output.grow(length);
  return ok;
}

InflateResult lz4_decompress(std::string_view input, std::size_t max_bytes) {
  LZ4F_dctx* raw_context = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&raw_context, LZ4F_VERSION)))
    return error(CompressionError::out_of_memory);
  std::unique_ptr<LZ4F_dctx, LZ4F_errorCode_t (*)(LZ4F_dctx*)> context(raw_context, LZ4F_freeDecompressionContext);
  Inflated output(input.size() * 4, max_bytes);
  std::size_t more = 1;  // what the library waits for; 0 at the end of a frame
  bool full = false;     // it had more to give than there was room
  while (!input.empty() || full) {
    const auto room = output.room();
    std::size_t written = room.size();
    std::size_t read = input.size();
    more = LZ4F_decompress(context.get(), room.data(), &written, input.data(), &read, nullptr);
    if (LZ4F_isError(more)) return error(CompressionError::corrupt);
    input.remove_prefix(read);
    output.written(written);
    if (output.too_large()) return error(CompressionError::too_large);
    full = more != 0 && written == room.size();
    if (read == 0 && written == 0) return error(CompressionError::corrupt);
  }
  if (more != 0) return error(CompressionError::corrupt);
  return output.finish();
}

// zstd ----------------------------------------------------------------------------------------------------------------

Done zstd_compress(std::string_view input, ByteWriter& output, std::optional<int> level) {
  const std::size_t before = output.size();
  const std::size_t bound = ZSTD_compressBound(input.size());
  const int zstd_level =
      level ? std::clamp(*level, ZSTD_minCLevel(), ZSTD_maxCLevel()) : static_cast<int>(ZSTD_CLEVEL_DEFAULT);
  const std::size_t length = ZSTD_compress(output.grow(bound), bound, input.data(), input.size(), zstd_level);
  output.truncate(before);
  if (ZSTD_isError(length)) return error(CompressionError::out_of_memory);
  output.grow(length);
  return ok;
}

InflateResult zstd_decompress(std::string_view input, std::size_t max_bytes) {
  std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  if (!context) return error(CompressionError::out_of_memory);
  // The content size is a claim: it is used as a first guess only, and not beyond a ratio that real data reaches.
  std::size_t expected = input.size() * 4;
  const auto claimed = ZSTD_getFrameContentSize(input.data(), input.size());
  if (claimed != ZSTD_CONTENTSIZE_UNKNOWN && claimed != ZSTD_CONTENTSIZE_ERROR) {
    if (claimed > max_bytes) return error(CompressionError::too_large);
    expected = std::min<std::size_t>(claimed, input.size() * 64) + 1;
  }
  Inflated output(expected, max_bytes);
  ZSTD_inBuffer from{input.data(), input.size(), 0};
  std::size_t more = 1;
  bool full = false;
  while (from.pos < from.size || full) {
    const auto room = output.room();
    ZSTD_outBuffer to{room.data(), room.size(), 0};
    const std::size_t before = from.pos;
    more = ZSTD_decompressStream(context.get(), &to, &from);
    if (ZSTD_isError(more)) {
      const bool memory = ZSTD_getErrorCode(more) == ZSTD_error_memory_allocation;
      return error(memory ? CompressionError::out_of_memory : CompressionError::corrupt);
    }
    output.written(to.pos);
    if (output.too_large()) return error(CompressionError::too_large);
    full = more != 0 && to.pos == to.size;
    if (from.pos == before && to.pos == 0) return error(CompressionError::corrupt);
  }
  if (more != 0) return error(CompressionError::corrupt);
  return output.finish();
}

}  // namespace

Outcome<CompressionError> compress(Compression codec, std::string_view input, ByteWriter& output,
                                   std::optional<int> level) {
  switch (codec) {
    case Compression::none:
      output.raw(input);
      return ok;
    case Compression::gzip:
      return gzip_compress(input, output, level);
    case Compression::snappy:
      return snappy_compress(input, output);
    case Compression::lz4:
      return lz4_compress(input, output, level);
    case Compression::zstd:
      return zstd_compress(input, output, level);
  }
  return error(CompressionError::unknown_codec);
}

Result<Bytes, CompressionError> decompress(Compression codec, const Bytes& input, std::size_t max_bytes) {
  // The libraries count in 32 bits in places, and no batch comes near it.
  constexpr std::size_t kMaxBytes = 1u << 31;
  if (input.size() > kMaxBytes) return error(CompressionError::too_large);
  max_bytes = std::min(max_bytes, kMaxBytes);
  switch (codec) {
    case Compression::none:
      if (input.size() > max_bytes) return error(CompressionError::too_large);
      return input;
    case Compression::gzip:
      return gzip_decompress(input.view(), max_bytes);
    case Compression::snappy:
      return snappy_decompress(input.view(), max_bytes);
    case Compression::lz4:
      return lz4_decompress(input.view(), max_bytes);
    case Compression::zstd:
      return zstd_decompress(input.view(), max_bytes);
  }
  return error(CompressionError::unknown_codec);
}

std::string_view to_string(CompressionError what) {
  switch (what) {
    case CompressionError::unknown_codec:
      return "unknown compression codec";
    case CompressionError::corrupt:
      return "compressed data is damaged or incomplete";
    case CompressionError::too_large:
      return "compressed data inflates beyond the limit";
    case CompressionError::out_of_memory:
      return "no memory for the compression codec";
  }
  return "compression error";
}

std::string_view to_string(Compression codec) {
  switch (codec) {
    case Compression::none:
      return "none";
    case Compression::gzip:
      return "gzip";
    case Compression::snappy:
      return "snappy";
    case Compression::lz4:
      return "lz4";
    case Compression::zstd:
      return "zstd";
  }
  return "unknown";
}

}  // namespace braid
