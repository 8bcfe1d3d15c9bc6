// Braid, Apache-2.0.
//
// How an actor reaches partitions. A partition's actor exists only while it is used, and may live on another loop; the
// client keeps the handles that its loop has seen, has the owner start an actor where there is none, and asks again
// when the actor had gone to rest meanwhile. One per loop, used by the actors of that loop only.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "actors/partition/interface.hpp"
#include "runtime/pinned.hpp"

namespace braid {

/// Starts partition actors on the loop that owns them; one per loop.
struct OpenPartition {
  PartitionId partition;
};
struct PartitionOpened {
  Errc error = Errc::none;  ///< unknown_partition, storage_failed, shutting_down
  PartitionActor actor;
};
using PartitionHost = caf::typed_actor<caf::replies_to<OpenPartition>::with<PartitionOpened>>;

class PartitionClient {
 public:
  /// `hosts[i]` belongs to loop i; `owner` says on which loop a partition lives.
  PartitionClient(std::vector<PartitionHost> hosts, std::function<std::size_t(PartitionId)> owner);

  /// Sends `request` to the partition and calls `done` with the reply, in `self`'s context. Requests of one actor to
  /// one partition arrive in the order of these calls. `done` gets a reply with Errc::unknown_partition when there is
  /// no such partition, and unknown_outcome when the partition failed while it had the request.
  template <class Self, class Request, class Done>
  void request(Self* self, PartitionId partition, Request request, Done done);

  /// Like request, for messages without a reply (Unpark): dropped when no actor is known.
  template <class Self, class Message>
  void tell(Self* self, PartitionId partition, Message message);

  void forget(PartitionId);

 private:
  struct Slot {
    PartitionActor actor;
    bool opening = false;
    std::vector<std::function<void(Errc, const PartitionActor&)>> waiting;
  };
  std::vector<PartitionHost> hosts_;
  std::function<std::size_t(PartitionId)> owner_;
  std::unordered_map<PartitionId, Slot> slots_;
};

}  // namespace braid

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::OpenPartition)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::PartitionOpened)
