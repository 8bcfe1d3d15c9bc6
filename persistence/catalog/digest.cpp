// Braid, Apache-2.0.
//
// Every field is written with a fixed width or its length in front, so that no two contents share an encoding.
#include "persistence/catalog/digest.hpp"

#include "model/byte_io.hpp"
#include "model/crc32c.hpp"

namespace braid {
namespace {

template <class T>
void put(std::string& out, T value) {
  std::uint8_t raw[sizeof value];
  store_big(raw, value);
  out.append(reinterpret_cast<const char*>(raw), sizeof raw);
}
void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint64_t>(text.size()));
  out.append(text);
}

/// Finalizer of splitmix64: neighbouring inputs give unrelated outputs, so that sums of them do not cancel out.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace

std::uint32_t checksum(const Topic& topic, std::string& scratch) {
  scratch.clear();
  scratch.append(reinterpret_cast<const char*>(topic.id.bytes.data()), topic.id.bytes.size());
  put_text(scratch, topic.name);
  put(scratch, std::uint8_t{topic.internal});
  put(scratch, static_cast<std::uint64_t>(topic.config.size()));
  for (const auto& [key, value] : topic.config) {
    put_text(scratch, key);
    put_text(scratch, value);
  }
  for (const auto& partition : topic.partitions) {
    put(scratch, partition.id.value);
    put(scratch, partition.shard.value);
    put(scratch, partition.epoch.value);
  }
  return crc32c(std::string_view(scratch));
}

std::uint32_t checksum(const CatalogState& state) {
  std::string all;
  put(all, state.applied_index);
  put_text(all, state.cluster_id);
  put(all, state.shards);
  put(all, state.next_partition_id);
  put(all, state.next_producer_id);
  put(all, state.topics);
  put(all, state.partitions);
  put(all, state.digest);
  return crc32c(std::string_view(all));
}

std::uint64_t digest_of_topic(const Topic& topic, std::uint32_t checksum) {
  return mix(load_big<std::uint64_t>(topic.id.bytes.data()) ^ mix(checksum));
}

std::uint64_t digest_of_setting(std::string_view key, std::string_view value) {
  return mix((std::uint64_t{crc32c(key)} << 32) ^ crc32c(value));
}

std::uint64_t digest_of_quota(std::string_view entity, std::string_view key, std::string_view value) {
  std::string all;
  for (const std::string_view part : {entity, key, value}) put_text(all, part);
  // Apart from settings, so that a row that moved from one table to the other would show.
  return mix(~std::uint64_t{crc32c(std::string_view(all))});
}

std::uint64_t digest_of_definition(std::uint8_t kind, std::span<const std::uint8_t> key,
                                   std::span<const std::uint8_t> value) {
  // Two sums that share no input, so that bytes that moved from one to the other would show.
  return mix((std::uint64_t{crc32c(key)} << 32 | crc32c(value)) + kind * 0x9e3779b97f4a7c15 + 1);
}

}  // namespace braid
