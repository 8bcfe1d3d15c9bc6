// Braid, Apache-2.0.
//
// Validation of what a producer claims to be a record batch. The checksum is made right for half of the inputs, or
// nothing behind it would ever be reached.
#include <cstdlib>

#include "model/crc32c.hpp"
#include "model/record_batch.hpp"

using namespace braid;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void judge(const Bytes& batch) {
  const auto quick = validate_batch(batch);
  const auto internal = validate_batch(batch, {.from_client = false});
  const auto deep = validate_batch(batch, {.max_uncompressed_bytes = 1 << 20, .check_compressed = true});
  if (deep) require(quick.has_value());
  if (quick) {
    require(internal.has_value());
    require(quick->size() == batch.size());
    require(quick->record_count >= 1);
    require(quick->last_offset().value == quick->record_count - 1);
    require(!validate_batch(batch, {.max_bytes = batch.size() - 1}));
    Bytes stamped = Bytes::copy(batch.view());
    stamp_batch(stamped, Offset(1000), LeaderEpoch(1));
    rewrite_to_log_append_time(stamped, Timestamp(5));
    const auto again = validate_batch(stamped, {.from_client = false});
    require(again && again->base_offset == Offset(1000) && again->max_timestamp == Timestamp(5));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes batch = Bytes::copy(std::span(data, size));
  judge(batch);
  if (size >= kBatchHeaderBytes) {
    batch = Bytes::copy(batch.view());
    const std::uint32_t crc = crc32c(batch.span().subspan(21));
    for (int i = 0; i < 4; ++i) batch.stamp()[17 + i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
    judge(batch);
  }
  std::size_t taken = 0;
  BatchSequence batches(Bytes::copy(std::span(data, size)));
  while (batches.next()) {
    require(batches.batch().size() >= kBatchHeaderBytes);
    taken += batches.batch().size();
  }
  require(taken + batches.rest().size() == size);
  return 0;
}
