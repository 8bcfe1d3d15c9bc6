// Braid, Apache-2.0.
//
// A count, then per producer: id, epoch, last use, and up to five batches, oldest first.
#include "persistence/journal/producer_codec.hpp"

#include <algorithm>
#include <vector>

namespace braid::journal {

void encode_producers(const ProducerStates& states, Offset end, ByteWriter& out) {
  // In order of id, so that equal states yield equal bytes and a simulated run replays bit by bit.
  std::vector<ProducerId> ids;
  ids.reserve(states.all().size());
  for (const auto& [id, producer] : states.all()) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  out.varint(ids.size());
  for (const ProducerId id : ids) {
    const ProducerStates::Producer& producer = states.all().at(id);
    std::uint8_t count = producer.count;
    while (count > 0 && producer.batches[count - 1u].last_offset >= end) --count;
    out.zigzag64(id.value);
    out.i16(producer.epoch.value);
    out.zigzag64(producer.last_used.value);
    out.u8(count);
    for (std::uint8_t i = 0; i < count; ++i) {
      const ProducerBatch& batch = producer.batches[i];
      out.zigzag32(batch.first_sequence);
      out.zigzag32(batch.last_sequence);
      out.zigzag64(batch.base_offset.value);
      out.varint(static_cast<std::uint64_t>(batch.last_offset.value - batch.base_offset.value));
      out.zigzag64(batch.timestamp.value);
    }
  }
}

bool decode_producers(ByteReader& in, ProducerStates& into) {
  const std::uint64_t producers = in.varint();
  if (in.failed() || producers > in.remaining() / 5) return false;  // five bytes at least
  for (std::uint64_t p = 0; p < producers; ++p) {
    const ProducerId id(in.zigzag64());
    ProducerStates::Producer producer;
    producer.epoch = ProducerEpoch(in.i16());
    producer.last_used = Timestamp(in.zigzag64());
    producer.count = in.u8();
    if (in.failed() || producer.count > producer.batches.size()) return false;
    for (std::uint8_t i = 0; i < producer.count; ++i) {
      ProducerBatch& batch = producer.batches[i];
      batch.first_sequence = in.zigzag32();
      batch.last_sequence = in.zigzag32();
      batch.base_offset = Offset(in.zigzag64());
      const std::uint32_t delta = in.varint32();
      if (in.failed() || batch.base_offset.value < 0 || batch.base_offset.value > INT64_MAX - delta) return false;
      batch.last_offset = Offset(batch.base_offset.value + delta);
      batch.timestamp = Timestamp(in.zigzag64());
    }
    into.restore(id, producer);
  }
  return !in.failed();
}

}  // namespace braid::journal
