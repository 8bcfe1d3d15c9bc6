// Braid, Apache-2.0.
//
// Gathers what the acknowledgements of one read say into ranges, so that each loop with a queue that is concerned gets
// one message. A thousand basic.ack in a row, each for the next delivery, are one range.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "actors/amqp/session/unacknowledged.hpp"
#include "actors/queues/interface.hpp"

namespace braid::amqp {

class Settlements {
 public:
  void add(const Held& held, Settlement settlement) {
    if (held.loop == stream_loop) {  // nothing is taken from a stream: whatever is said makes room for more
      if (streams_.empty() || streams_.back().first != held.consumer) streams_.emplace_back(held.consumer, 0);
      streams_.back().second += held.count;
      return;
    }
    if (held.loop >= by_loop_.size()) by_loop_.resize(held.loop + 1);
    auto& ranges = by_loop_[held.loop];
    waiting_ = true;
    if (!ranges.empty()) {
      auto& last = ranges.back();
      if (last.queue == held.queue && last.consumer == held.consumer && last.priority == held.priority &&
          last.settlement == settlement && last.first.value + last.count == held.first.value) {
        last.count += held.count;
        return;
      }
    }
    ranges.push_back({held.queue, held.consumer, held.first, held.count, held.priority, settlement});
  }

  /// Calls `each(loop, ranges)` for each loop that has to be told.
  template <class Each>
  void take(Each&& each) {
    if (!std::exchange(waiting_, false)) return;
    for (std::uint32_t loop = 0; loop < by_loop_.size(); ++loop)
      if (!by_loop_[loop].empty()) each(loop, std::exchange(by_loop_[loop], {}));
  }

  /// Calls `each(consumer, messages)` for streams.
  template <class Each>
  void take_streams(Each&& each) {
    for (const auto& [consumer, messages] : std::exchange(streams_, {})) each(consumer, messages);
  }

 private:
  std::vector<std::pair<std::uint64_t, std::uint32_t>> streams_;
  std::vector<std::vector<Settle::Range>> by_loop_;
  bool waiting_ = false;
};

}  // namespace braid::amqp
