// Braid, Apache-2.0.
#include "actors/amqp/session/unacknowledged.hpp"

#include <utility>

namespace braid::amqp {

void Unacknowledged::add(const Held& held) {
  size_ += held.count;
  if (held.by_consumer) by_consumers_ += held.count;
  if (!runs_.empty()) {
    const auto last = std::prev(runs_.end());
    const Held& run = last->second;
    if (run.last_tag() + 1 == held.first_tag && run.queue == held.queue && run.consumer == held.consumer &&
        run.priority == held.priority && run.timeout_ms == held.timeout_ms &&
        run.first.value + run.count == held.first.value && held.delivered_ms - run.delivered_ms < join_within_ms) {
      auto node = runs_.extract(last);
      node.mapped().count += held.count;
      node.key() = node.mapped().last_tag();
      runs_.insert(runs_.end(), std::move(node));
      return;
    }
  }
  runs_.emplace_hint(runs_.end(), held.last_tag(), held);
}

void Unacknowledged::put_back(const Held& held) {
  size_ += held.count;
  if (held.by_consumer) by_consumers_ += held.count;
  runs_.emplace(held.last_tag(), held);
}

void Unacknowledged::count_out(const Held& part) {
  size_ -= part.count;
  if (part.by_consumer) by_consumers_ -= part.count;
}

Held Unacknowledged::erase(Runs::iterator at) {
  const Held all = at->second;
  runs_.erase(at);
  count_out(all);
  return all;
}

Held Unacknowledged::take_front(Runs::iterator at, std::uint32_t count) {
  Held& run = at->second;
  if (count == run.count) return erase(at);
  Held front = run;
  front.count = count;
  run.first_tag += count;
  run.first.value += count;
  run.count -= count;
  count_out(front);
  return front;
}

Held Unacknowledged::take_one(Runs::iterator at, std::uint64_t tag) {
  Held& run = at->second;
  if (tag == run.first_tag) return take_front(at, 1);
  const auto before = static_cast<std::uint32_t>(tag - run.first_tag);
  Held one = run;
  one.first_tag = tag;
  one.first.value += before;
  one.count = 1;
  Held front = run;
  front.count = before;
  const auto behind = std::next(at);
  if (tag == run.last_tag()) {
    auto node = runs_.extract(at);
    node.mapped() = front;
    node.key() = front.last_tag();
    runs_.insert(behind, std::move(node));
  } else {
    run.first_tag = tag + 1;
    run.first.value += before + 1;
    run.count -= before + 1;
    runs_.emplace_hint(at, front.last_tag(), front);
  }
  count_out(one);
  return one;
}

}  // namespace braid::amqp
