// Braid, Apache-2.0.
//
// State that is not a log, kept in one: a table of keys and values over an internal partition. A change is a record;
// at start the owner replays the partition; when the log has grown to a multiple of what is live, all live keys are
// written again and the log before them goes. Consumer offsets and retained messages are kept this way, on one node
// and on many alike.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/partition/client.hpp"
#include "model/bytes.hpp"
#include "model/errors.hpp"

namespace braid {

struct StateChange {
  Bytes key;
  std::optional<Bytes> value;  ///< nothing: the key goes
};

/// Owned by one actor, in whose context all callbacks run. `Self` is a Pinned actor.
class StateLog {
 public:
  using Apply = std::function<void(const Bytes& key, const std::optional<Bytes>& value)>;
  using Live = std::function<std::vector<StateChange>()>;  ///< everything that is in the table now
  struct Limits {
    std::uint64_t snapshot_at_least_bytes = 4u << 20;
    std::uint32_t snapshot_factor = 4;   ///< log bytes over the bytes of the last snapshot
  };

  StateLog(PartitionClient& partitions, PartitionId partition, Limits limits)
      : partitions_(partitions), partition_(partition), limits_(limits) {}

  /// Replays the partition from its log start to its end.
  template <class Self>
  void recover(Self* self, Apply apply, std::function<void(Errc)> done);

  /// Appends the changes as one batch; `done` when durable. Changes are applied to the table by the owner, in the
  /// order of their completions.
  template <class Self>
  void put(Self* self, const std::vector<StateChange>& changes, Timestamp now, std::function<void(Errc)> done);

  /// Call now and then (after puts): writes a snapshot and trims when it is worth it.
  template <class Self>
  void snapshot_if_due(Self* self, Timestamp now, const Live& live);

 private:
  PartitionClient& partitions_;
  PartitionId partition_;
  Limits limits_;
  std::uint64_t bytes_since_snapshot_ = 0;
  std::uint64_t snapshot_bytes_ = 0;
  bool snapshotting_ = false;
};

}  // namespace braid
