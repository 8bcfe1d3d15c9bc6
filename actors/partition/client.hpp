// Braid, Apache-2.0.
//
// How an actor reaches partitions. A partition's actor exists only while it is used, and may live on another loop; the
// client keeps the handles that its loop has seen, has the owner start an actor where there is none, and forgets a
// handle before the actor behind it goes to rest. One per loop, used by the actors of that loop only.
#pragma once

#include <functional>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/partition/interface.hpp"

namespace braid {

class PartitionClient {
 public:
  /// Has the owner open a partition and reports to `opened`; set once, by the loop's partition host. Requests that come
  /// before it wait.
  using Opener = std::function<void(PartitionId)>;
  void set_opener(Opener opener);

  /// Sends `request` to the partition and calls `done` with the reply, in the context of `self` (a Pinned actor).
  /// Requests of one actor to one partition arrive in the order of these calls. The reply's error is
  /// unknown_partition when there is no such partition, and unknown_outcome when it failed while it had the request.
  /// A batch to append arrives even when `self` has ended before the partition was open: its sender may be one that
  /// waits for no answer (Produce with acks=0).
  template <class Self, class Request, class Done>
  void request(Self* self, PartitionId partition, Request request, Done done) {
    Slot& slot = slots_[partition];
    if (slot.actor) return send(self, partition, slot.actor, std::move(request), std::move(done));
    auto go_on = self->guard([this, self, partition, done = std::move(done)](Errc error, const PartitionActor& actor,
                                                                             Request& waited, bool& asked) mutable {
      asked = true;
      if (error == Errc::none) return send(self, partition, actor, std::move(waited), std::move(done));
      PartitionReply<Request> reply;
      reply.error = error;
      done(reply);
    });
    slot.waiting.push_back(
        [request = std::move(request), go_on = std::move(go_on)](Errc error, const PartitionActor& actor) mutable {
          bool asked = false;
          go_on(error, actor, request, asked);
          if constexpr (std::is_same_v<Request, AppendBatch>)
            if (!asked && error == Errc::none) tell_from_outside(actor, std::move(request));
        });
    if (slot.waiting.size() == 1 && opener_) opener_(partition);
  }

  /// For messages without a reply; dropped when no actor is known, since there is nothing to tell one that rests.
  template <class Self, class Message>
  void tell(Self* self, PartitionId partition, Message message) {
    if (auto at = slots_.find(partition); at != slots_.end() && at->second.actor)
      self->send(at->second.actor, std::move(message));
  }

  /// The opener's answer.
  void opened(PartitionId partition, Errc error, PartitionActor actor);
  /// The actor is about to rest, or is gone: the next request opens the partition anew.
  void forget(PartitionId partition);

 private:
  template <class Self, class Request, class Done>
  void send(Self* self, PartitionId partition, const PartitionActor& actor, Request request, Done done) {
    self->request(actor, caf::infinite, std::move(request))
        .then([done](const PartitionReply<Request>& reply) mutable { done(reply); },
              [this, done, partition, actor](caf::error&) mutable {
                if (auto at = slots_.find(partition); at != slots_.end() && at->second.actor == actor)
                  forget(partition);
                PartitionReply<Request> reply;
                reply.error = Errc::unknown_outcome;
                done(reply);
              });
  }

  struct Slot {
    PartitionActor actor;  ///< null while the partition is being opened
    std::vector<std::function<void(Errc, const PartitionActor&)>> waiting;
  };
  std::unordered_map<PartitionId, Slot> slots_;
  Opener opener_;
};

}  // namespace braid
