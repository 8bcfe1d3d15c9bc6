// Braid, Apache-2.0.
//
// Numbers that are given out in order and finished in any order: the sequence numbers of a publisher that wants
// confirms, and the batches that a session has on their way. What is finished comes out in order again, in runs, since
// one basic.ack with `multiple` confirms as many messages as one would like.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace braid::amqp {

class CompletionWindow {
 public:
  /// The next number; the first is 1.
  std::uint64_t open() {
    states_.push_back(State::open);
    return next() - 1;
  }
  /// The number that open() will give.
  std::uint64_t next() const { return first_ + (states_.size() - head_); }
  /// Everything before this number is finished and was taken.
  std::uint64_t first() const { return first_; }
  bool empty() const { return head_ == states_.size(); }

  /// Numbers that were finished before, or were never given out, are passed over.
  void finish(std::uint64_t number, bool good = true) {
    if (number < first_ || number >= next()) return;
    State& state = states_[head_ + static_cast<std::size_t>(number - first_)];
    if (state == State::open) state = good ? State::good : State::bad;
  }

  /// Calls `each(last, count, good)` for each run of numbers at the front that are finished alike.
  template <class Each>
  void take_finished(Each&& each) {
    while (head_ < states_.size() && states_[head_] != State::open) {
      const State state = states_[head_];
      std::uint32_t count = 0;
      while (head_ < states_.size() && states_[head_] == state) ++head_, ++count;
      first_ += count;
      each(first_ - 1, count, state == State::good);
    }
    compact();
  }

 private:
  enum class State : std::uint8_t { open, good, bad };
  static constexpr std::size_t compact_from = 256;
  void compact() {
    if (head_ == states_.size()) {
      states_.clear();
      head_ = 0;
    } else if (head_ >= compact_from && head_ * 2 >= states_.size()) {
      states_.erase(states_.begin(), states_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
  }

  std::vector<State> states_;
  std::size_t head_ = 0;
  std::uint64_t first_ = 1;
};

}  // namespace braid::amqp
