// Braid, Apache-2.0.
//
// What a partition remembers of its idempotent producers: per producer id the epoch and the last five batches, so that
// a retried batch gets the offset of the first try and a gap is noticed (Kafka's idempotence, five because clients keep
// at most five requests in flight). Rebuilt from batch headers at recovery.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>

#include "model/errors.hpp"
#include "model/ids.hpp"

namespace braid {

struct ProducerBatch {
  std::int32_t first_sequence = -1;
  std::int32_t last_sequence = -1;
  Offset base_offset{-1};
  Offset last_offset{-1};
  Timestamp timestamp{-1};  ///< the batch's maximum timestamp
};

class ProducerStates {
 public:
  struct Verdict {
    Errc error = Errc::none;  ///< none, out_of_order_sequence, invalid_producer_epoch
    bool duplicate = false;   ///< appended before; `original` says where
    ProducerBatch original{};
  };
  /// Judges a batch before it is appended. Sequences wrap from 2^31-1 to 0. An unknown producer may begin anywhere;
  /// a new epoch begins at 0.
  Verdict check(ProducerId, ProducerEpoch, std::int32_t first_sequence, std::int32_t last_sequence) const;
  /// Notes a batch that was appended. `now` is when, -1 during recovery: idle producers expire by it.
  void appended(ProducerId, ProducerEpoch, ProducerBatch, Timestamp now);
  /// Forgets batches at or behind `end`: they failed or were replaced.
  void truncate(Offset end);
  /// Forgets producers that have been idle for longer than `idle_ms`. After a restart it may not be known when one was
  /// used; its time begins with the first call then.
  void expire(Timestamp now, std::int64_t idle_ms);
  /// Forgets the ones idle longest, a part of all at a time, when there are more.
  void keep_at_most(std::size_t count);

  struct Producer {
    ProducerEpoch epoch{-1};
    std::uint8_t count = 0;  ///< valid entries, oldest first
    std::array<ProducerBatch, 5> batches{};
    Timestamp last_used{-1};
  };
  const std::unordered_map<ProducerId, Producer>& all() const { return producers_; }
  void restore(ProducerId id, const Producer& producer) { producers_[id] = producer; }
  bool empty() const { return producers_.empty(); }

 private:
  std::unordered_map<ProducerId, Producer> producers_;
};

}  // namespace braid
