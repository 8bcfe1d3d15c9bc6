// Braid, Apache-2.0.
//
// Reads of a connection that wait at partitions. They stay there from one Fetch to the next: as long as a partition has
// not sent Wake, a Fetch from the same offset need not ask it again. So a fetch over a thousand quiet partitions costs
// their look-ups here, and no messages. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "actors/partition/interface.hpp"

namespace braid::kafka {

struct ParkedRead {
  Offset from;
  std::optional<LeaderEpoch> epoch;
  Offset high_watermark, last_stable, log_start;  ///< as the partition said when it was parked
  std::int64_t since_ms = 0;
  /// The read stands for what the partition has; false once another read of the partition was sent.
  bool current = true;
  std::uint64_t fetch = 0;  ///< number of the request that it belongs to now,
  std::size_t source = 0;   ///< and its place there
};

class ParkedReads {
 public:
  /// What a log start is told with may be as old as this, and a partition that failed is noticed by then.
  static constexpr std::int64_t kTrustedForMs = 10000;

  /// The read that waits at the partition from just there, if it can be relied upon.
  ParkedRead* find(PartitionId partition, Offset from, const std::optional<LeaderEpoch>& epoch, std::int64_t now_ms) {
    const auto at = reads_.find(partition);
    if (at == reads_.end()) return nullptr;
    ParkedRead& read = at->second;
    const bool good =
        read.current && read.from == from && read.epoch == epoch && now_ms - read.since_ms < kTrustedForMs;
    return good ? &read : nullptr;
  }
  /// Another read of the partition is sent by `fetch`; what waits there is not relied upon any more.
  void superseded(PartitionId partition, std::uint64_t fetch) {
    const auto at = reads_.find(partition);
    if (at == reads_.end()) return;
    at->second.current = false;
    at->second.fetch = fetch;
  }
  void parked(PartitionId partition, ParkedRead read) { reads_.insert_or_assign(partition, std::move(read)); }
  /// A Wake came: nothing waits there now. The read that it was, unless it was superseded.
  std::optional<ParkedRead> woken(PartitionId partition) {
    const auto at = reads_.find(partition);
    if (at == reads_.end()) return std::nullopt;
    std::optional<ParkedRead> read;
    if (at->second.current) read = at->second;
    reads_.erase(at);
    return read;
  }
  /// Takes out what does not belong to `fetch`, and hands each partition to `unpark`.
  template <class F>
  void forget_others(std::uint64_t fetch, F&& unpark) {
    for (auto at = reads_.begin(); at != reads_.end();) {
      if (at->second.fetch == fetch) {
        ++at;
        continue;
      }
      unpark(at->first);
      at = reads_.erase(at);
    }
  }
  template <class F>
  void forget_all(F&& unpark) {
    for (const auto& [partition, read] : reads_) unpark(partition);
    reads_.clear();
  }
  std::size_t size() const { return reads_.size(); }

 private:
  std::unordered_map<PartitionId, ParkedRead> reads_;
};

}  // namespace braid::kafka
