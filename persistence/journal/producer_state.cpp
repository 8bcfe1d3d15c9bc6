// Braid, Apache-2.0.
//
// The rules of idempotence, over at most five remembered batches per producer.
#include "persistence/journal/producer_state.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

namespace braid {
namespace {

/// Sequences wrap from 2^31-1 to 0.
std::int32_t next_sequence(std::int32_t sequence) {
  return sequence == std::numeric_limits<std::int32_t>::max() ? 0 : sequence + 1;
}

}  // namespace

ProducerStates::Verdict ProducerStates::check(ProducerId id, ProducerEpoch epoch, std::int32_t first_sequence,
                                              std::int32_t last_sequence) const {
  const auto found = producers_.find(id);
  if (found == producers_.end()) return {};
  const Producer& producer = found->second;
  if (epoch < producer.epoch) return {.error = Errc::invalid_producer_epoch};
  if (epoch > producer.epoch) {
    if (first_sequence != 0) return {.error = Errc::out_of_order_sequence};
    return {};
  }
  for (std::size_t i = 0; i < producer.count; ++i) {
    const ProducerBatch& batch = producer.batches[i];
    if (batch.first_sequence == first_sequence && batch.last_sequence == last_sequence)
      return {.error = Errc::none, .duplicate = true, .original = batch};
  }
  // All of its batches failed or were replaced: like an unknown producer it may begin anywhere.
  if (producer.count == 0) return {};
  if (first_sequence != next_sequence(producer.batches[producer.count - 1].last_sequence))
    return {.error = Errc::out_of_order_sequence};
  return {};
}

void ProducerStates::appended(ProducerId id, ProducerEpoch epoch, ProducerBatch batch, Timestamp now) {
  Producer& producer = producers_[id];
  if (epoch != producer.epoch) {
    producer.epoch = epoch;
    producer.count = 0;
  }
  producer.last_used = std::max(producer.last_used, now);
  // The same batch noted twice counts once.
  if (producer.count > 0 && producer.batches[producer.count - 1].base_offset >= batch.base_offset) return;
  if (producer.count == producer.batches.size()) {
    std::move(producer.batches.begin() + 1, producer.batches.end(), producer.batches.begin());
    --producer.count;
  }
  producer.batches[producer.count++] = batch;
}

void ProducerStates::truncate(Offset end) {
  for (auto& [id, producer] : producers_)
    while (producer.count > 0 && producer.batches[producer.count - 1].last_offset >= end) --producer.count;
}

void ProducerStates::expire(Timestamp now, std::int64_t idle_ms) {
  for (auto at = producers_.begin(); at != producers_.end();) {
    if (at->second.last_used.value < 0) at->second.last_used = now;
    at = now.value - at->second.last_used.value > idle_ms ? producers_.erase(at) : std::next(at);
  }
}

void ProducerStates::keep_at_most(std::size_t count) {
  if (producers_.size() <= count) return;
  std::vector<std::pair<Timestamp, ProducerId>> oldest;
  oldest.reserve(producers_.size());
  for (const auto& [id, producer] : producers_) oldest.emplace_back(producer.last_used, id);
  // Some more than need be, so that this is not done for every batch.
  const std::size_t gone = producers_.size() - count + count / 8;
  std::nth_element(oldest.begin(), oldest.begin() + static_cast<std::ptrdiff_t>(gone), oldest.end());
  for (std::size_t i = 0; i < gone; ++i) producers_.erase(oldest[i].second);
}

}  // namespace braid
