// Braid, Apache-2.0.
//
// The shape of most requests about the log: topics, partitions in them, one question to each partition, and an answer
// when all have replied. Each partition has its place in the response before anything is asked, so replies may come in
// any order and one bad partition is just an error in its place.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "actors/kafka/session.hpp"

namespace braid::kafka {

template <class Response>
class FanOut : public std::enable_shared_from_this<FanOut<Response>> {
 public:
  FanOut(Session& its_session, const Call& its_call) : session(its_session), call(its_call) {}

  /// Sends `question` to the partition; `fill(response, reply)` puts the reply into its place.
  template <class Request, class Fill>
  void ask(const PartitionPlacement& partition, Request question, Fill fill) {
    ++left_;
    session.services().partitions.request(
        &session, partition.id, std::move(question),
        [self = this->shared_from_this(), fill = std::move(fill)](const PartitionReply<Request>& reply) mutable {
          fill(self->response, reply);
          self->one_done();
        });
  }
  /// When everything was asked. With `timeout_ms` above 0 the answer goes out by then, with what is in the places that
  /// no reply has come for.
  void asked_all(std::int32_t timeout_ms = 0) {
    if (timeout_ms > 0 && left_ > 1)
      session.set_deadline(call, timeout_ms,
                           [self = this->shared_from_this()] { self->session.respond(self->call, self->response); });
    one_done();
  }

  Session& session;
  const Call call;
  Response response;

 private:
  void one_done() {
    if (--left_ == 0 && session.is_open(call)) session.respond(call, response);
  }
  std::size_t left_ = 1;  ///< questions without a reply, and the handler itself
};

/// A partition that a client named, or null.
inline const PartitionPlacement* find_partition(const TopicRef& topic, std::int32_t index) {
  return topic ? topic->partition(PartitionIndex{index}) : nullptr;
}

inline std::optional<LeaderEpoch> epoch_or_none(std::int32_t epoch) {
  return epoch >= 0 ? std::optional(LeaderEpoch{epoch}) : std::nullopt;
}

}  // namespace braid::kafka
