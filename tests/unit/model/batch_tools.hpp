// Braid, Apache-2.0.
//
// What tests of record batches share: messages at random, a second encoder written from the format's description and
// not from ours, and ways to tamper with a batch.
#pragma once

#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "model/batch_builder.hpp"
#include "model/byte_io.hpp"
#include "model/crc32c.hpp"
#include "model/message.hpp"
#include "model/record_batch.hpp"
#include "support/source_tree.hpp"

namespace braid {

inline Bytes random_bytes(std::mt19937_64& random, std::size_t max_bytes) {
  std::string bytes(random() % (max_bytes + 1), '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random() % 7 ? 'a' + random() % 5 : random());
  return Bytes::copy(bytes);
}

inline Message random_message(std::mt19937_64& random) {
  Message message;
  message.timestamp = Timestamp(random() % 10 ? static_cast<std::int64_t>(1700000000000 + random() % 1000000) : -1);
  if (random() % 4) message.key = random_bytes(random, 40);
  if (random() % 6) message.value = random_bytes(random, random() % 10 ? 300 : 20000);
  for (auto headers = random() % 8; headers > 4; --headers) {
    message.headers.push_back({random_bytes(random, 20), {}});
    if (random() % 3) message.headers.back().value = random_bytes(random, 50);
  }
  return message;
}

inline std::vector<Message> random_messages(std::mt19937_64& random, std::size_t max_count) {
  std::vector<Message> messages(1 + random() % max_count);
  for (auto& message : messages) message = random_message(random);
  return messages;
}

inline Bytes batch_of(const std::vector<Message>& messages, Compression codec = Compression::none,
                      const BatchProducer& producer = {}) {
  BatchBuilder builder;
  for (const auto& message : messages) builder.add(message);
  return builder.finish(codec, producer);
}

/// Bit by bit, so that it shares nothing with the library.
inline std::uint32_t plain_crc32c(std::string_view bytes) {
  std::uint32_t state = 0xffffffff;
  for (char byte : bytes) {
    state ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) state = state >> 1 ^ (state & 1 ? 0x82f63b78 : 0);
  }
  return ~state;
}

/// A batch as the format's description says, field after field. `offset_deltas` may have gaps.
inline Bytes plain_batch(const std::vector<Message>& messages, std::vector<std::int32_t> offset_deltas = {}) {
  if (offset_deltas.empty())
    for (std::size_t i = 0; i < messages.size(); ++i) offset_deltas.push_back(static_cast<std::int32_t>(i));
  auto field = [](ByteWriter& to, const std::optional<Bytes>& bytes) {
    to.zigzag32(bytes ? static_cast<std::int32_t>(bytes->size()) : -1);
    if (bytes) to.raw(*bytes);
  };
  ByteWriter records;
  std::int64_t max_timestamp = messages.empty() ? -1 : messages[0].timestamp.value;
  const std::int64_t base_timestamp = max_timestamp;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto& message = messages[i];
    ByteWriter record;
    record.i8(0);
    record.zigzag64(message.timestamp.value - base_timestamp);
    record.zigzag32(offset_deltas[i]);
    field(record, message.key);
    field(record, message.value);
    record.zigzag32(static_cast<std::int32_t>(message.headers.size()));
    for (const auto& header : message.headers) {
      field(record, header.key);
      field(record, header.value);
    }
    records.zigzag32(static_cast<std::int32_t>(record.size()));
    records.raw(record.view());
    max_timestamp = std::max(max_timestamp, message.timestamp.value);
  }
  ByteWriter checked;
  checked.i16(0);
  checked.i32(offset_deltas.empty() ? 0 : offset_deltas.back());
  checked.i64(base_timestamp);
  checked.i64(max_timestamp);
  checked.i64(-1);
  checked.i16(-1);
  checked.i32(-1);
  checked.i32(static_cast<std::int32_t>(messages.size()));
  checked.raw(records.view());
  ByteWriter batch;
  batch.i64(0);
  batch.i32(static_cast<std::int32_t>(4 + 1 + 4 + checked.size()));
  batch.i32(-1);
  batch.i8(2);
  batch.u32(plain_crc32c(checked.view()));
  batch.raw(checked.view());
  return batch.finish();
}

/// The batch with a field of its header changed and the checksum made right again, as a hostile producer would.
template <class T>
Bytes with_field(const Bytes& batch, std::size_t position, T value) {
  Bytes changed = Bytes::copy(batch.view());
  store_big(changed.stamp() + position, value);
  store_big(changed.stamp() + 17, crc32c(changed.view().substr(21)));
  return changed;
}

/// The batch with other bytes for its records, length and checksum made right.
inline Bytes with_records(const Bytes& batch, std::string_view records) {
  Bytes changed = Bytes::copy(batch.str().substr(0, kBatchHeaderBytes) + std::string(records));
  return with_field(changed, 8, static_cast<std::int32_t>(changed.size() - kBatchPrefixBytes));
}

/// What librdkafka 2.0.2 sent for messages with keys, values and the headers h1=v1 and h2="".
inline Bytes librdkafka_batch(const std::string& codec) {
  std::ifstream file(source_tree() / "tests/unit/model/data" / ("librdkafka-" + codec + ".batch"), std::ios::binary);
  return Bytes::copy(std::string(std::istreambuf_iterator<char>(file), {}));
}

}  // namespace braid
