// Braid, Apache-2.0.
//
// The journal's decoders behind their checksums: the fuzzer's bytes get the right checksum and are decoded; what
// decodes is encoded and decoded again, and must be the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "model/byte_io.hpp"
#include "model/crc32c.hpp"
#include "persistence/journal/batch_index.hpp"
#include "persistence/journal/checkpoint.hpp"
#include "persistence/journal/footer.hpp"
#include "persistence/journal/producer_codec.hpp"
#include "persistence/testing/manual_loop.hpp"

using namespace braid;
using namespace braid::journal;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void section(const Bytes& input) {
  ByteWriter out;
  out.u32(crc32c(input.span()));
  out.raw(input);
  const auto index = decode_section(out.finish(), 1u << 30);
  if (!index) return;
  ByteWriter again;
  encode_section(*index, again);
  const auto second = decode_section(again.finish(), 1u << 30);
  require(second && second->size() == index->size());
  for (std::size_t i = 0; i < index->size(); ++i) {
    require((*second)[i].base_offset == (*index)[i].base_offset);
    require((*second)[i].position == (*index)[i].position);
    require((*second)[i].length == (*index)[i].length);
    require((*second)[i].prefix == (*index)[i].prefix);
    require((*second)[i].max_timestamp == (*index)[i].max_timestamp);
    if (i > 0) require((*index)[i].base_offset > (*index)[i - 1].last_offset());
  }
}

void directory(const Bytes& input) {
  (void)decode_directory(input, 7, 1u << 20);
}

void checkpoint(const Bytes& input) {
  static SimDisk disk;
  static ManualLoop loop;
  static const auto view = loop.attach(disk);
  ByteWriter out;
  out.u64(0x4252414944434b50ull);
  out.u32(kFormatVersion);
  out.raw(input);
  out.u32(crc32c(out.view()));
  const Bytes bytes = out.finish();
  Store store(*view, {.directory = "/x"});
  CheckpointHead head;
  if (!decode_checkpoint(bytes, store, head)) return;
  require(decode_checkpoint_head(bytes).has_value());
  Store second(*view, {.directory = "/x"});
  CheckpointHead second_head;
  require(decode_checkpoint(encode_checkpoint(store, head), second, second_head));
  require(second.partitions.size() == store.partitions.size());
  require(second_head.sequence == head.sequence);
}

void producers(const Bytes& input) {
  ByteReader in(input);
  ProducerStates states;
  if (!decode_producers(in, states)) return;
  ByteWriter out;
  encode_producers(states, Offset(INT64_MAX), out);
  ByteReader again(out.finish());
  ProducerStates second;
  require(decode_producers(again, second));
  require(second.all().size() == states.all().size());
}

/// What follows the header of a shared batch, with the right checksum.
void targets(const EntryHeader& header, const Bytes& input) {
  if (header.kind != EntryKind::shared_batch) return;
  const std::uint32_t length = targets_bytes(header.targets);
  std::string body(input.view());
  body.resize(length);
  auto* at = reinterpret_cast<std::uint8_t*>(body.data());
  store_big(at + length - 8, crc32c(std::span<const std::uint8_t>(at, length - 8)));
  const std::span<const std::uint8_t> bytes(at, length);
  const auto decoded = decode_targets(header, bytes);
  require(!decode_targets(header, bytes.first(length - 1)));
  if (!decoded) return;
  require(decoded->size() == header.targets);
  std::string again(length, '\0');
  encode_targets(*decoded, reinterpret_cast<std::uint8_t*>(again.data()));
  require(again.substr(0, length - 4) == body.substr(0, length - 4));
}

void headers(const Bytes& input) {
  std::string padded(input.view());
  padded.resize(128);
  auto* at = reinterpret_cast<std::uint8_t*>(padded.data());
  store_big(at + 60, crc32c(std::span<const std::uint8_t>(at, 60)));
  if (const auto header = decode_file_header(std::span<const std::uint8_t>(at, 64))) {
    std::uint8_t bytes[kFileHeaderBytes];
    encode(*header, bytes);
    require(decode_file_header(bytes)->previous_end == header->previous_end);
  }
  (void)decode_trailer(std::span<const std::uint8_t>(at, 64));
  const std::uint32_t seed = file_seed(3);
  store_big(at, crc32c(std::span<const std::uint8_t>(at + 4, kEntryHeaderBytes - 4), seed ^ 4096u));
  if (const auto header = decode_entry_header(std::span<const std::uint8_t>(at, kEntryHeaderBytes), seed, 4096)) {
    std::uint8_t bytes[kEntryHeaderBytes];
    encode(*header, seed, 4096, bytes);
    const auto second = decode_entry_header(bytes, seed, 4096);
    require(second && second->last_offset() == header->last_offset() && second->index == header->index);
    targets(*header, input);
    require(!decode_entry_header(bytes, seed, 4104));
    require(!decode_entry_header(bytes, file_seed(4), 4096));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes input = Bytes::copy(std::span(data + 1, size - 1));
  switch (data[0] % 5) {
    case 0:
      section(input);
      break;
    case 1:
      directory(input);
      break;
    case 2:
      checkpoint(input);
      break;
    case 3:
      producers(input);
      break;
    case 4:
      headers(input);
      break;
  }
  return 0;
}
