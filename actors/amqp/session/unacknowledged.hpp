// Braid, Apache-2.0.
//
// What a channel has delivered and the client has not settled, by delivery tag. Kept as runs: messages that were
// delivered one after the other out of one queue have tags and offsets without gaps, so a thousand of them are one
// entry, and an acknowledgement of all of them is one range for the queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "model/ids.hpp"
#include "persistence/queue/types.hpp"

namespace braid::amqp {

/// In place of a loop: no queue's host has the messages, they are of a stream.
inline constexpr std::uint32_t stream_loop = UINT32_MAX;

/// A run of deliveries: tags and offsets count up together.
struct Held {
  std::uint64_t first_tag = 0;
  std::uint32_t count = 0;
  std::uint8_t priority = 0;
  std::uint32_t loop = 0;   ///< whose host has the queue
  bool by_consumer = true;  ///< not by basic.get: counts for the prefetch of a channel
  Offset first;
  QueueId queue;
  std::uint64_t consumer = 0;     ///< as the host knows who holds it
  std::int64_t delivered_ms = 0;  ///< of the first, to `join_within_ms`
  std::int64_t timeout_ms = 0;    ///< to be settled within; 0: whenever

  std::uint64_t last_tag() const { return first_tag + count - 1; }
};

class Unacknowledged {
 public:
  /// Deliveries are joined only when they came so close to each other, so that the age of a run is that of its
  /// messages.
  static constexpr std::int64_t join_within_ms = 1000;

  /// Behind all that are there, and joined with the last one where it goes on there.
  void add(const Held& held);
  /// Where its tags belong: what a transaction gives back.
  void put_back(const Held& held);

  /// Takes out the delivery `tag`, or all up to it, and calls `each(const Held&)` for each run. False, and nothing
  /// happens, when `tag` is not there.
  template <class Each>
  bool take(std::uint64_t tag, bool multiple, Each&& each) {
    auto at = runs_.lower_bound(tag);
    if (at == runs_.end() || at->second.first_tag > tag) return false;
    if (multiple) {
      while (runs_.begin() != at) each(erase(runs_.begin()));
      each(take_front(at, static_cast<std::uint32_t>(tag - at->second.first_tag + 1)));
    } else {
      each(take_one(at, tag));
    }
    return true;
  }
  template <class Each>
  void take_all(Each&& each) {
    while (!runs_.empty()) each(erase(runs_.begin()));
  }

  bool empty() const { return runs_.empty(); }
  /// Messages.
  std::uint64_t size() const { return size_; }
  /// Of these, to consumers.
  std::uint64_t by_consumers() const { return by_consumers_; }
  /// In the order of their tags, while `more(const Held&)` says so.
  template <class More>
  void each_from_oldest(More&& more) const {
    for (auto at = runs_.begin(); at != runs_.end() && more(at->second);) ++at;
  }

 private:
  using Runs = std::map<std::uint64_t, Held>;  ///< by last tag
  Held erase(Runs::iterator at);
  Held take_front(Runs::iterator at, std::uint32_t count);
  Held take_one(Runs::iterator at, std::uint64_t tag);
  void count_out(const Held& part);

  Runs runs_;
  std::uint64_t size_ = 0;
  std::uint64_t by_consumers_ = 0;
};

}  // namespace braid::amqp
